"""What the people of a plan did before it, and day by day within it, from the tallies.

Half a year is read once and kept until something of it moves: a report about last month comes now
and then, and progress is asked all day long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise

from app.domain.attribution import NOTHING, Amount
from app.domain.experience import Experience, experience
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.history import (
    AMOUNTS,
    NO_HISTORY,
    RECENT,
    History,
    Single,
    months_before,
    with_anything,
)
from app.domain.instants import QUARTER, day_number, day_of_number, moment_of
from app.domain.metrics import Aggregation
from app.domain.spans import Span
from app.store import daily, heads, totals
from app.store.journal import Knowing
from app.store.kept import Commit
from app.store.transactions import Access
from app.usecases.counted import actors_of
from app.usecases.keeping import keep
from app.usecases.organisation import Organisation, Remembered
from app.usecases.spreads import record

# Enough to know what amounts are like; each is told apart only by a person's own and all others'.
MOST_SINGLES = 2_000
KEPT = 256

Days = dict[str, dict[date, Amount]]


def experience_of(
    access: Access, found: Organisation, base: Ground, as_of: int, known: Knowing | None = None
) -> Experience:
    """What forecasts of a plan may learn from, at an instant."""
    today = found.workspace.calendar.local_day(as_of)
    learned = _remembered(access, found, base, today, known).experience
    days = base.workdays
    elapsed = days.between(base.plan.span.first, today) / days.total if days.total else 1.0
    return replace(learned, **record(access, base, elapsed, known)._asdict())


def lessons(
    access: Access, found: Organisation, base: Ground, as_of: int, *, draft: bool
) -> tuple[History, Experience]:
    """What a plan's people did before it, and what follows from it.

    draft: of a plan that is not kept, of which nothing is remembered
    """
    today = found.workspace.calendar.local_day(as_of)
    if not draft:
        kept = _remembered(access, found, base, today, None)
        return kept.history, kept.experience
    history = _read(access, found, base, months_before(min(base.plan.span.first, today)), None)
    return history, experience(base, history)


def history_of(
    access: Access, found: Organisation, base: Ground, today: date, known: Knowing | None = None
) -> History:
    """What the plan's people did in the months before it, or before today if it lies ahead.

    known: None for all that is known; else as it was known then
    """
    return _remembered(access, found, base, today, known).history


def _remembered(
    access: Access, found: Organisation, base: Ground, today: date, known: Knowing | None
) -> Remembered:
    """The history as it was read before, if nothing of it has moved since."""
    until = min(base.plan.span.first, today)
    months = months_before(until)
    now = _commit(access, found, known)
    place = (base.plan.key, base.version, until, known.seq if known else None)
    kept = found.histories.get(place)
    if (
        kept is not None
        and kept.base is base
        and not _moved(access, found, base, (kept.commit, now), _all(months))
    ):
        kept = found.histories[place] = replace(kept, commit=now)
        return kept
    history = _read(access, found, base, months, known)
    learned = Remembered(now, base, history, experience(base, history))
    return keep(found.histories, place, learned, KEPT)


def _all(months: Sequence[Span]) -> Span:
    return Span(months[-1].first, months[0].until)


def _commit(access: Access, found: Organisation, known: Knowing | None) -> Commit:
    """The last commit of a knowing."""
    workspace = found.workspace.key
    standing = None if known else heads.standing(access, workspace)
    return standing[0] if standing else heads.commit(access, workspace, known.seq if known else 0)


def _moved(
    access: Access, found: Organisation, base: Ground, between: tuple[Commit, Commit], span: Span
) -> bool:
    """Whether something has come into the span since. Of another's newer snapshot: it may have."""
    remembered, now = between
    if remembered == now:
        return False
    since = Knowing(remembered.seq, found.workspace.zone)
    metrics = {goal.metric.key for goal in base.plan.root.walk()}
    days = (day_number(span.first), day_number(span.until))
    return (
        remembered.seq >= now.seq
        or not heads.stands(access, found.workspace.key, remembered)
        or daily.moved(access, found.workspace.key, metrics, since, days)
    )


def _read(
    access: Access,
    found: Organisation,
    base: Ground,
    months: tuple[Span, ...],
    known: Knowing | None,
) -> History:
    span = _all(months)
    metrics = {goal.metric.key for goal in base.plan.root.walk()}
    by_day = daily_of(access, found, base, span, known, metrics)
    usable = with_anything(months, by_day)
    if not usable:
        return NO_HISTORY
    recent = Span(usable[:RECENT][-1].first, span.until)
    lately = Span(usable[:AMOUNTS][-1].first, span.until)
    goals = {
        goal.metric.key: goal
        for goal in base.plan.root.walk()
        if goal.metric.aggregation is Aggregation.SUM
    }
    singles = {
        key: tuple(_singles(access, found, base, goal, lately, known))
        for key, goal in goals.items()
    }
    members = _summed(access, found, base, recent, known) if base.persons else {}
    return History(usable, by_day, members, singles)


def _summed(
    access: Access, found: Organisation, base: Ground, span: Span, known: Knowing | None
) -> dict[str, dict[str, Amount]]:
    """By metric and member of the plan, what each did in a span."""
    metrics = {goal.metric.key for goal in base.plan.root.walk()}
    currencies = {"", found.workspace.currency}
    summed: dict[str, dict[str, Amount]] = {}
    for part, members in _parts(access, found, base, span):
        days = (day_number(part.first), day_number(part.until))
        for row in totals.totals(access, found.workspace.key, metrics, *days, known):
            member = members.get(row.actor)
            if member is not None and row.currency in currencies:
                of = summed.setdefault(row.metric, {})
                of[member] = of.get(member, NOTHING).plus(Amount(row.number, row.total))
    return summed


def daily_of(
    access: Access,
    found: Organisation,
    base: Ground,
    span: Span,
    known: Knowing | None = None,
    metrics: AbstractSet[str] | None = None,
) -> Days:
    """By metric and day what the plan's people did in a span, whichever team they were in.

    Of a plan of the whole workspace what anybody did. In the workspace's currency, as tallied.
    """
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    currencies = {"", found.workspace.currency}
    by_day: Days = {}
    for part, members in _parts(access, found, base, span):
        days = (day_number(part.first), day_number(part.until))
        of = members if base.plan.assignments else None
        rows = daily.by_day(access, found.workspace.key, chosen, days, of, known)
        for metric, currency, day, _, number, total in rows:
            if currency in currencies:
                add(by_day, metric, day_of_number(day), Amount(number, total))
    return by_day


def by_member(
    access: Access,
    found: Organisation,
    base: Ground,
    span: Span,
    known: Knowing | None = None,
    metrics: AbstractSet[str] | None = None,
    asked: AbstractSet[str] | None = None,
) -> dict[str, Days]:
    """The same by member, metric and day, of those who are in the plan.

    asked: of these alone; None for all
    """
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    currencies = {"", found.workspace.currency}
    people: dict[str, Days] = {}
    if not base.plan.assignments:
        return people
    day_of, amount_of = cache(day_of_number), cache(Amount)
    for part, known_as in _parts(access, found, base, span):
        days = (day_number(part.first), day_number(part.until))
        members = {n: who for n, who in known_as.items() if asked is None or who in asked}
        # Of a thousand people and a year this is gone through a million times, and few amounts
        # differ: so many new ones would keep the collector of garbage busy.
        for metric, currency, day, actor, number, total in daily.by_day(
            access, found.workspace.key, chosen, days, members, known, by_actor=True
        ):
            if currency in currencies:
                of = people.setdefault(members[actor], {})
                add(of, metric, day_of(day), amount_of(number, total))
    return people


def add(days: Days, metric: str, day: date, amount: Amount) -> None:
    """Add what was done of a metric on a day."""
    of = days.setdefault(metric, {})
    before = of.get(day)
    of[day] = amount if before is None else before.plus(amount)


def _parts(
    access: Access, found: Organisation, base: Ground, span: Span
) -> Iterator[tuple[Span, Mapping[int, str]]]:
    """Spans in which every actor means one person, and which actors mean whom of the plan."""
    if not base.plan.assignments:
        yield span, {}
        return
    actors = actors_of(access, found.workspace.key)
    edges = {span.first, span.until} | base.people.identity_changes(span)
    for first, until in pairwise(sorted(edges)):
        who = {number: _member(base, *actor, first) for number, actor in actors.items()}
        yield Span(first, until), {n: member for n, member in who.items() if member is not None}


def _member(base: Ground, source: str, identity: str, day: date) -> str | None:
    member = base.people.who(source, identity, day) if identity else None
    return member if member in base.persons else None


def _singles(
    access: Access,
    found: Organisation,
    base: Ground,
    goal: Goal,
    span: Span,
    known: Knowing | None,
) -> Iterator[Single]:
    """The single amounts of a goal's metric, of the plan's people, the newest first."""
    zone = found.workspace.zone
    slot = (goal.metric.key, goal.unit.currency or "")
    days = (day_number(span.first), day_number(span.until))
    seen = known or Knowing(0, zone)
    cells = daily.newest(
        access, found.workspace.key, slot, days, MOST_SINGLES, seen, then=known is not None
    )
    actors = actors_of(access, found.workspace.key)
    for quarter, actor, number, total in cells:
        day = moment_of(quarter * QUARTER, zone).date()
        member = _member(base, *actors[actor], day)
        if member is not None or not base.plan.assignments:
            yield Single(member or "", number, total)
