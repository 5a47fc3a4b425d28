"""What a plan's people are known to bring: learned once from their history, asked all day long.

Also where nothing is known yet: then only who is at work on which day of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import numpy as np

from app.domain.allocation import WHOLE_DAY, Stint
from app.domain.attribution import Amount
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.history import RECENT, History, Single
from app.domain.levels import Kinds, Learned, kinds_of, learned
from app.domain.metrics import Aggregation, Metric
from app.domain.people import Member
from app.domain.predictive import Floats
from app.domain.quantities import Quantity
from app.domain.spans import Span

# A person's share of the team counts as if this many more had been divided by who was there.
_DIVIDED = 10.0
# So many amounts are like a person's next ones; who has fewer borrows the others'.
OWN_AMOUNTS = 30


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known of the people of a plan.

    presence: how many of them are at work on each day of the plan
    kinds: what kind of day each is; planned: what it weighs in the plan, 0 where nobody works
    levels: by metric, of all together; no entry where nothing was ever counted
    vigour: by metric and member, what a day of that person brings, over everybody's mean
    amounts: by metric, single amounts as (member, amount), the newest first
    spreads: by metric, and whether of the whole, how much wider than the law forecasts have to be
    spreads_by_items: by metric, the same of the whole where it is forecast by items under way
    earned: the goals that are forecast by these, as that law was better before
    """

    presence: Floats
    kinds: Kinds
    planned: Floats
    levels: Mapping[str, Learned] = field(default_factory=dict)
    vigour: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    amounts: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    spreads: Mapping[tuple[str, bool], float] = field(default_factory=dict)
    spreads_by_items: Mapping[str, float] = field(default_factory=dict)
    earned: frozenset[str] = frozenset()

    def weights(self, metric: str) -> Floats:
        """What each day of the plan brings of a metric, for somebody who is at work on it."""
        known = self.levels.get(metric)
        return known.profile.of(self.kinds) if known else self.planned.copy()


def experience(base: Ground, history: History) -> Experience:
    """What a history teaches about a plan."""
    presence = {month: _past_presence(base, month) for month in history.months}
    goals = {goal.metric.key: goal for goal in base.plan.root.walk()}
    levels = {
        key: found
        for key, goal in goals.items()
        if (found := _learned(base, goal, history, presence)) is not None
    }
    calendar, span = base.workspace.calendar, base.plan.span
    return Experience(
        _planned_presence(base),
        kinds_of(calendar, span),
        np.diff(np.array(base.weighted.counts, float)),
        levels,
        {key: _vigour(base, goals[key].metric, history) for key in levels if base.persons},
        {
            key: tuple(_amounts(goals[key], singles))
            for key, singles in history.singles.items()
            if singles
        },
    )


def _learned(
    base: Ground, goal: Goal, history: History, presence: Mapping[Span, Floats]
) -> Learned | None:
    daily = history.daily.get(goal.metric.key, {})
    counts = {day: float(goal.metric.counted(amount.number)) for day, amount in daily.items()}
    return learned(base.workspace.calendar, history.months, counts, presence)


def _planned_presence(base: Ground) -> Floats:
    span = base.plan.span
    if not base.plan.assignments:
        return np.ones((span.until - span.first).days)
    found = np.zeros((span.until - span.first).days)
    for person in base.persons.values():
        at_work(found, span, person.stints, person.capacity)
    return found


def at_work(days: Floats, span: Span, stints: Iterable[Stint], capacity: Fraction) -> None:
    """Add one who is at work in these stints to the days of a span."""
    for stint in stints:
        first, until = ((day - span.first).days for day in (stint.span.first, stint.span.until))
        days[first:until] += float(capacity * stint.halves / WHOLE_DAY)


def _past_presence(base: Ground, span: Span) -> Floats:
    if not base.plan.assignments:
        return np.ones((span.until - span.first).days)
    found = np.zeros((span.until - span.first).days)
    for key in base.persons:
        found += _present(base.people.members[key], span)
    return found


def _present(member: Member, span: Span) -> Floats:
    """How much of a person was there on each day; who is in no team at all is always there."""
    found = np.zeros((span.until - span.first).days)
    spans = [membership.span for membership in member.memberships] or [span]
    for one in spans:
        _add(found, span, one, 1.0)
    for absence in member.absences:
        _add(found, span, absence.span, -float(absence.share))
    present: Floats = np.clip(found, 0.0, 1.0) * float(member.capacity)
    return present


def _add(days: Floats, span: Span, part: Span, value: float) -> None:
    first, until = max(part.first, span.first), min(part.until, span.until)
    if first < until:
        days[(first - span.first).days : (until - span.first).days] += value


def _vigour(base: Ground, metric: Metric, history: History) -> dict[str, float]:
    """A person's share of what was counted lately, over that of the days at work.

    The share is drawn to that of the days by as much as ten activities: of few nothing follows.
    """
    months = history.months[:RECENT]
    there = {
        key: float(sum(_present(base.people.members[key], month).sum() for month in months))
        for key in base.persons
    }
    recent = history.recent.get(metric.key, {})
    done = {key: float(metric.counted(recent.get(key, _NONE).number)) for key in base.persons}
    whole, everybody = sum(done.values()), sum(there.values())
    found = {}
    for key, days in there.items():
        part = days / everybody if everybody else 0.0
        found[key] = (done[key] + _DIVIDED * part) / (whole + _DIVIDED) / part if part else 1.0
    return found


_NONE = Amount(0, 0)


def _amounts(goal: Goal, singles: Iterable[Single]) -> Iterable[tuple[str, float]]:
    metric, currency = goal.metric, goal.unit.currency or ""
    for member, number, total in ((one.member, one.number, one.total) for one in singles):
        counted = metric.counted(number)
        each = float(metric.summed(total, currency) / counted)
        for _ in range(max(1, round(counted))):
            yield member, each


def is_sum(goal: Goal) -> bool:
    """Whether a goal adds up amounts; otherwise it counts."""
    return goal.metric.aggregation is Aggregation.SUM


def planned_amount(goal: Goal) -> Fraction | None:
    """What one activity of a sum is planned to bring: the rate from a count of the same ones."""
    return goal.conversion.rate.value if goal.conversion and number_of(goal) is not goal else None


def number_of(goal: Goal) -> Goal:
    """The goal whose number is the number of a goal's activities.

    Of a sum that is converted from a count of the same ones, that count; else the goal itself.
    """
    if goal.conversion is None or not is_sum(goal):
        return goal
    child = goal.conversion.child
    return child if child.metric.kind == goal.metric.kind and not is_sum(child) else goal


def single_amounts(
    known: Experience, goal: Goal, number: Quantity, reached: Fraction
) -> Floats | None:
    """What single amounts of a goal are like; None for a count, empty where nothing tells.

    number, reached: what came of it so far, which tells where neither history nor the plan does
    """
    if not is_sum(goal):
        return None
    seen = known.amounts.get(goal.metric.key)
    if seen:
        return np.array([amount for _, amount in seen])
    planned = planned_amount(goal)
    if planned is not None:
        return np.array([float(planned)])
    return np.array([float(reached / number)] if number else [])


def own_amounts(known: Experience, goal: Goal, member: str, others: Floats) -> Floats:
    """A person's own amounts, the newest first, filled up with those of others; else `others`."""
    seen = known.amounts.get(goal.metric.key)
    if not seen:
        return others
    own = [amount for whose, amount in seen if whose == member]
    more = [amount for whose, amount in seen if whose != member]
    found = np.array([*own, *more[: max(OWN_AMOUNTS - len(own), 0)]])
    return found if found.mean() > 0 else others


def day_places(span: Span, day: date) -> int:
    """How many days of a span lie before a day."""
    return min(max((day - span.first).days, 0), (span.until - span.first).days)
