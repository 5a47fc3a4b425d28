"""RingCentral: the events of three calls, a voicemail, a reminder, what cannot be read."""

from __future__ import annotations

from tests.intake.ringcentral_events import (
    INBOUND,
    INTERNAL,
    MENU,
    OUTBOUND,
    SATO,
    SESSION,
    event,
    posted,
    rung,
)
from tests.outbound.ringcentral_account import leg, logged

AT = "2026-12-14T01:05:43.000Z"
# What the call log has of them.
FETCHED = [
    (
        "call-log",
        logged(
            SESSION,
            AT,
            31,
            "Accepted",
            leg("Accept", AT, 31, "Accepted", extension=MENU, master=True),
            leg("PstnToSip", AT, 14, "Accepted", extension=SATO),
            extension={"id": int(SATO)},
        ),
    ),
    ("call-log", logged("s-2", AT, 9, "Hang Up", direction="Outbound")),
    ("call-log", logged("s-3", AT, 60, "Received", type="Fax")),
]
SAMPLES = [
    *(posted(one) for one in (INBOUND[0], INBOUND[6], INBOUND[-1])),
    *(posted(one) for one in (OUTBOUND[0], OUTBOUND[1], OUTBOUND[4], OUTBOUND[-1])),
    posted(INTERNAL[4]),
    posted(event(8, "01:06:00.001", rung(3, SATO, "VoiceMail"))),
    posted(event(9, "01:06:00.001", rung(3, SATO, "Exploded"), rung(4, SATO, "Answered"))),
    posted({"uuid": "1", "event": "/restapi/v1.0/subscription/~?threshold=60&interval=15"}),
    posted(INBOUND[6], token="an-older-verification-token"),
]
