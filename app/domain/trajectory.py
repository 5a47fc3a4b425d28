"""A goal day by day: what was expected, what was there, and where it is going. All cumulative.

The same arithmetic as the progress, asked at the end of every day instead of once: the last day
that was counted has the progress's actual, the deadline its target and its forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from app.domain.attribution import Counted
from app.domain.belonging import belongings, reading
from app.domain.calendar import ONE_DAY
from app.domain.evaluation import Question, expected_by, trail
from app.domain.experience import Experience
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.pipeline import NOTHING_LATELY, Lately
from app.domain.scopes import Breakdown, check


class Band(NamedTuple):
    """Where a goal will stand: in the middle, and between which it lies in 80 of 100 cases."""

    median: Fraction
    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Point:
    """The end of a day. actual: None of days to come; ahead: None of days gone and without a law.

    Of the running day both: what is there so far, and what will be there at its end.
    """

    day: date
    working: bool
    expected: Fraction
    actual: Fraction | None
    ahead: Band | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a trajectory is made from, in one snapshot.

    last: the last day of which something may have been counted; it runs unless it is over
    lately: single days and items, where a forecast goes by them
    """

    question: Question
    last: date
    is_over: bool
    counted: Counted
    daily: Mapping[date, Counted]
    known: Experience
    lately: Lately = NOTHING_LATELY


def trajectory(base: Ground, goal: Goal, facts: Facts) -> tuple[Point, ...]:
    """Every day of the plan's period.

    Raises Invalid `plan_has_no_assignments`, NotFound `team_not_in_plan`, `member_not_in_plan`.
    """
    check(base, facts.question.scope, Breakdown.NONE)
    span = base.plan.span
    days = [span.first + timedelta(days=n) for n in range((span.until - span.first).days)]
    expected = expected_by(base, facts.question, goal, [day + ONE_DAY for day in days])
    actual, ahead = dict(_actual(base, goal, facts)), _ahead(base, goal, facts)
    return tuple(
        Point(day, base.workdays.on(day) > 0, due, actual.get(day), ahead.get(day))
        for day, due in zip(days, expected, strict=True)
    )


def _actual(base: Ground, goal: Goal, facts: Facts) -> Iterator[tuple[date, Fraction]]:
    span = base.plan.span
    past = [
        day for n in range((span.until - span.first).days)
        if (day := span.first + timedelta(days=n)) <= facts.last
    ]  # fmt: skip
    own = (_of_day(base, goal, facts, day) for day in past)
    return zip(past, accumulate(own), strict=True)


def _of_day(base: Ground, goal: Goal, facts: Facts, day: date) -> Fraction:
    counted = facts.daily.get(day)
    if counted is None:
        return Fraction(0)
    return reading(goal, belongings(base.plan, counted).of(facts.question.scope))


def _ahead(base: Ground, goal: Goal, facts: Facts) -> dict[date, Band]:
    """Up to the deadline: what comes later is the next period's, and no forecast is of it."""
    first = max(facts.last + ONE_DAY if facts.is_over else facts.last, base.plan.span.first)
    length = (base.plan.deadlines[goal.key] - first).days
    days = [first + timedelta(days=n) for n in range(max(length, 0))]
    found = trail(base, facts.question, facts.counted, facts.known, facts.lately, goal, days)
    return {
        day: Band(one.forecast.median, one.forecast.low, one.forecast.high)
        for day, one in zip(days, found, strict=True)
        if one.forecast is not None
    }
