"""The application factory."""
