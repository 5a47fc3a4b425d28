"""Zoho CRM: a token in the body, ids to fetch, and what fetched records are."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.revisions import of_instant
from app.intake.credentials import read_credentials
from app.intake.providers.zoho import PROVIDER, read_fetched
from app.intake.source_settings import Settings, read_settings
from tests.intake import conformance
from tests.intake.conformance import assert_refused
from tests.intake.senders import NOW
from tests.intake.zoho_events import DEAL_ID, OLDER, TOKEN, notification, zoho


def told(**document: Any) -> Settings:
    return read_settings(PROVIDER.settings, document)


def read(document: Any) -> Delivery:
    return conformance.read("zoho", zoho(document))


def named(delivery: Delivery) -> list[tuple[int, str, str]]:
    assert not delivery.refused
    return [(one.index, one.object, one.id) for one in delivery.references]


def fetched(module: str, record: dict[str, Any], **settings: Any) -> Item | Refused | None:
    return read_fetched(module, record, told(**settings), source="zo", now=NOW)


def report(module: str, record: dict[str, Any], **settings: Any) -> Report:
    item = fetched(module, record, **settings)
    assert isinstance(item, Item), item
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


# The proof


@pytest.mark.parametrize("token", [TOKEN, OLDER])
def test_either_token_in_the_body_proves(token: str) -> None:
    assert named(read(notification(token=token)))


@pytest.mark.parametrize("token", [TOKEN[:-1], TOKEN.lower(), TOKEN + " ", "", None, 7, [TOKEN]])
def test_another_token_or_none_is_refused(token: Any) -> None:
    assert_refused("zoho", [zoho(notification(token=token))])


def test_every_byte_of_the_token_counts_and_it_has_to_be_in_its_place() -> None:
    request = zoho(notification())
    start = request.body.index(TOKEN.encode())
    for place in range(start, start + len(TOKEN)):
        changed = bytes([request.body[place] ^ 1])
        body = request.body[:place] + changed + request.body[place + 1 :]
        assert_refused("zoho", [replace(request, body=body)])
    elsewhere = notification(token=None, query_params={"token": TOKEN})
    assert_refused("zoho", [zoho(elsewhere), zoho([notification()]), zoho(TOKEN)])
    in_header = replace(zoho(notification(token=None)), headers={"token": TOKEN})
    assert_refused("zoho", [in_header])


def test_the_token_is_in_nothing_that_is_kept() -> None:
    raw = read(notification()).raw
    assert raw
    assert TOKEN.encode() not in raw.body
    assert not raw.altered
    assert json.loads(raw.body)["ids"] == [DEAL_ID]


def test_a_token_that_is_made_is_as_short_as_zoho_takes_it() -> None:
    secret = PROVIDER.secrets[0]
    made = secret.written(bytes(range(32)))
    assert len(made) <= 50
    assert read_credentials(PROVIDER.secrets, {"token": made}) == {"token": (made,)}
    with pytest.raises(Invalid) as caught:
        read_credentials(PROVIDER.secrets, {"token": "x" * 51})
    assert [(f.pointer, f.code) for f in caught.value.faults] == [("/token", "text_too_long")]


# What notifications name


@pytest.mark.parametrize("module", ["Deals", "Calls", "Events", "Leads"])
@pytest.mark.parametrize("operation", ["insert", "update"])
def test_every_id_of_a_batch_is_to_be_fetched(module: str, operation: str) -> None:
    delivery = read(notification(module, operation, (DEAL_ID, "2", DEAL_ID)))
    assert named(delivery) == [(0, module, DEAL_ID), (1, module, "2")]
    assert delivery.items == ()


def test_an_id_keeps_all_its_digits_also_as_a_number() -> None:
    assert named(read(notification(ids=(int(DEAL_ID),)))) == [(0, "Deals", DEAL_ID)]


def test_the_module_counts_and_not_what_the_address_names() -> None:
    other = "https://www.zohoapis.jp/crm/v8/Contacts"
    assert named(read(notification("Deals", resource_uri=other))) == [(0, "Deals", DEAL_ID)]


def test_other_modules_are_of_no_interest() -> None:
    delivery = read(notification("Accounts", ids=None))
    assert (delivery.items, delivery.refused, delivery.references) == ((), (), ())


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (notification(ids=None), "/ids", "not_a_list"),
        (notification(ids=(DEAL_ID, "x")), "/ids/1", "not_an_integer"),
        (notification(ids=(True,)), "/ids/0", "not_an_integer"),
        (notification(operation=None), "/operation", "required"),
        (notification(module=None), "/module", "required"),
        (notification(operation="delete", server_time=None), "/server_time", "required"),
        (notification(operation="delete", server_time=7), "/server_time", "not_a_time"),
    ],
)
def test_what_cannot_be_used_says_where(document: Any, pointer: str, code: str) -> None:
    (refused,) = read(document).refused
    assert [(f.pointer, f.code) for f in refused.error.faults] == [(pointer, code)]


def test_a_deletion_withdraws_every_record_and_a_late_fetch_brings_none_back() -> None:
    delivery = read(notification(operation="delete", ids=(DEAL_ID, "2")))
    assert named(delivery) == []
    assert [item.report.key for item in delivery.items] == [f"deal:{DEAL_ID}", "deal:2"]
    gone = delivery.items[0].report
    assert gone.fields == {KIND: "deal", RETRACTED: True}
    assert gone.stamp.revision == of_instant(instant("2026-12-08T06:00:00Z"))
    for order in itertools.permutations([gone, report("Deals", DEAL)]):
        assert joined(order).retracted


def test_a_deleted_record_that_is_listed_is_withdrawn_after_all_that_was_done_in_that_second() -> (
    None
):
    second = "2026-12-08T15:00:00+09:00"
    listed = {"id": DEAL_ID, "type": "recycle", "deleted_time": second, "deleted_by": {"id": "1"}}
    gone = report("Deals", listed)
    assert (gone.key, gone.full) == (f"deal:{DEAL_ID}", False)
    assert gone.fields == {KIND: "deal", RETRACTED: True}
    assert of_instant(instant("2026-12-08T06:00:00Z")) < gone.stamp.revision
    assert gone.stamp.revision < of_instant(instant("2026-12-08T06:00:01Z"))
    changed = report("Deals", DEAL | {"Modified_Time": second})
    back = report("Deals", DEAL | {"Modified_Time": "2026-12-08T15:00:01+09:00"})
    for order in itertools.permutations([gone, changed]):
        assert joined(order).retracted
    for order in itertools.permutations([gone, changed, back]):
        assert not joined(order).retracted


# What fetched records are

DEAL: dict[str, Any] = {
    "id": DEAL_ID,
    "Stage": "Closed Won",
    "Amount": 450000,
    "Currency": "JPY",
    "Closing_Date": "2026-12-08",
    "Created_Time": "2026-12-01T10:00:00+09:00",
    "Modified_Time": "2026-12-08T14:59:00+09:00",
    "Owner": {"id": "5725767000000411001", "name": "佐藤", "email": "sato@example.co.jp"},
}
CALL: dict[str, Any] = {
    "id": "5725767000000600001",
    "Call_Type": "Outbound",
    "Call_Result": "Interested",
    "Call_Start_Time": "2026-12-08T14:30:00+09:00",
    "Call_Duration": "02:05",
    "Outgoing_Call_Status": "Completed",
    "Modified_Time": "2026-12-08T14:33:00+09:00",
    "Owner": {"id": "5725767000000411001"},
}


def test_a_won_deal_counts_from_the_day_it_was_closed_in_the_zone() -> None:
    found = report("Deals", DEAL, time_zone="Asia/Tokyo")
    assert (found.source, found.key, found.full) == ("zo", f"deal:{DEAL_ID}", True)
    assert found.stamp.revision == of_instant(instant("2026-12-08T05:59:00Z"))
    assert fields(found) == {
        "status": "won",
        "stage": "Closed Won",
        "amount": "450000",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00Z",
        "won_at": "2026-12-07T15:00:00Z",
        "closed_at": "2026-12-07T15:00:00Z",
        "owner": "5725767000000411001",
    }


@pytest.mark.parametrize(
    ("stage", "status"),
    [("Qualification", "open"), ("Closed Lost", "lost"), ("受注", "won"), ("Closed Won", "open")],
)
def test_a_stage_means_what_the_settings_say(stage: str, status: str) -> None:
    stages = {"受注": "won", "Closed Lost": "lost"}
    found = fields(report("Deals", DEAL | {"Stage": stage}, stages=stages))
    assert found["status"] == status
    assert ("won_at" in found) == (status == "won")
    assert ("expected_close_on" in found) == (status == "open")


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_a_deal_that_is_closed_ahead_of_its_date_was_closed_when_that_was_written(
    stage: str,
) -> None:
    """Zoho leaves the date as it was expected: a deal that comes in early counts all the same."""
    early = DEAL | {"Stage": stage, "Closing_Date": "2026-12-31"}
    found = fields(report("Deals", early, time_zone="Asia/Tokyo"))
    assert found["closed_at"] == "2026-12-08T05:59:00Z"
    assert found.get("won_at") == (found["closed_at"] if stage == "Closed Won" else None)


def test_a_reopened_deal_is_won_no_longer_in_any_order() -> None:
    opened = DEAL | {"Stage": "Negotiation", "Modified_Time": "2026-12-09T10:00:00+09:00"}
    for order in itertools.permutations([report("Deals", DEAL), report("Deals", opened)]):
        state = joined(order)
        assert state.fields["status"] == "open"
        assert "won_at" not in state.fields


def test_a_call_lasts_minutes_and_seconds() -> None:
    found = report("Calls", CALL, call_results={"Interested": "connected"})
    assert found.fields[KIND] == "call"
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-08T05:30:00Z",
        "duration_seconds": 125,
        "talk_seconds": 125,
        "agent": "5725767000000411001",
    }


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"Call_Duration": "90:00"}, 5400),
        ({"Call_Duration_in_seconds": 61}, 61),
        ({"Call_Duration": None}, None),
        ({"Call_Duration": ""}, None),
    ],
)
def test_a_duration_is_read_in_either_form(change: dict[str, Any], seconds: int | None) -> None:
    assert fields(report("Calls", CALL | change)).get("duration_seconds") == seconds


@pytest.mark.parametrize("text", ["1:02:03", "02:75", "five"])
def test_a_duration_in_another_form_is_refused_and_not_guessed(text: str) -> None:
    refused = fetched("Calls", CALL | {"Call_Duration": text})
    assert isinstance(refused, Refused)
    assert [f.pointer for f in refused.error.faults] == ["/Call_Duration"]


def test_an_outcome_that_is_not_named_is_unknown_and_a_missed_call_was_not_answered() -> None:
    assert "outcome" not in fields(report("Calls", CALL))
    missed = fields(report("Calls", CALL | {"Call_Type": "Missed"}))
    assert (missed["direction"], missed["outcome"]) == ("inbound", "no_answer")


@pytest.mark.parametrize("status", ["Scheduled", "Overdue", "Cancelled"])
def test_a_call_that_is_only_planned_is_none(status: str) -> None:
    assert fetched("Calls", CALL | {"Outgoing_Call_Status": status}) is None


def test_a_meeting_is_booked_by_who_made_it_and_a_lead_has_its_status() -> None:
    event = {
        "id": "7",
        "Start_DateTime": "2026-12-20T14:00:00+09:00",
        "Created_Time": "2026-12-02T11:00:00+09:00",
        "Modified_Time": "2026-12-02T11:00:00+09:00",
        "Created_By": {"id": "11"},
        "Owner": {"id": "12"},
    }
    assert fields(report("Events", event)) == {
        "status": "booked",
        "booked_at": "2026-12-02T02:00:00Z",
        "starts_at": "2026-12-20T05:00:00Z",
        "booked_by": "11",
        "organizer": "12",
    }
    lead = event | {"Lead_Status": "Contacted"}
    assert fields(report("Leads", lead)) == {
        "created_at": "2026-12-02T02:00:00Z",
        "status": "Contacted",
        "owner": "12",
    }


def test_a_record_without_its_time_of_change_is_refused() -> None:
    refused = fetched("Deals", DEAL | {"Modified_Time": None})
    assert isinstance(refused, Refused)
    assert [(f.pointer, f.code) for f in refused.error.faults] == [("/Modified_Time", "required")]
    assert fetched("Accounts", DEAL) is None


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["Missed", "Closed Won", "0001-01-01", "9999-12-31", "delete", "Deals"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.just("id"), st.integers() | st.text(max_size=4))
)


NAMES = sorted(
    {*DEAL, *CALL, "Start_DateTime", "Created_By", "Call_Duration_in_seconds", "deleted_time"}
)


@given(
    st.sampled_from(["Deals", "Calls", "Events", "Leads"]),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
)
def test_any_record_is_read_or_refused(module: str, changes: dict[str, Any]) -> None:
    result = fetched(module, DEAL | CALL | changes, time_zone="Asia/Tokyo")
    assert result is None or isinstance(result, Item | Refused)


@given(st.dictionaries(st.sampled_from(sorted({*notification()} - {"token"})), VALUES))
def test_any_notification_is_read_or_refused(changes: dict[str, Any]) -> None:
    read(notification() | changes)
