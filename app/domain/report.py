"""What whoever answers for a plan is told: the same progress, put in the order of their questions.

What is reached and what is not, why, who could do with help, what changed in a week, what is late
or nobody's. Nothing is measured here that the progress and its diagnosis do not say already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from app.domain.diagnosis import Diagnosis, Person, Step
from app.domain.evaluation import Heard
from app.domain.freshness import is_stale
from app.domain.ground import Ground
from app.domain.instants import DAY, moment_of
from app.domain.progress import FreshnessState, GoalProgress, Progress, ScopedProgress, Verdict
from app.domain.trajectory import Point

WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be remembered of a goal, or of a member's part in it.

    due: the last day on which it is in time; at: in microseconds since 1970
    """

    id: str
    goal: str
    member: str | None
    text: str
    due: date | None
    author: str
    at: int

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been done before this day."""
        return self.due is not None and self.due < today


class Where(StrEnum):
    """Where a goal stands, as it is reported."""

    REACHED = "reached"
    ON_PACE = "on_pace"
    BEHIND = "behind"
    MISSED = "missed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"


_SAID: Mapping[Verdict, Where] = {
    Verdict.REACHED: Where.REACHED,
    Verdict.MISSED: Where.MISSED,
    Verdict.UNKNOWN: Where.UNKNOWN,
    Verdict.NOT_STARTED: Where.NOT_STARTED,
}


def where(goal: GoalProgress) -> Where:
    """Where a goal stands by now; of one that still runs, by what the plan expected."""
    return _SAID.get(goal.verdict) or (Where.ON_PACE if goal.gap >= 0 else Where.BEHIND)


class Need(StrEnum):
    """What a person's gap calls for: help, or first of all an answer to why nothing is known."""

    HELP = "help"
    AWAY = "away"
    SILENT = "silent"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Support:
    """A person whose part falls short by more than chance.

    gap: what that is of the final goal, in its unit, below 0; effect: of it, what `step` costs
    away_until: the first day back
    """

    member: str
    name: str
    need: Need
    gap: Fraction
    step: Step
    effect: Fraction
    away_until: date | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """A source that feeds the plan and is silent too long, has never spoken, or owes details.

    goals: keys of those that it feeds; pending: how many objects it has named and not told
    """

    source: str
    state: FreshnessState
    last: datetime | None
    goals: tuple[str, ...]
    pending: int


class Unknown(NamedTuple):
    """Whom a sender named and nobody is known as, and how much they did in the period."""

    source: str
    identity: str
    activities: int


@dataclass(frozen=True, slots=True)
class Moved:
    """How a goal's figure of a week ago has moved since: by how many activities, and by how much.

    late: those that had not been heard of; corrected: those that had
    """

    late: int
    corrected: int
    difference: Fraction


@dataclass(frozen=True, slots=True)
class Since:
    """The same plan a week before, as it was known then.

    moved: by goal; is_all: False where there were too many activities to count them all
    known_from, known_to, as_of: between what knowings and of what moment they are listed
    """

    then: Progress
    moved: Mapping[str, Moved]
    is_all: bool
    known_from: datetime
    known_to: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told. today: the local day of the moment; points: of the final goal."""

    base: Ground
    progress: Progress
    diagnosis: Diagnosis
    support: tuple[Support, ...]
    since: Since | None
    quiet: tuple[Quiet, ...]
    unknown: tuple[Unknown, ...]
    notes: tuple[Note, ...]
    today: date
    points: tuple[Point, ...]


def supports(
    base: Ground, progress: Progress, found: Diagnosis, today: date
) -> tuple[Support, ...]:
    """Who could do with help, by what their gap costs the final goal; then of whom little is known.

    Nobody is named for a gap that chance alone may have made.
    """
    trees = {part.scope.member: part for part in progress.breakdown}
    steps = [effect.step for effect in found.effects]
    listed = [
        _support(base, trees[person.member], person, steps, today)
        for person in found.people
        if person.member in trees and person.gap < 0 and _matters(trees[person.member])
    ]
    return tuple(sorted(listed, key=lambda one: (one.need is not Need.HELP, one.gap, one.member)))


def _matters(part: ScopedProgress) -> bool:
    grave = {Verdict.OFF_TRACK, Verdict.MISSED, Verdict.UNKNOWN}
    return any(
        goal.gap < 0 and (goal.gap_beyond_noise or goal.verdict in grave)
        for goal in part.root.walk()
    )


def _support(
    base: Ground, part: ScopedProgress, person: Person, steps: list[Step], today: date
) -> Support:
    member = base.people.members[str(person.member)]
    effect, step = min(
        zip(person.effects, steps, strict=True), key=lambda one: (one[0], one[1].goal)
    )
    back = max((one.span.until for one in member.absences if today in one.span), default=None)
    goals = {goal.key: goal for goal in part.root.walk()}
    if back is not None:
        need = Need.AWAY
    elif not any(goal.actual for goal in goals.values()) and not member.identities:
        need = Need.UNIDENTIFIED
    elif goals[step.goal].verdict is Verdict.UNKNOWN:
        need = Need.SILENT
    else:
        need = Need.HELP
    return Support(member.key, part.name, need, person.gap, step, effect, back)


def quiet(base: Ground, heard: Heard, as_of: int) -> tuple[Quiet, ...]:
    """The sources that feed the plan's goals and do not tell all, by key."""
    calendar = base.workspace.calendar
    # Of a period that is over, what was silent later says nothing.
    limit = min(as_of, calendar.midnight(base.plan.span.until))
    return tuple(_quiet(base, heard, limit))


def _quiet(base: Ground, heard: Heard, limit: int) -> Iterator[Quiet]:
    calendar = base.workspace.calendar
    for source in sorted(heard.sources, key=lambda one: one.key):
        goals = tuple(g.key for g in base.plan.root.walk() if source.feeds(g.metric.kind))
        last, pending = heard.last.get(source.key), heard.pending.get(source.key)
        if last is None:
            state = FreshnessState.NONE
        elif is_stale(source, last, calendar, limit):
            state = FreshnessState.STALE
        elif pending is not None:
            state = FreshnessState.PENDING
        else:
            continue
        if goals:
            at = None if last is None else moment_of(last, calendar.zone)
            yield Quiet(source.key, state, at, goals, pending.count if pending else 0)


def unknown(base: Ground, done: Iterable[tuple[date, str, str, str, int]]) -> tuple[Unknown, ...]:
    """Those who are nobody, the busiest first.

    done: day, source, identity, metric, and how many activities as tallied. What several metrics
    of one kind count is taken to be the same activities.
    """
    metrics = {goal.metric.key: goal.metric for goal in base.plan.root.walk()}
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for day, source, identity, metric, number in done:
        if identity and base.people.who(source, identity, day) is None:
            own = sums.setdefault((source, identity), {})
            own[metric] = own.get(metric, 0) + number
    found = []
    for place, own in sums.items():
        kinds: dict[str, int] = {}
        for key, number in own.items():
            of = metrics[key]
            kinds[of.kind] = max(kinds.get(of.kind, 0), round(of.counted(number)))
        found.append(Unknown(*place, sum(kinds.values())))
    busy = [one for one in found if one.activities]
    return tuple(sorted(busy, key=lambda one: (-one.activities, one.source, one.identity)))
