"""One value, several faces."""
