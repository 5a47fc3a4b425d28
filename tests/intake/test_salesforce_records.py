"""Salesforce: what records mean, whatever shape and order they come in."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, joined
from app.domain.deliveries import Item
from app.domain.instants import instant
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_instant
from app.intake.providers.salesforce import PROVIDER, read_fetched
from app.intake.providers.salesforce.objects import FIELDS
from app.intake.source_settings import read_settings
from tests.intake.conformance import assert_any_order_ends_alike, states
from tests.intake.salesforce_events import (
    CALL,
    DEAL_ID,
    EVENT_ID,
    LEAD,
    MEETING,
    OPEN,
    ORGANIZATION,
    SATO,
    SUZUKI,
    TASK_ID,
    WON,
    change,
    faults,
    fields,
    flow,
    message,
    posted,
    read,
    report,
)
from tests.intake.senders import NOW

AT = 1796709601000  # 2026-12-08T06:00:01Z


def counted(preset: str, *reports: Any) -> bool:
    return isinstance(contribution(PRESETS[preset], joined(reports), "JPY"), Contribution)


def test_a_won_opportunity_is_a_deal_with_exact_money_on_its_close_date() -> None:
    found = report(message(("Opportunity", WON)))
    assert (found.source, found.key, found.full) == ("sf", f"Opportunity:{DEAL_ID}", False)
    assert found.stamp.revision == of_instant(instant("2026-12-08T06:00:01Z"))
    assert fields(found) == {
        "status": "won",
        "stage": "Closed Won",
        "amount": "450000",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00Z",
        "won_at": "2026-12-07T15:00:00Z",  # midnight of the 8th in Tokyo
        "closed_at": "2026-12-07T15:00:00Z",
        "expected_close_on": "2026-12-08",
        "type": None,  # New Business is none of the existing ones
        "owner": SATO,
    }
    assert counted("deals_won", found)
    assert counted("revenue", found)


def test_the_same_record_means_the_same_in_xml_and_in_json() -> None:
    as_json = WON | {
        "IsWon": True,
        "IsClosed": True,
        "Amount": 450000.0,
        # What Apex and the REST API write: an offset without a colon.
        "SystemModstamp": "2026-12-08T06:00:01.000+0000",
        "CreatedDate": "2026-12-01T01:00:00.000+0000",
    }
    assert report(flow("Opportunity", as_json)) == report(message(("Opportunity", WON)))


def test_large_amounts_in_scientific_notation_are_exact() -> None:
    found = report(message(("Opportunity", WON | {"Amount": "1.25E7"})))
    assert fields(found)["amount"] == "12500000"


def test_a_deal_that_is_won_ahead_of_its_close_date_counts_when_it_was_written_down() -> None:
    found = report(message(("Opportunity", WON | {"CloseDate": "2027-03-31"})))
    assert fields(found)["won_at"] == "2026-12-08T06:00:01Z"


def test_a_deal_may_count_when_its_stage_changed() -> None:
    at = "2026-12-08T05:59:58.000Z"
    record = WON | {"LastStageChangeDate": at}
    found = report(message(("Opportunity", record), won_at="stage_change"))
    assert fields(found)["won_at"] == "2026-12-08T05:59:58Z"


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"IsWon": "false", "IsClosed": "true"}, "lost"),
        ({"IsWon": None, "IsClosed": None, "StageName": "受注"}, "won"),
        ({"IsWon": None, "IsClosed": None, "StageName": "Closed Won"}, "open"),
        ({"IsWon": "false", "IsClosed": "false", "StageName": "受注"}, "open"),
    ],
)
def test_flags_decide_before_the_names_of_stages(record: dict[str, Any], status: str) -> None:
    found = report(message(("Opportunity", WON | record), stages={"受注": "won"}))
    assert fields(found)["status"] == status


def test_an_id_of_15_characters_is_the_record_of_18() -> None:
    # The rule once more: each five letters make a number whose bits are their capitals.
    def checked(short: str) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
        bits = ["".join("01"[c.isupper()] for c in reversed(short[n : n + 5])) for n in (0, 5, 10)]
        return short + "".join(alphabet[int(one, 2)] for one in bits)

    assert checked("001A0000006Vm9u") == "001A0000006Vm9uIAC"  # a published pair
    long = report(message(("Opportunity", WON | {"Id": checked("0065g00000AbCdE")})))
    short = report(message(("Opportunity", WON | {"Id": "0065g00000AbCdE"})))
    assert short == long


def test_a_field_that_was_not_chosen_says_nothing_and_an_empty_one_is_cleared() -> None:
    small = {"Id": DEAL_ID, "SystemModstamp": "2026-12-09T00:00:00Z", "Amount": None}
    found = report(message(("Opportunity", small), currency="JPY"))
    assert fields(found) == {"amount": None, "currency": "JPY"}
    state = joined([report(message(("Opportunity", WON))), found])
    assert (state.fields["amount"], state.fields["status"]) == (None, "won")


def test_of_several_currencies_each_amount_names_its_own_and_none_is_guessed() -> None:
    several = {"currency": "JPY", "several_currencies": True}
    euros = message(("Opportunity", WON | {"CurrencyIsoCode": "EUR"}), **several)
    assert fields(report(euros))["currency"] == "EUR"
    untold = message(("Opportunity", WON | {"CurrencyIsoCode": None}), **several)
    assert faults(untold) == [("/Notification/0/sObject/CurrencyIsoCode", "required")]
    without = {name: value for name, value in WON.items() if name != "CurrencyIsoCode"}
    amountless = message(("Opportunity", without | {"Amount": None}), **several)
    assert "currency" not in fields(report(amountless))


def test_opportunities_that_are_existing_business_are_said_to_be() -> None:
    record = WON | {"Type": "Existing Customer - Upgrade"}
    assert fields(report(message(("Opportunity", record))))["type"] == "existing"


def test_a_done_task_is_an_outbound_call_with_its_outcome() -> None:
    found = report(message(("Task", CALL)))
    assert (found.key, found.fields[KIND]) == (f"Task:{TASK_ID}", "call")
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:36:00Z",
        "duration_seconds": 185,
        "talk_seconds": 185,
        "agent": SATO,
    }
    assert counted("connected_calls", found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"CallType": None}, {"direction": "outbound"}),
        ({"CallType": "Inbound"}, {"direction": "inbound"}),
        ({"CallType": "Internal"}, {"direction": None}),
        ({"CallDisposition": "留守電"}, {"outcome": "voicemail", "talk_seconds": 0}),
        ({"CallDisposition": "?"}, {"outcome": None, "talk_seconds": None}),
        ({"Status": "Not Started"}, {"started_at": None}),
        ({"CompletedDateTime": None}, {"started_at": "2026-12-10T05:36:00Z"}),
        # Planned for a later day and done before it: when it was written down at the latest.
        (
            {"CompletedDateTime": None, "ActivityDate": "2026-12-31"},
            {"started_at": CALL["SystemModstamp"].replace(".000Z", "Z")},
        ),
        # Written down on a later day: the day alone is known.
        (
            {"CompletedDateTime": None, "ActivityDate": "2026-12-09"},
            {"started_at": "2026-12-08T15:00:00Z"},
        ),
        ({"TaskSubtype": "Task", "Type": "Call"}, {"direction": "outbound"}),
        ({"CallDurationInSeconds": "185.0"}, {"duration_seconds": 185}),
    ],
)
def test_calls(more: dict[str, Any], expected: dict[str, Any]) -> None:
    found = fields(report(message(("Task", CALL | more))))
    assert {label: found.get(label) for label in expected} == expected


def test_a_task_that_is_no_call_counts_as_nothing() -> None:
    delivery = read(message(("Task", CALL | {"TaskSubtype": "Task"})))
    assert (delivery.items, delivery.refused) == ((), ())


def test_a_task_that_does_not_say_what_it_is_is_refused() -> None:
    untold = {label: value for label, value in CALL.items() if label != "TaskSubtype"}
    assert faults(message(("Task", untold))) == [
        ("/Notification/0/sObject/TaskSubtype", "required")
    ]


def test_an_event_is_a_meeting_booked_by_its_creator() -> None:
    found = report(message(("Event", MEETING)))
    assert fields(found) == {
        "status": "booked",
        "booked_at": "2026-12-09T09:00:00Z",
        "starts_at": "2026-12-20T01:00:00Z",
        "booked_by": SATO,
        "organizer": SUZUKI,
    }
    settings = {"meeting_status_field": "Result__c", "meeting_statuses": {"実施済": "held"}}
    held = report(message(("Event", MEETING | {"Result__c": "実施済"}), **settings))
    assert fields(held)["status"] == "held"


@pytest.mark.parametrize("more", [{"IsChild": "true"}, {"IsRecurrence": "true"}])
def test_copies_of_an_event_for_the_invited_are_no_further_meetings(more: dict[str, Any]) -> None:
    assert read(message(("Event", MEETING | more))).items == ()


def test_an_event_of_a_whole_day_begins_on_its_day_and_not_at_midnight_utc() -> None:
    record = MEETING | {"IsAllDayEvent": "true", "StartDateTime": "2026-12-20T00:00:00.000Z"}
    found = fields(report(message(("Event", record), time_zone="America/Los_Angeles")))
    assert found["starts_at"] == "2026-12-20T08:00:00Z"


def test_a_lead() -> None:
    found = report(message(("Lead", LEAD)))
    assert found.fields[KIND] == "lead"
    assert fields(found) == {
        "created_at": "2026-12-02T23:30:00Z",
        "status": "Open - Not Contacted",
        "owner": SATO,
    }


def test_a_record_without_data_was_deleted_meanwhile_and_has_to_be_fetched() -> None:
    delivery = read(message(("Opportunity", {"Id": DEAL_ID})))
    (reference,) = delivery.references
    assert (reference.object, reference.id, reference.revision) == ("Opportunity", DEAL_ID, "")


LIFE = [
    change("Opportunity", "CREATE", OPEN | {"IsWon": None, "IsClosed": None}, at=AT - 600_000),
    change("Opportunity", "UPDATE", {"Amount": 400000}, at=AT - 300_000),
    change("Opportunity", "UPDATE", {"StageName": "Closed Won"}, at=AT),
    change("Opportunity", "UPDATE", {"Amount": 380000.5}, at=AT + 60_000, wrapped=False),
    change("Opportunity", "UPDATE", {"OwnerId": SUZUKI}, at=AT + 120_000),
]


def test_changes_of_single_fields_come_to_one_deal_in_any_order() -> None:
    deliveries = [read(request) for request in LIFE]
    assert_any_order_ends_alike(deliveries)
    (state,) = states(deliveries).values()
    assert fields(state) == {
        "status": "won",
        "stage": "Closed Won",
        "amount": "380000.5",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00Z",
        "won_at": "2026-12-08T06:00:01Z",
        "closed_at": "2026-12-08T06:00:01Z",
        "expected_close_on": "2026-12-25",
        "type": None,
        "owner": SUZUKI,
    }
    orders = itertools.permutations(item.report for one in deliveries for item in one.items)
    assert all(joined(order) == state for order in orders)


def test_a_reopened_deal_is_won_no_longer() -> None:
    again = change("Opportunity", "UPDATE", {"StageName": "Negotiation"}, at=AT + 90_000)
    state = joined(report(request) for request in [*LIFE, again])
    assert (state.fields["status"], state.fields["won_at"]) == ("open", None)


def test_a_deleted_record_is_withdrawn_and_an_undeleted_one_comes_back() -> None:
    gone = change("Opportunity", "DELETE", {}, at=AT + 500_000)
    assert report(gone).fields == {KIND: "deal", RETRACTED: True}
    back = change("Opportunity", "UNDELETE", OPEN, at=AT + 600_000)
    reports = [report(request) for request in [*LIFE, gone]]
    for order in (reports, reports[::-1]):
        assert joined(order).retracted
        assert not joined([*order, report(back)]).retracted


def test_nulls_of_fields_that_did_not_change_are_no_news() -> None:
    # As the Pub/Sub API writes an update: every field is there, the unchanged ones as null.
    told = dict.fromkeys(OPEN, None) | {"Amount": 380000}
    del told["Id"], told["SystemModstamp"]
    request = change("Opportunity", "UPDATE", told, at=AT, changedFields=["Amount"])
    assert fields(report(request)) == {"amount": "380000"}
    cleared = change(
        "Opportunity", "UPDATE", told | {"Amount": None}, at=AT, changedFields=["Amount"]
    )
    assert fields(report(cleared)) == {"amount": None}
    packed = change("Opportunity", "UPDATE", told, at=AT, changedFields=["0x0A"])
    assert fields(report(packed)) == {"amount": "380000"}


def test_a_stage_that_is_only_carried_along_did_not_change_now() -> None:
    carried = {"StageName": "Closed Won", "Amount": 380000}
    request = change("Opportunity", "UPDATE", carried, at=AT, changedFields=["Amount"])
    assert "won_at" not in fields(report(request))


def test_changes_of_one_transaction_are_ordered_by_their_sequence() -> None:
    first = change("Opportunity", "UPDATE", {"Amount": 1}, at=AT, sequenceNumber=1)
    second = change("Opportunity", "UPDATE", {"Amount": 2}, at=AT, sequenceNumber=2)
    for order in ([first, second], [second, first]):
        assert joined(report(request) for request in order).fields["amount"] == "2"


def test_one_change_may_be_about_several_records() -> None:
    ids = [DEAL_ID, "0065g00000AbCdFAAV"]
    delivery = read(
        change("Opportunity", "UPDATE", {"OwnerId": SUZUKI}, at=AT, ids=[*ids, DEAL_ID])
    )
    assert [item.report.key for item in delivery.items] == [f"Opportunity:{id_}" for id_ in ids]


@pytest.mark.parametrize(
    ("kind", "how", "id_"),
    [
        ("Task", "UPDATE", TASK_ID),
        ("Event", "UPDATE", EVENT_ID),
        ("Opportunity", "GAP_UPDATE", DEAL_ID),
        ("Task", "GAP_CREATE", TASK_ID),
    ],
)
def test_changes_that_say_too_little_are_fetched(kind: str, how: str, id_: str) -> None:
    delivery = read(change(kind, how, {"Status": "Completed"}, at=AT, ids=[id_]))
    assert (delivery.items, delivery.refused) == ((), ())
    assert [(one.object, one.id) for one in delivery.references] == [(kind, id_)]


@pytest.mark.parametrize("odd", ["5c42\x00b99e", "", " ", "x" * 256, None, 7, ["e"]])
def test_an_event_whose_own_id_is_no_name_counts_under_its_records(odd: Any) -> None:
    sent = json.loads(change("Opportunity", "DELETE", {}, at=AT).body)
    body = json.dumps(sent | {"id": odd}).encode()
    delivery = read(replace(change("Opportunity", "DELETE", {}, at=AT), body=body))
    assert [item.id for item in delivery.items] == [f"Opportunity:{DEAL_ID}"]


def test_a_gap_that_is_a_deletion_needs_no_fetch() -> None:
    assert report(change("Opportunity", "GAP_DELETE", {}, at=AT)).fields[RETRACTED] is True


def test_an_overflow_is_kept_because_nobody_knows_what_changed() -> None:
    request = change("Opportunity", "GAP_OVERFLOW", {}, at=AT, ids=["000000000000000AAA"])
    assert faults(request) == [
        ("/detail/payload/ChangeEventHeader/changeType", "changes_not_listed")
    ]


def test_times_in_milliseconds_are_read_too() -> None:
    numbers = OPEN | {"CreatedDate": AT, "CloseDate": 1798156800000}
    found = fields(report(change("Opportunity", "CREATE", numbers, at=AT)))
    assert found["created_at"] == "2026-12-08T06:00:01Z"
    assert found["expected_close_on"] == "2026-12-25"


def fetched(kind: str, record: dict[str, Any]) -> Any:
    document = {"organization_id": ORGANIZATION, "currency": "JPY", "time_zone": "Asia/Tokyo"}
    settings = read_settings(PROVIDER.settings, document)
    return read_fetched(kind, record, settings, source="sf", now=NOW)


def test_a_fetched_record_is_the_whole_and_agrees_with_what_was_sent() -> None:
    item = fetched("Opportunity", {label: WON.get(label) for label in FIELDS["Opportunity"]})
    assert isinstance(item, Item)
    sent = report(message(("Opportunity", WON)))
    assert item.report.full
    assert item.report.key == sent.key
    assert item.report.stamp.revision == sent.stamp.revision
    assert fields(item.report) == {k: v for k, v in fields(sent).items() if v is not None}


def test_a_fetched_record_may_be_deleted_of_no_interest_or_wrong() -> None:
    gone = fetched("Opportunity", WON | {"IsDeleted": True})
    assert gone.report.fields == {KIND: "deal", RETRACTED: True}
    assert fetched("Account", {"Id": "x"}) is None
    assert fetched("Task", CALL | {"TaskSubtype": "Email"}) is None
    assert fetched("Opportunity", WON | {"Amount": True}).error.faults[0].pointer == "/Amount"


RECORD = st.dictionaries(
    st.sampled_from(sorted({label for labels in FIELDS.values() for label in labels})),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(
        [DEAL_ID, "2026-12-08", "2026-12-08T06:00:01.000+0000", "1e9", "Call", [], {}]
    ),
)


@given(st.sampled_from([*FIELDS, "Account"]), RECORD)
def test_any_record_is_read_or_refused(kind: str, record: dict[str, Any]) -> None:
    fetched(kind, record)
    read(posted({"object": kind, "records": [record]}))
