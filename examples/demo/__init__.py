"""A Japanese inside-sales team at work, reported by three providers through signed webhooks."""
