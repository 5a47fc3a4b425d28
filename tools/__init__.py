"""Programs that tests and development need beside the packages."""
