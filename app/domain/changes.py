"""What one activity adds to the goals of a plan, and how a report that came later moved that.

The parts of all activities sum to a goal's actual. So the difference between two knowings is the
list of those whose parts differ, and nothing is left to explain.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from app.domain.activities import State
from app.domain.attribution import Actor, Places
from app.domain.belonging import lies_in
from app.domain.errors import Invalid
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.metrics import Contribution, contribution
from app.domain.scopes import WHOLE


class Part(NamedTuple):
    """What an activity adds to a goal, in its unit; whose that is ("": nobody's); and when."""

    value: Fraction
    member: str
    identity: str
    at: int


class What(StrEnum):
    """How an activity changed: it had not been heard of before, or it had and was corrected."""

    LATE = "late"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Move:
    """How a goal moved. None: the activity did not count for it."""

    goal: Goal
    before: Part | None
    after: Part | None

    @property
    def difference(self) -> Fraction:
        """By how much the goal's actual moved."""
        return _value(self.after) - _value(self.before)


def moves(base: Ground, before: Mapping[str, Part], after: Mapping[str, Part]) -> tuple[Move, ...]:
    """The goals for which an activity counts otherwise than before, in the order of the tree."""
    return tuple(
        Move(goal, before.get(goal.key), after.get(goal.key))
        for goal in base.plan.root.walk()
        if before.get(goal.key) != after.get(goal.key)
    )


def parts_of(
    base: Ground, source: str, state: State, metrics: Container[str], until: int
) -> dict[str, Part]:
    """What an activity adds to each goal of a plan, by the goal's key.

    metrics: those that the source counts for its kind; until: only what lies before is counted
    """
    found = {
        goal.key: _part(base, goal, source, state, until)
        for goal in base.plan.root.walk()
        if goal.metric.key in metrics
    }
    return {key: part for key, part in found.items() if part is not None}


def _part(base: Ground, goal: Goal, source: str, state: State, until: int) -> Part | None:
    currency = base.workspace.currency
    try:
        added = contribution(goal.metric, state, currency)
    except Invalid:
        return None
    if not isinstance(added, Contribution) or added.currency != (goal.unit.currency or ""):
        return None
    day = base.workspace.calendar.local_day(added.at)
    if day not in base.plan.span or added.at >= until:
        return None
    places = Places(base.plan, base.people, {}, base.persons)
    place = places.of(Actor(source, added.identity), day)
    if not lies_in(base.plan, WHOLE, place):
        return None
    value = goal.metric.reading(added.number, added.total, added.currency) or Fraction(0)
    return Part(value, place.member, added.identity, added.at)


def _value(part: Part | None) -> Fraction:
    return Fraction(0) if part is None else part.value
