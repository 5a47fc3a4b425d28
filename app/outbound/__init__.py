"""The only room that calls out: what a provider's API is asked, and how."""
