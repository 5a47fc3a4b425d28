"""`python -m app`."""
