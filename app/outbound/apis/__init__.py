"""One module per provider that can be asked, with its API."""
