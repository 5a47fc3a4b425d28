"""Weights of the weekdays as they were seen, against numpy's counting and worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.attribution import Amount
from app.domain.ground import Ground, ground
from app.domain.history import NO_HISTORY, History, months_before
from app.domain.plans import plan_of
from app.domain.presets import PRESETS
from app.domain.rhythm import suggested_weekdays
from tests.domain.worlds import JAPAN, december, east, plan_document, workspace

UNTIL = date(2026, 12, 1)
FOUR = months_before(UNTIL, 4)
DAYS = [FOUR[-1].first + timedelta(n) for n in range((UNTIL - FOUR[-1].first).days)]
WORKING = [day for day in DAYS if day.weekday() < 5 and day not in JAPAN]


def base_of(**changes: Any) -> Ground:
    return december(funnel=[{"metric": "calls", "target": "200"}], **changes)


def past(calls: Mapping[date, int], months: int = 6, **others: Mapping[date, int]) -> History:
    daily = {
        metric: {day: Amount(n, n) for day, n in days.items() if n}
        for metric, days in {"calls": calls, **others}.items()
    }
    return History(months_before(UNTIL, months), daily)


def every(*numbers: int) -> dict[date, int]:
    """So many on every working Monday, Tuesday and so on of August to November."""
    return {day: numbers[day.weekday()] for day in WORKING}


def counted_by_numpy(counts: Mapping[date, int], months: int) -> list[float]:
    """METHODS' weights of working days, a holiday being one of rest, over their own mean."""
    days = [day for day in DAYS if day >= months_before(UNTIL, months)[-1].first]
    kinds = np.array([day.weekday() if day.weekday() < 5 and day not in JAPAN else 6
                      for day in days])  # fmt: skip
    numbers = np.array([counts.get(day, 0) for day in days], float)
    seen = np.bincount(kinds, numbers, 7) / numbers.mean() + 2 * 1.2
    weights = (seen / (np.bincount(kinds, minlength=7) + 2))[:5]
    return list(weights / weights.mean())


@settings(max_examples=60, deadline=None)
@given(
    usual=st.lists(st.integers(0, 40), min_size=5, max_size=5),
    luck=st.lists(st.integers(-2, 2), min_size=len(DAYS), max_size=len(DAYS)),
    months=st.integers(1, 6),
)
def test_weights_are_those_of_the_method(usual: list[int], luck: list[int], months: int) -> None:
    counts = {
        day: max((usual[day.weekday()] if day in WORKING else 0) + extra, 0)
        for day, extra in zip(DAYS, luck, strict=True)
    }
    found = suggested_weekdays(base_of(), past(counts, months))
    weights = counted_by_numpy(counts, min(months, 4)) if any(counts.values()) else [1.0] * 5
    if found is None:
        return
    assert list(found) == [0, 1, 2, 3, 4]
    assert all(abs(float(found[n]) - weights[n]) < 0.00501 for n in range(5))
    assert all((weight * 100).denominator == 1 and weight > 0 for weight in found.values())
    assert max(abs(weight - 1) for weight in found.values()) >= Fraction(1, 10)


def test_worked_by_hand() -> None:
    """Half as many on Mondays: of 13 Mondays 65 calls, of 66 other days 660, in 122 days.

    Mondays: three of the 17 are public holidays, so 14; the mean of all days is 740 / 122, and so
    on. Written out below, with nothing of it taken from the code.
    """
    counts = every(5, 10, 10, 10, 10)
    level = Fraction(sum(counts.values()), 122)
    days = [sum(day.weekday() == n for day in WORKING) for n in range(5)]
    assert len(DAYS) == 122
    raw = [(each * n / level + Fraction(12, 5)) / (n + 2)
           for n, each in zip(days, (5, 10, 10, 10, 10), strict=True)]  # fmt: skip
    mean = sum(raw) / 5
    found = suggested_weekdays(base_of(), past(counts))
    assert found == {n: round(weight / mean, 2) for n, weight in enumerate(raw)}
    # A little nearer to 1 than the half and the whole that they are, over their mean of 0.9.
    assert Fraction("0.55") < found[0] < Fraction("0.65")
    assert all(Fraction("1.08") < found[n] < Fraction("1.12") for n in range(1, 5))


@pytest.mark.parametrize(
    "numbers",
    [
        (10, 10, 10, 10, 10),
        (10, 11, 10, 11, 10),  # five in a hundred off
        (0, 0, 0, 0, 0),
    ],
)
def test_where_nothing_differs_that_is_worth_a_word_there_is_none(numbers: Any) -> None:
    assert suggested_weekdays(base_of(), past(every(*numbers))) is None


def test_of_fewer_than_fifty_nothing_follows() -> None:
    """All of them on Wednesdays, three on each or four on one of them."""
    wednesdays = [day for day in WORKING if day.weekday() == 2]
    few = dict.fromkeys(wednesdays[:16], 3)
    assert sum(few.values()) == 48
    assert suggested_weekdays(base_of(), past(few)) is None
    assert suggested_weekdays(base_of(), past(few | {wednesdays[0]: 5})) is not None


@pytest.mark.parametrize(("each", "size"), [(1, None), (20, None), (20, 4)])
def test_chance_alone_seldom_suggests_anything(each: float, size: int | None) -> None:
    """Days alike, by Poisson's law or four times as scattered: at most 2 of 100 are told."""
    luck, base, told = np.random.default_rng(7), base_of(), 0
    for _ in range(100):
        numbers = (
            luck.poisson(each, len(WORKING))
            if size is None
            else luck.negative_binomial(each / (size - 1), 1 / size, len(WORKING))
        )
        counts = dict(zip(WORKING, map(int, numbers), strict=True))
        told += suggested_weekdays(base, past(counts)) is not None
    assert told <= 2


def test_days_that_scatter_by_themselves_prove_less() -> None:
    """The same totals: 10 each day and 14 on Fridays, or all of a weekday's on one of its days."""
    steady = every(10, 10, 10, 10, 14)
    lumps: dict[date, int] = {}
    for day in WORKING:
        last = max(one for one in WORKING if one.weekday() == day.weekday())
        lumps[last] = lumps.get(last, 0) + steady[day]
    assert suggested_weekdays(base_of(), past(steady)) is not None
    assert suggested_weekdays(base_of(), past(lumps)) is None


def test_what_was_taken_over_is_not_suggested_again() -> None:
    names = ("mon", "tue", "wed", "thu", "fri")
    counts = every(4, 10, 12, 10, 9)
    found = suggested_weekdays(base_of(), past(counts))
    assert found is not None
    taken = {names[n]: str(float(weight)) for n, weight in found.items()}
    assert suggested_weekdays(base_of(profile={"weekdays": taken}), past(counts)) is None
    wrong = base_of(profile={"weekdays": {"mon": "2", "tue": "0"}})
    assert suggested_weekdays(wrong, past(counts)) == found
    # And where days are alike while the plan says otherwise, that is said.
    even = suggested_weekdays(wrong, past(every(9, 9, 9, 9, 9)))
    assert even is not None
    assert all(abs(weight - 1) < Fraction(1, 10) for weight in even.values())


def test_without_a_whole_month_nothing_is_known() -> None:
    assert suggested_weekdays(base_of(), NO_HISTORY) is None
    assert suggested_weekdays(base_of(), past({}, 4)) is None


def test_the_goal_of_which_most_was_counted_tells() -> None:
    """Ten times as many calls as appointments, which come on Mondays alone."""
    stages = [{"metric": "appointments", "target": "20"}, {"metric": "calls", "rate": "0.1"}]
    base = december(funnel=stages)
    booked, called = every(40, 0, 0, 0, 0), every(30, 30, 30, 30, 60)
    both = suggested_weekdays(base, past(called, appointments=booked))
    assert both == suggested_weekdays(base_of(), past(called))
    none = suggested_weekdays(base, past(every(30, 30, 30, 30, 30), appointments=booked))
    assert none is None


def test_a_company_that_works_on_other_days_is_told_of_those() -> None:
    at_work = workspace(calendar={"weekdays": ["sun", "mon", "tue", "wed", "thu"]})
    document = plan_document(funnel=[{"metric": "calls", "target": "200"}])
    base = ground(at_work, plan_of("p", document, at_work, PRESETS), 1, east())
    numbers = {0: 10, 1: 10, 2: 10, 3: 10, 6: 3}
    counts = {day: numbers.get(day.weekday(), 0) for day in DAYS if day not in JAPAN}
    found = suggested_weekdays(base, past(counts))
    assert found is not None
    assert sorted(found) == [0, 1, 2, 3, 6]
    assert found[6] < Fraction(1, 2)
