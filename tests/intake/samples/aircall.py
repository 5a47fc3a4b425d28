"""Aircall: a call that rings, goes on and ends, a voicemail, a contact, an unusable one."""

from __future__ import annotations

from tests.intake.aircall_events import ANSWERED, STARTED, call, event, inbound, posted, told

RINGING = {"status": "initial", "answered_at": None, "ended_at": None, "duration": 0}
MISSED = inbound(
    answered_at=None,
    user=None,
    missed_call_reason="agents_did_not_answer",
    voicemail="https://assets.aircall.example/calls/1/voicemail?sig=f00dfeed",
)

SAMPLES = [
    told("call.created", call(**RINGING), STARTED),
    told("call.answered", call(status="answered", ended_at=None), ANSWERED),
    told("call.ended", call()),
    told("call.tagged", call(tags=[{"id": 5, "name": "商談"}])),
    told("call.voicemail_left", MISSED),
    told("call.ended", call(direction=None)),
    posted(event("contact.created", {"id": 9, "first_name": "花子"}, resource="contact")),
    told("call.ended", None),
]

FETCHED = [("call", call()), ("call", MISSED), ("call", call(**RINGING)), ("user", call())]
