"""Verbs: each opens its transaction in one visible place."""
