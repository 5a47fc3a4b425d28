"""A plan on its way: what was done on which day, evaluated at any moment with its single days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from app.domain.attribution import (
    ActorTotal,
    Counted,
    Grain,
    Segment,
    counted,
    segments,
)
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.experience import Experience
from app.domain.ground import Ground
from app.domain.instants import instant
from app.domain.items import NO_COHORTS, Cohorts
from app.domain.pipeline import Lately
from app.domain.progress import GoalProgress, Progress
from app.domain.spans import Span
from tests.domain.test_worked_month import ACTORS

ONE_DAY = timedelta(days=1)
# Of the worked month, by the number of the actor whose word for the person the sender uses.
CALLS = {
    0: [9] * 10,
    2: [9, 8, 9, 8, 9, 8, 9, 9, 9, 10],
    4: [8, 8, 9, 8, 8, 9, 8, 9, 8, 9],
}
APPOINTMENTS = {
    1: [2] * 10,
    3: [2, 2, 2, 2, 1, 2, 2, 1, 2, 2],
    5: [1, 2, 1, 2, 2, 1, 2, 2, 1, 2],
}
DAYS = [date(2026, 12, day) for day in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14)]


class Did(NamedTuple):
    """So much of a metric on a day, by an actor."""

    metric: str
    day: date
    number: int
    actor: int = 0
    total: int = 0


WON = Did("deals_won", date(2026, 12, 8), 1, 1)
PAID = Did("revenue", date(2026, 12, 8), 1, 1, 380_000)
MONTH = (
    *(Did("calls", d, n, who) for who, by in CALLS.items() for d, n in zip(DAYS, by, strict=True)),
    *(
        Did("appointments", d, n, who)
        for who, by in APPOINTMENTS.items()
        for d, n in zip(DAYS, by, strict=True)
    ),
    WON,
    PAID,
)


def at(
    base: Ground,
    as_of: str,
    done: Iterable[Did],
    known: Experience | None = None,
    cohorts: Cohorts = NO_COHORTS,
    **question: Any,
) -> Progress:
    """The progress at a moment, of everything that was done up to its day."""
    until, did = instant(as_of), list(done)
    last = base.workspace.calendar.local_day(until - 1)
    cuts = segments(base.plan, base.people, base.workspace.calendar, until)
    amounts = _counted(base, [(cut, did) for cut in cuts], last)
    days = {one.day for one in did if one.day <= last} | {last}
    single = {
        day: _counted(base, [(Segment(Span(day, day + ONE_DAY), Grain.DAYS), did)], last)
        for day in days
    }
    asked = Question(until, until, until, **({"today": True} | question))
    lately = Lately(last, single, cohorts)
    return evaluate(base, asked, amounts, Heard(), known=known, lately=lately)


def _counted(base: Ground, parts: list[tuple[Segment, list[Did]]], last: date) -> Counted:
    rows = [
        (
            part,
            [
                ActorTotal(
                    one.metric,
                    "JPY" if one.total else "",
                    one.actor,
                    one.number,
                    one.total,
                )
                for one in did
                if one.day in part.span and one.day <= last
            ],
        )
        for part, did in parts
    ]
    return counted(base.plan, base.people, base.persons, ACTORS, rows)


def goals(progress: Progress) -> dict[str, GoalProgress]:
    """The goals of the whole answer, by key."""
    return {goal.key: goal for goal in progress.whole.root.walk()}
