"""The daily tallies that tell whether a plan's rates have drifted, in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from app.domain.attribution import Amount, Counted, Grain
from app.domain.calendar import WorkCalendar
from app.domain.errors import TasseiError
from app.domain.evaluation import Question
from app.domain.ground import Ground
from app.domain.items import NO_COHORTS, Cohorts
from app.domain.plans import EFFECTIVE_FROM
from app.domain.progress import Progress, Scope
from app.domain.scopes import WHOLE, Breakdown
from app.domain.spans import Span
from app.domain.streams import Stream, Tallied, done_by_member, drifted, past_days, streams
from app.store import documents
from app.store.documents import Document
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.counted import counted as counted_before
from app.usecases.history import add, by_member, daily_of, history_of
from app.usecases.organisation import PLAN, Organisation

_ONE_DAY = timedelta(days=1)


class Evaluated(NamedTuple):
    """A question, the instant that was counted up to, what was counted, and the answer.

    cohorts: what is known of single items
    """

    question: Question
    until: int
    amounts: Counted
    cohorts: Cohorts
    progress: Progress


def with_drift(
    access: Access,
    found: Organisation,
    base: Ground,
    evaluated: Evaluated,
    known: Knowing | None = None,
) -> Progress:
    """A progress with what the days of its period tell of its rates."""
    question, until, amounts, cohorts, progress = evaluated
    told = streams(base.plan.root.walk())
    if not told:
        return progress
    metrics = {goal.metric.key for one in told for goal in (one.goal, one.child)}
    today = found.workspace.calendar.local_day(until)
    first = base.plan.span.first
    # Whole days from the tables of days, and the running one up to the instant that is asked for.
    end = max(min(today, base.plan.span.until), first)
    items = cohorts if end > first else NO_COHORTS
    span = Span(first - timedelta(days=past_days(base, items)), end)
    running = list(_today(access, found, base, until, known, metrics))
    days = Span(span.first, end + _ONE_DAY) if running else span
    past = history_of(access, found, base, today, known).daily
    since = _assumed_since(access, found, base)
    if question.scope == WHOLE and question.breakdown is Breakdown.NONE and _unmoved(base):
        whole = daily_of(access, found, base, span, known, metrics)
        for _, metric, amount in running:
            add(whole, metric, today, amount)
        tallied = Tallied(days, whole, None, past, since, cohorts=items, over=today)
        return drifted(progress, base, tallied)
    asked = _asked_about(base, question.scope)
    members = by_member(access, found, base, span, known, metrics, asked)
    for member, metric, amount in running:
        if member in asked:
            add(members.setdefault(member, {}), metric, today, amount)
    done = done_by_member(amounts)
    tallied = Tallied(days, {}, members, past, since, done=done, cohorts=items, over=today)
    return drifted(progress, base, tallied)


def _asked_about(base: Ground, scope: Scope) -> AbstractSet[str]:
    """Whose days tell of a scope."""
    if scope.member is not None:
        return {scope.member}
    return {
        member
        for member, person in base.persons.items()
        if scope.team is None or any(scope.team in stint.line for stint in person.stints)
    }


def _assumed_since(access: Access, found: Organisation, base: Ground) -> Mapping[str, date]:
    """Since which day the rates of a plan's version are assumed, where another one had others.

    That is the day after it was changed, as what had been seen by then may be why it was; or the
    later one from which on it is to hold.
    """
    place = (base.plan.key, base.version)
    if base.version == 1 or place in found.assumed:
        return found.assumed.get(place, {})
    written = documents.versions(access, found.workspace.key, PLAN, base.plan.key)
    since: dict[str, date] = {}
    assumed = {one.goal.key: one for one in streams(base.plan.root.walk())}
    for before, after in pairwise(one for one in written if one.version <= base.version):
        others = _streams_of(access, found, before)
        for key, one in assumed.items():
            other = others.get(key)
            if other is None or (other.assumed, other.lag) != (one.assumed, one.lag):
                since[key] = _holds_from(after, found.workspace.calendar)
    found.assumed[place] = since
    return since


def _holds_from(version: Document, calendar: WorkCalendar) -> date:
    seen = calendar.local_day(version.changed_at) + _ONE_DAY
    told = version.body.get(EFFECTIVE_FROM)
    return seen if told is None else max(seen, date.fromisoformat(told))


def _streams_of(access: Access, found: Organisation, document: Document) -> Mapping[str, Stream]:
    """The conversions of an earlier version; none of one that has no meaning any more."""
    try:
        base = found.ground(access, document)
    except TasseiError:
        return {}
    return {one.goal.key: one for one in streams(base.plan.root.walk())}


def _unmoved(base: Ground) -> bool:
    """Whether everybody is in the plan for all of its days: then all of their days count."""
    span = base.plan.span
    return all(
        person.stints[0].span.first == span.first
        and person.stints[-1].span.until == span.until
        and all(one.span.until == other.span.first for one, other in pairwise(person.stints))
        for person in base.persons.values()
    )


def _today(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    known: Knowing | None,
    metrics: AbstractSet[str],
) -> Iterator[tuple[str, str, Amount]]:
    """Who did how much of what today; of a plan with people, of these alone."""
    counted = counted_before(access, found, base, until, known, metrics, only=Grain.QUARTERS)
    # Nobody in particular is "", which is everybody where nobody is assigned.
    members = set(base.persons) if base.plan.assignments else {""}
    for place, sums in counted.items():
        if place.member in members:
            yield from ((place.member, key.metric, amount) for key, amount in sums.items())
