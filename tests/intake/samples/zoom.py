"""Zoom: call elements of both sides, an older form, meetings, what is of no interest."""

from __future__ import annotations

from tests.intake.zoom_events import (
    VALIDATION,
    element,
    event,
    meeting,
    moved,
    older,
    outgoing,
    posted,
    session,
    told,
)

_OLDER = {"account_id": "abC1", "object": {"call_logs": [older(element(1))]}}

SAMPLES = [
    told(element(1)),
    told(element(1, result="no_answer"), element(2)),
    told(outgoing(1), side="caller"),
    told(element(1, connect_type="internal", caller_number_type=None)),
    told(element(1, result="exploded"), element(2)),
    posted(event("phone.callee_call_history_completed", _OLDER)),
    posted(event("phone.caller_ended", {"object": {"call_id": "1"}})),
    posted(VALIDATION),
    meeting("created"),
    moved("2026-12-14T01:02:03Z", "2026-12-15T05:00:00Z"),
    meeting("deleted"),
    session("s1==", "2026-12-14T05:00:10Z", "2026-12-14T05:55:00Z"),
    meeting("created", type=1),
]
