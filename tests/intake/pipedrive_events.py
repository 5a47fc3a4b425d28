"""A deal, a call and a meeting of Pipedrive, and how our hook reads them."""

from __future__ import annotations

from typing import Any

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Refused
from app.intake.providers.pipedrive import PROVIDER
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.senders import pipedrive

assert PROVIDER.hook
HOOKED = PROVIDER.hook


def read(request: HookRequest) -> Delivery:
    return conformance.read("pipedrive", request)


def report(request: HookRequest) -> Report:
    delivery = read(request)
    assert not delivery.refused
    (item,) = delivery.items
    return item.report


def refused(request: HookRequest) -> Refused:
    delivery = read(request)
    assert delivery.quarantines
    assert not delivery.items
    return delivery.refused[0]


DEAL: dict[str, Any] = {
    "id": 123,
    "title": "名古屋支店 新規",
    "status": "open",
    "value": 450000,
    "currency": "JPY",
    "owner_id": 77,
    "stage_id": 4,
    "pipeline_id": 1,
    "add_time": "2026-12-01T01:00:00Z",
    "update_time": "2026-12-01T01:00:00Z",
    "won_time": None,
    "lost_time": None,
    "close_time": None,
    "expected_close_date": "2026-12-25",
    "is_deleted": False,
}
WON = DEAL | {
    "status": "won",
    "won_time": "2026-12-08 06:00:00",
    "close_time": "2026-12-08T06:00:00.000Z",
    "stage_id": "5",
}
PRICED = WON | {"value": 380000.50}
LOST = DEAL | {"value": 380000.50, "status": "lost", "close_time": "2026-12-10T03:00:00Z"}
CALL: dict[str, Any] = {
    "id": 55,
    "type": "call",
    "subject": "折り返し",
    "done": True,
    "owner_id": "77",
    "due_date": "2026-12-10",
    "due_time": "05:30",
    "duration": "00:15",
    "add_time": "2026-12-09T09:00:00Z",
    "marked_as_done_time": "2026-12-10 06:10:00",
    "is_deleted": False,
}
MEETING = CALL | {"type": "meeting", "done": False, "marked_as_done_time": None}


def activity(
    data: dict[str, Any] | None, at: str = "2026-12-10T06:10:01Z", **more: Any
) -> HookRequest:
    return pipedrive(data, at=at, entity="activity", number="55", **more)
