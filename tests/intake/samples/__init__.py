"""One module per provider, named as the provider, with SAMPLES: its authentic requests.

They have the shapes of what the provider sends and invented contents: one for each thing it can
tell of, and whatever it sends that is of no interest. A provider that can be asked has FETCHED as
well: objects as its API answers with them, each with the provider's word for what it is.
"""
