"""Pipedrive v2: a deal's life in any order ends in one state; activities are calls or meetings."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from app.domain.activities import KIND, RETRACTED, Report, State, joined
from app.domain.deliveries import Delivery, Refused
from app.domain.errors import Unauthenticated
from app.domain.instants import instant
from app.domain.metrics import PRESETS, Contribution, contribution
from app.domain.revisions import of_instant
from app.intake.providers.pipedrive import PROVIDER
from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, pipedrive, pipedrive_body

assert PROVIDER.hook
HOOKED = PROVIDER.hook


def read(request: HookRequest) -> Delivery:
    HOOKED.verify(request)
    return HOOKED.read(request)


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


def faults(request: HookRequest) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in refused(request).error.faults]


def nothing(request: HookRequest) -> bool:
    delivery = read(request)
    return (delivery.items, delivery.refused) == ((), ())


def fields(state: Report | State) -> dict[str, Any]:
    return {name: value for name, value in state.fields.items() if name not in {KIND, RETRACTED}}


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
LIFE = [
    pipedrive(DEAL, at="2026-12-01T01:00:00.120Z", action="create"),
    pipedrive(WON, at="2026-12-08T06:00:01.000Z", previous={"status": "open"}),
    pipedrive(PRICED, at="2026-12-09T00:00:00.000Z", previous={"value": 450000}),
    pipedrive(DEAL | {"value": 380000.50}, at="2026-12-09T08:00:00Z", previous={"status": "won"}),
    pipedrive(LOST, at="2026-12-10T03:00:00Z", previous={"status": "open"}),
    pipedrive(None, at="2026-12-11T00:00:00Z", action="delete", previous=LOST),
]


def test_a_won_deal_has_exact_money_and_its_owner() -> None:
    found = report(LIFE[2])
    assert (found.source, found.key, found.full) == ("pd", "deal:123", True)
    assert found.stamp.revision == of_instant(instant("2026-12-09T00:00:00Z"))
    assert fields(found) == {
        "status": "won",
        "stage": "5",
        "amount": "380000.5",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00Z",
        "won_at": "2026-12-08T06:00:00Z",
        "closed_at": "2026-12-08T06:00:00Z",
        "expected_close_on": "2026-12-25",
        "owner": "77",
    }
    revenue = contribution(PRESETS["revenue"], joined([report(LIFE[1])]), "JPY")
    assert isinstance(revenue, Contribution)
    assert (revenue.total, revenue.identity) == (450000, "77")


@pytest.mark.parametrize("length", range(1, len(LIFE) + 1))
def test_a_deals_life_ends_in_one_state_whatever_the_order_and_the_attempts(length: int) -> None:
    life = LIFE[:length]
    retried = [
        pipedrive_body(request.body.replace(b'"attempt": 1', f'"attempt": {n}'.encode()))
        for request in life
        for n in (2, 3, 4)
    ]
    expected = joined([report(request) for request in life])
    for seed in range(60):
        deliveries = life + retried
        random.Random(seed).shuffle(deliveries)
        assert joined(report(request) for request in deliveries) == expected
    assert expected.retracted == (length == len(LIFE))
    assert expected.fields["status"] == ["open", "won", "won", "open", "lost", "lost"][length - 1]


def test_every_order_of_a_deals_life_ends_deleted() -> None:
    reports = [report(request) for request in LIFE]
    states = [joined(order) for order in itertools.permutations(reports)]
    assert all(state == states[0] for state in states)
    assert states[0].retracted
    assert "won_at" not in states[0].fields


def test_a_retry_is_the_same_report() -> None:
    assert report(pipedrive(WON, at="2026-12-08T06:00:00Z", attempt=3)) == report(
        pipedrive(WON, at="2026-12-08T06:00:00Z", id="another-delivery")
    )


def test_a_deal_flagged_as_deleted_is_retracted_and_can_come_back() -> None:
    gone = report(pipedrive(WON | {"is_deleted": True}, at="2026-12-09T00:00:00Z"))
    assert (gone.full, gone.fields) == (False, {KIND: "deal", RETRACTED: True})
    back = report(pipedrive(WON, at="2026-12-10T00:00:00Z"))
    assert joined([back, gone]) == joined([gone, back])
    assert not joined([gone, back]).retracted


def test_a_deal_deleted_without_its_last_state_is_retracted() -> None:
    request = pipedrive(None, at="2026-12-09T00:00:00Z", action="delete", previous=None)
    assert report(request).fields == {KIND: "deal", RETRACTED: True}


def test_what_a_deal_does_not_have_is_absent() -> None:
    bare = {"status": "open", "value": None, "won_time": "", "expected_close_date": ""}
    assert fields(report(pipedrive(bare, at="2026-12-09T00:00:00Z"))) == {"status": "open"}


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


def test_a_call_is_outbound_and_says_nothing_it_does_not_know() -> None:
    found = report(activity(CALL))
    assert (found.key, found.fields[KIND]) == ("activity:55", "call")
    assert fields(found) == {
        "direction": "outbound",
        "started_at": "2026-12-10T05:30:00Z",
        "agent": "77",
    }
    calls = contribution(PRESETS["calls"], joined([found]), "JPY")
    assert isinstance(calls, Contribution)


@pytest.mark.parametrize(
    ("more", "started_at"),
    [
        ({"due_time": "05:30:10"}, "2026-12-10T05:30:10Z"),
        ({"due_time": "07:00"}, "2026-12-10T06:10:00Z"),
        ({"due_time": None}, "2026-12-10T06:10:00Z"),
        ({"due_time": ""}, "2026-12-10T06:10:00Z"),
        ({"due_date": None}, "2026-12-10T06:10:00Z"),
        ({"marked_as_done_time": None}, "2026-12-10T05:30:00Z"),
        ({"marked_as_done_time": None, "due_time": None}, None),
        ({"done": False}, None),
        ({"done": None}, None),
        ({"done": 1}, "2026-12-10T05:30:00Z"),
    ],
)
def test_a_call_starts_when_planned_or_when_ticked_off_before(
    more: dict[str, Any], started_at: str | None
) -> None:
    assert report(activity(CALL | more)).fields.get("started_at") == started_at


def test_a_planned_call_is_counted_only_once_it_is_done() -> None:
    planned = report(activity(CALL | {"done": False}, at="2026-12-09T09:00:00Z"))
    assert not isinstance(contribution(PRESETS["calls"], joined([planned]), "JPY"), Contribution)
    made = joined([report(activity(CALL)), planned])
    assert isinstance(contribution(PRESETS["calls"], made, "JPY"), Contribution)


def test_a_meeting_is_booked_when_added_and_held_when_done() -> None:
    booked = report(activity(MEETING))
    assert fields(booked) == {
        "status": "booked",
        "booked_at": "2026-12-09T09:00:00Z",
        "starts_at": "2026-12-10T05:30:00Z",
        "booked_by": "77",
        "organizer": "77",
    }
    held = report(activity(MEETING | {"done": True}, at="2026-12-10T07:00:00Z"))
    assert joined([held, booked]).fields["status"] == "held"
    whole_day = MEETING | {"due_time": None}
    assert "starts_at" not in fields(report(activity(whole_day)))
    ticked = whole_day | {"done": True, "marked_as_done_time": "2026-12-10T06:00:00Z"}
    assert fields(report(activity(ticked)))["starts_at"] == "2026-12-10T06:00:00Z"


def test_an_activity_that_changes_its_type_changes_its_kind_and_keeps_its_key() -> None:
    call = report(activity(CALL, at="2026-12-10T06:00:00Z"))
    meeting = report(activity(MEETING, at="2026-12-10T07:00:00Z", previous={"type": "call"}))
    assert call.key == meeting.key
    assert joined([meeting, call]) == joined([call, meeting])
    assert joined([meeting, call]).kind == "meeting"


def test_a_call_that_becomes_a_task_is_withdrawn_until_it_is_a_call_again() -> None:
    call = report(activity(CALL, at="2026-12-10T06:00:00Z"))
    task = report(
        activity(CALL | {"type": "task"}, at="2026-12-10T07:00:00Z", previous={"type": "call"})
    )
    again = report(activity(CALL, at="2026-12-10T08:00:00Z", previous={"type": "task"}))
    assert joined([task, call]).retracted
    assert joined([call, task]).retracted
    for order in itertools.permutations([call, task, again]):
        assert not joined(order).retracted


@pytest.mark.parametrize("data", [CALL, CALL | {"is_deleted": True}])
def test_a_deleted_activity_is_retracted(data: dict[str, Any]) -> None:
    deleted = data.get("is_deleted") is True
    request = activity(data) if deleted else activity(None, action="delete", previous=data)
    assert report(request).fields == {KIND: "call", RETRACTED: True}


def test_other_objects_and_types_are_acknowledged_and_not_counted() -> None:
    assert nothing(pipedrive({"id": 1}, at="2026-12-10T00:00:00Z", entity="person"))
    assert nothing(activity(CALL | {"type": "task"}))
    assert nothing(activity(CALL | {"type": "deal"}, previous={"type": "deal"}))
    assert nothing(activity(CALL | {"type": "task"}, previous={"type": "lunch"}))
    assert nothing(activity(None, action="delete", previous={"type": "task"}))


AT = "2026-12-10T00:00:00Z"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (pipedrive(DEAL, at=AT, version="1.0"), ("/meta/version", "unsupported_version")),
        (pipedrive(DEAL, at=AT, action="merged"), ("/meta/action", "unknown_value")),
        (pipedrive(DEAL, at=AT, number=""), ("/meta/entity_id", "not_an_id")),
        (pipedrive(DEAL, at=AT, entity_id=None), ("/meta/entity_id", "required")),
        (pipedrive(DEAL, at=AT, entity_id=True), ("/meta/entity_id", "not_an_id")),
        (pipedrive(DEAL, at="soon"), ("/meta/timestamp", "not_a_time")),
        (pipedrive(DEAL, at=""), ("/meta/timestamp", "required")),
        (pipedrive(None, at=AT), ("/data", "not_an_object")),
        (pipedrive(DEAL, at=AT, previous=[1]), ("/previous", "not_an_object")),  # type: ignore[arg-type] # wrong on purpose
        (pipedrive(DEAL | {"value": "dear"}, at=AT), ("/data/value", "not_a_decimal")),
        (pipedrive(DEAL | {"value": True}, at=AT), ("/data/value", "not_a_decimal")),
        (pipedrive(DEAL | {"status": "paused"}, at=AT), ("/data/status", "unknown_value")),
        (pipedrive(DEAL | {"currency": "円"}, at=AT), ("/data/currency", "not_a_currency")),
        (pipedrive(DEAL | {"won_time": 7}, at=AT), ("/data/won_time", "not_a_time")),
        (
            pipedrive(WON | {"won_time": "1970-01-01 00:00:00"}, at=AT),
            ("/data/won_time", "time_before_1980"),
        ),
        (
            pipedrive(WON | {"won_time": "2026-12-16 00:00:00"}, at=AT),
            ("/data/won_time", "time_too_far_ahead"),
        ),
        (
            pipedrive(WON | {"won_time": "2026-02-30 00:00:00"}, at=AT),
            ("/data/won_time", "not_a_time"),
        ),
        (pipedrive(DEAL | {"owner_id": {"id": 7}}, at=AT), ("/data/owner_id", "not_an_id")),
        (
            pipedrive(DEAL | {"expected_close_date": "soon"}, at=AT),
            ("/data/expected_close_date", "not_a_date"),
        ),
        (activity({"done": True}), ("/data/type", "required")),
        (activity(CALL | {"done": "yes"}), ("/data/done", "not_a_boolean")),
        (activity(CALL | {"due_time": "noon"}), ("/data/due_time", "not_a_time")),
        (activity(None, action="delete", previous=None), ("/data/type", "required")),
    ],
)
def test_an_unusable_event_is_refused_with_its_place(
    request_: HookRequest, expected: tuple[str, str]
) -> None:
    assert faults(request_) == [expected]


def test_a_webhook_of_version_1_is_named_as_such() -> None:
    event = {
        "v": 1,
        "meta": {"v": 1, "action": "updated", "object": "deal", "id": 123, "timestamp": 1765180800},
        "current": DEAL,
        "previous": DEAL,
        "event": "updated.deal",
    }
    request = pipedrive_body(json.dumps(event).encode())
    assert faults(request) == [("/meta/version", "unsupported_version")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff\xfe", "byte_order_mark"),
        (b'{"meta":1,"meta":2}', "duplicate_key"),
        (b"[" * 1000, "too_deep"),
        (b"[]", "invalid_delivery"),
        (b"{}", "invalid_delivery"),
    ],
)
def test_an_authentic_body_that_cannot_be_read_is_refused_not_raised(
    body: bytes, code: str
) -> None:
    found = refused(pipedrive_body(body))
    assert (found.error.code, found.source, found.id) == (code, "pd", None)


def test_a_refusal_has_the_events_id_and_none_of_our_secrets() -> None:
    found = refused(pipedrive(DEAL | {"status": "previous-password\u0000"}, at=AT))
    assert found.id == "4f9f9d9e-2c9c-4a8b-9d57-7b1f0f6f9c11"
    assert "previous-password" not in found.content
    assert "[redacted]" in found.content
    assert refused(pipedrive(DEAL | {"status": "x"}, at=AT, id=" ")).id is None


def test_an_event_without_an_id_of_its_own_counts_all_the_same() -> None:
    (item,) = read(pipedrive(DEAL, at=AT, id=None)).items
    assert item.id == "deal:123"


def test_wrong_credentials_are_refused() -> None:
    request = pipedrive(DEAL, at=AT)
    for forged in (
        replace(request, headers={}),
        replace(request, credentials={}),
        replace(request, credentials={"user": ("tassei",), "password": ("other",)}),
        replace(request, credentials={"user": ("other",), "password": ("ひみつの合言葉",)}),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.verify(forged)


def test_the_steps_name_the_address() -> None:
    assert HOOKED.next_steps(HOOK)[0].params["url"] == HOOK
