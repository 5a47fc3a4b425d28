"""Calendly: one booking stands, however it was moved, and in whatever order that is told."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report
from app.domain.deliveries import Delivery
from app.domain.instants import instant
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_instant
from tests.intake import conformance
from tests.intake.calendly_events import ANA, BEN, INVITEE, KEY, OLDER, calendly, event, signed
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_bodies,
    flipped_headers,
    states,
)
from tests.intake.senders import NOW

HEADER = "calendly-webhook-signature"
HOUR = 3600


def read(document: Any) -> Delivery:
    return conformance.read("calendly", calendly(document))


def reports(document: Any) -> list[Report]:
    delivery = read(document)
    assert not delivery.refused, delivery.refused
    return [item.report for item in delivery.items]


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def counted(deliveries: list[Delivery], preset: str) -> int:
    """How many meetings a metric counts."""
    found = [contribution(PRESETS[preset], s, "JPY") for s in states(deliveries).values()]
    return sum(isinstance(one, Contribution) for one in found)


# The proof


@pytest.mark.parametrize("key", [KEY, OLDER])
def test_either_key_proves(key: str) -> None:
    assert conformance.read("calendly", calendly(event(), key=key)).items


def test_another_byte_key_scheme_or_algorithm_is_refused() -> None:
    request = calendly(event())
    assert_refused("calendly", flipped_bodies(request))
    assert_refused("calendly", flipped_headers(request, HEADER))
    assert_refused("calendly", [calendly(event(), key="another"), calendly(event(), label="v0")])
    assert_refused("calendly", [calendly(event(), algorithm=name) for name in ("sha1", "sha512")])


def test_a_timestamp_that_was_not_signed_is_refused() -> None:
    request = calendly(event())
    stamp = str(NOW // 1_000_000)
    header = signed(stamp, request.body).replace(stamp, str(int(stamp) - 1))
    assert_refused("calendly", [replace(request, headers={HEADER: header})])


def test_a_signature_lasts_as_long_as_calendly_tries_and_no_longer() -> None:
    assert conformance.read("calendly", calendly(event(), away=-24 * HOUR)).items
    assert_refused("calendly", [calendly(event(), away=hours * HOUR) for hours in (-26, 26)])


# What events mean


def test_a_booking_is_the_hosts() -> None:
    (found,) = reports(event())
    assert (found.source, found.key, found.full) == ("ca", ANA, True)
    assert found.stamp.revision == of_instant(instant("2026-12-01T02:00:01Z"))
    assert found.fields[KIND] == "meeting"
    assert fields(found) == {
        "status": "booked",
        "booked_at": "2026-12-01T02:00:00.123456Z",
        "starts_at": "2026-12-10T05:00:00Z",
        "counterpart": "ana@customer.example",
        "booked_by": "sato@example.co.jp",
        "organizer": "sato@example.co.jp",
    }


def test_another_attempt_is_the_same_report() -> None:
    first, second = read(event()), conformance.read("calendly", calendly(event(), away=-HOUR))
    assert first.items == second.items


def test_an_event_without_hosts_credits_nobody() -> None:
    alone = INVITEE["scheduled_event"] | {"event_memberships": []}
    (found,) = reports(event(scheduled_event=alone))
    assert not {"booked_by", "organizer"} & fields(found).keys()


def canceled(at: str = "2026-12-02T00:00:00Z", **more: Any) -> dict[str, Any]:
    return event("invitee.canceled", at, status="canceled", **more)


def test_a_canceled_booking_was_booked_and_is_not_kept() -> None:
    deliveries = [read(event()), read(canceled())]
    assert_any_order_ends_alike(deliveries)
    assert states(deliveries)[ANA].fields["status"] == "canceled"
    assert counted(deliveries, "appointments") == 1
    assert counted(deliveries, "appointments_kept") == 0


MOVED = canceled("2026-12-03T00:00:00Z", rescheduled=True, new_invitee=BEN)
NEW = event(
    at="2026-12-03T00:00:00Z",
    uri=BEN,
    old_invitee=ANA,
    created_at="2026-12-03T00:00:00Z",
    scheduled_event=INVITEE["scheduled_event"] | {"start_time": "2026-12-17T05:00:00Z"},
)


def test_a_rescheduled_booking_is_one_booking_in_any_order() -> None:
    deliveries = [read(event()), read(MOVED), read(NEW)]
    assert_any_order_ends_alike(deliveries)
    for order in itertools.permutations(deliveries):
        assert counted(list(order), "appointments") == 1
    found = states(deliveries)
    assert found[ANA].retracted
    assert found[BEN].fields["starts_at"] == "2026-12-17T05:00:00Z"


@pytest.mark.parametrize("lost", [MOVED, NEW])
def test_if_one_half_of_a_rescheduling_is_lost_the_old_booking_is_withdrawn_all_the_same(
    lost: dict[str, Any],
) -> None:
    deliveries = [read(one) for one in (event(), MOVED, NEW) if one is not lost]
    assert states(deliveries)[ANA].retracted


def test_rescheduled_twice_and_then_canceled_is_one_canceled_booking() -> None:
    third = ANA.replace("AAAA", "CCCC")
    life = [
        event(),
        MOVED,
        NEW,
        canceled("2026-12-04T00:00:00Z", uri=BEN, rescheduled=True, new_invitee=third),
        event(at="2026-12-04T00:00:00Z", uri=third, old_invitee=BEN),
        canceled("2026-12-05T00:00:00Z", uri=third),
    ]
    deliveries = [read(one) for one in life]
    assert_any_order_ends_alike(deliveries)
    assert counted(deliveries, "appointments") == 1
    assert counted(deliveries, "appointments_kept") == 0


def test_in_a_group_event_one_who_cancels_leaves_the_others_booked() -> None:
    deliveries = [read(event()), read(event(uri=BEN)), read(canceled())]
    assert_any_order_ends_alike(deliveries)
    assert counted(deliveries, "appointments") == 2
    assert counted(deliveries, "appointments_kept") == 1


MARK = {"uri": "https://api.calendly.com/invitee_no_shows/1", "invitee": ANA}


@pytest.mark.parametrize("payload", [MARK, INVITEE | {"no_show": MARK}])
def test_a_no_show_is_told_by_the_mark_or_by_the_invitee(payload: dict[str, Any]) -> None:
    marked = event("invitee_no_show.created", "2026-12-10T06:00:00Z", payload)
    deliveries = [read(event()), read(marked)]
    assert_any_order_ends_alike(deliveries)
    (state,) = states(deliveries).values()
    assert (state.fields["status"], state.fields["starts_at"]) == (
        "no_show",
        "2026-12-10T05:00:00Z",
    )


@pytest.mark.parametrize("payload", [MARK, INVITEE, INVITEE | {"no_show": MARK}])
def test_a_no_show_that_is_taken_back_is_none_in_any_order(payload: dict[str, Any]) -> None:
    marked = event("invitee_no_show.created", "2026-12-10T06:00:00Z", MARK)
    undone = event("invitee_no_show.deleted", "2026-12-10T07:00:00Z", payload)
    deliveries = [read(event()), read(marked), read(undone)]
    assert_any_order_ends_alike(deliveries)
    assert states(deliveries)[ANA].fields["status"] == "booked"


def test_other_events_are_of_no_interest() -> None:
    for name in ("routing_form_submission.created", "event_type.updated", "contact.created"):
        delivery = read(event(name))
        assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (event(scheduled_event=None), "/payload/scheduled_event", "required"),
        (event(uri=None), "/payload/uri", "required"),
        (event(uri="x" * 256), "/payload/uri", "not_a_name"),
        (event(old_invitee="a\x00b"), "/payload/old_invitee", "not_a_name"),
        (event(at="soon"), "/created_at", "not_a_time"),
        (event(created_at="2027-06-01T00:00:00Z"), "/payload/created_at", "time_too_far_ahead"),
        (event(scheduled_event={"uri": "x"}), "/payload/scheduled_event/start_time", "required"),
    ],
)
def test_what_cannot_be_used_says_where(document: Any, pointer: str, code: str) -> None:
    (refused,) = read(document).refused
    assert [(f.pointer, f.code) for f in refused.error.faults] == [(pointer, code)]


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([ANA, BEN, "canceled", "2026-12-08T06:00:00Z"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.sampled_from(["start_time", "event_memberships"]), st.text(max_size=4))
)


@given(
    st.sampled_from(
        [
            "invitee.created",
            "invitee.canceled",
            "invitee_no_show.created",
            "invitee_no_show.deleted",
        ]
    ),
    st.dictionaries(st.sampled_from(sorted({*INVITEE, "invitee"})), VALUES),
)
def test_any_event_is_read_or_refused(name: str, changes: dict[str, Any]) -> None:
    read(event(name, payload=INVITEE | changes))
