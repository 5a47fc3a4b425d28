"""Things to look at and to run; nothing in app/ imports them."""
