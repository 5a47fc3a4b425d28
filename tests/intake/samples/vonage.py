"""Vonage: a leg that rings and ends, one of ours, a machine, a recording, a wrong one."""

from __future__ import annotations

from tests.intake.vonage_events import (
    LEG,
    OTHER,
    SATO,
    completed,
    event,
    signed,
)

SAMPLES = [
    signed(event("ringing")),
    signed(event("answered", start_time=None, rate=None, network=None)),
    signed(completed()),
    signed(completed(uuid=OTHER, to=SATO)),
    signed(event("busy")),
    signed(event("machine", uuid=None, call_uuid=LEG, direction=None)),
    signed(completed(**{"from": None, "from_user": "sato", "direction": "inbound"})),
    signed({"recording_url": "https://api.nexmo.com/v1/files/1", "conversation_uuid": "CON-1"}),
    signed(completed(direction="sideways")),
]
