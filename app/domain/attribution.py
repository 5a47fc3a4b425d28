"""From what was counted to whose it is: actors' sums over segments of the period become places.

A segment is a range of days on which no identity, membership or team parent changes, so that one
look-up per actor holds for all of it and the store has to add up nothing finer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from app.domain.allocation import Person
from app.domain.calendar import ONE_DAY, WorkCalendar
from app.domain.directory import Directory
from app.domain.plans import Plan
from app.domain.spans import Span


class Grain(StrEnum):
    """Which tallies answer a segment: whole days, or the quarter hours of a running day."""

    DAYS = "days"
    QUARTERS = "quarters"


class Segment(NamedTuple):
    """Days to be added up per metric, currency and actor. A running day counts to `until` only."""

    span: Span
    grain: Grain


class Actor(NamedTuple):
    """A sender's word for a person; "" means nobody."""

    source: str
    identity: str


class ActorTotal(NamedTuple):
    """What one actor did in one segment. `currency` is "" unless the metric is money."""

    metric: str
    currency: str
    actor: int
    number: int
    total: int


class Amount(NamedTuple):
    """An additive sum as the metric tallies it: how many activities, and their values."""

    number: int
    total: int

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self.number + other.number, self.total + other.total)


NOTHING = Amount(0, 0)


class Standing(StrEnum):
    """Where somebody stands towards a plan."""

    IN_PLAN = "in_plan"
    OUTSIDE = "outside"
    UNASSIGNED = "unassigned"


class Place(NamedTuple):
    """Whose an amount is; `line` is the person's team and those above it on that day."""

    standing: Standing
    member: str = ""
    line: tuple[str, ...] = ()


OUTSIDE = Place(Standing.OUTSIDE)
UNASSIGNED = Place(Standing.UNASSIGNED)
ANYBODY = Place(Standing.IN_PLAN)


class Sum(NamedTuple):
    """What is added up: a metric in a currency. late: how many of the deadlines had passed."""

    metric: str
    currency: str
    late: int


Counted = Mapping[Place, Mapping[Sum, Amount]]


def deadlines(plan: Plan) -> tuple[date, ...]:
    """The distinct deadlines of a plan's goals, in order."""
    return tuple(sorted(set(plan.deadlines.values())))


def segments(
    plan: Plan, people: Directory, calendar: WorkCalendar, until: int
) -> tuple[Segment, ...]:
    """What has to be added up to know a plan's actuals until an instant.

    Nothing before the period, nothing after it; cut at every deadline as well, so that what came
    too late for this period's chain is known; and at the midnight of a running day.
    """
    span, today = plan.span, calendar.local_day(until)
    running = today in span and until > calendar.midnight(today)
    end = max(min(today, span.until), span.first)
    cuts = {span.first, end} | people.changes(span) | set(deadlines(plan))
    days = sorted(cut for cut in cuts if cut <= end)
    whole = tuple(Segment(Span(*pair), Grain.DAYS) for pair in pairwise(days))
    return (*whole, Segment(Span(today, today + ONE_DAY), Grain.QUARTERS)) if running else whole


@dataclass(frozen=True, slots=True)
class Places:
    """Looks up where an actor stands on a day. actors: by the numbers that totals name."""

    plan: Plan
    people: Directory
    actors: Mapping[int, Actor]
    persons: Mapping[str, Person]

    def place(self, actor: int, day: date) -> Place:
        """Where the actor of a number stands on a day."""
        return self.of(self.actors[actor], day)

    def of(self, actor: Actor, day: date) -> Place:
        """Where an actor stands on a day; before the period, as the period begins."""
        source, identity = actor
        member = self.people.who(source, identity, day) if identity else None
        if member is None:
            return UNASSIGNED
        if not self.plan.assignments:
            return ANYBODY
        person = self.persons.get(member)
        return _stint_place(person, max(day, self.plan.span.first)) if person else OUTSIDE


def _stint_place(person: Person, day: date) -> Place:
    at = bisect_right(person.stints, day, key=lambda stint: stint.span.first) - 1
    if at < 0 or day not in person.stints[at].span:
        return OUTSIDE
    return Place(Standing.IN_PLAN, person.member, person.stints[at].line)


def counted(
    plan: Plan,
    people: Directory,
    persons: Mapping[str, Person],
    actors: Mapping[int, Actor],
    totals: Iterable[tuple[Segment, Iterable[ActorTotal]]],
) -> Counted:
    """The amounts of each place, from the totals of the plan's segments."""
    places = Places(plan, people, actors, persons)
    limits = deadlines(plan)
    found: dict[Place, dict[Sum, Amount]] = {}
    for segment, rows in totals:
        day = segment.span.first
        late = bisect_right(limits, day)
        known: dict[int, Place] = {}
        for row in rows:
            if row.actor not in known:
                known[row.actor] = places.place(row.actor, day)
            sums = found.setdefault(known[row.actor], {})
            key = Sum(row.metric, row.currency, late)
            sums[key] = sums.get(key, NOTHING).plus(Amount(row.number, row.total))
    return found


def merged(amounts: Iterable[Mapping[Sum, Amount]]) -> dict[Sum, Amount]:
    """Several places together."""
    found: dict[Sum, Amount] = {}
    for sums in amounts:
        for key, amount in sums.items():
            found[key] = found.get(key, NOTHING).plus(amount)
    return found
