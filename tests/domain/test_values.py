"""Quantities, instants, revisions: the exact things that everything else is made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import Node
from app.domain.errors import Fault, Invalid, Unavailable
from app.domain.instants import (
    QUARTER,
    canonical_instant,
    day_number,
    day_of_number,
    instant,
    micros,
    midnight,
    moment_of,
    written_instant,
)
from app.domain.quantities import (
    canonical_decimal,
    exact,
    minor_digits,
    rounded_up,
    scaled,
    unscaled,
    written,
)
from app.domain.revisions import RevisionClock, clock_of, of_instant, of_number, sortable


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (0, "0"),
        (-3, "-3"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(-2, 3), "-0.666667"),
        (Fraction("0.0000005"), "0"),
        (Fraction("-0.0000005"), "0"),
        (Fraction("0.0000015"), "0.000002"),
        (Fraction("1.50"), "1.5"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_a_quantity_is_written_without_exponent_or_trailing_zeros(
    quantity: Fraction | int, text: str
) -> None:
    assert written(quantity) == text


@given(st.fractions(-(10**12), 10**12))
def test_writing_rounds_half_to_even_as_decimal_does(quantity: Fraction) -> None:
    scaled_up = quantity * 10**6
    expected = Decimal(round(scaled_up)).scaleb(-6)
    assert Decimal(written(quantity)) == expected
    assert exact(written(quantity)) == Fraction(expected)


@pytest.mark.parametrize(
    "text", ["", "1.", ".5", "01", "1e3", "NaN", "+1", "1 ", "٣", "0.1234567890123"]
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    for read in (exact, canonical_decimal):
        with pytest.raises(Invalid, match="not_a_decimal"):
            read(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("5.10", "5.1"), ("5.00", "5"), ("-0", "0"), ("-0.0", "0"), ("-1.50", "-1.5"), ("100", "100")],
)
def test_a_number_has_one_spelling(text: str, canonical: str) -> None:
    assert canonical_decimal(text) == canonical


def test_money_is_an_integer_of_its_minor_unit_and_never_rounded() -> None:
    assert [minor_digits(c) for c in ("JPY", "USD", "KWD")] == [0, 2, 3]
    assert scaled("12.34", 2) == 1234
    assert unscaled(1234, 2) == Fraction("12.34")
    for text, decimals in (("0.5", 0), ("9" * 19, 0)):
        with pytest.raises(Invalid, match="amount_does_not_fit"):
            scaled(text, decimals)


@given(
    st.integers(-(10**19), 10**19), st.integers(0, 12), st.integers(0, 6), st.integers(0, 10**12)
)
def test_a_scaled_amount_is_the_amount_exactly_or_refused(
    whole: int, places: int, decimals: int, part: int
) -> None:
    text = f"{whole}.{part % 10**places:0{places}d}" if places else str(whole)
    wanted = Fraction(text) * 10**decimals
    if wanted.denominator == 1 and abs(wanted) <= (2**63 - 1) // 8:
        assert scaled(text, decimals) == wanted
    else:
        with pytest.raises(Invalid, match="amount_does_not_fit"):
            scaled(text, decimals)


@given(st.fractions(0, 10**6), st.integers(0, 3))
def test_rounding_up_is_the_smallest_multiple_that_is_enough(
    quantity: Fraction, digits: int
) -> None:
    up, unit = rounded_up(quantity, digits), Fraction(1, 10**digits)
    assert up % unit == 0
    assert up - unit < quantity <= up


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-14T18:00:00+09:00", datetime(2026, 12, 14, 9, tzinfo=UTC)),
        ("2026-12-14t09:00:00z", datetime(2026, 12, 14, 9, tzinfo=UTC)),
        ("2026-12-14 09:00:00.123456789Z", datetime(2026, 12, 14, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-12-14T09:00:00.5-00:00", datetime(2026, 12, 14, 9, 0, 0, 500000, tzinfo=UTC)),
        ("1969-12-31T23:59:59.9Z", datetime(1969, 12, 31, 23, 59, 59, 900000, tzinfo=UTC)),
        ("2026-12-14T23:00:00+14:00", datetime(2026, 12, 14, 9, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_from_rfc_3339(text: str, moment: datetime) -> None:
    assert instant(text) == micros(moment)
    assert moment_of(instant(text)) == moment


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-12-14T09:00:00", "time_without_offset"),
        ("2026-12-14", "time_without_offset"),
        ("2026-13-14T09:00:00Z", "not_a_time"),
        ("2026-12-14T23:59:60Z", "not_a_time"),
        ("2026-12-14T24:00:00Z", "not_a_time"),
        ("1734170400", "not_a_time"),
        ("", "not_a_time"),
    ],
)
def test_other_times_are_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        instant(text)


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")])
    )
)
def test_an_instant_is_written_as_it_is_read(moment: datetime) -> None:
    at = micros(moment)
    assert instant(written_instant(at)) == at


@given(
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from("Tt "),
    st.sampled_from(["Z", "z", "+00:00", ".0Z", ".000000Z"]),
)
def test_an_instant_has_one_spelling(moment: datetime, between: str, end: str) -> None:
    plain = moment.replace(tzinfo=None).isoformat()
    if plain[:4] in ("0001", "9999"):
        return
    told = canonical_instant(plain.replace("T", between) + end)
    assert told == (micros(moment), f"{plain}Z")


@given(st.dates())
def test_days_are_numbered_from_1970(day: date) -> None:
    assert day_of_number(day_number(day)) == day
    assert day_number(day) == (day - date(1970, 1, 1)) // timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Asia/Tokyo", date(2026, 12, 1), "2026-11-30T15:00:00Z"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00Z"),  # 00:00 was skipped
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00Z"),  # 00:00 comes twice
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00:00Z"),
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, day: date, start: str) -> None:
    first = midnight(day, ZoneInfo(zone))
    assert micros(first) == instant(start)
    assert first.date() == day
    assert moment_of(micros(first) - 1, ZoneInfo(zone)).date() == day - timedelta(days=1)


@given(
    st.sampled_from(["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Asia/Tokyo"]),
    st.dates(date(1980, 1, 1), date(2037, 1, 1)),
)
def test_every_day_begins_on_a_quarter_hour(zone: str, day: date) -> None:
    assert micros(midnight(day, ZoneInfo(zone))) % QUARTER == 0


@given(st.integers(0, 10**40), st.integers(0, 10**40))
def test_numbers_of_any_length_sort_as_text(one: int, other: int) -> None:
    texts = of_number(str(one)), of_number(f"000{other}")
    assert (texts[0] < texts[1]) is (one < other)
    assert (texts[0] == texts[1]) is (one == other)


@given(st.integers(-(10**17), 10**17), st.integers(-(10**17), 10**17))
def test_instants_sort_as_text_even_before_1970(one: int, other: int) -> None:
    assert (of_instant(one) < of_instant(other)) is (one < other)


def test_a_revision_is_a_number_or_a_time_or_nothing() -> None:
    assert sortable("10", None) == of_number("10")
    assert sortable("2026-12-01T00:00:00Z", None) == of_instant(instant("2026-12-01T00:00:00Z"))
    assert sortable(None, "2026-12-01T00:00:00Z") == of_instant(instant("2026-12-01T00:00:00Z"))
    assert sortable(None, None) == ""
    clocks = [clock_of(text) for text in (of_number("1"), of_instant(0), "")]
    assert clocks == [RevisionClock.NUMBER, RevisionClock.TIME, None]
    with pytest.raises(Invalid, match="not_a_time"):
        sortable("9" * 201, None)
    with pytest.raises(Invalid, match="revision_too_long"):
        of_number("9" * 201)


def test_an_error_names_every_fault_or_itself() -> None:
    assert Invalid("x", limit=3).faults == (Fault("", "x", {"limit": 3}),)
    assert Invalid("x", Fault("/a", "y")).faults == (Fault("/a", "y"),)
    assert Unavailable("full", retry_after=7).retry_after == 7


@pytest.mark.parametrize(
    ("value", "read", "code"),
    [
        ("x", Node.integer, "not_an_integer"),
        (True, Node.integer, "not_an_integer"),
        ("2026-02-30", Node.day, "not_a_date"),
        (20261201, Node.day, "not_a_date"),
        ("１", Node.decimal, "not_a_decimal"),
        ({}, Node.items, "not_a_list"),
        ("true", Node.flag, "not_a_boolean"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_where_it_stands(
    value: object, read: object, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(Node(value, "/a"))  # type: ignore[operator] # a table of unbound methods
    assert refused.value.faults == (Fault("/a", code),)
