"""Close's events: a deal won, a call, a meeting, a deletion, another object, one without data."""

from __future__ import annotations

from tests.intake.close_events import CALL, DEAL, MEETING, close, event

SAMPLES = [
    close(event(DEAL)),
    close(event(CALL, "activity.call", "completed")),
    close(event(MEETING, "activity.meeting", "created")),
    close(event(None, action="deleted")),
    close(event({"id": "lead_1"}, "lead")),
    close(event(None)),
]

# Entries of the event log, and opportunities as they are listed.
FETCHED = [
    ("opportunity", DEAL),
    ("opportunity", event(None, action="deleted")["event"]),
    ("activity.call", event(CALL, "activity.call", "completed")["event"]),
    ("activity.meeting", event(MEETING, "activity.meeting", "scheduled")["event"]),
]
