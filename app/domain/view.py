"""A plan in one scope at a moment: what it is asked for, what it has, and its tree of goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple, Protocol

from app.domain.allocation import Stint
from app.domain.attribution import NOTHING, OUTSIDE, UNASSIGNED, Amount, deadlines
from app.domain.belonging import Belongings, Sums, amount, due_by_deadline, reading
from app.domain.goals import Branch, Goal
from app.domain.ground import Ground, whole_target
from app.domain.instants import midnight
from app.domain.lines import Line
from app.domain.metrics import UnitKind
from app.domain.outcomes import Ahead, Part
from app.domain.pacing import Moment, Parts, Portion, required_per_day, working_days
from app.domain.progress import (
    NO_DRIFT,
    UNTESTED,
    Excluded,
    Freshness,
    GoalProgress,
    Rate,
    Scope,
    ScopedProgress,
)
from app.domain.rates import interval
from app.domain.scopes import WHOLE, name, portion_display
from app.domain.verdicts import Facts, reasons, verdict


class Heed(NamedTuple):
    """How fresh a kind is, and the sources whose silence leaves its goals unknown."""

    fresh: Freshness
    silent: tuple[str, ...]


class Shared(Protocol):
    """What all scopes of one answer have in common."""

    @property
    def base(self) -> Ground:
        """The plan."""

    @property
    def counted(self) -> Belongings:
        """What was counted."""

    @property
    def now(self) -> Moment:
        """The moment."""

    @property
    def fresh(self) -> Mapping[str, Heed]:
        """By kind of activity."""

    @property
    def displays(self) -> Mapping[str, Mapping[str, Fraction]]:
        """By goal and member, what is shown; empty where the whole plan alone is asked for."""


@dataclass(frozen=True, slots=True)
class View:
    """A plan in one scope, at a moment.

    days: whose working days are counted; due: parts by deadline; closed: what was counted at the
    close, if ever; bent: the line that is expected where it is not the plain one
    """

    evaluation: Shared
    scope: Scope
    people: tuple[Portion, ...]
    days: tuple[Stint, ...]
    sums: Sums
    closed: Sums | None
    due: Mapping[date, Parts]
    bent: Line | None = None

    def part(self, goal: Goal) -> Part:
        """What a forecast wants to know of a goal: up to its deadline, and what is asked for."""
        plan = self.evaluation.base.plan
        target, due = plan.targets[goal.key], self.due[plan.deadlines[goal.key]]
        wanted = target if self.scope == WHOLE else target * due.target
        number, reached = due_by_deadline(plan, goal, self.sums)
        expected = self.bent.expected(goal.key) if self.bent else target * due.expected
        return Part(self.people, number, reached, wanted, expected)

    def tree(self, ahead: Mapping[str, Ahead]) -> ScopedProgress:
        """The whole tree. ahead: by goal, where it ends."""
        base, now = self.evaluation.base, self.evaluation.now
        days = working_days(self.days, base.workdays, now, base.plan.span.until)
        return ScopedProgress(
            self.scope, name(base, self.scope), days, self._goal(base.plan.root, ahead)
        )

    def _goal(
        self, goal: Goal, ahead: Mapping[str, Ahead], branch: Branch | None = None
    ) -> GoalProgress:
        """A goal and everything below it; `branch` says how it hangs on the one above."""
        at, plan = self.evaluation, self.evaluation.base.plan
        deadline = plan.deadlines[goal.key]
        part, found = self.part(goal), ahead[goal.key]
        wanted, expected, actual = part.target, part.expected, reading(goal, self.sums)
        open_days = working_days(self.days, at.base.workdays, at.now, deadline).remaining
        required = required_per_day(wanted, actual, open_days)
        fresh, silent = at.fresh[goal.metric.kind]
        rate, carried = self._rate(goal, actual), any(one.share for one in self.people)
        heard = fresh.last_event_at is not None
        facts = Facts(wanted, actual, expected, required, rate, heard, silent, found, carried)
        word = verdict(facts, plan, at.now)
        return GoalProgress(
            key=goal.key,
            name=goal.name,
            metric=goal.metric.key,
            unit=goal.unit,
            target=wanted,
            target_display=self._display(goal),
            deadline=midnight(deadline, at.base.workspace.zone),
            actual=actual,
            next_period=reading(goal, self.sums, after=deadlines(plan).index(deadline)),
            expected=expected,
            attainment=actual / wanted if wanted else None,
            pace=actual / expected if expected else None,
            gap=actual - expected,
            gap_beyond_noise=found.beyond_noise,
            required_per_day=required,
            forecast=found.forecast,
            rate=rate,
            unassigned=reading(goal, at.counted.counted.get(UNASSIGNED, {})),
            outside_plan=reading(goal, at.counted.counted.get(OUTSIDE, {})),
            excluded=_excluded(goal, self.sums),
            freshness=fresh,
            verdict=word,
            reasons=tuple(reasons(facts, word, plan)),
            children=tuple(self._goal(below.goal, ahead, below) for below in goal.branches),
            edge=branch.edge if branch else None,
            weight=branch.weight if branch else None,
            actual_at_close=None if self.closed is None else reading(goal, self.closed),
        )

    def _display(self, goal: Goal) -> Fraction:
        base, shown = self.evaluation.base, self.evaluation.displays.get(goal.key, {})
        if self.scope == WHOLE:
            return whole_target(base, goal).display
        displays = (
            portion_display(base, goal, shown[portion.person.member], portion)
            for portion in self.people
        )
        return sum(displays, Fraction(0))

    def _rate(self, goal: Goal, actual: Fraction) -> Rate | None:
        """The conversion as seen in the period: what came out per what went in.

        Whether it has drifted is told by its days where there is a test of them (`streams`).
        """
        if goal.conversion is None:
            return None
        child = goal.conversion.child
        basis = reading(child, self.sums)
        observed = actual / basis if basis else None
        sample = child.metric.counted(amount(child, self.sums).number)
        counts = {goal.unit.kind, child.unit.kind} == {UnitKind.COUNT}
        low, high = (counts and interval(actual, basis)) or (None, None)
        drift = NO_DRIFT if observed is None else UNTESTED
        return Rate(goal.conversion.rate.value, observed, sample, low, high, drift)


def _excluded(goal: Goal, sums: Sums) -> tuple[Excluded, ...]:
    """Other currencies of a money goal: listed, never added."""
    found: dict[str, Amount] = {}
    for key, part in sums.items():
        if key.metric == goal.metric.key and key.currency != (goal.unit.currency or ""):
            found[key.currency] = found.get(key.currency, NOTHING).plus(part)
    return tuple(
        Excluded(currency, goal.metric.counted(number), goal.metric.summed(total, currency))
        for currency, (number, total) in sorted(found.items())
        if number
    )
