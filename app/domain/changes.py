"""What one activity adds to the goals of a plan, and how a report that came later moved that.

The parts of all activities sum to a goal's actual. So the difference between two knowings is the
list of those whose parts differ, and nothing is left to explain.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from app.domain.activities import Story
from app.domain.attribution import Actor, Places
from app.domain.belonging import lies_in
from app.domain.errors import Invalid
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.metrics import Uncounted, contributions
from app.domain.scopes import WHOLE


class Part(NamedTuple):
    """What an activity adds to a goal, in its unit; whose that is ("": nobody's); and when."""

    value: Fraction
    member: str
    identity: str
    at: int


Parts = tuple[Part, ...]


class What(StrEnum):
    """How an activity changed: it had not been heard of before, or it had and was corrected."""

    LATE = "late"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Move:
    """How a goal moved. No part: the activity did not count for it; several: credit is shared."""

    goal: Goal
    before: tuple[Part, ...]
    after: tuple[Part, ...]

    @property
    def difference(self) -> Fraction:
        """By how much the goal's actual moved."""
        return _sum(self.after) - _sum(self.before)


def moves(
    base: Ground, before: Mapping[str, Parts], after: Mapping[str, Parts]
) -> tuple[Move, ...]:
    """The goals for which an activity counts otherwise than before, in the order of the tree."""
    return tuple(
        Move(goal, before.get(goal.key, ()), after.get(goal.key, ()))
        for goal in base.plan.root.walk()
        if before.get(goal.key, ()) != after.get(goal.key, ())
    )


def parts_of(
    base: Ground, source: str, story: Story, metrics: Container[str], until: int
) -> dict[str, Parts]:
    """What an activity adds to each goal of a plan, by the goal's key.

    metrics: those that the source counts for its kind; until: only what lies before is counted
    """
    found = {
        goal.key: tuple(sorted(_parts(base, goal, source, story, until)))
        for goal in base.plan.root.walk()
        if goal.metric.key in metrics
    }
    return {key: parts for key, parts in found.items() if parts}


def _parts(base: Ground, goal: Goal, source: str, story: Story, until: int) -> Iterator[Part]:
    state, earlier = story
    try:
        added = contributions(goal.metric, state, base.workspace.currency, earlier)
    except Invalid:
        return
    if added is None or isinstance(added, Uncounted):
        return
    places = Places(base.plan, base.people, {}, base.persons)
    for one in added:
        day = base.workspace.calendar.local_day(one.at)
        if one.currency != (goal.unit.currency or "") or day not in base.plan.span:
            continue
        place = places.of(Actor(source, one.identity), day)
        if one.at < until and lies_in(base.plan, WHOLE, place):
            value = goal.metric.reading(one.number, one.total, one.currency) or Fraction(0)
            yield Part(value, place.member, one.identity, one.at)


def _sum(parts: Parts) -> Fraction:
    return sum((part.value for part in parts), Fraction(0))
