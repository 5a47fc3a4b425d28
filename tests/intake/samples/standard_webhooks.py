"""Signed CloudEvents: one, a batch with one that cannot be read, and no JSON at all."""

from __future__ import annotations

import json

from tests.intake.senders import webhook

DEAL = {
    "specversion": "1.0",
    "id": "e-1",
    "subject": "D-1001",
    "revision": "1",
    "source": "crm",
    "type": "deal",
    "actor": "sato@example.co.jp",
    "data": {"status": "won", "amount": "450000", "won_at": "2026-12-08T15:00:00+09:00"},
}

SAMPLES = [
    webhook(json.dumps(DEAL).encode()),
    webhook(json.dumps([DEAL, DEAL | {"id": "e-2", "type": "?"}]).encode()),
    webhook(b"{"),
]
