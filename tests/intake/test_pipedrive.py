"""Pipedrive v2: a deal's life in any order ends in one state; activities are calls or meetings."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from app.domain.activities import KIND, RETRACTED, Report, State, joined
from app.domain.instants import instant
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_instant
from app.intake.requests import HookRequest
from tests.intake.pipedrive_events import (
    CALL,
    DEAL,
    LOST,
    MEETING,
    PRICED,
    WON,
    activity,
    read,
    report,
)
from tests.intake.senders import pipedrive, pipedrive_body


def fields(state: Report | State) -> dict[str, Any]:
    return {name: value for name, value in state.fields.items() if name not in {KIND, RETRACTED}}


def nothing(request: HookRequest) -> bool:
    delivery = read(request)
    return (delivery.items, delivery.refused) == ((), ())


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
