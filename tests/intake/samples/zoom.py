"""Zoom: call elements of both sides, an older form, meetings, what is of no interest."""

from __future__ import annotations

from tests.intake.zoom_events import VALIDATION, element, event, meeting, outgoing, posted, told

_OLDER = {
    "account_id": "abC1",
    "object": {"call_logs": [element(1, call_element_id=None, id="h-1", call_path_id="p-1")]},
}

SAMPLES = [
    told(element(1)),
    told(element(1, result="no_answer"), element(2)),
    told(outgoing(1), side="caller"),
    told(element(1, connect_type="internal")),
    told(element(1, result="exploded"), element(2)),
    posted(event("phone.callee_call_history_completed", _OLDER)),
    posted(event("phone.caller_ended", {"object": {"call_id": "1"}})),
    posted(VALIDATION),
    meeting("created"),
    meeting("updated", start_time="2026-12-15T05:00:00Z"),
    meeting("deleted"),
    meeting("ended", id="91234567890"),
    meeting("created", type=1),
]
