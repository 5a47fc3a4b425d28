"""How metrics of one's own count: multisets, stocks, and fields that no kind types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, ZERO, Stamp, State
from app.domain.definitions import metric_of
from app.domain.errors import Invalid
from app.domain.instants import QUARTER, instant
from app.domain.metrics import Contribution, Metric, Uncounted, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_number
from app.domain.tallies import Movement, cells, occurrences
from app.domain.values import LONGEST, distinct, number_of, sorted_latest, sorted_number

AT = "2026-12-01T03:00:00Z"
NOW = instant(AT)
PIPELINE = PRESETS["open_pipeline"]


def defined(**document: Any) -> Metric:
    usual = {"names": {"en": "M"}, "kind": "visit", "aggregation": "count", "time": "at"}
    return metric_of("m", usual | document)


def visit(**fields: Any) -> State:
    usual: dict[str, Any] = {KIND: "visit", RETRACTED: False, "at": AT}
    return State(ZERO, usual | fields, {})


def deal(**fields: Any) -> State:
    usual: dict[str, Any] = {
        "created_at": AT,
        "amount": "100",
        "owner": "o",
        KIND: "deal",
        RETRACTED: False,
    }
    return State(ZERO, usual | fields, {})


def stands(state: State) -> dict[int, Movement]:
    """The pipeline's movements by quarter hours since NOW."""
    found = cells(state, [PIPELINE], "JPY")
    return {cell.quarter - NOW // QUARTER: moved for cell, moved in found.items()}


CAME, GONE = Movement(1, 100), Movement(-1, -100)
LATER, LATEST = "2026-12-01T04:00:00Z", "2026-12-01T05:00:00Z"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "open"}, {0: CAME}),
        ({"status": "won", "won_at": LATER}, {0: CAME, 4: GONE}),
        ({"status": "lost", "closed_at": LATEST}, {0: CAME, 8: GONE}),
        ({"status": "won", "won_at": LATER, "closed_at": LATEST}, {0: CAME, 4: GONE}),
        # Reopened: what once closed it no longer says anything.
        ({"status": "open", "won_at": LATER, "closed_at": LATEST}, {0: CAME}),
        ({"status": "deleted", "closed_at": LATER}, {}),
        ({"status": "open", RETRACTED: True}, {}),
        # Closed before it came: it never stood.
        ({"status": "won", "won_at": "2026-11-01T00:00:00Z"}, {0: Movement(0, 0)}),
    ],
)
def test_a_deal_is_in_the_pipeline_from_its_creation_to_its_decision(
    fields: dict[str, Any], expected: dict[int, Movement]
) -> None:
    assert stands(deal(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "lost"}, Uncounted("no_time", "closed_at")),
        ({"status": "open", "created_at": None}, Uncounted("no_time", "created_at")),
        ({"status": "open", "amount": None}, Uncounted("no_value", "amount")),
    ],
)
def test_a_deal_whose_times_are_missing_says_so(fields: dict[str, Any], why: Uncounted) -> None:
    assert contribution(PIPELINE, deal(**fields), "JPY") == why


def test_a_stock_without_a_condition_stands_until_a_time_says_otherwise() -> None:
    rented = defined(stock={"until": ["ended"]})
    open_ended = contribution(rented, visit(), "")
    ended = contribution(rented, visit(ended=LATER), "")
    assert isinstance(open_ended, Contribution)
    assert isinstance(ended, Contribution)
    assert (open_ended.until, ended.until) == (None, instant(LATER))


@pytest.mark.parametrize(
    ("aggregation", "fields", "value"),
    [
        ("unique", {"what": "東京"}, "東京"),
        ("unique", {"what": 7}, "7"),
        ("unique", {"what": "7"}, "7"),
        ("min", {"what": "-1.5"}, sorted_number(-150)),
        ("max", {"what": 7}, sorted_number(700)),
        ("latest", {"what": 7}, sorted_latest(NOW, ZERO, 700)),
    ],
)
def test_a_state_puts_one_value_into_a_multiset(
    aggregation: str, fields: dict[str, Any], value: str
) -> None:
    metric = defined(aggregation=aggregation, value="what", decimals=2)
    assert [one.value for one in occurrences(visit(**fields), [metric], "")] == [value]
    assert [*cells(visit(**fields), [metric], "").values()] == [Movement(1, 0)]


@pytest.mark.parametrize("what", [None, ["a"], {"a": 1}])
def test_what_cannot_be_compared_is_no_value(what: Any) -> None:
    metric = defined(aggregation="unique", value="what")
    assert contribution(metric, visit(what=what), "") == Uncounted("no_value", "what")


@pytest.mark.parametrize(
    ("document", "fields", "code"),
    [
        ({"aggregation": "sum", "value": "n"}, {"n": "seven"}, "not_a_decimal"),
        ({"aggregation": "sum", "value": "n"}, {"n": True}, "not_a_decimal"),
        ({"aggregation": "sum", "value": "n"}, {"n": ["7"]}, "not_a_decimal"),
        ({"aggregation": "sum", "value": "n"}, {"n": "NaN"}, "not_a_decimal"),
        ({"aggregation": "max", "value": "n"}, {"n": "0.5"}, "amount_does_not_fit"),
        ({"aggregation": "sum", "value": "n"}, {"n": 2**60}, "amount_does_not_fit"),
        ({"aggregation": "sum", "value": "n"}, {"n": -(2**60)}, "amount_does_not_fit"),
        ({}, {"at": "yesterday"}, "not_a_time"),
        ({}, {"at": "2026-12-01"}, "time_without_offset"),
        ({}, {"at": "1970-01-01T00:00:00Z"}, "time_before_1980"),
        (
            {"aggregation": "sum", "value": "n", "unit": "money"},
            {"n": "1", "currency": "gold"},
            "not_a_currency",
        ),
    ],
)
def test_a_free_field_that_cannot_be_counted_names_its_fault_and_counts_nothing(
    document: dict[str, Any], fields: dict[str, Any], code: str
) -> None:
    metric = defined(**document)
    with pytest.raises(Invalid, match=code):
        contribution(metric, visit(**fields), "JPY")
    assert cells(visit(**fields), [metric], "JPY") == {}
    assert occurrences(visit(**fields), [metric], "JPY") == ()


@given(st.integers(0, 3), st.sampled_from([int, str]), st.data())
def test_a_whole_number_adds_the_same_however_it_is_written(
    decimals: int, written: type[int | str], data: st.DataObject
) -> None:
    metric = defined(aggregation="sum", value="n", decimals=decimals)
    most = (2**60 - 1) // 10**decimals
    number = data.draw(st.integers(-most, most))
    found = contribution(metric, visit(n=written(number)), "JPY")
    assert isinstance(found, Contribution)
    assert (found.number, found.total) == (1, number * 10**decimals)


@pytest.mark.parametrize(
    ("held", "named", "counts"),
    [
        ("a", "a", True), (7, "7", True), (True, "true", True), (False, "false", True),
        (["a"], "a", False), ({"a": 1}, "a", False), (None, "a", False),
    ],
)  # fmt: skip
def test_a_condition_compares_what_a_free_field_says(held: Any, named: str, counts: Any) -> None:
    metric = defined(where=[{"field": "what", "in": [named]}])
    assert isinstance(contribution(metric, visit(what=held), ""), Contribution) is counts


@pytest.mark.parametrize("who", [7, ["a"], "x" * 256, "", None])
def test_whoever_is_not_named_by_a_plain_text_is_nobody_and_counts(who: Any) -> None:
    found = contribution(defined(), visit(actor=who), "")
    assert isinstance(found, Contribution)
    assert found.identity == ""


numbers = st.integers(-(2**62), 2**62)
stamps = st.builds(
    Stamp,
    st.one_of(st.just(""), st.integers(0, 2000).map(lambda n: of_number(str(n)))),
    st.integers(0, 30),
    st.binary(min_size=16, max_size=16),
)
moments = st.tuples(st.integers(0, 10**17), stamps, numbers)


@given(numbers, numbers)
def test_numbers_sort_as_texts(one: int, other: int) -> None:
    texts = sorted_number(one), sorted_number(other)
    assert (one < other, one == other) == (texts[0] < texts[1], texts[0] == texts[1])
    assert number_of(texts[0]) == one


@given(moments, moments)
def test_the_latest_is_that_of_the_greater_time_then_of_the_greater_stamp(
    one: tuple[int, Stamp, int], other: tuple[int, Stamp, int]
) -> None:
    texts = sorted_latest(*one), sorted_latest(*other)
    assert (one < other) == (texts[0] < texts[1])
    assert number_of(texts[1]) == other[2]


def test_a_long_text_is_told_apart_by_its_digest() -> None:
    long = "x" * (LONGEST + 1)
    assert distinct(long[1:]) == long[1:]
    assert len(distinct(long)) < LONGEST
    assert distinct(long) != distinct(long + "x")


@pytest.mark.parametrize("aggregation", ["average", "unique", "min", "max", "latest"])
def test_only_counts_and_sums_of_what_happened_add_up(aggregation: str) -> None:
    assert not defined(aggregation=aggregation, value="n").additive
    assert not PIPELINE.additive
    assert defined().additive
    assert defined(aggregation="sum", value="n").additive
