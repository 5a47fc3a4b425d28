"""Twilio's status callbacks, by POST and GET, and a request for what to do next with a call."""

from __future__ import annotations

from tests.intake.senders import ROOT, leg, twilio

AT = "2026-12-11T10:02:00+09:00"
ENDED = leg(ROOT, "completed", AT, CallDuration="60")
ASKING = {k: v for k, v in leg(ROOT, "completed", AT).items() if k != "CallbackSource"}
del ASKING["Timestamp"]

SAMPLES = [
    twilio(ENDED),
    twilio(ENDED, method="GET"),
    twilio(leg(ROOT, "ringing", AT)),
    twilio(leg("CA2", "no-answer", AT, ParentCallSid=ROOT, Direction="outbound-dial")),
    twilio(leg(ROOT, "nonsense", AT)),
    twilio(ASKING),
]
