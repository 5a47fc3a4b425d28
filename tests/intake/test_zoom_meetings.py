"""Meetings of Zoom: booked, moved, canceled, held once however often they are begun."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, State
from app.domain.deliveries import Delivery
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.conformance import assert_any_order_ends_alike, states
from tests.intake.zoom_events import meeting, moved, session

SINGLE = "meeting:91234567890"
BOOKED = meeting("created", "2026-12-10T01:00:00Z")
MOVED = moved("2026-12-11T01:00:00Z", "2026-12-14T06:00:00Z")
HELD = session("first==", "2026-12-14T06:02:00Z", "2026-12-14T07:00:00Z")


def read(request: HookRequest) -> Delivery:
    return conformance.read("zoom", request)


def meetings(*requests: HookRequest) -> dict[str, State]:
    deliveries = [read(request) for request in requests]
    assert not any(delivery.refused for delivery in deliveries)
    assert_any_order_ends_alike(deliveries, rounds=10)
    return states(deliveries)


def fields(*requests: HookRequest) -> dict[str, Any]:
    """What the one meeting is that these tell of."""
    found = meetings(*requests)
    assert set(found) == {SINGLE}
    return {name: value for name, value in found[SINGLE].fields.items() if name != KIND}


def test_a_meeting_is_booked_moved_and_held() -> None:
    booked = fields(BOOKED)
    assert booked == {
        "status": "booked",
        "booked_at": "2026-12-10T01:00:00Z",
        "starts_at": "2026-12-14T05:00:00Z",
        "booked_by": "suzuki@example.co.jp",
        "organizer": "hOst1",
    }
    assert fields(BOOKED, MOVED) == booked | {"starts_at": "2026-12-14T06:00:00Z"}
    assert fields(BOOKED, MOVED, HELD) == booked | {
        "status": "held",
        "starts_at": "2026-12-14T06:02:00Z",
    }


def test_of_a_meeting_that_is_begun_again_the_earliest_session_stands() -> None:
    again = session("again==", "2026-12-14T08:00:00Z", "2026-12-14T08:30:00Z", host_id="hOst2")
    assert fields(BOOKED, again, HELD) == fields(BOOKED, HELD)
    assert fields(again, HELD)["organizer"] == "hOst1"


def test_a_session_that_was_too_short_is_not_held() -> None:
    looked_in = {"minimum_meeting_minutes": 5}
    short = session("s==", "2026-12-14T05:50:00Z", "2026-12-14T05:54:59Z", settings=looked_in)
    assert (read(short).items, read(short).refused) == ((), ())
    assert fields(BOOKED, short)["status"] == "booked"
    assert fields(BOOKED, short, HELD)["starts_at"] == "2026-12-14T06:02:00Z"
    exact = session("s==", "2026-12-14T05:50:00Z", "2026-12-14T05:55:00Z", settings=looked_in)
    assert fields(BOOKED, exact, HELD)["starts_at"] == "2026-12-14T05:50:00Z"
    always = session("s==", "2026-12-14T05:50:00Z", "2026-12-14T05:50:00Z")
    assert fields(BOOKED, always)["status"] == "held"


def test_a_session_without_an_end_is_refused_only_where_its_length_decides() -> None:
    endless = {"end_time": None}
    deciding = session(
        "s==",
        "2026-12-14T05:50:00Z",
        "2026-12-14T06:50:00Z",
        settings={"minimum_meeting_minutes": 5},
        **endless,
    )
    (refused,) = read(deciding).refused
    assert refused.error.faults[0].pointer == "/payload/object/end_time"
    assert read(session("s==", "2026-12-14T05:50:00Z", "2026-12-14T06:50:00Z", **endless)).items


def test_a_deleted_meeting_is_canceled_unless_it_was_held() -> None:
    deleted = meeting("deleted", "2026-12-15T01:00:00Z")
    assert fields(BOOKED, MOVED, deleted)["status"] == "canceled"
    assert fields(BOOKED, HELD, deleted)["status"] == "held"


def test_a_series_is_booked_once_and_held_once_a_day_by_its_own_clock() -> None:
    days = [
        session("a==", "2026-12-10T16:00:00Z", "2026-12-10T17:00:00Z", type=8),
        # The same day in Tokyo, begun again; the next day in UTC.
        session("b==", "2026-12-11T00:30:00Z", "2026-12-11T01:00:00Z", type=8),
        session("c==", "2026-12-11T16:00:00Z", "2026-12-11T17:00:00Z", type=3),
    ]
    series = meeting("created", "2026-12-10T01:00:00Z", type=8)
    found = meetings(series, *days)
    assert set(found) == {SINGLE, f"{SINGLE}:2026-12-11", f"{SINGLE}:2026-12-12"}
    assert found[f"{SINGLE}:2026-12-11"].fields["starts_at"] == "2026-12-10T16:00:00Z"
    assert "booked_at" not in found[f"{SINGLE}:2026-12-11"].fields
    assert found[SINGLE].fields["status"] == "booked"


@pytest.mark.parametrize(
    "one_day",
    [
        meeting("deleted", type=8, extra={"operation": "single"}),
        meeting("created", type=8, extra={"operation": "single"}),
        moved("2026-12-11T01:00:00Z", "2026-12-14T06:00:00Z", scope="single"),
    ],
)
def test_what_becomes_of_one_day_leaves_the_series(one_day: HookRequest) -> None:
    assert (read(one_day).items, read(one_day).refused) == ((), ())


@pytest.mark.parametrize("kind", [1, 4, 7, None])
@pytest.mark.parametrize("label", ["created", "ended", "deleted"])
def test_instant_meetings_and_personal_rooms_count_as_nothing(label: str, kind: int | None) -> None:
    delivery = read(meeting(label, type=kind))
    assert (delivery.items, delivery.refused) == ((), ())


def test_a_moved_personal_room_or_a_new_topic_says_nothing() -> None:
    assert not read(meeting("updated", start_time=None)).items
    assert not read(meeting("updated", type=4)).items


@pytest.mark.parametrize(
    ("request_", "pointer"),
    [
        (meeting("created", id=None), "/payload/object/id"),
        (meeting("created", id="today"), "/payload/object/id"),
        (meeting("ended", start_time=None), "/payload/object/start_time"),
        (meeting("ended", type=8, timezone="Mars/Olympus"), "/payload/object/timezone"),
        (meeting("ended", type=8, timezone="../../etc"), "/payload/object/timezone"),
        (meeting("created", start_time="2026-12-14T05:00:00"), "/payload/object/start_time"),
        (meeting("created", extra={"operator": " "}), "/payload/operator"),
    ],
)
def test_an_unusable_meeting_is_refused_with_its_place(request_: HookRequest, pointer: str) -> None:
    delivery = read(request_)
    assert not delivery.items
    assert [fault.pointer for fault in delivery.refused[0].error.faults] == [pointer]


@pytest.mark.parametrize("label", ["operation", "scope"])
@pytest.mark.parametrize("odd", [[], ["single"], {}, {"single": True}, 1, None])
def test_what_should_say_how_much_of_a_series_is_meant_may_be_anything(
    label: str, odd: Any
) -> None:
    delivery = read(meeting("updated", extra={label: odd}))
    assert [item.report.key for item in delivery.items] == ["meeting:91234567890"]


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just([None])


@given(
    st.sampled_from(["created", "updated", "deleted", "ended"]),
    st.dictionaries(
        st.sampled_from(["id", "uuid", "type", "start_time", "end_time", "host_id", "timezone"]),
        JUNK,
    ),
    st.integers(0, 10),
)
def test_any_values_of_a_meeting_are_read_or_refused(
    label: str, changed: dict[str, Any], minutes: int
) -> None:
    settings = {"minimum_meeting_minutes": minutes}
    delivery = read(meeting(label, settings=settings, **changed))
    assert len(delivery.items) + len(delivery.refused) <= 1
