"""kintone: an app's own fields become deals, meetings and calls; a record's life in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, joined
from app.domain.deliveries import Item
from app.domain.errors import Invalid
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_number
from app.intake.providers.kintone import PROVIDER, read_fetched
from app.intake.requests import Connecting
from tests.intake.conformance import assert_any_order_ends_alike, hook_of
from tests.intake.kintone_events import (
    DEAL_SETTINGS,
    deleted,
    faults,
    fields,
    notified,
    read,
    record,
    report,
    saved,
    settings_of,
    user,
    won,
)
from tests.intake.senders import HOOK, NOW


def test_a_won_deal_in_the_customers_own_fields_and_words() -> None:
    found = report(saved(won()))
    assert (found.source, found.key, found.full) == ("kt", "12:501", True)
    assert found.stamp.revision == of_number("3")
    assert found.fields[KIND] == "deal"
    assert fields(found) == {
        "status": "won",
        "type": "new",
        "stage": "受注",
        "amount": "450000",
        "currency": "JPY",
        "created_at": "2026-12-01T01:00:00Z",
        "won_at": "2026-12-07T15:00:00Z",  # midnight of the 8th in Tokyo
        "expected_close_on": "2026-12-25",
        "owner": "sato",
    }
    assert isinstance(contribution(PRESETS["revenue"], joined([found]), "JPY"), Contribution)


def test_the_address_is_the_only_proof_and_the_page_says_so() -> None:
    assert PROVIDER.secrets == ()
    hook = hook_of("kintone")
    assert hook.verify.__name__ == "_the_address_is_the_proof"
    codes = [step.code for step in hook.next_steps(Connecting(HOOK, settings_of(DEAL_SETTINGS)))]
    assert "keep_kintone_address_secret" in codes


LIFE = [
    saved(record(1), "ADD_RECORD"),
    saved(record(2, 受注金額="400000")),
    saved(won(3), "UPDATE_STATUS"),
    saved(won(10, 受注金額="380000.5")),  # the tenth follows the ninth, not the first
    saved(record(11, 商談状況="商談中"), "UPDATE_STATUS"),
]


@pytest.mark.parametrize("length", range(1, len(LIFE) + 1))
def test_a_records_life_ends_in_one_state_in_any_order(length: int) -> None:
    deliveries = [read(request) for request in LIFE[:length]]
    assert_any_order_ends_alike(deliveries)
    state = joined(item.report for one in deliveries for item in one.items)
    assert state.fields["status"] == ["open", "open", "won", "won", "open"][length - 1]


def test_a_deletion_without_a_revision_stands_over_every_revision() -> None:
    reports = [report(request) for request in [*LIFE, deleted()]]
    assert reports[-1].fields == {KIND: "deal", RETRACTED: True}
    states = [joined(order) for order in itertools.permutations(reports)]
    assert all(state == states[0] for state in states)
    assert states[0].retracted


def test_a_notification_that_comes_twice_is_the_same_report() -> None:
    assert report(saved(won(), id="another")) == report(saved(won()))


def test_comments_are_acknowledged_and_not_counted() -> None:
    delivery = read(saved(won(), "ADD_RECORD_COMMENT"))
    assert (delivery.items, delivery.refused) == ((), ())


def test_system_fields_are_found_by_type_whatever_their_codes() -> None:
    settings = {**DEAL_SETTINGS, "fields": {"status": "商談状況", "won_at": "受注日"}}
    renamed = won()
    renamed["Created_datetime"] = renamed.pop("作成日時")
    renamed["Created_by"] = renamed.pop("作成者")
    found = fields(report(saved(renamed, settings=settings)))
    assert found["created_at"] == "2026-12-01T01:00:00Z"
    assert found["owner"] == "tanaka"


def test_empty_texts_are_absent_values() -> None:
    found = fields(report(saved(record(受注金額="", 受注予定日="", 営業担当=[], 区分=None))))
    assert found == {
        "status": "open",
        "stage": "商談中",
        "created_at": "2026-12-01T01:00:00Z",
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (saved(won(商談状況="保留")), ("/record/商談状況/value", "unknown_value")),
        (saved(won(受注金額="四十万")), ("/record/受注金額/value", "not_a_decimal")),
        (saved(won(受注日="8日")), ("/record/受注日/value", "not_a_date")),
        (saved(won(受注日="2026-12-31")), ("/record/受注日/value", "time_too_far_ahead")),
        (saved({}), ("/record/$id/value", "required")),
        (saved(won() | {"$revision": {"value": ""}}), ("/record/$revision/value", "required")),
        (saved(won(), app={"id": "13"}), ("/app/id", "unknown_value")),
        (saved(won(), record=[]), ("/record", "not_an_object")),
        (deleted(""), ("/recordId", "required")),
        (notified({"type": "ADD_RECORD"}), ("/app/id", "unknown_value")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    request_: Any, expected: tuple[str, str]
) -> None:
    assert faults(request_) == [expected]


def test_a_field_whose_code_was_changed_is_noticed() -> None:
    renamed = won()
    renamed["売上"] = renamed.pop("受注金額")
    assert faults(saved(renamed)) == [("/record/受注金額", "no_such_field")]
    (refused,) = read(saved(renamed)).refused
    assert refused.about
    assert (refused.about.key, refused.about.revision) == ("12:501", of_number("3"))


MEETINGS = {
    "app_id": "12",
    "kind": "meeting",
    "fields": {
        "status": "結果",
        "starts_at": "訪問日時",
        "booked_by": "インサイド",
        "organizer": "営業担当",
    },
    "values": {"予定": "booked", "実施": "held", "キャンセル": "canceled", "不在": "no_show"},
}


def test_an_app_of_appointments() -> None:
    sent = record(2, 結果="実施", 訪問日時="2026-12-10T05:30:00Z", インサイド=[user("ito", "")])
    found = report(saved(sent, settings=MEETINGS))
    assert fields(found) == {
        "status": "held",
        "booked_at": "2026-12-01T01:00:00Z",
        "starts_at": "2026-12-10T05:30:00Z",
        "booked_by": "ito",
        "organizer": "sato",
    }


def test_an_app_of_calls_is_of_outbound_calls_unless_it_says_otherwise() -> None:
    calls: dict[str, Any] = {
        "app_id": "12",
        "kind": "call",
        "fields": {"started_at": "架電日時", "outcome": "結果", "talk_seconds": "秒"},
        "values": {"通電": "connected", "留守": "no_answer"},
    }
    sent = record(1, 架電日時="2026-12-10T05:30:00Z", 結果="通電", 秒="95")
    assert fields(report(saved(sent, settings=calls))) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:00Z",
        "talk_seconds": 95,
        "agent": "tanaka",
    }


def refused_settings(**settings: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        PROVIDER.check(settings_of(DEAL_SETTINGS | settings), {})
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


def test_settings_that_could_count_nothing_are_refused() -> None:
    PROVIDER.check(settings_of(DEAL_SETTINGS), {})
    PROVIDER.check(settings_of(MEETINGS), {})
    needed = {"status": "商談状況"}
    assert refused_settings(fields=needed) == [("/settings/fields/won_at", "required")]
    wrong = needed | {"won_at": "受注日", "agent": "担当"}
    assert refused_settings(fields=wrong) == [("/settings/fields", "unknown_field_of_kind")]
    assert refused_settings(values={"受注/済": "done"}) == [
        ("/settings/values/受注~1済", "no_word_of_kind")
    ]


def test_a_fetched_record_is_the_same_report() -> None:
    item = read_fetched("12", won(), settings_of(DEAL_SETTINGS), source="kt", now=NOW)
    assert isinstance(item, Item)
    assert item.report == report(saved(won()))
    assert read_fetched("13", won(), settings_of(DEAL_SETTINGS), source="kt", now=NOW) is None
    wrong = won(商談状況="保留")
    found = read_fetched("12", wrong, settings_of(DEAL_SETTINGS), source="kt", now=NOW)
    assert found
    assert not isinstance(found, Item)
    assert found.error.faults[0].pointer == "/商談状況/value"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("2026-12-08"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("code"), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(record())), VALUES))
def test_any_values_in_the_mapped_fields_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(saved(won(**changed)))
    assert len(delivery.items) + len(delivery.refused) == 1
