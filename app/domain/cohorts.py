"""What single items tell of a plan's rates: of a scope, which turned out, and how many will.

A rate of counts divides what was converted in a period by what began in it, so a growing team
looks worse than it is, and items that had no time yet count as lost. Where it is known which item
turned out, each counts by how much of its time it has had, and tells what should still come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, timedelta

from app.domain.belonging import Sums, amount, lies_in
from app.domain.book import Book, End
from app.domain.goals import Conversion, Goal
from app.domain.items import RIPENED, Cohorts, Turned, Yardstick
from app.domain.pipeline import Course, Ends
from app.domain.plans import Plan
from app.domain.progress import GoalProgress, RateBasis, Scope
from app.domain.survival import Learned, Matured, matured


def turned_in(plan: Plan, scope: Scope, cohorts: Cohorts) -> dict[str, Ends]:
    """When the items of a scope turned out, by goal and the day on which they began."""
    return {
        key: _ends(one for one in rows if lies_in(plan, scope, one.place))
        for key, rows in cohorts.turned.items()
    }


def _ends(rows: Iterable[Turned]) -> Ends:
    found: dict[date, list[tuple[date, int]]] = {}
    for one in rows:
        found.setdefault(one.begun, []).append((one.became, one.number))
    return found


def with_cohorts(root: GoalProgress, course: Course, cohorts: Cohorts, today: date) -> GoalProgress:
    """A tree whose rates say what was learned of single items by the days that are over."""
    goals = {goal.key: goal for goal in course.plan.root.walk()}

    def told(found: GoalProgress) -> GoalProgress:
        children = tuple(told(child) for child in found.children)
        lag, conversion = cohorts.lags.get(found.key), goals[found.key].conversion
        if found.rate is None or lag is None or conversion is None:
            return replace(found, children=children)
        rate, ends = replace(found.rate, lag=lag), course.turned.get(found.key)
        if ends is not None:
            part = cohorts.yardsticks[found.key].linked
            some = _matured(conversion, Yardstick(lag, part), course.begun, ends, today)
            rate = replace(rate, basis=RateBasis.COHORT, matured=some)
        return replace(found, rate=rate, children=children)

    return told(root)


def _matured(
    conversion: Conversion, seen: Yardstick, begun: Mapping[date, Sums], ends: Ends, today: date
) -> Matured:
    """Of what turned out and does not say of what, the items are taken to be as many less."""
    lag, linked = seen
    first = today - timedelta(days=lag.longest + RIPENED)
    over = {day: sums for day, sums in begun.items() if first <= day < today}
    converted = sum(n for day in over for became, n in ends.get(day, ()) if became < today)
    counted = conversion.child.metric.counted
    items = {
        (today - day).days: counted(_number(conversion.child, sums)) * linked
        for day, sums in over.items()
    }
    return matured(items, converted * counted(1), lag, conversion.rate.value)


def books(course: Course, learned: Mapping[str, Learned], of: AbstractSet[str]) -> dict[str, Book]:
    """The items of some conversions of a scope, by the goal that they lead to.

    of: these goals, where it is known of their items which have turned out, and it takes time
    """
    return {
        goal.key: _book(course, goal.conversion.child, learned[goal.key], course.turned[goal.key])
        for goal in course.plan.root.walk()
        if goal.conversion is not None
        and goal.key in of
        and goal.key in course.turned
        and goal.key in course.lags
    }


def _book(course: Course, child: Goal, lag: Learned, ends: Ends) -> Book:
    start = course.plan.span.first
    begun = {(day - start).days: _number(child, sums) for day, sums in course.begun.items()}
    first, last = min(begun, default=0), max(begun, default=-1)
    metric = child.metric
    return Book(
        first,
        [float(metric.counted(begun.get(place, 0))) for place in range(first, last + 1)],
        [
            End((day - start).days, max((became - day).days, 0), float(metric.counted(number)))
            for day, rows in ends.items()
            for became, number in rows
        ],
        lag,
    )


def _number(goal: Goal, sums: Sums) -> int:
    return amount(goal, sums).number
