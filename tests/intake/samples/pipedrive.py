"""Pipedrive's events: a deal won, a call done, a deletion, and what is of no interest."""

from __future__ import annotations

from tests.intake.senders import pipedrive

AT = "2026-12-11T06:00:00.000Z"
DEAL = {
    "id": 123,
    "owner_id": 7,
    "status": "won",
    "value": 400000,
    "currency": "JPY",
    "add_time": "2026-12-10T06:00:00Z",
    "won_time": AT,
}
CALL = {
    "type": "call",
    "done": True,
    "due_date": "2026-12-11",
    "due_time": "05:30",
    "owner_id": 7,
}

SAMPLES = [
    pipedrive(DEAL, at=AT),
    pipedrive(CALL, at=AT, entity="activity"),
    pipedrive(None, at=AT, action="delete", previous=DEAL),
    pipedrive({"name": "Aoi"}, at=AT, entity="person"),
    pipedrive(DEAL | {"status": "nonsense"}, at=AT),
]

FETCHED = [
    ("deal", DEAL | {"update_time": "2026-12-11T06:00:00Z", "is_deleted": False}),
    ("deal", DEAL | {"update_time": "2026-12-11T07:00:00Z", "status": "deleted"}),
    ("activity", CALL | {"id": 31, "update_time": "2026-12-11T06:00:00Z", "is_deleted": False}),
    ("activity", {"id": 32, "type": "lunch", "update_time": "2026-12-11T06:00:00Z"}),
]
