"""Asterisk: several rows in a post, a call among ours, and lines that are no rows."""

from __future__ import annotations

from tests.intake.asterisk_events import OUTBOUND, QUEUE, phone, posted, row

SAMPLES = [
    posted(*QUEUE),
    posted(OUTBOUND),
    posted(row(phone("1001"), phone("1002"), 3, 0, 5, 60, src="1001", dst="1002")),
    posted('"half a line', OUTBOUND),
    posted(row("", "", 3, 0, 5, 60, disposition="EXPLODED")),
]
