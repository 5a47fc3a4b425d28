"""What is asked of a scope from here on: of every goal per day by the final goal, and today.

Today is fixed at its local midnight, from what stood then, and over the working days from today
on, as the plan weighs them: whoever works sees `left` fall, and never the goalpost move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from app.domain.belonging import reading
from app.domain.calendar import ONE_DAY
from app.domain.goals import Goal
from app.domain.pacing import Moment, required_per_day
from app.domain.pipeline import At, Course, To
from app.domain.priorities import priorities
from app.domain.progress import GoalProgress, InFlight, Reason, Today
from app.domain.quantities import rounded_up

ZERO = Fraction(0)


def asked(root: GoalProgress, course: Course, now: Moment, today: date | None) -> GoalProgress:
    """A tree with what its rest asks for: by the final goal per day, first what, and today's part.

    today: the day that is asked about, the last that is counted; None for none
    """
    goals = {goal.key: goal for goal in course.plan.root.walk()}
    # Whatever is counted by now has begun by now.
    at = At(now, date.max, {goal.key: To(goal.target, goal.actual) for goal in root.walk()})
    given = {key: goal.priority for key, goal in goals.items() if goal.priority is not None}
    asking = _Asking(
        goals,
        _solved(course, at),
        None if today is None else _day(root, course, goals, today),
        priorities(root, given),
    )
    return asking.goal(root)


@dataclass(frozen=True, slots=True)
class _Solved:
    """The rest, from a moment on.

    needs: of the goals that the root asks something of; per_day: of these, the need per working
    day that is left, None where there is no such number; open_days: those days, of every goal
    """

    course: Course
    at: At
    flights: Mapping[str, InFlight]
    needs: Mapping[str, Fraction | None]
    per_day: Mapping[str, Fraction | None]
    open_days: Mapping[str, Fraction]

    def why_none(self, key: str) -> Iterator[str]:
        """Why there is no such number: nothing for a goal that the root asks nothing of."""
        if key in self.needs and self.per_day[key] is None:
            late = self.needs[key] is None and self.open_days[self.course.plan.root.key]
            yield "too_late_to_convert" if late else "no_days_left"


def _solved(course: Course, at: At) -> _Solved:
    flights, deadlines = course.flights(at), course.plan.deadlines
    needs = course.needs(at, flights)
    days = {until: course.open_days(at.now, until) for until in set(deadlines.values())}
    per_day = {
        key: None if need is None else required_per_day(need, ZERO, days[deadlines[key]])
        for key, need in needs.items()
    }
    left = {key: days[until] for key, until in deadlines.items()}
    return _Solved(course, at, flights, needs, per_day, left)


@dataclass(frozen=True, slots=True)
class _Day:
    """Today: what was done on it, and the rest as it stood at its midnight.

    own: how much of a working day it is: 1, a half, or 0
    parts: by deadline, of what is to be done from today on until then, what is today's
    """

    day: date
    own: Fraction
    parts: Mapping[date, Fraction]
    done: Mapping[str, Fraction]
    midnight: _Solved

    def of(self, goal: Goal) -> Today:
        """What the day asks of a goal."""
        rest, done = self.midnight, self.done[goal.key]
        target, actual = rest.at.goals[goal.key]
        by_itself = required_per_day(target, actual, rest.open_days[goal.key])
        by_root = rest.per_day.get(goal.key)
        part = self.parts[rest.course.plan.deadlines[goal.key]]
        required = None if by_itself is None else max(target - actual, ZERO) * part
        need = rest.needs.get(goal.key)
        return Today(
            day=self.day,
            required=required,
            required_display=None if required is None else rounded_up(required, goal.unit.decimals),
            required_from_kgi=None if by_root is None or need is None else need * part,
            done=done,
            left=None if required is None else max(required - done, ZERO),
            reasons=tuple(self._reasons(goal.key, by_itself, by_root, part)),
        )

    def _reasons(
        self, key: str, by_itself: Fraction | None, by_root: Fraction | None, part: Fraction
    ) -> Iterator[Reason]:
        late = list(self.midnight.why_none(key))
        if by_itself is None and "no_days_left" not in late:
            yield Reason("no_days_left")
        yield from map(Reason, late)
        if (by_itself or by_root) and not part:
            ahead = self.day < self.midnight.course.plan.span.first
            yield Reason("period_not_begun" if ahead else self._why_nothing())

    def _why_nothing(self) -> str:
        return "day_without_weight" if self.own else "day_off"


def _day(root: GoalProgress, course: Course, goals: Mapping[str, Goal], today: date) -> _Day:
    counts = course.begun.get(today, {}) if today in course.plan.span else {}
    done = {key: reading(goal, counts) for key, goal in goals.items()}
    standing = {goal.key: To(goal.target, goal.actual - done[goal.key]) for goal in root.walk()}
    midnight = At(Moment(today, ZERO), today, standing)
    own = course.open_days(midnight.now, today + ONE_DAY)
    deadlines = set(course.plan.deadlines.values())
    parts = {until: _part(course, midnight.now, until) for until in deadlines}
    return _Day(today, own, parts, done, _solved(course, midnight))


def _part(course: Course, midnight: Moment, until: date) -> Fraction:
    """Of what is left to be done until a deadline what this day asks for."""
    rest = course.rest(midnight, until)
    return rest.before(min(midnight.day + ONE_DAY, until)) / rest.whole if rest.whole else ZERO


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is added to each goal of a tree."""

    goals: Mapping[str, Goal]
    rest: _Solved
    day: _Day | None
    ranks: Mapping[str, int]

    def goal(self, found: GoalProgress) -> GoalProgress:
        """A goal and everything below it."""
        goal, key = self.goals[found.key], found.key
        said = {reason.code for reason in found.reasons}
        more = (Reason(code) for code in self.rest.why_none(key) if code not in said)
        return replace(
            found,
            required_from_kgi_per_day=self.rest.per_day.get(key),
            in_flight=self.rest.flights.get(key),
            reasons=(*found.reasons, *more),
            priority=self.ranks[key],
            why=goal.why,
            today=None if self.day is None else self.day.of(goal),
            children=tuple(self.goal(child) for child in found.children),
        )
