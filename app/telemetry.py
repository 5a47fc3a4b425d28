"""What the service tells about itself: logs and its own counters."""
