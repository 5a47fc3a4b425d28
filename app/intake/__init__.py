"""Bytes become reports; pure."""
