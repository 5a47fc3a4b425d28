"""One module per sender, which defines PROVIDER; none knows another.

What is here is found by being here (`app.intake.registry`), so a new sender changes no list. A
sender that is too long for one file is a package whose `__init__` defines PROVIDER.
"""
