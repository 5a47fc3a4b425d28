"""MiiTel: call histories of one and of several legs, a meeting, and the challenge."""

from __future__ import annotations

from tests.intake.miitel_events import history, leg, meeting, posted

SAMPLES = [
    history(leg()),
    history(leg(dial_answered_at=None), leg(id="leg-2", previous_id="leg-1")),
    history(leg(call_type="NEW_TYPE")),
    history(leg(call_type="EXTENSION")),
    history(leg(), challenge="0123456789abcdef0123456789abcdef"),
    meeting(),
    posted({"challenge": "0123456789abcdef0123456789abcdef"}),
]
