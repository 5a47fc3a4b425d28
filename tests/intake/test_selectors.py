"""JMESPath as the library understands it, and an end to everything."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.intake.selectors import MAX_STEPS, Budget, selected, selector, written

RECORD = {
    "record": {"商談名": {"type": "SINGLE_LINE_TEXT", "value": "名古屋"}, "$id": {"value": "7"}},
    "calls": [
        {"id": 1, "ok": True, "legs": [{"to": "a"}, {"to": "b"}]},
        {"id": 2, "ok": False, "legs": []},
        {"id": 3, "ok": True, "legs": [{"to": "c"}]},
    ],
    "empty": [],
    "zero": 0,
    "nothing": None,
}
# Without numbers that have a point: those the library reads as binary fractions.
EXPRESSIONS = [
    'record."商談名".value',
    'record."$id".value',
    "calls[0].id",
    "calls[-1].id",
    "calls[*].id",
    "calls[?ok].id",
    "calls[?ok].legs[].to",
    "calls[?id > `1` && ok].id",
    "calls[?id >= `2`] | [0].id",
    "calls[].legs[*].to",
    "calls[1:].id",
    "calls[::-1].id",
    "calls[].{n: id, first: legs[0].to}",
    "calls[].[id, ok]",
    "record.*.value",
    "zero || 'x'",
    "empty || nothing || 'x'",
    "calls[?!ok].id",
    "calls[?ok == `true`].id",
    "calls[?id != `1`].id",
    "@.zero",
    '`{"a": 1}`.a',
    "contains(calls[].id, `2`)",
    "contains('abc', 'b')",
    "starts_with('abc', 'ab')",
    "ends_with('abc', 'bc')",
    "join('-', calls[].legs[].to)",
    "length(calls)",
    "keys(calls[0])",
    "not_null(nothing, zero)",
    "to_string(zero)",
    "missing.member",
    "calls.id",
    "zero[0]",
]


def found(text: str, value: Any = RECORD) -> Any:
    return selected(selector(text), value, Budget())


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_finds_what_the_library_finds(text: str) -> None:
    assert found(text) == jmespath.search(text, RECORD)


def test_numbers_are_exact() -> None:
    items = {"a": [{"n": Decimal("0.1"), "k": 1}, {"n": Decimal("0.30"), "k": 2}]}
    assert found("a[?n == `0.1`].k", items) == [1]
    assert found("a[?n > `0.1`].k", items) == [2]
    assert found("to_string(a[1].n)", items) == "0.3"
    assert found("join(':', ['deal', to_string(id)])", {"id": 2**60}) == f"deal:{2**60}"
    # True is no 1, for the library and here.
    assert found("contains(@, `1`)", [True]) is False


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_selector"),
        ("a.", "not_a_selector"),
        ("a b", "not_a_selector"),
        ("商談名", "not_a_selector"),
        ("a = 'b'", "not_a_selector"),
        ("`foo`", "not_a_selector"),
        ("`NaN`", "not_a_selector"),
        ("'open", "not_a_selector"),
        ("a[::0]", "not_a_selector"),
        ("a" * 501, "selector_too_long"),
        ("[" * 240 + "a" + "]" * 240, "selector_too_large"),
        ("!" * 40 + "a", "selector_too_large"),
        ("a" + "|a" * 120, "selector_too_large"),
        ("[" + ",".join(["a"] * 210) + "]", "selector_too_large"),
        ("sort_by(a, &b)", "unknown_function"),
        ("avg(a)", "unknown_function"),
        ("&a", "unknown_function"),
        ("join('-')", "wrong_number_of_arguments"),
    ],
)
def test_what_is_none_or_too_much_is_refused_when_it_is_given(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        selector(text)
    assert refused.value.code == code


def doubling(step: str, times: int) -> str:
    return "@" + f" | {step}" * times


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (doubling("[@, @][]", 11), list(range(9_000))),
        (doubling("[@, @]", 11) + " == " + "@", [1]),
        ("[?contains(@, `{}`)]", [[]]),
        (doubling("join('', [@, @])", 7), "x" * 1_000),
        ("a[*].b[*].c[*].d[*].e", {"a": [{"b": [{"c": [{"d": [{}] * 90}] * 90}] * 90}]}),
        ("a[*].b[*].c[*].d[*].e", {"a": [{"b": [{"c": [{"d": [{}] * 90}] * 9}] * 90}] * 90}),
    ],
)
def test_what_grows_ends_soon_with_a_refusal(text: str, value: Any) -> None:
    began = time.perf_counter()
    with pytest.raises(Invalid):
        found(text, value)
    assert time.perf_counter() - began < 5


def test_all_expressions_about_a_body_share_its_steps() -> None:
    budget, chosen = Budget(), selector("@[*]")
    for _ in range(MAX_STEPS // 5_003):
        assert len(selected(chosen, [1] * 5_000, budget)) == 5_000  # type: ignore[arg-type] # a list
    with pytest.raises(Invalid) as refused:
        selected(chosen, [1] * 5_000, budget)
    assert (refused.value.code, refused.value.params) == (
        "selector_too_costly",
        {"limit": MAX_STEPS},
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (12, "12"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.0"), "-0"),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_scalars_as_text(value: Any, text: str | None) -> None:
    assert written(value) == text


ALPHABET = "ab.[]*?@|&!=<>'`\"(){},:0123 -\\"
TEXTS = st.text(ALPHABET, max_size=40) | st.text(max_size=20) | st.sampled_from(EXPRESSIONS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(TEXTS, VALUES)
def test_any_expression_about_any_value_finds_something_or_is_refused(
    text: str, value: Any
) -> None:
    try:
        result = found(text, value)
        written(result)
    except Invalid:
        return
    json.dumps(result, default=str)
