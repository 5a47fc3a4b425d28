"""Periods by name: their days by the calendar's own arithmetic, and that they follow each other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import Node
from app.domain.errors import Invalid
from app.domain.periods import following_period, period_name, period_of, recurs
from app.domain.spans import Span
from tests.domain.worlds import codes

APRIL = 4


def days(period: dict[str, Any], first_month: int = APRIL) -> tuple[str, str]:
    span = period_of(Node(period, "/period"), first_month)
    return span.first.isoformat(), span.until.isoformat()


@pytest.mark.parametrize(
    ("period", "expected", "name"),
    [
        ({"month": "2026-12"}, ("2026-12-01", "2027-01-01"), "2026-12"),
        ({"quarter": "2026-Q4"}, ("2026-10-01", "2027-01-01"), "2026-q4"),
        ({"quarter": "2026-Q4", "fiscal": True}, ("2027-01-01", "2027-04-01"), "2026-q4"),
        ({"week": "2026-W51"}, ("2026-12-14", "2026-12-21"), "2026-w51"),
        # 2026 begins on a Thursday: its first week begins in the year before, and it has 53.
        ({"week": "2026-W01"}, ("2025-12-29", "2026-01-05"), "2026-w01"),
        ({"week": "2026-W53"}, ("2026-12-28", "2027-01-04"), "2026-w53"),
        ({"year": "2026"}, ("2026-01-01", "2027-01-01"), "2026"),
        ({"fiscal_year": "2026"}, ("2026-04-01", "2027-04-01"), "fy2026"),
        ({"start": "2026-12-05", "end": "2026-12-09"}, ("2026-12-05", "2026-12-09"), "2026-12-05"),
    ],
)
def test_what_days_a_period_has_and_how_keys_name_it(
    period: dict[str, Any], expected: tuple[str, str], name: str
) -> None:
    assert days(period) == expected
    assert period_name(Node(period)) == name


@pytest.mark.parametrize(
    ("period", "pointer", "code"),
    [
        ({"week": "2025-W53"}, "/week", "not_a_week"),
        ({"week": "2026-W00"}, "/week", "not_a_week"),
        ({"year": "26"}, "/year", "not_a_year"),
        ({"fiscal_year": "1979"}, "/fiscal_year", "not_a_year"),
        ({"week": "1980-W01"}, "/week", "period_out_of_range"),
        ({"fiscal_year": "2999"}, "/fiscal_year", "period_out_of_range"),
        ({"quarter": "2999-Q4", "fiscal": True}, "/quarter", "period_out_of_range"),
        ({"year": "2026", "fiscal": True}, "/fiscal", "fiscal_quarters_only"),
        ({"year": "2026", "month": "2026-12"}, "", "one_period"),
        ({"week": "2026-W51", "end": "2027-01-01"}, "", "one_period"),
        ({}, "", "one_period"),
    ],
)
def test_what_is_no_period_is_refused(period: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        days(period)
    assert codes(refused.value) == [(f"/period{pointer}", code)]


named = st.dates(date(1981, 1, 1), date(2990, 1, 1)).flatmap(
    lambda day: st.sampled_from(
        [
            {"month": f"{day:%Y-%m}"},
            {"quarter": f"{day.year}-Q{day.month % 4 + 1}"},
            {"quarter": f"{day.year}-Q{day.month % 4 + 1}", "fiscal": True},
            {"week": "{}-W{:02}".format(*day.isocalendar())},
            {"year": f"{day.year}"},
            {"fiscal_year": f"{day.year}"},
        ]
    )
)


@given(period=named, first_month=st.integers(1, 12))
def test_periods_of_a_kind_follow_each_other_without_a_gap(
    period: dict[str, Any], first_month: int
) -> None:
    node = Node(period)
    following = following_period(node, first_month)
    assert following.keys() == period.keys()
    now, later = (period_of(Node(one), first_month) for one in (period, following))
    assert now.until == later.first
    whole = Span(now.first, later.until)
    assert all(now.first + timedelta(n) in whole for n in range((later.until - now.first).days))
    assert (now.until - now.first).days in {7, *range(28, 32), *range(89, 93), 365, 366}


def test_only_a_period_with_a_name_has_a_next_one() -> None:
    assert recurs(Node({"recurs": True, "period": {"month": "2026-12"}}))
    assert not recurs(Node({"period": {"start": "2026-12-01", "end": "2026-12-09"}}))
    with pytest.raises(Invalid) as refused:
        recurs(Node({"recurs": True, "period": {"start": "2026-12-01", "end": "2026-12-09"}}))
    assert codes(refused.value) == [("/recurs", "no_next_period")]
