"""What of all that was counted belongs to whom: to a scope of a plan, to a goal of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from app.domain.attribution import (
    NOTHING,
    UNASSIGNED,
    Amount,
    Counted,
    Place,
    Standing,
    Sum,
    deadlines,
    merged,
)
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.plans import Plan, Unassigned
from app.domain.progress import Scope
from app.domain.quantities import Quantity
from app.domain.scopes import WHOLE

Sums = Mapping[Sum, Amount]


@dataclass(frozen=True, slots=True)
class Belongings:
    """What was counted for a plan. places: those in the plan, by member."""

    plan: Plan
    counted: Counted
    places: Mapping[str, list[Place]]

    def of(self, scope: Scope) -> Sums:
        """What was counted for a scope."""
        members = self.places if scope.member is None else (scope.member,)
        places = [place for member in members for place in self.places.get(member, ())]
        return merged(
            self.counted.get(place, {})
            for place in (*places, UNASSIGNED)
            if lies_in(self.plan, scope, place)
        )


def belongings(plan: Plan, counted: Counted) -> Belongings:
    """The same, to be asked for many scopes."""
    places: dict[str, list[Place]] = {}
    for place in counted:
        if place.standing is Standing.IN_PLAN:
            places.setdefault(place.member, []).append(place)
    return Belongings(plan, counted, places)


def lies_in(plan: Plan, scope: Scope, place: Place) -> bool:
    """Whether what was counted at a place belongs to a scope of the plan."""
    if place.standing is Standing.UNASSIGNED:
        return scope == WHOLE and (not plan.assignments or plan.unassigned is Unassigned.INSIDE)
    return (
        place.standing is Standing.IN_PLAN
        and scope.member in (None, place.member)
        and (scope.team is None or scope.team in place.line)
    )


def contributions(
    base: Ground, scope: Scope, counted: Counted
) -> dict[tuple[str | None, str], Fraction]:
    """Whose the actuals of a scope are: (member, goal's key) -> that member's part.

    What nobody in particular did, in a plan that counts it, stands under None. The parts of an
    additive metric sum to the goal's actual.
    """
    found: dict[tuple[str | None, str, str], Amount] = {}
    for place, sums in counted.items():
        if lies_in(base.plan, scope, place):
            for key, amount in sums.items():
                whose = (place.member or None, key.metric, key.currency)
                found[whose] = found.get(whose, NOTHING).plus(amount)
    goals: dict[tuple[str, str], list[Goal]] = {}
    for goal in base.plan.root.walk():
        goals.setdefault((goal.metric.key, goal.unit.currency or ""), []).append(goal)
    return {
        (member, goal.key): goal.metric.reading(*amount, currency) or Fraction(0)
        for (member, metric, currency), amount in found.items()
        for goal in goals.get((metric, currency), ())
    }


def amount(goal: Goal, sums: Sums, after: int = -1) -> Amount:
    """A goal's sum in its own currency; `after`: only what came when that deadline was over."""
    currency = goal.unit.currency or ""
    found = NOTHING
    for key, part in sums.items():
        if (key.metric, key.currency) == (goal.metric.key, currency) and key.late > after:
            found = found.plus(part)
    return found


def reading(goal: Goal, sums: Sums, after: int = -1) -> Fraction:
    """The same as a quantity in the goal's unit."""
    found = amount(goal, sums, after)
    return goal.metric.reading(*found, goal.unit.currency or "") or Fraction(0)


class Due(NamedTuple):
    """What was counted of a goal up to its deadline: of activities, and in the goal's unit."""

    number: Quantity
    reached: Fraction


def due_by_deadline(plan: Plan, goal: Goal, sums: Sums) -> Due:
    """What came in time for the goal."""
    late = deadlines(plan).index(plan.deadlines[goal.key])
    number = amount(goal, sums).number - amount(goal, sums, late).number
    return Due(goal.metric.counted(number), reading(goal, sums) - reading(goal, sums, late))


def numbers_by_member(counted: Counted) -> dict[Sum, dict[str, int]]:
    """How many activities, as tallied, each person in the plan has of everything added up."""
    found: dict[Sum, dict[str, int]] = {}
    for place, sums in counted.items():
        if place.standing is Standing.IN_PLAN:
            for key, part in sums.items():
                members = found.setdefault(key, {})
                members[place.member] = members.get(place.member, 0) + part.number
    return found


def done_in_time(
    plan: Plan, goal: Goal, numbers: Mapping[Sum, Mapping[str, int]]
) -> dict[str, Quantity]:
    """How many activities each person has of a goal up to its deadline."""
    limit = deadlines(plan).index(plan.deadlines[goal.key])
    wanted = (goal.metric.key, goal.unit.currency or "")
    found: dict[str, int] = {}
    for key, members in numbers.items():
        if (key.metric, key.currency) == wanted and key.late <= limit:
            for member, number in members.items():
                found[member] = found.get(member, 0) + number
    return {member: goal.metric.counted(number) for member, number in found.items()}
