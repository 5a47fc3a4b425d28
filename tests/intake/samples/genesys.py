"""Genesys Cloud: the ends of users and customers, a chat, and another topic."""

from __future__ import annotations

from tests.intake.eventbridge_events import conversation

AT = 1796864700000  # 2026-12-10T01:05:00Z

SAMPLES = [
    conversation("customer", AT, interactingDurationMs=300_000),
    conversation("user", AT, userId="sato", interactingDurationMs=240_500),
    conversation("user", AT, userId="suzuki", alertingDurationMs=15_000),
    conversation("customer", AT, mediaType="CHAT"),
    conversation("acd", AT),
    conversation("customer", AT, direction="SIDEWAYS"),
]
