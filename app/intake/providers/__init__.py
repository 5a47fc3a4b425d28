"""One file per sender; none knows another."""
