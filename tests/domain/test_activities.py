"""The join of reports against a brute-force maximum over stamps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import (
    KIND,
    NOTHING,
    RETRACTED,
    ZERO,
    JsonValue,
    Outcome,
    Report,
    State,
    canonical_json,
    contradict,
    join,
    joined,
    make_report,
    outcome,
)
from app.domain.deliveries import Delivery, Item, ItemResult, Refused
from app.domain.errors import Invalid

NAMES = ["status", "amount", "note", RETRACTED]
values = st.sampled_from([None, "a", "b", True])


@st.composite
def reports(draw: st.DrawFn) -> Report:
    fields: dict[str, JsonValue] = {KIND: "deal"}
    fields |= draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
    return make_report(
        "crm",
        "d-1",
        draw(st.sampled_from(["", "n0011", "n0012", "n0013"])),
        fields,
        full=draw(st.booleans()),
        mapping=draw(st.sampled_from([1, 2])),
    )


def brute(given_: list[Report]) -> dict[str, JsonValue]:
    """Each field is what the greatest stamp says that speaks of it; a full one speaks of all."""
    names = {name for report in given_ for name in report.fields}
    found: dict[str, JsonValue] = {}
    for name in names:
        speaking = [r for r in given_ if r.full or name in r.fields]
        best = max(speaking, key=lambda report: report.stamp)
        if name in best.fields:
            found[name] = best.fields[name]
    return found


@given(st.lists(reports(), max_size=7), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_brute_force_maximum(
    found: list[Report], random: st.DataObject
) -> None:
    state = joined(found)
    assert dict(state.fields) == brute(found)
    again = found * 2
    random.shuffle(again)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert joined(again) == state


@given(st.lists(reports(), max_size=4), reports(), reports())
def test_the_join_commutes_and_is_idempotent(
    before: list[Report], one: Report, other: Report
) -> None:
    state = joined(before)
    assert join(join(state, one), other) == join(join(state, other), one)
    assert join(join(state, one), one) == join(state, one)


@given(st.lists(reports(), max_size=5), st.lists(reports(), max_size=5))
def test_grouping_does_not_matter(first: list[Report], second: list[Report]) -> None:
    state = joined(first)
    for report in second:
        state = join(state, report)
    assert state == joined(second + first)


def test_only_newer_partial_fields_survive_a_full_report() -> None:
    amount = make_report("crm", "d", "n0012", {KIND: "deal", "amount": "5"}, full=False)
    full = make_report("crm", "d", "n0011", {KIND: "deal", "amount": "9", "note": "x"}, full=True)
    later = make_report("crm", "d", "n0013", {KIND: "deal", "note": "y"}, full=True)
    assert joined([amount, full]).fields == {
        KIND: "deal",
        RETRACTED: False,
        "amount": "5",
        "note": "x",
    }
    assert joined([amount, full, later]).fields == {KIND: "deal", RETRACTED: False, "note": "y"}


def test_a_full_report_restores_what_an_older_one_retracted_and_a_partial_one_does_not() -> None:
    gone = make_report("crm", "d", "n0011", {KIND: "deal", RETRACTED: True}, full=True)
    part = make_report("crm", "d", "n0012", {KIND: "deal", "note": "x"}, full=False)
    back = make_report("crm", "d", "n0013", {KIND: "deal"}, full=True)
    assert joined([gone, part]).retracted
    assert not joined([gone, part, back]).retracted
    assert not NOTHING.retracted


def test_content_is_the_same_however_the_fields_were_ordered() -> None:
    one = make_report("crm", "d", "", {KIND: "deal", "a": "1", "b": None}, full=True)
    other = make_report("crm", "d", "", {"a": "1", KIND: "deal"}, full=True)
    assert one.stamp == other.stamp
    assert one.content == canonical_json(
        {"full": True, "fields": {"a": "1", KIND: "deal", RETRACTED: False}}
    )
    assert make_report("crm", "d", "", {KIND: "deal", "a": "1"}, full=False).stamp != one.stamp
    assert canonical_json({"名": "前"}) == '{"名":"前"}'


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(any_json)
def test_json_has_one_spelling_which_is_that_of_the_standard_writer(value: object) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_json(value) == plain


def full(revision: str, note: str, mapping: int = 1) -> Report:
    return make_report(
        "crm", "d", revision, {KIND: "deal", "note": note}, full=True, mapping=mapping
    )


def partial(revision: str, **fields: JsonValue) -> Report:
    return make_report("crm", "d", revision, {KIND: "deal"} | fields, full=False)


@pytest.mark.parametrize(
    ("before", "report", "known", "word"),
    [
        ([], full("n0012", "a"), False, Outcome.ACCEPTED),
        ([full("n0012", "a")], full("n0012", "a"), True, Outcome.DUPLICATE),
        ([full("n0012", "a")], full("n0012", "b"), False, Outcome.CONFLICT),
        ([full("n0012", "a")], full("n0012", "b", mapping=2), False, Outcome.REVISED),
        ([full("n0012", "a")], full("n0011", "b"), False, Outcome.STALE),
        ([full("n0012", "a")], full("n0013", "b"), False, Outcome.REVISED),
        ([full("n0012", "a")], partial("n0012", note="b"), False, Outcome.CONFLICT),
        ([partial("n0012", note="a")], partial("n0012", note="b"), False, Outcome.CONFLICT),
        ([partial("n0012", note="a")], partial("n0012", status="b"), False, Outcome.REVISED),
        ([full("n0012", "a")], partial("n0011", note="b"), False, Outcome.STALE),
    ],
)
def test_the_outcome_is_the_first_word_that_fits(
    before: list[Report], report: Report, known: Any, word: Outcome
) -> None:
    state = joined(before)
    assert outcome(state, report, join(state, report), known=known) is word


@given(reports(), reports())
def test_two_reports_of_one_version_contradict_each_other_where_both_speak(
    one: Report, other: Report
) -> None:
    def says(report: Report) -> dict[str, JsonValue]:
        return dict.fromkeys(NAMES) | dict(report.fields) if report.full else dict(report.fields)

    both = says(one).keys() & says(other).keys()
    differ = any(says(one)[name] != says(other)[name] for name in both)
    expected = differ and one.stamp[:2] == other.stamp[:2]
    assert contradict(one, other) == contradict(other, one) == expected


def test_a_stamp_knows_its_version_and_a_state_its_kind() -> None:
    assert full("n0012", "a").stamp.version == ("n0012", 1)
    assert joined([full("n0012", "a")]).kind == "deal"
    assert State(ZERO, {}, {}) == NOTHING


def test_a_delivery_holds_what_was_read_and_what_was_refused() -> None:
    item = Item(0, "e-1", full("", "a"))
    refused = Refused(1, None, "crm", Invalid("unknown_source"), "{}")
    delivery = Delivery("w", 5, quarantines=True, items=(item,), refused=(refused,))
    assert (delivery.items[0].index, delivery.refused[0].index) == (0, 1)
    assert ItemResult(0, "e-1", Outcome.ACCEPTED).error is None
