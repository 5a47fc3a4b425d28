"""kintone by a mapping of the customer: the same as by settings, and more than they can say."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, State
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Invalid
from app.domain.revisions import of_number
from app.intake.mapping import record_mapping_of
from app.intake.providers.kintone import read_mapped
from app.intake.requests import HookRequest
from tests.intake.conformance import assert_any_order_ends_alike, replayed, states
from tests.intake.kintone_events import (
    APP,
    DEAL_SETTINGS,
    SEVERAL,
    deleted,
    fields,
    mapped,
    notified,
    read,
    record,
    report,
    saved,
    settings_of,
    user,
    visited,
    won,
)
from tests.intake.senders import NOW

PAGES = Path(__file__).parents[2] / "docs" / "senders"
EXAMPLES = re.compile(r"```json\n(.*?)```", re.DOTALL)
# What DEAL_SETTINGS say, in the words of a mapping.
DEAL: dict[str, Any] = {
    "activity": {"kind": "deal"},
    "fields": {
        "status": {
            "select": 'record."商談状況".value',
            "map": {"受注": "won", "失注": "lost", "商談中": "open"},
        },
        "stage": 'record."商談状況".value',
        "won_at": {
            "select": "join('', [record.\"受注日\".value, 'T00:00:00'])",
            "type": "time",
            "zone": "Asia/Tokyo",
        },
        "amount": {"select": 'record."受注金額".value', "type": "decimal"},
        "currency": {"constant": "JPY", "when": 'record."受注金額".value'},
        "owner": 'record."営業担当".value[0].code',
        "type": {
            "select": 'record."区分".value',
            "map": {"新規": "new", "既存": "existing"},
        },
        "expected_close_on": 'record."受注予定日".value',
        "created_at": 'record."作成日時".value',
    },
}


def activities(request: HookRequest) -> dict[str, Item]:
    delivery = read(request)
    assert not delivery.refused, delivery.refused
    return {item.report.key: item for item in delivery.items}


def told(refused: Refused) -> tuple[Any, ...]:
    """A refusal by its contents: errors are equal to themselves only."""
    why = refused.error
    return refused.index, refused.id, refused.content, refused.about, why.code, why.faults


def problems(delivery: Delivery) -> list[tuple[str | None, str, str]]:
    return [
        (refused.id, fault.pointer, fault.code)
        for refused in delivery.refused
        for fault in refused.error.faults
    ]


AMOUNTS = st.none() | st.just("") | st.decimals(0, 10**9, places=2).map(str)
DATES = st.none() | st.dates(date(2001, 1, 1), date(2026, 12, 10)).map(date.isoformat)
RECORDS = st.builds(
    lambda revision, status, amount, won_on, closes, users, kind: record(
        revision,
        商談状況=status,
        受注金額=amount,
        受注日=won_on,
        受注予定日=closes,
        営業担当=[user(code, "") for code in users],
        区分=kind,
    ),
    st.integers(1, 10**12),
    st.sampled_from(["受注", "失注", "商談中", "保留"]),
    AMOUNTS,
    DATES,
    DATES,
    st.lists(st.sampled_from(["sato", "suzuki", "ito"]), max_size=2),
    st.sampled_from(["新規", "既存", None, "", "別"]),
)


@given(RECORDS)
def test_a_mapping_that_says_what_the_settings_say_gives_the_same_reports(
    sent: dict[str, Any],
) -> None:
    by_settings, by_mapping = read(saved(sent)), read(mapped(saved(sent), DEAL))
    reports = [item.report for item in by_settings.items]
    assert [item.report for item in by_mapping.items] == reports
    assert [one.about for one in by_mapping.refused] == [one.about for one in by_settings.refused]
    assert len(reports) + len(by_mapping.refused) == 1


def test_that_law_has_cases_of_both_kinds() -> None:
    assert report(mapped(saved(won()), DEAL)) == report(saved(won()))
    assert fields(report(mapped(saved(won()), DEAL)))["won_at"] == "2026-12-07T15:00:00Z"
    (refused,) = read(mapped(saved(won(商談状況="保留")), DEAL)).refused
    assert refused.about == About("12:501", of_number("3"))


def test_one_record_is_several_activities_of_several_kinds() -> None:
    sent = visited(
        4,
        商談状況="受注",
        受注日="2026-12-08",
        訪問日時="2026-12-03T05:30:00Z",
        訪問結果="実施",
        流入="問い合わせ",
    )
    found = activities(mapped(saved(sent)))
    assert list(found) == ["12:501", "12:501:アポ", "12:501:lead"]
    assert {key: item.id for key, item in found.items()} == {key: key for key in found}
    assert [item.index for item in found.values()] == [0, 1, 2]
    assert {item.report.stamp.revision for item in found.values()} == {of_number("4")}
    assert all(item.report.full for item in found.values())
    assert fields(found["12:501"].report) == {
        "status": "won",
        "amount": "450000",
        "currency": "JPY",
        "won_at": "2026-12-08T03:00:00Z",  # noon of the 8th in Tokyo
        "owner": "sato",
    }
    assert fields(found["12:501:アポ"].report) == {
        "status": "held",
        "starts_at": "2026-12-03T05:30:00Z",
        "organizer": "sato",
    }
    assert fields(found["12:501:lead"].report) == {
        "created_at": "2026-12-01T01:00:00Z",
        "owner": "tanaka",
    }
    kinds = [item.report.fields[KIND] for item in found.values()]
    assert kinds == ["deal", "meeting", "lead"]


STATES = st.lists(
    st.tuples(
        st.sampled_from(["受注", "失注", "商談中"]),
        st.sampled_from([None, "2026-12-03T05:30:00Z", "2026-12-04T01:00:00Z"]),
        st.sampled_from([None, "問い合わせ", "紹介"]),
    ),
    min_size=1,
    max_size=5,
)
WORDS = {"受注": "won", "失注": "lost", "商談中": "open"}


@given(STATES, st.sampled_from([[], [mapped(deleted())]]), st.randoms(use_true_random=False))
def test_a_records_life_by_a_mapping_ends_as_the_record_stands_in_any_order(
    life: list[tuple[str, str | None, str | None]], gone: list[HookRequest], dice: Any
) -> None:
    requests = [
        mapped(saved(visited(number, 商談状況=status, 訪問日時=visit, 流入=came)))
        for number, (status, visit, came) in enumerate(life, 8)  # 9 comes before 10
    ]
    deliveries = [read(request) for request in [*requests, *gone]]
    dice.shuffle(deliveries)
    found = states([*deliveries, *dice.choices(deliveries, k=2)])
    status, visit, came = life[-1]
    assert counted(found) == (
        {}
        if gone
        else {"12:501": ("deal", WORDS[status])}
        | ({"12:501:アポ": ("meeting", "booked")} if visit else {})
        | ({"12:501:lead": ("lead", None)} if came == "問い合わせ" else {})
    )
    if visit and not gone:
        assert found["12:501:アポ"].fields["starts_at"] == visit


def counted(found: dict[str, State]) -> dict[str, tuple[str, Any]]:
    return {
        key: (state.kind, state.fields.get("status"))
        for key, state in found.items()
        if not state.retracted
    }


def test_a_deletion_that_comes_first_retracts_all_that_comes_later() -> None:
    life = [
        mapped(saved(visited(1, 訪問日時="2026-12-03T05:30:00Z", 流入="問い合わせ"))),
        mapped(saved(visited(2, 流入="問い合わせ"))),
        mapped(deleted()),
    ]
    gone = activities(life[-1])
    assert list(gone) == ["12:501", "12:501:アポ", "12:501:lead"]
    assert all(item.report.fields[RETRACTED] is True for item in gone.values())
    for order in itertools.permutations(life):
        found = states([read(request) for request in order])
        assert len(found) == 3
        assert all(state.retracted for state in found.values())
    assert_any_order_ends_alike([read(request) for request in life])


def test_rules_of_one_activity_decide_its_kind_together() -> None:
    """An app of activities: what each record is stands in a field of it."""
    rules = [
        {
            "when": f"record.\"区分\".value == '{word}'",
            "activity": {"kind": kind},
            "fields": {field: 'record."訪問日時".value'},
        }
        for word, kind, field in (("電話", "call", "started_at"), ("訪問", "meeting", "starts_at"))
    ]
    at = "2026-12-03T05:30:00Z"
    called = mapped(saved(visited(1, 区分="電話", 訪問日時=at)), {"rules": rules})
    met = mapped(saved(visited(2, 区分="訪問", 訪問日時=at)), {"rules": rules})
    neither = mapped(saved(visited(3, 区分="メール", 訪問日時=at)), {"rules": rules})
    for order in itertools.permutations([read(called), read(met)]):
        state = states(order)["12:501"]
        assert (state.kind, state.fields["starts_at"]) == ("meeting", at)
        assert "started_at" not in state.fields
    assert states([read(neither), read(met)])["12:501"].retracted
    both = [rules[0], rules[1] | {"when": 'record."区分"'}]
    delivery = read(mapped(saved(visited(1, 区分="電話", 訪問日時=at)), {"rules": both}))
    assert delivery.items == ()
    assert problems(delivery) == [("12:501", "/mapping", "several_rules_hold")]
    assert delivery.refused[0].about == About("12:501", of_number("1"))


def test_a_record_can_be_retracted_by_a_field_of_its_own() -> None:
    void = DEAL | {"activity": {"kind": "deal", "retracted": "record.\"区分\".value == '無効'"}}
    life = [mapped(saved(won(3)), void), mapped(saved(won(4, 区分="無効")), void)]
    for order in (life, life[::-1]):
        state = states([read(request) for request in order])["12:501"]
        assert state.retracted
        assert state.fields["amount"] == "450000"
    back = [*life, mapped(saved(won(5)), void)]
    assert not states([read(request) for request in back])["12:501"].retracted


def test_one_activity_that_cannot_be_read_takes_no_other_along() -> None:
    sent = visited(4, 商談状況="保留", 訪問日時="明日", 流入="問い合わせ")
    delivery = read(mapped(saved(sent)))
    assert [item.report.key for item in delivery.items] == ["12:501:lead"]
    assert problems(delivery) == [
        ("12:501", "/mapping/rules/0/fields/status", "unknown_value"),
        ("12:501:アポ", "/mapping/rules/1/fields/starts_at", "not_a_time"),
    ]
    revision = of_number("4")
    about = [About("12:501", revision), About("12:501:アポ", revision)]
    assert [one.about for one in delivery.refused] == about
    places = [item.index for item in delivery.items] + [one.index for one in delivery.refused]
    assert sorted(places) == [0, 1, 2]


def test_a_field_whose_code_was_changed_is_noticed_wherever_it_is_asked_for() -> None:
    renamed = visited()
    renamed["来訪"] = renamed.pop("訪問日時")
    delivery = read(mapped(saved(renamed)))
    assert [item.report.key for item in delivery.items] == ["12:501", "12:501:lead"]
    assert problems(delivery) == [
        ("12:501:アポ", "/mapping/rules/1/when", "no_such_field"),
        ("12:501:アポ", "/mapping/rules/1/fields/starts_at", "no_such_field"),
    ]


@pytest.mark.parametrize(
    "select",
    [
        'record."古い".value',
        'length(record."古い".value)',
        "record.\"古い\".value[?a == 'b'] | [0]",
        'record."古い".value[0:1] | [0]',
        "[record.\"古い\".value, 'x'] | [0]",
        'not_null(record."古い".value, record."旧".value, \'x\')',
        'record."古い".value || record."旧".value',
    ],
)
def test_a_code_that_no_field_has_is_found_in_any_selector(select: str) -> None:
    mapping = {"activity": {"kind": "visit"}, "fields": {"note": select}}
    delivery = read(mapped(saved(visited()), mapping))
    assert problems(delivery) == [("12:501", "/mapping/fields/note", "no_such_field")]


def test_records_of_both_ages_of_a_code_can_be_read() -> None:
    either = 'not_null(record."古い".value, record."新しい".value)'
    mapping = {"activity": {"kind": "visit"}, "fields": {"note": either}}
    for code in ("古い", "新しい"):
        sent = visited() | {code: {"type": "SINGLE_LINE_TEXT", "value": "x"}}
        assert fields(report(mapped(saved(sent), mapping))) == {"note": "x"}
    # What looks like a code inside what was found is none.
    inside = "record.\"営業担当\".value[?record.x == 'y'] | [0].code"
    assert fields(report(mapped(saved(visited()), mapping | {"fields": {"a": inside}}))) == {}


def test_fetched_and_notified_a_record_comes_to_the_same_reports() -> None:
    for number, visit in ((4, "2026-12-03T05:30:00Z"), (5, None), (6, "明日")):
        sent = visited(number, 訪問日時=visit)
        delivery = read(mapped(saved(sent)))
        settings, mapping = settings_of(DEAL_SETTINGS | APP), record_mapping_of(SEVERAL)
        found = read_mapped(mapping, "12", sent, settings, source="kt", now=NOW)
        assert [one for one in found if isinstance(one, Item)] == list(delivery.items)
        refused = [one for one in found if isinstance(one, Refused)]
        assert list(map(told, refused)) == list(map(told, delivery.refused))
        assert not read_mapped(mapping, "13", sent, settings, source="kt", now=NOW)
    numberless = read_mapped(mapping, "12", {}, settings, source="kt", now=NOW)
    assert [isinstance(one, Refused) for one in numberless] == [True]


def test_a_mapping_sees_the_record_alone() -> None:
    """Of what surrounds it a fetched record has nothing: no rule may come to depend on it."""
    aside = {"activity": {"kind": "visit"}, "fields": {"a": "type", "b": "app.id", "c": "url"}}
    assert fields(report(mapped(saved(visited()), aside))) == {}


def test_a_later_mapping_stands_over_an_earlier_one_and_over_the_settings() -> None:
    half = DEAL | {"fields": DEAL["fields"] | {"amount": {"constant": 1}}}
    none = DEAL | {"when": "`false`"}
    by_settings = read(saved(won()))
    versions = [read(mapped(saved(won()), one, n)) for n, one in enumerate((half, none, DEAL), 1)]
    for order in itertools.permutations([by_settings, *versions]):
        assert states(order)["12:501"].fields["amount"] == "450000"
    assert states([by_settings, versions[0]])["12:501"].fields["amount"] == "1"
    assert states([versions[1], versions[0], by_settings])["12:501"].retracted


@pytest.mark.parametrize(
    ("mapping", "pointer", "code"),
    [
        ({}, "/activity", "required"),
        (DEAL | {"each": 'record."明細".value'}, "/each", "not_of_records"),
        (DEAL | {"activity": {"kind": "deal", "revision": "x"}}, "/activity/revision",
         "not_of_records"),
        (DEAL | {"activity": {"kind": "deal", "merge": True}}, "/activity/merge", "not_of_records"),
        (DEAL | {"activity": {"kind": "deal", "key": "a"}}, "/activity/key",
         "one_rule_without_key"),
        (DEAL | {"activity": {"kind": "deal", "key": {"constant": "a"}}}, "/activity/key",
         "not_a_text"),
        (DEAL | {"activity": {"kind": "member"}}, "/activity/kind", "people_not_as_events"),
        (DEAL | {"activity": {"kind": {"select": "a"}}}, "/activity/kind", "kinds_not_named"),
        (DEAL | {"activity": {}}, "/activity/kind", "required"),
        (DEAL | {"fields": {"a": "b["}}, "/fields/a", "not_a_selector"),
        ({"rules": []}, "/rules", "not_a_list"),
        ({"rules": [DEAL | {"activity": {"kind": "deal", "key": "x" * 61}}, DEAL]},
         "/rules/0/activity/key", "text_too_long"),
        ({"rules": [DEAL | {"activity": {"kind": "deal", "key": "a"}}]}, "/rules",
         "one_rule_without_key"),
        ({"rules": [DEAL, DEAL | {"each": "a"}]}, "/rules/1/each", "not_of_records"),
        ({"rules": [DEAL, 3]}, "/rules/1", "not_an_object"),
    ],
)  # fmt: skip
def test_a_mapping_that_no_deletion_could_follow_is_refused_at_its_place(
    mapping: Any, pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        record_mapping_of(mapping)
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]


def test_what_is_not_the_mappings_is_refused_as_ever() -> None:
    assert problems(read(mapped(saved(won(), app={"id": "13"})))) == [
        ("01883b13-2b5e-4b55-b1a7-9d5f7b3a8e10", "/app/id", "unknown_value")
    ]
    delivery = read(mapped(notified({"type": "ADD_RECORD", "app": {"id": "12"}})))
    assert [pointer for _, pointer, _ in problems(delivery)] == ["/record/$id/value"]


def test_a_mapping_that_is_valid_no_longer_leaves_records_for_a_better_one() -> None:
    (refused,) = read(replace(mapped(saved(won())), mapping=None)).refused
    assert refused.error.code == "source_without_mapping"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("code"), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(visited())), VALUES))
def test_any_values_in_the_mapped_fields_are_read_or_refused(changed: dict[str, Any]) -> None:
    sent = json.loads(json.dumps(visited(**changed), default=_text))
    delivery = read(mapped(saved(sent)))
    assert len(delivery.items) + len(delivery.refused) in (1, 3)
    again = replayed("kintone", mapped(saved(sent)))
    assert again.items == delivery.items


def _text(value: Decimal) -> str:
    return str(value)


@pytest.mark.parametrize("page", ["kintone.md", "kintone.ja.md"])
def test_the_pages_example_counts_what_the_page_says(page: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    (body,) = (one for one in EXAMPLES.findall(text) if '"mapping"' in one)
    source = json.loads(body)
    assert source["settings"] == APP
    sent = visited(
        6,
        商談状況="受注",
        受注日="2026-12-08",
        訪問日時="2026-12-03T05:30:00Z",
        訪問結果="実施",
        流入="問い合わせ",
    )
    found = activities(mapped(saved(sent), source["mapping"]))
    assert {key: item.report.fields[KIND] for key, item in found.items()} == {
        "12:501": "deal",
        "12:501:アポ": "meeting",
        "12:501:lead": "lead",
    }
    deal, visit = fields(found["12:501"].report), fields(found["12:501:アポ"].report)
    assert (deal["status"], deal["won_at"], deal["owner"]) == (
        "won",
        "2026-12-08T03:00:00Z",
        "sato",
    )
    assert (visit["status"], visit["booked_by"]) == ("held", "tanaka")
