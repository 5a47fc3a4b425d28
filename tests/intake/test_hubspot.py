"""HubSpot: ids to fetch, what is gone, and what fetched objects are. Its own SDK signs."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.providers.hubspot import PROVIDER, read_fetched
from app.intake.providers.hubspot.objects import PROPERTIES
from app.intake.requests import HookRequest, SignedUrl
from app.intake.source_settings import NO_SETTINGS, Settings, read_settings
from tests.intake import conformance
from tests.intake.conformance import assert_refused, flipped_bodies, flipped_headers
from tests.intake.hubspot_events import AT, OLDER, SECRET, event, hubspot
from tests.intake.senders import HOOK, NOW

SIGNED = ("x-hubspot-signature-v3", "x-hubspot-request-timestamp")


def read(events: Any, settings: Settings = NO_SETTINGS) -> Delivery:
    return conformance.read("hubspot", hubspot(events, settings=settings))


def named(delivery: Delivery) -> list[tuple[int, str, str]]:
    assert not delivery.refused
    return [(one.index, one.object, one.id) for one in delivery.references]


def told(document: dict[str, Any]) -> Settings:
    return read_settings(PROVIDER.settings, document)


def fetched(kind: str, properties: dict[str, RawValue], **more: Any) -> Item | Refused | None:
    settings = more.pop("settings", NO_SETTINGS)
    found: dict[str, Any] = {
        "id": "512",
        "properties": properties,
        "createdAt": "2026-12-01T01:00:00.120Z",
        "updatedAt": "2026-12-08T06:00:01.500Z",
        "archived": False,
    } | more
    return read_fetched(kind, found, settings, source="hs", now=NOW)


def report(kind: str, properties: dict[str, RawValue], **more: Any) -> Report:
    item = fetched(kind, properties, **more)
    assert isinstance(item, Item), item
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


# The proof


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_what_the_sdk_signs_with_either_secret_is_authentic(secret: str) -> None:
    assert named(conformance.read("hubspot", hubspot([event("deal.creation")], secret=secret)))


def test_another_byte_secret_address_or_method_is_refused() -> None:
    request = hubspot([event("deal.creation")])
    assert_refused("hubspot", flipped_bodies(request))
    assert_refused("hubspot", flipped_headers(request, *SIGNED))
    assert_refused("hubspot", [hubspot([], secret="another"), replace(request, url=HOOK + "?a=1")])
    assert_refused("hubspot", [replace(request, method="PUT")])


@pytest.mark.parametrize("away", [-301_000, 301_000, -86_400_000])
def test_a_timestamp_from_the_past_or_the_future_is_refused_though_the_sdk_takes_the_future(
    away: int,
) -> None:
    assert_refused("hubspot", [hubspot([], stamp=str(NOW // 1_000 + away))])


def test_a_timestamp_in_seconds_is_refused() -> None:
    assert_refused("hubspot", [hubspot([], stamp=str(NOW // 1_000_000))])


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_algorithms_are_refused_in_either_header(version: str) -> None:
    older = hubspot([event("deal.creation")], version=version)
    renamed = {"x-hubspot-signature": older.headers[SIGNED[0]], SIGNED[1]: older.headers[SIGNED[1]]}
    plain = hashlib.sha256(SECRET.encode() + older.body).hexdigest()
    with_plain = renamed | {"x-hubspot-signature": plain, "x-hubspot-signature-version": "v1"}
    assert_refused(
        "hubspot", [older, replace(older, headers=renamed), replace(older, headers=with_plain)]
    )


def test_the_listed_escapes_of_the_address_are_signed_as_characters_and_others_are_not() -> None:
    came = f"{HOOK}?a=%3a%2F%40&b=%20"
    assert conformance.read(
        "hubspot", hubspot([], url=came, signed_url=f"{HOOK}?a=:/@&b=%20")
    ).quarantines
    assert_refused("hubspot", [hubspot([], url=came, signed_url=came)])


def test_the_address_is_signed() -> None:
    assert PROVIDER.hook
    assert PROVIDER.hook.signed_url is SignedUrl.YES


# What notifications name


@pytest.mark.parametrize(
    ("subscription", "more", "object_kind"),
    [
        ("contact.creation", {}, "contacts"),
        ("deal.propertyChange", {"propertyName": "dealstage"}, "deals"),
        ("object.creation", {"objectTypeId": "0-1"}, "contacts"),
        ("object.propertyChange", {"objectTypeId": "0-3"}, "deals"),
        ("object.creation", {"objectTypeId": "0-47"}, "meetings"),
        ("object.propertyChange", {"objectTypeId": "0-48"}, "calls"),
    ],
)
def test_both_forms_name_the_object_to_fetch_and_count_nothing(
    subscription: str, more: dict[str, str], object_kind: str
) -> None:
    delivery = read([event(subscription, **more)])
    assert named(delivery) == [(0, object_kind, "512")]
    assert delivery.items == ()


@pytest.mark.parametrize(
    "nothing",
    [
        event("company.creation"),
        event("ticket.propertyChange"),
        event("object.creation", objectTypeId="0-27"),
        event("object.creation", objectTypeId="2-1234567"),
        event("conversation.newMessage"),
        event("deal.associationChange", objectId=None, fromObjectId=1, toObjectId=2),
    ],
)
def test_other_objects_and_associations_are_of_no_interest(nothing: dict[str, Any]) -> None:
    delivery = read([nothing])
    assert (delivery.items, delivery.refused, delivery.references) == ((), (), ())


def test_one_save_with_many_events_names_its_object_once_whatever_comes_first() -> None:
    changes = [event("deal.propertyChange", propertyName=name) for name in ("amount", "dealstage")]
    for order in itertools.permutations([*changes, event("deal.creation")]):
        assert named(read(list(order))) == [(0, "deals", "512")]


def test_an_event_id_that_is_not_unique_loses_nothing() -> None:
    assert named(read([event("deal.creation"), event("deal.creation", objectId=513)])) == [
        (0, "deals", "512"),
        (1, "deals", "513"),
    ]


def test_an_attempt_later_is_the_same() -> None:
    first, second = (read([event("deal.deletion", attemptNumber=n)]) for n in (0, 7))
    assert first.items == second.items


def test_a_batch_is_read_for_the_portal_that_was_given_and_for_every_one_without() -> None:
    batch = [event("deal.creation"), event("deal.deletion", portalId=999, objectId=513)]
    mine = read(batch, told({"portal_id": "7801234"}))
    assert named(mine) == [(0, "deals", "512")]
    assert mine.items == ()
    assert [item.report.key for item in read(batch).items] == ["deal:513"]


def test_a_bad_event_does_not_take_the_others_with_it() -> None:
    delivery = read([event("deal.creation", objectId=None), 7, event("deal.creation")])
    assert [
        (r.index, r.error.faults[0].pointer, r.error.faults[0].code) for r in delivery.refused
    ] == [
        (0, "/0/objectId", "required"),
        (1, "/1", "not_an_object"),
    ]
    assert [(one.index, one.id) for one in delivery.references] == [(2, "512")]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"objectId": "x"}, "/0/objectId", "not_an_integer"),
        ({"objectId": True}, "/0/objectId", "not_an_integer"),
        ({"occurredAt": None}, "/0/occurredAt", "required"),
        ({"occurredAt": 7}, "/0/occurredAt", "not_a_time"),
        ({"occurredAt": 10**14 * 9}, "/0/occurredAt", "not_a_time"),
        ({"subscriptionType": None}, "/0/subscriptionType", "required"),
    ],
)
def test_what_a_deletion_lacks_is_said_with_its_place(
    change: dict[str, Any], pointer: str, code: str
) -> None:
    (refused,) = read([event("deal.deletion", **change)]).refused
    assert [(f.pointer, f.code) for f in refused.error.faults] == [(pointer, code)]


# What is gone


@pytest.mark.parametrize("action", ["deletion", "privacyDeletion"])
def test_a_deletion_needs_no_fetch(action: str) -> None:
    delivery = read([event(f"contact.{action}")])
    (item,) = delivery.items
    assert named(delivery) == []
    assert (item.report.key, item.report.full) == ("contact:512", False)
    assert item.report.fields == {KIND: "lead", RETRACTED: True}
    assert item.report.stamp.revision == of_instant(instant(AT))


def test_a_late_fetch_of_an_older_state_does_not_bring_a_deleted_deal_back() -> None:
    won = report("deals", WON)
    (gone,) = read([event("deal.deletion", "2026-12-09T00:00:00Z")]).items
    for order in itertools.permutations([won, gone.report]):
        assert joined(order).retracted


def test_a_restored_deal_is_back_and_fetched_anew() -> None:
    gone = read([event("deal.deletion", "2026-12-09T00:00:00Z")])
    back = read([event("deal.restore", "2026-12-10T00:00:00Z")])
    assert named(back) == [(0, "deals", "512")]
    reports = [report("deals", WON), gone.items[0].report, back.items[0].report]
    for order in itertools.permutations(reports):
        state = joined(order)
        assert not state.retracted
        assert state.fields["status"] == "won"


def test_a_merge_retires_every_record_but_the_one_that_is_left() -> None:
    merge: dict[str, Any] = {"primaryObjectId": 512, "mergedObjectIds": [513, "514"]}
    kept = read([event("deal.merge", newObjectId=512, **merge)])
    assert named(kept) == [(0, "deals", "512")]
    assert [item.report.key for item in kept.items] == ["deal:513", "deal:514"]
    new = read([event("deal.merge", newObjectId=900, **merge)])
    assert named(new) == [(0, "deals", "900")]
    assert [item.report.key for item in new.items] == ["deal:512", "deal:513", "deal:514"]
    assert all(item.report.fields[RETRACTED] for item in new.items)


# What fetched objects are

WON: dict[str, RawValue] = {
    "amount": "450000.50",
    "closedate": "2026-12-08T06:00:00Z",
    "createdate": "2026-12-01T01:00:00.120Z",
    "deal_currency_code": "JPY",
    "dealstage": "closedwon",
    "dealtype": "newbusiness",
    "hs_is_closed": "true",
    "hs_is_closed_won": "true",
    "hubspot_owner_id": "77",
}
CALL: dict[str, RawValue] = {
    "hs_call_direction": "OUTBOUND",
    "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "hs_call_duration": "125900",
    "hs_call_from_number": "+81312340000",
    "hs_call_status": "COMPLETED",
    "hs_call_to_number": "+819012345678",
    "hs_timestamp": "2026-12-08T05:30:00Z",
    "hubspot_owner_id": "77",
}


def test_a_won_deal_has_exact_money_and_the_revision_of_the_object() -> None:
    found = report("deals", WON)
    assert (found.source, found.key, found.full) == ("hs", "deal:512", True)
    assert found.stamp.revision == of_instant(instant("2026-12-08T06:00:01.500000Z"))
    assert fields(found) == {
        "status": "won",
        "type": "new",
        "stage": "closedwon",
        "amount": "450000.5",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00.120000Z",
        "won_at": "2026-12-08T06:00:00Z",
        "closed_at": "2026-12-08T06:00:00Z",
        "owner": "77",
    }


def test_an_open_deal_is_expected_on_a_day_of_the_zone_that_was_given() -> None:
    opened = WON | {
        "hs_is_closed": "false",
        "hs_is_closed_won": "false",
        "closedate": "2026-12-24T15:00:00Z",
        "amount": "",
        "deal_currency_code": None,
        "dealtype": "renewal",
    }
    expected = {
        "status": "open",
        "stage": "closedwon",
        "created_at": "2026-12-01T01:00:00.120000Z",
        "expected_close_on": "2026-12-24",
        "owner": "77",
    }
    assert fields(report("deals", opened)) == expected
    tokyo = report("deals", opened, settings=told({"time_zone": "Asia/Tokyo"}))
    assert fields(tokyo) == expected | {"expected_close_on": "2026-12-25"}


def test_a_lost_deal_is_closed_and_one_that_does_not_say_is_neither() -> None:
    lost = fields(report("deals", WON | {"hs_is_closed_won": "false"}))
    assert (lost["status"], lost["closed_at"]) == ("lost", "2026-12-08T06:00:00Z")
    assert "won_at" not in lost
    unknown = WON | {"hs_is_closed_won": None, "hs_is_closed": None}
    assert "status" not in fields(report("deals", unknown))


def test_a_reopened_deal_is_won_no_longer_in_any_order() -> None:
    opened = WON | {"hs_is_closed": "false", "hs_is_closed_won": "false"}
    later = report("deals", opened, updatedAt="2026-12-09T00:00:00Z")
    for order in itertools.permutations([report("deals", WON), later]):
        state = joined(order)
        assert state.fields["status"] == "open"
        assert "won_at" not in state.fields


def test_a_call_lasts_seconds_though_hubspot_counts_milliseconds() -> None:
    found = report("calls", CALL)
    assert (found.key, found.fields[KIND]) == ("call:512", "call")
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-08T05:30:00Z",
        "duration_seconds": 125,
        "talk_seconds": 125,
        "counterpart": "+819012345678",
        "agent": "77",
    }


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"hs_call_disposition": "9D9162E7-6CF3-4944-BF63-4DFF82258764"}, "busy"),
        ({"hs_call_disposition": "b2cf5968-551e-4856-9783-52b3da59a7d0"}, "voicemail"),
        ({"hs_call_disposition": "73a0d17f-1163-4015-bdd5-ec830791da20"}, "no_answer"),
        ({"hs_call_disposition": "0b0e5d0e-0000-4d58-9c0b-2f2c27b1d001"}, "voicemail"),
        ({"hs_call_disposition": "0b0e5d0e-1111-4d58-9c0b-2f2c27b1d001"}, None),
        ({"hs_call_disposition": None}, None),
        ({"hs_call_disposition": None, "hs_call_status": "MISSED"}, "no_answer"),
        ({"hs_call_disposition": "", "hs_call_status": "CANCELED"}, "canceled"),
    ],
)
def test_an_outcome_is_what_people_said_and_never_guessed(
    change: dict[str, RawValue], outcome: str | None
) -> None:
    own = told({"dispositions": {"0b0e5d0e-0000-4d58-9c0b-2f2c27b1d001": "voicemail"}})
    found = fields(report("calls", CALL | change, settings=own))
    assert found.get("outcome") == outcome
    assert "talk_seconds" not in found


def test_a_disposition_given_in_the_settings_stands_over_the_known_one() -> None:
    own = told({"dispositions": {str(CALL["hs_call_disposition"]): "no_answer"}})
    assert fields(report("calls", CALL, settings=own))["outcome"] == "no_answer"


def test_the_other_side_of_an_inbound_call_is_who_called() -> None:
    found = fields(report("calls", CALL | {"hs_call_direction": "INBOUND"}))
    assert (found["direction"], found["counterpart"]) == ("inbound", "+81312340000")


@pytest.mark.parametrize("status", ["RINGING", "QUEUED", "IN_PROGRESS", "CONNECTING"])
def test_a_call_that_has_not_ended_is_none_yet(status: str) -> None:
    assert fetched("calls", CALL | {"hs_call_status": status}) is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("SCHEDULED", "booked"),
        ("RESCHEDULED", "booked"),
        (None, "booked"),
        ("COMPLETED", "held"),
        ("NO_SHOW", "no_show"),
        ("CANCELED", "canceled"),
        ("Held online", "held"),
        ("Something else", None),
    ],
)
def test_a_meeting_is_what_its_outcome_says(said: str | None, status: str | None) -> None:
    found = report(
        "meetings",
        {
            "hs_createdate": "2026-12-01T02:00:00Z",
            "hs_meeting_outcome": said,
            "hs_meeting_start_time": None,
            "hs_timestamp": "2026-12-20T05:00:00Z",
            "hubspot_owner_id": "77",
        },
        settings=told({"meeting_outcomes": {"Held online": "held"}}),
    )
    assert fields(found) == ({"status": status} if status else {}) | {
        "booked_at": "2026-12-01T02:00:00Z",
        "starts_at": "2026-12-20T05:00:00Z",
        "booked_by": "77",
        "organizer": "77",
    }


@pytest.mark.parametrize("won", ["true", "false"])
def test_a_deal_that_is_closed_ahead_of_its_date_was_closed_when_that_was_written(won: str) -> None:
    early = WON | {"closedate": "2027-03-01T00:00:00Z", "hs_is_closed_won": won}
    found = fields(report("deals", early))
    assert found["closed_at"] == "2026-12-08T06:00:01.500000Z"
    assert found.get("won_at") == (found["closed_at"] if won == "true" else None)
    # Of one that is open the date is what is hoped for.
    hoped = fields(report("deals", early | {"hs_is_closed": "false", "hs_is_closed_won": "false"}))
    assert hoped["expected_close_on"] == "2027-03-01"


def test_a_contact_is_a_lead() -> None:
    contact: dict[str, RawValue] = {
        "createdate": "2026-12-01T02:00:00Z",
        "hs_lead_status": "NEW",
        "hubspot_owner_id": "77",
    }
    found = report("contacts", contact)
    assert (found.key, found.fields[KIND]) == ("contact:512", "lead")
    assert fields(found) == {"created_at": "2026-12-01T02:00:00Z", "status": "NEW", "owner": "77"}


def test_an_archived_object_is_gone() -> None:
    gone = report("deals", WON, archived=True, archivedAt="2026-12-09T00:00:00Z")
    assert (gone.full, gone.fields) == (False, {KIND: "deal", RETRACTED: True})
    assert gone.stamp.revision == of_instant(instant("2026-12-09T00:00:00Z"))


def test_what_cannot_be_used_says_where() -> None:
    ahead = fetched("calls", {"hs_timestamp": "2027-03-01T00:00:00Z"})
    assert isinstance(ahead, Refused)
    places = {(f.pointer, f.code) for f in ahead.error.faults}
    assert places == {("/properties/hs_timestamp", "time_too_far_ahead")}
    undated = fetched("deals", WON, updatedAt=None)
    assert isinstance(undated, Refused)
    assert [(f.pointer, f.code) for f in undated.error.faults] == [("/updatedAt", "required")]


def test_objects_of_no_interest_are_none() -> None:
    assert fetched("companies", {}) is None


def test_later_settings_stand_over_earlier_ones() -> None:
    found: dict[str, Any] = {"id": "1", "properties": WON, "updatedAt": AT}
    one = read_fetched("deals", found, NO_SETTINGS, source="hs", now=NOW, changes=0)
    two = read_fetched("deals", found, NO_SETTINGS, source="hs", now=NOW, changes=1)
    assert isinstance(one, Item)
    assert isinstance(two, Item)
    assert two.report.stamp > one.report.stamp


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["true", "false", AT, "1e9", "-0", "9999-12-31T23:59:59-12:00", "INBOUND"])
    | st.lists(st.integers(), max_size=2)
)


@given(st.data())
def test_any_fetched_object_is_read_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(PROPERTIES)))
    properties = {name: data.draw(VALUES) for name in PROPERTIES[kind]}
    found: dict[str, Any] = {
        "id": data.draw(VALUES | st.just("5")),
        "properties": data.draw(st.just(properties) | VALUES),
        "updatedAt": data.draw(VALUES | st.just(AT)),
        "archived": data.draw(VALUES),
    }
    result = read_fetched(kind, found, NO_SETTINGS, source="hs", now=NOW)
    assert result is None or isinstance(result, Item | Refused)


MEMBERS = st.dictionaries(
    st.sampled_from(sorted(event("x", objectTypeId="0-3", mergedObjectIds=[], primaryObjectId=1))),
    VALUES
    | st.sampled_from(["deal.merge", "deal.deletion", "deal.restore", "object.creation", "0-3"]),
)


@given(st.lists(MEMBERS | VALUES, max_size=4))
def test_any_batch_is_read_or_refused(batch: list[Any]) -> None:
    request: HookRequest = hubspot(batch)
    conformance.read("hubspot", request)
