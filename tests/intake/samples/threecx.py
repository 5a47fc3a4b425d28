"""3CX: each type of call as our template has it posted, a caller asked about, an unfilled one."""

from __future__ import annotations

from tests.intake.threecx_events import posted, reported

SAMPLES = [
    reported("Inbound"),
    reported("Missed"),
    reported("Outbound"),
    reported("Notanswered"),
    posted({"lookup": "none"}),
    posted({"call_type": "[CallType]", "number": "[Number]"}),
]
