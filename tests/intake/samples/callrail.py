"""CallRail: a call that was answered, one that rings, a modified one, a text message."""

from __future__ import annotations

from tests.intake.callrail_events import call, posted

SAMPLES = [
    posted(call()),
    posted(call(answered=False, duration="0", call_type="missed")),
    posted(call(changes=["tags"], tags=["商談"])),
    posted({"resource_id": "SCH8154748ae6bd4e278a7cddd38a662f4f", "content": "こんにちは"}),
    posted(call(direction="sideways")),
]
