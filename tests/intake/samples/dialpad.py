"""Dialpad: calls that ring and end, a queue's legs, a voicemail, a text message, a wrong one."""

from __future__ import annotations

from tests.intake.dialpad_events import LEG_A, OLD, QUEUE, ROOT, event, signed, unanswered

SAMPLES = [
    signed(unanswered("ringing", date_ended=None)),
    signed(event()),
    signed(event(direction="outbound"), key=OLD),
    signed(event(target=QUEUE, operator_call_id=LEG_A)),
    signed(event(call_id=LEG_A, entry_point_call_id=ROOT)),
    signed(unanswered("voicemail", voicemail_link="https://dialpad.example/v/f00dfeed")),
    signed({"id": 7, "text": "こんにちは", "direction": "inbound"}),
    signed(event(direction="sideways")),
]
