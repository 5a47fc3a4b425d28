"""What was shown before a plan: past spans set beside it, worked by hand and against a recount."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from app.domain.attainability import (
    Attainable,
    attainable,
    doubts,
    past_spans,
    seen,
    suggested,
)
from app.domain.attribution import Amount
from app.domain.experience import experience
from app.domain.ground import Ground
from app.domain.history import NO_HISTORY, History, months_before
from app.domain.needed import needed
from app.domain.spans import Span
from tests.domain.worlds import december, values

SIX = months_before(date(2026, 12, 1))
# Days before the year's end are closed; so December has 20 working days, and of the months before
# it November 19 (3rd and 23rd are holidays), October 21, September 19, August 20, July 22, June 22.


def history(**metrics: Mapping[date, int]) -> History:
    daily = {
        metric: {day: Amount(number, number) for day, number in days.items()}
        for metric, days in metrics.items()
    }
    return History(SIX, daily)


def monthly(**numbers: int) -> dict[date, int]:
    """So many on the tenth of June to November."""
    months = {"jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11}
    return {date(2026, months[name], 10): number for name, number in numbers.items()}


def shown(base: Ground, past: History) -> dict[str, Attainable]:
    return attainable(base, past, experience(base, past))


CALLS = monthly(jun=220, jul=110, aug=100, sep=190, oct=210, nov=95)


def calls(target: str = "210", **changes: Any) -> Ground:
    return december(funnel=[{"metric": "calls", "target": target}], **changes)


def test_each_month_counts_by_the_working_days_of_the_plan() -> None:
    """Of a December of twenty: 200, 100, 100, 200, 200, 100 at the pace of each month."""
    found = shown(calls(), history(calls=CALLS))["calls"]
    assert values(found.best, found.median, found.spans) == (200, 150, 6)
    assert found.within == Span(date(2026, 6, 1), date(2026, 12, 1))


def test_more_than_was_ever_done_is_said_and_as_much_is_not() -> None:
    past = history(calls=CALLS)
    high, same = calls("210"), calls("200")
    assert [(d.code, dict(d.params)) for d in doubts(high, shown(high, past))] == [
        ("above_shown_best", {"goal": "calls", "target": "210", "best": "200"})
    ]
    assert list(doubts(same, shown(same, past))) == []


def test_of_what_was_never_counted_nothing_is_said_but_that() -> None:
    base = december()
    past = history(calls=CALLS)
    found = shown(base, past)
    assert set(found) == {"calls"}
    [doubt] = [d for d in doubts(base, found) if d.code == "no_history"]
    assert doubt.params == {"goals": "revenue, deals_won, appointments"}
    assert shown(base, NO_HISTORY) == {}
    assert suggested(base, NO_HISTORY) == {}


def test_the_higher_the_target_the_less_probable_and_half_is_near_the_usual() -> None:
    past = history(calls=CALLS)
    chances = [
        shown(calls(t), past)["calls"].probability for t in ("1", "120", "160", "300", "900")
    ]
    assert all(chance is not None for chance in chances)
    known = [chance for chance in chances if chance is not None]
    assert known == sorted(known, reverse=True)
    assert known[0] > Fraction(9, 10)
    assert known[-1] < Fraction(1, 10)


@pytest.mark.parametrize(
    ("period", "spans"),
    [
        ({"month": "2026-12"}, [(11, 1), (10, 1), (9, 1), (8, 1), (7, 1), (6, 1)]),
        ({"start": "2026-12-01", "end": "2027-03-01"}, [(9, 1), (6, 1)]),
        ({"year": "2027"}, [(6, 1)]),
        ({"start": "2026-12-01", "end": "2027-02-10"}, [(9, 21), (7, 12)]),
    ],
)
def test_past_spans_are_as_long_as_the_plan_and_end_where_history_does(
    period: dict[str, str], spans: list[tuple[int, int]]
) -> None:
    found = past_spans(calls(period=period), history(calls=CALLS))
    assert [(span.first.month, span.first.day) for span in found] == spans
    assert found[0].until == date(2026, 12, 1)


def test_a_week_is_set_beside_weeks_that_have_a_working_day() -> None:
    week = past_spans(calls(period={"week": "2026-W51"}), history(calls=CALLS))
    assert len(week) == (date(2026, 12, 1) - date(2026, 6, 1)).days // 7
    year_end = {"start": "2026-12-26", "end": "2026-12-28"}  # a weekend, and so every past one
    spans = past_spans(calls(period=year_end), history(calls=CALLS))
    assert all(any(day.weekday() < 5 for day in days(span)) for span in spans)


def days(span: Span) -> list[date]:
    return [span.first + timedelta(n) for n in range((span.until - span.first).days)]


def test_rates_are_suggested_with_their_interval_and_money_without() -> None:
    base = december()
    past = history(
        calls={date(2026, 10, 1): 250, date(2026, 11, 2): 150},
        appointments={date(2026, 9, 1): 30, date(2026, 10, 1): 50, date(2026, 11, 9): 50},
        deals_won={date(2026, 11, 20): 3},
        revenue={date(2026, 11, 20): 1_500_000},
    )
    found = suggested(base, past)
    assert {key: (rate.assumed, rate.observed, rate.sample) for key, rate in found.items()} == {
        "revenue": (400_000, 500_000, 3),
        "deals_won": (Fraction(1, 20), Fraction(3, 130), 130),
        # What was booked in September came from no call that was counted.
        "appointments": (Fraction(1, 5), Fraction(100, 400), 400),
    }
    assert found["revenue"].low is None
    wilson = binomtest(100, 400).proportion_ci(0.8, method="wilson")
    interval = found["appointments"]
    assert interval.low is not None
    assert interval.high is not None
    assert float(interval.low) == pytest.approx(wilson.low)
    assert float(interval.high) == pytest.approx(wilson.high)


def test_a_rate_that_was_seen_makes_the_second_line_of_what_is_needed() -> None:
    stages = [{"metric": "deals_won", "target": "24"}, {"metric": "calls", "rate": "0.0126"}]
    base = december(funnel=stages)
    past = history(calls=monthly(jun=3968), deals_won=monthly(aug=30, nov=20))
    found = needed(base.plan.root, base.plan.targets, lambda top, below: seen(past, top, below))
    assert (found["calls"].known, found["calls"].uncertain, found["calls"].trials) == (
        2220, 2324, 3968,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    days_done=st.dictionaries(
        st.integers(0, 182).map(lambda n: date(2026, 6, 1) + timedelta(n)),
        st.integers(1, 40),
        min_size=1,
        max_size=40,
    ),
    length=st.integers(3, 120),
)
def test_best_and_median_are_those_of_a_recount(days_done: dict[date, int], length: int) -> None:
    until = date(2026, 12, 1) + timedelta(length)
    base = calls(period={"start": "2026-12-01", "end": until.isoformat()})
    found = shown(base, history(calls=days_done)).get("calls")
    calendar = base.workspace.calendar

    def working(first: date, length: int) -> int:
        return sum(calendar.day(first + timedelta(n)).working for n in range(length))

    recounted = []
    end = date(2026, 12, 1)
    if until == date(2027, 1, 1) or until == date(2027, 2, 1) or until == date(2027, 3, 1):
        return  # whole months, which are set beside whole months
    while end - timedelta(length) >= date(2026, 6, 1):
        first = end - timedelta(length)
        done = sum(number for day, number in days_done.items() if first <= day < end)
        if worked := working(first, length):
            recounted.append(Fraction(done * working(date(2026, 12, 1), length), worked))
        end = first
    recounted.sort()
    assert found is not None
    assert (found.best, found.spans) == (recounted[-1], len(recounted))
    middle = recounted[(len(recounted) - 1) // 2] + recounted[len(recounted) // 2]
    assert found.median == middle / 2
