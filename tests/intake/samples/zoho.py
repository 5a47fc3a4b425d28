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

CHANGED = {
    "id": DEAL_ID,
    "Created_Time": "2026-12-01T10:00:00+09:00",
    "Modified_Time": "2026-12-08T15:00:00+09:00",
    "Owner": {"id": "5725767000000411001", "name": "佐藤"},
}
FETCHED = [
    ("Deals", CHANGED | {"Stage": "Closed Won", "Amount": 450000, "Closing_Date": "2026-12-08"}),
    ("Calls", CHANGED | {"Call_Type": "Outbound", "Call_Duration": "02:05"}),
    ("Events", CHANGED | {"Start_DateTime": "2026-12-10T14:30:00+09:00"}),
    ("Leads", CHANGED | {"Lead_Status": "Contacted"}),
    ("Deals", {"id": DEAL_ID, "deleted_time": "2026-12-09T15:00:00+09:00"}),
]
