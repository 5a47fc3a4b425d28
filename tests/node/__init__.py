"""Vendors' own validators that exist for Node only: they judge what we sign and what we answer."""
