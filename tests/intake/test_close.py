"""Close: a hexadecimal key, minor units, and whole objects in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Delivery
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.revisions import of_instant
from app.intake.credentials import read_credentials
from app.intake.providers.close import PROVIDER
from app.intake.source_settings import NO_SETTINGS, Settings, read_settings
from tests.intake import conformance
from tests.intake.close_events import CALL, DEAL, KEY, MEETING, OLDER, STAMP, close, event
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_bodies,
    flipped_headers,
    states,
)

SIGNED = ("close-sig-hash", "close-sig-timestamp")


def read(document: Any, settings: Settings = NO_SETTINGS) -> Delivery:
    return conformance.read("close", close(document, settings=settings))


def report(document: Any, **settings: str) -> Report:
    delivery = read(document, read_settings(PROVIDER.settings, settings))
    assert not delivery.refused, delivery.refused
    (item,) = delivery.items
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def fault(document: Any) -> tuple[str, str]:
    (refused,) = read(document).refused
    (found,) = refused.error.faults
    return found.pointer, found.code


# The proof


@pytest.mark.parametrize("key", [KEY, OLDER])
def test_either_key_proves(key: str) -> None:
    assert conformance.read("close", close(event(DEAL), key=bytes.fromhex(key))).items


def test_the_key_is_what_the_hexadecimal_digits_stand_for_and_not_their_text() -> None:
    assert_refused("close", [close(event(DEAL), key=KEY.encode())])


@pytest.mark.parametrize("text", ["xyz", "abc", "ab cd", "abcd ", "あい", "whsec_AAAA"])
def test_a_key_that_is_not_hexadecimal_is_refused_when_it_is_entered(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_credentials(PROVIDER.secrets, {"signature_key": text})
    assert caught.value.faults[0].pointer == "/signature_key"


def test_another_byte_key_time_or_algorithm_is_refused() -> None:
    request = close(event(DEAL))
    assert_refused("close", flipped_bodies(request))
    assert_refused("close", flipped_headers(request, *SIGNED))
    assert_refused("close", [close(event(DEAL), key=b"another")])
    assert_refused("close", [close(event(DEAL), algorithm=name) for name in ("sha1", "sha512")])


def test_a_signature_lasts_as_long_as_close_tries_and_no_longer() -> None:
    hour = 3600
    for hours in (72, 95):
        assert conformance.read("close", close(event(DEAL), stamp=str(int(STAMP) - hours * hour)))
    late = [str(int(STAMP) + hours * hour) for hours in (-97, 97)]
    assert_refused("close", [close(event(DEAL), stamp=stamp) for stamp in late])


# What events mean


def test_a_won_deal_counts_dollars_and_not_cents_on_its_day() -> None:
    found = report(event(DEAL))
    assert (found.source, found.key, found.full) == ("cl", DEAL["id"], True)
    assert found.stamp.revision == of_instant(instant("2026-12-08T06:00:01.5Z"))
    assert fields(found) == {
        "status": "won",
        "stage": "Won",
        "amount": "1000",
        "currency": "USD",
        "created_at": "2026-12-01T01:00:00.120000Z",
        "won_at": "2026-12-08T00:00:00Z",
        "closed_at": "2026-12-08T00:00:00Z",
        "owner": "user_N6KhMpzH",
    }


def test_the_day_it_was_won_begins_in_the_zone_that_was_given() -> None:
    assert fields(report(event(DEAL), time_zone="Asia/Tokyo"))["won_at"] == "2026-12-07T15:00:00Z"


@pytest.mark.parametrize(
    ("value", "currency", "shown", "amount"),
    [
        (123456, "USD", "$1,234.56", "1234.56"),
        (5, "EUR", "€0.05", "0.05"),
        (450000, "JPY", "¥450,000", "450000"),
        (45000000, "JPY", "¥450,000", "450000"),
        (0, "JPY", "¥0", "0"),
        (1234500, "KWD", "KWD 1,234.500", "1234.5"),
        (123450, "KWD", "KWD 1,234.50", "1234.5"),
    ],
)
def test_minor_units_of_each_currency_become_main_ones(
    value: int, currency: str, shown: str, amount: str
) -> None:
    data = DEAL | {"value": value, "value_currency": currency, "value_formatted": shown}
    assert fields(report(event(data)))["amount"] == amount


@pytest.mark.parametrize(("shown", "code"), [("¥7", "not_a_decimal"), (None, "required")])
def test_an_amount_in_yen_that_nothing_settles_is_refused_and_not_guessed(
    shown: str | None, code: str
) -> None:
    data = DEAL | {"value": 450000, "value_currency": "JPY", "value_formatted": shown}
    assert fault(event(data)) == ("/event/data/value_formatted", code)


@pytest.mark.parametrize(
    ("period", "setting", "amount"),
    [
        ("monthly", "as_entered", "1000"),
        ("monthly", "annualized", "12000"),
        ("annual", "annualized", "1000"),
        ("one_time", "annualized", "1000"),
    ],
)
def test_a_recurring_value_counts_as_the_settings_say(
    period: str, setting: str, amount: str
) -> None:
    found = report(event(DEAL | {"value_period": period}), recurring_values=setting)
    assert fields(found)["amount"] == amount


def test_a_deal_that_is_won_ahead_of_its_day_was_won_when_that_was_written() -> None:
    early = fields(report(event(DEAL | {"date_won": "2026-12-31"})))
    assert early["won_at"] == early["closed_at"] == "2026-12-08T06:00:01.500000Z"


def test_an_active_deal_is_expected_and_a_lost_one_was_not_won() -> None:
    active = fields(report(event(DEAL | {"status_type": "active"})))
    assert (active["status"], active["expected_close_on"]) == ("open", "2026-12-08")
    assert "won_at" not in active
    lost = fields(report(event(DEAL | {"status_type": "lost"})))
    assert lost["status"] == "lost"
    assert not {"won_at", "expected_close_on"} & lost.keys()


def test_a_call_has_its_outcome_and_time_on_the_line() -> None:
    found = report(event(CALL, "activity.call", "completed"))
    assert (found.key, found.fields[KIND]) == ("acti_Call0001", "call")
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-08T05:30:00Z",
        "duration_seconds": 125,
        "talk_seconds": 125,
        "counterpart": "+819012345678",
        "agent": "user_N6KhMpzH",
    }


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [
        ("no-answer", "no_answer"),
        ("vm-left", "voicemail"),
        ("vm-answer", "voicemail"),
        ("busy", "busy"),
        ("blocked", "failed"),
        ("error", "failed"),
        ("abandoned", "failed"),
        ("something new", None),
        (None, None),
    ],
)
def test_a_call_that_was_not_answered_has_no_time_of_talk(
    disposition: str | None, outcome: str | None
) -> None:
    found = fields(report(event(CALL | {"disposition": disposition}, "activity.call")))
    assert found.get("outcome") == outcome
    assert "talk_seconds" not in found


def test_a_call_that_has_not_ended_is_none_yet() -> None:
    for status in ("created", "in-progress"):
        delivery = read(event(CALL | {"status": status}, "activity.call", "created"))
        assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("upcoming", "booked"),
        ("in-progress", "booked"),
        ("completed", "held"),
        ("canceled", "canceled"),
        ("declined-by-lead", "canceled"),
        ("declined-by-org", "canceled"),
    ],
)
def test_a_meeting_is_what_its_status_says(status: str, meaning: str) -> None:
    found = report(event(MEETING | {"status": status}, "activity.meeting"))
    assert fields(found) == {
        "status": meaning,
        "booked_at": "2026-12-02T02:00:00Z",
        "starts_at": "2026-12-20T05:00:00Z",
        "booked_by": "user_N6KhMpzH",
        "organizer": "user_N6KhMpzH",
    }


def test_a_deletion_has_the_events_time_which_has_no_offset_and_is_utc() -> None:
    found = report(event(None, action="deleted"))
    assert (found.full, found.fields) == (False, {KIND: "deal", RETRACTED: True})
    assert found.stamp.revision == of_instant(instant("2026-12-08T06:00:02.395Z"))


def test_a_deletion_that_carries_the_last_state_is_still_later_than_that_state() -> None:
    gone = report(event(DEAL, action="deleted", at="2026-12-10T00:00:00.000000"))
    assert gone.stamp.revision == of_instant(instant("2026-12-10T00:00:00Z"))
    for order in itertools.permutations([gone, report(event(DEAL))]):
        assert joined(order).retracted


def test_other_objects_are_of_no_interest() -> None:
    for kind in ("lead", "contact", "activity.email", "task.lead"):
        delivery = read(event({"id": "x"}, kind))
        assert (delivery.items, delivery.refused) == ((), ())


def test_an_event_without_its_object_says_so() -> None:
    assert fault(event(None)) == ("/event/data", "required")
    assert fault(event(DEAL, object_id=None)) == ("/event/object_id", "required")
    for odd in ("x" * 256, "a\x00b", " a"):
        assert fault(event(DEAL, object_id=odd)) == ("/event/object_id", "not_a_name")
    assert fault(event(DEAL | {"value": "x"})) == ("/event/data/value", "not_an_integer")


# Order


def life() -> list[dict[str, Any]]:
    active = {"status_type": "active", "status_label": "Active"}
    return [
        event(
            DEAL | active | {"date_updated": "2026-12-01T01:00:00.120000+00:00"}, action="created"
        ),
        event(DEAL),
        event(DEAL | {"value": 90000, "date_updated": "2026-12-09T00:00:00+00:00"}),
    ]


def test_a_deals_life_ends_in_one_state_whatever_the_order() -> None:
    deliveries = [read(one) for one in life()]
    assert_any_order_ends_alike(deliveries)
    (state,) = states(deliveries).values()
    assert (state.fields["status"], state.fields["amount"]) == ("won", "900")


def test_several_edits_in_one_event_come_to_the_same_state() -> None:
    every, last = [read(one) for one in life()], [read(life()[2])]
    assert states(every) == states(last)


def test_a_deleted_deal_stays_deleted_whatever_comes_late() -> None:
    gone = event(None, action="deleted", at="2026-12-10T00:00:00.000000")
    deliveries = [read(one) for one in [*life(), gone]]
    for order in itertools.permutations(deliveries):
        (state,) = states(order).values()
        assert state.retracted


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["JPY", "won", "monthly", "2026-12-08", "2026-12-08T06:00:00", "¥1,0.0.0"])
    | st.lists(st.integers(), max_size=2)
)


@given(st.data())
def test_any_event_is_read_or_refused(data: st.DataObject) -> None:
    sample, kind = data.draw(
        st.sampled_from(
            [(DEAL, "opportunity"), (CALL, "activity.call"), (MEETING, "activity.meeting")]
        )
    )
    changed = sample | data.draw(st.dictionaries(st.sampled_from(sorted(sample)), VALUES))
    more = data.draw(st.dictionaries(st.sampled_from(sorted(event(DEAL)["event"])), VALUES))
    document = event(sample, kind)
    document["event"] |= {"data": changed} | more
    read(document)
