"""FreeSWITCH: the legs of a call in each of the switch's spellings, and what is no record."""

from __future__ import annotations

from tests.intake.freeswitch_events import INBOUND_ROOT, OUTBOUND_ROOT, RANG, TALKED, posted

SAMPLES = [
    posted(INBOUND_ROOT),
    posted(RANG, values=False),
    posted(TALKED, encode="base64"),
    posted(OUTBOUND_ROOT, encode="true", values=False),
    posted({**OUTBOUND_ROOT, "callflow": []}),
    posted(b"cdr=not json at all"),
]
