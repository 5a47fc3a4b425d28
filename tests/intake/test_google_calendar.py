"""Google Calendar: notifications without a body, and which event is an appointment of whom."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Item, Refused
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.revisions import of_instant
from app.intake.providers.google_calendar import PROVIDER, read_fetched
from app.intake.source_settings import Settings, read_settings
from tests.intake import conformance
from tests.intake.conformance import assert_refused
from tests.intake.google_events import (
    CLIENT,
    OLDER,
    SATO,
    SETTINGS,
    SUZUKI,
    TOKEN,
    event,
    google,
    guest,
)
from tests.intake.senders import NOW

GROUP = "c_1a2b3c@group.calendar.google.com"


def told(**document: Any) -> Settings:
    return read_settings(PROVIDER.settings, SETTINGS | document)


def named(request: Any) -> list[tuple[str, str]]:
    delivery = conformance.read("google_calendar", request)
    assert (delivery.items, delivery.refused) == ((), ())
    return [(one.object, one.id) for one in delivery.references]


def fetched(read: dict[str, Any], **settings: Any) -> Item | Refused | None:
    return read_fetched("events", read, told(**settings), source="cal", now=NOW)


def report(read: dict[str, Any], **settings: Any) -> Report:
    item = fetched(read, **settings)
    assert isinstance(item, Item), item
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def counts(read: dict[str, Any], **settings: Any) -> bool:
    return report(read, **settings).fields.get(RETRACTED) is not True


# The proof


@pytest.mark.parametrize("token", [TOKEN, OLDER])
def test_either_token_proves(token: str) -> None:
    assert named(google(token=token))


@pytest.mark.parametrize("token", [TOKEN[:-1], TOKEN.upper(), f"{TOKEN} ", "", None, "é" * 19])
def test_another_token_or_none_is_refused(token: str | None) -> None:
    assert_refused("google_calendar", [google(token=token)])
    # A channel that is only being opened proves itself as any other.
    assert_refused("google_calendar", [google("sync", token=token)])


def test_every_character_of_the_token_counts() -> None:
    for place in range(len(TOKEN)):
        changed = chr(ord(TOKEN[place]) ^ 1)
        token = TOKEN[:place] + changed + TOKEN[place + 1 :]
        assert_refused("google_calendar", [google(token=token)])


def test_the_token_is_in_nothing_that_is_kept() -> None:
    raw = conformance.read("google_calendar", google()).raw
    assert raw
    assert TOKEN not in repr(raw)


# What notifications say


def test_a_change_names_its_calendar_as_the_source_writes_it() -> None:
    assert named(google()) == [("@changes", f"events:{SATO}")]
    assert named(google("not_exists", SUZUKI.upper())) == [("@changes", f"events:{SUZUKI}")]


def test_a_channel_that_was_opened_is_no_change() -> None:
    assert named(google("sync")) == []


@pytest.mark.parametrize("calendar", [None, "", "other@example.com", "%FF", "a/b"])
def test_of_a_calendar_that_is_none_of_ours_all_are_read(calendar: str | None) -> None:
    assert named(google(calendar=calendar)) == [("@changes", "*")]


@pytest.mark.parametrize("address", ["http://[", "", "x", "https://host/calendar/v3/calendars"])
def test_any_address_is_read(address: str) -> None:
    request = google()
    headers = dict(request.headers) | {"x-goog-resource-uri": address}
    assert named(replace(request, headers=headers)) == [("@changes", "*")]


# What an event is


def test_an_appointment_is_the_organizers_at_its_time() -> None:
    found = report(event())
    assert (found.source, found.full) == ("cal", True)
    assert found.key == f"{SATO}/1h0r6t3p0g1q2k3m4n5b6v7c8x"
    assert found.stamp.revision == of_instant(instant("2026-12-08T05:00:00.123Z"))
    assert found.fields[KIND] == "meeting"
    assert fields(found) == {
        "status": "booked",
        "booked_at": "2026-12-07T01:00:00Z",
        "starts_at": "2026-12-10T06:00:00Z",
        "counterpart": CLIENT,
        "booked_by": SATO,
        "organizer": SATO,
    }


def test_the_copy_of_an_attendee_is_none_whatever_becomes_of_it() -> None:
    mine = event(organizer={"email": SATO}, calendar=SUZUKI)
    for status in ("confirmed", "cancelled", "tentative"):
        assert fetched(mine | {"status": status}) is None
    # The same in the organizer's own calendar, whether or not Google says that it is his.
    assert report(event(organizer={"email": SATO.upper()})).key == report(event()).key


def test_who_enters_it_for_another_has_booked_it() -> None:
    found = fields(report(event(creator={"email": SUZUKI})))
    assert (found["booked_by"], found["organizer"]) == (SUZUKI, SATO)
    found = fields(report(event(creator={"email": "bot@service.example.net"})))
    assert found["booked_by"] == SATO


def test_in_a_shared_calendar_who_entered_it_is_the_person() -> None:
    shared = event(organizer={"email": GROUP, "self": True}, calendar=GROUP)
    found = fields(report(shared))
    assert (found["booked_by"], found["organizer"]) == (SATO, SATO)


@pytest.mark.parametrize(
    ("attendees", "settings", "right"),
    [
        ([guest(SATO, organizer=True), guest(SUZUKI)], {}, False),
        ([guest(SATO), guest(CLIENT)], {}, True),
        ([guest(SATO), guest(CLIENT, "declined")], {}, False),
        ([guest(SATO), guest(CLIENT, "tentative")], {}, True),
        ([guest(SATO), guest(CLIENT, resource=True)], {}, False),
        ([guest(SATO), guest("a@sub.example.co.jp")], {}, False),
        ([guest(SATO), guest("a@notexample.co.jp")], {}, True),
        ([guest(SATO), guest("A@EXAMPLE.CO.JP")], {}, False),
        ([guest(SATO), guest(CLIENT)], {"outside_attendees": 2}, False),
        ([guest(SATO), guest(CLIENT), guest("b@x.example")], {"outside_attendees": 2}, True),
        ([guest(SATO), guest(CLIENT)], {"domains": ["@client.example.com"]}, True),
        ([guest(SUZUKI)], {"outside_attendees": 0}, True),
        (None, {"outside_attendees": 0}, True),
        (None, {}, False),
    ],
)
def test_who_is_invited_from_outside_decides(
    attendees: Any,
    settings: dict[str, Any],
    right: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert counts(event(attendees=attendees), **settings) is right


@pytest.mark.parametrize(
    ("changes", "settings", "right"),
    [
        ({"summary": "Lunch"}, {"titles": ["商談", "demo"]}, False),
        ({"summary": "Product DEMO"}, {"titles": ["商談", "demo"]}, True),
        ({}, {"titles": ["商談"]}, True),
        ({}, {"not_titles": ["提案"]}, False),
        ({"summary": None}, {"titles": ["x"]}, False),
        ({"summary": None}, {}, True),
        ({"eventType": "outOfOffice"}, {}, False),
        ({"eventType": "workingLocation"}, {}, False),
        ({"eventType": "birthday"}, {}, False),
        ({"eventType": None}, {}, True),
        ({"status": "tentative"}, {}, True),
        ({"recurringEventId": "1h0r6t3p"}, {}, True),
        ({"recurringEventId": "1h0r6t3p"}, {"recurring": False}, False),
    ],
)
def test_what_it_is_called_and_of_what_kind_it_is_decides(
    changes: dict[str, Any],
    settings: dict[str, Any],
    right: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert counts(event(**changes), **settings) is right


def test_an_instance_of_a_series_is_one_however_it_is_moved() -> None:
    series = {"recurringEventId": "1h0r6t3p"}
    one = event(id="1h0r6t3p_20261210T060000Z", **series)
    moved = one | {
        "start": {"dateTime": "2026-12-11T09:00:00+09:00"},
        "updated": "2026-12-09T05:00:00.000Z",
    }
    other = event(id="1h0r6t3p_20261217T060000Z", **series)
    assert len({report(one).key, report(moved).key, report(other).key}) == 2
    for order in itertools.permutations([report(one), report(moved)]):
        assert joined(order).fields["starts_at"] == "2026-12-11T00:00:00Z"


# What is gone


def test_a_cancelled_event_is_withdrawn_and_comes_back_in_any_order() -> None:
    gone = event(status="cancelled", updated="2026-12-08T06:00:00.000Z")
    back = event(updated="2026-12-08T07:00:00.000Z")
    assert report(gone).fields == {KIND: "meeting", RETRACTED: True}
    for order in itertools.permutations([report(event()), report(gone)]):
        assert joined(order).retracted
    for order in itertools.permutations([report(event()), report(gone), report(back)]):
        assert not joined(order).retracted


def test_a_bare_cancellation_is_as_late_as_its_tag_says() -> None:
    # An e-tag that Google published beside its `updated`: 2010-08-04T02:44:20.063Z.
    bare = {"id": event()["id"], "status": "cancelled", "calendar": SATO}
    found = report(bare | {"etag": '"2561779720126000"'})
    assert found.key == report(event()).key
    assert found.stamp.revision == of_instant(instant("2010-08-04T02:44:20.063Z"))
    later = report(bare | {"etag": '"3593512800000000"'})
    for order in itertools.permutations([report(event()), later]):
        assert joined(order).retracted


def test_a_bare_cancellation_of_an_attendees_copy_withdraws_nothing_that_stands() -> None:
    bare = {"id": event()["id"], "status": "cancelled", "etag": '"3593512800000000"'}
    assert report(bare | {"calendar": SUZUKI}).key != report(event()).key


@pytest.mark.parametrize("etag", [None, "", '"x"', '"12"', "W/3593512800000000", 7])
def test_a_cancellation_of_no_known_time_is_set_aside(etag: Any) -> None:
    bare = {"id": "1", "status": "cancelled", "calendar": SATO, "etag": etag}
    assert isinstance(fetched(bare), Refused)


def test_who_declines_last_ends_the_appointment() -> None:
    after = event(
        attendees=[guest(SATO, organizer=True), guest(CLIENT, "declined")],
        updated="2026-12-09T05:00:00.000Z",
    )
    for order in itertools.permutations([report(event()), report(after)]):
        assert joined(order).retracted


# Times


def test_an_event_of_whole_days_begins_with_the_day_of_the_zone() -> None:
    found = fields(report(event(start={"date": "2026-12-10"}), time_zone="Asia/Tokyo"))
    assert found["starts_at"] == "2026-12-09T15:00:00Z"


@pytest.mark.parametrize("created", ["0000-12-29T00:00:00.000Z", None, "yesterday"])
def test_when_it_was_entered_may_be_unknown(created: Any) -> None:
    assert "booked_at" not in fields(report(event(created=created)))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"start": {"dateTime": "2026-12-10T15:00:00"}}, "/start/dateTime"),
        ({"start": 7}, "/start"),
        ({"attendees": {}}, "/attendees"),
        ({"attendees": [7]}, "/attendees"),
        ({"updated": None, "etag": None}, "/updated"),
        ({"id": None}, "/id"),
        ({"id": "x" * 2000}, "/id"),
        ({"calendar": None, "organizer": {"email": SATO}}, "/calendar"),
    ],
)
def test_what_cannot_be_used_says_where(changes: dict[str, Any], pointer: str) -> None:
    refused = fetched(event(**changes))
    assert isinstance(refused, Refused), refused
    assert [fault.pointer for fault in refused.error.faults] == [pointer]


def test_another_kind_of_object_is_of_no_interest() -> None:
    assert read_fetched("acl", event(), told(), source="cal", now=NOW) is None


@pytest.mark.parametrize("name", ["calendars", "domains"])
def test_a_source_says_which_calendars_and_whose_people(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        PROVIDER.check(told(**{name: []}), {})
    assert [(f.pointer, f.code) for f in caught.value.faults] == [(f"/settings/{name}", "required")]


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["cancelled", SATO, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    | st.lists(st.integers() | st.dictionaries(st.just("email"), st.text(max_size=4)), max_size=2)
    | st.dictionaries(
        st.sampled_from(["email", "self", "dateTime", "date"]),
        st.integers() | st.booleans() | st.sampled_from([SATO, "2026-12-10", "9999-12-31"]),
    )
)


@given(st.dictionaries(st.sampled_from(sorted(event())), VALUES, max_size=5))
def test_any_event_is_read_or_refused(changes: dict[str, Any]) -> None:
    result = fetched(event(**changes), time_zone="Asia/Tokyo")
    assert result is None or isinstance(result, Item | Refused)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_notification_is_read(state: str, address: str) -> None:
    request = google()
    headers = dict(request.headers)
    headers |= {"x-goog-resource-state": state, "x-goog-resource-uri": address}
    conformance.read("google_calendar", replace(request, headers=headers))
