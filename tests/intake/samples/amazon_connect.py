"""Amazon Connect: contacts that begin, are answered, end, are passed on, and a chat."""

from __future__ import annotations

from tests.intake.eventbridge_events import CONTACT, agent, contact

END = "2026-12-10T01:05:00.000Z"
ANSWERED = "2026-12-10T01:01:00.000Z"

SAMPLES = [
    contact("INITIATED"),
    contact("CONNECTED_TO_AGENT", agentInfo=agent("sato", ANSWERED)),
    contact("DISCONNECTED", agentInfo=agent("sato", ANSWERED), disconnectTimestamp=END),
    contact("DISCONNECTED", disconnectTimestamp=END),
    contact("COMPLETED", contact="c-2", initialContactId=CONTACT, initiationMethod="TRANSFER"),
    contact("DISCONNECTED", channel="CHAT", disconnectTimestamp=END),
    contact("DISCONNECTED", disconnectTimestamp="soon"),
]
