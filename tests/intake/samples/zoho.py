"""Zoho's notifications: records to fetch, a deletion, another module, and one without ids."""

from __future__ import annotations

from tests.intake.zoho_events import DEAL_ID, OLDER, notification, zoho

SAMPLES = [
    zoho(notification(ids=(DEAL_ID, "5725767000000524158"))),
    zoho(notification("Calls", "insert", token=OLDER)),
    zoho(notification(operation="delete")),
    zoho(notification("Accounts")),
    zoho(notification(ids=None)),
]
