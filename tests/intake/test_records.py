"""A sender's object, field by field: one meaning or a refusal with its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.intake.records import Record, record_of

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        ("text", "a", "a"),
        ("text", "", None),
        ("text", None, None),
        ("flag", True, True),
        ("flag", "false", False),
        ("flag", "", None),
        ("whole", 13, 13),
        ("whole", "013", 13),
        ("whole", "13.0", 13),
        ("whole", Decimal("13.00"), 13),
        ("whole", "", None),
        ("decimal", "1.25E7", "12500000"),
        ("decimal", Decimal("1E-3"), "0.001"),
        ("decimal", -5, "-5"),
        ("time", "2026-12-08T06:00:01.000+0000", "2026-12-08T06:00:01Z"),
        ("time", "2026-12-08T15:00:01+09:00", "2026-12-08T06:00:01Z"),
        ("time", 1796709601500, "2026-12-08T06:00:01.500000Z"),
        ("calendar_day", "2026-12-08", "2026-12-08"),
        ("calendar_day", "2026-12-08T00:00:00.000Z", "2026-12-08"),
        ("calendar_day", 1796688000000, "2026-12-08"),
    ],
)
def test_what_means_one_thing_is_read(reader: str, value: Any, expected: Any) -> None:
    assert getattr(Record({"a": value}), reader)("a") == expected


@pytest.mark.parametrize(
    ("reader", "value", "code"),
    [
        ("text", 5, "not_a_text"),
        ("flag", 1, "not_a_boolean"),
        ("flag", "yes", "not_a_boolean"),
        ("whole", "13.5", "not_an_integer"),
        ("whole", -1, "not_an_integer"),
        ("whole", True, "not_an_integer"),
        ("whole", "1" * 400, "not_an_integer"),
        ("decimal", "1e999", "not_a_decimal"),
        ("decimal", "1,000", "not_a_decimal"),
        ("decimal", True, "not_a_decimal"),
        ("time", "2026-12-08T06:00:01", "time_without_offset"),
        ("time", "1979-12-31T00:00:00Z", "time_before_1980"),
        ("time", 10**18, "not_a_time"),
        ("time", True, "not_a_time"),
        ("calendar_day", "8th", "not_a_date"),
        ("record", [], "not_an_object"),
        ("records", {}, "not_a_list"),
        ("records", [1], "not_an_object"),
        ("required", "", "required"),
    ],
)
def test_what_does_not_is_refused_with_its_place(reader: str, value: Any, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        getattr(Record({"a": value}, "/x"), reader)("a")
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [("/x/a", code)]


def test_a_day_is_the_moment_at_which_it_begins_in_its_zone() -> None:
    assert Record({"a": "2026-12-08"}).day("a", TOKYO) == "2026-12-07T15:00:00Z"
    with pytest.raises(Invalid):
        Record({"a": "0001-01-01"}).day("a", TOKYO)


def test_absent_null_and_empty_are_not_the_same_as_said() -> None:
    record = Record({"null": None, "empty": "", "zero": 0, "false": False})
    assert [record.has(label) for label in ("null", "missing")] == [True, False]
    assert not any(record.given(label) for label in ("null", "empty", "missing"))
    assert record.given("zero")
    assert record.given("false")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
)
READERS = ["text", "flag", "whole", "decimal", "time", "calendar_day", "record", "records"]


@given(st.sampled_from(READERS), VALUES)
def test_any_value_is_read_or_refused(reader: str, value: Any) -> None:
    try:
        getattr(record_of({"a": value}), reader)("a")
    except Invalid:
        return
