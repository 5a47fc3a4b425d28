"""How the tables came to be, step by step; packaged, so that an installed service can upgrade."""
