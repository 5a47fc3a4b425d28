"""The one evaluator: a plan, what was counted, and a moment become a Progress.

Every face of the service shows this value, so no two of them can disagree about a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from fractions import Fraction

from app.domain.allocation import Stint
from app.domain.attribution import NOTHING, OUTSIDE, UNASSIGNED, Amount, Counted, deadlines
from app.domain.belonging import Belongings, Sums, amount, belongings, reading
from app.domain.freshness import Pending, Source, freshness, next_silence
from app.domain.goals import Branch, Goal
from app.domain.ground import Ground, member_displays, whole_target
from app.domain.instants import midnight, moment_of
from app.domain.lines import Line, is_plain, line
from app.domain.metrics import UnitKind
from app.domain.pacing import (
    AT_RISK,
    ON_TRACK,
    Moment,
    Parts,
    Portion,
    everybody,
    moment,
    parts,
    required_per_day,
    verdict,
    working_days,
)
from app.domain.progress import (
    Closed,
    Excluded,
    Freshness,
    GoalProgress,
    PlanReference,
    Progress,
    Rate,
    Reason,
    Scope,
    ScopedProgress,
    Verdict,
)
from app.domain.quantities import written
from app.domain.rates import interval
from app.domain.scopes import WHOLE, Breakdown, broken_down, check, name, portion_display, portions


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the moment, and whose progress. All instants in microseconds since 1970."""

    as_of: int
    known_at: int
    generated_at: int
    scope: Scope = WHOLE
    breakdown: Breakdown = Breakdown.NONE


@dataclass(frozen=True, slots=True)
class Heard:
    """The sources of the workspace, and the instant of each one's last delivery, if any.

    pending: what of each is still to be fetched, where anything is
    """

    sources: tuple[Source, ...] = ()
    last: Mapping[str, int] = field(default_factory=dict)
    pending: Mapping[str, Pending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closing:
    """A period that was closed: when and by whom, and what was counted for the plan by then.

    known_at, closed_at: in microseconds since 1970; what counts as known may be older than the act
    """

    known_at: int
    closed_at: int
    author: str
    reason: str | None
    counted: Counted


def evaluate(
    base: Ground,
    question: Question,
    counted: Counted,
    heard: Heard,
    closing: Closing | None = None,
) -> Progress:
    """A plan's progress at a moment.

    `counted` comes from `attribution.counted` over `attribution.segments`; `closing` if the
    period was closed. Raises Invalid
    `plan_has_no_assignments` when a plan of the whole workspace is asked for a team, a member or
    a breakdown, NotFound `team_not_in_plan` or `member_not_in_plan` for anybody else's.
    """
    scope, breakdown = question.scope, question.breakdown
    check(base, scope, breakdown)
    evaluation = _evaluation(base, question, counted, heard, closing)
    plan, zone = base.plan, base.workspace.zone
    change = next_change(base, question.as_of, heard)
    return Progress(
        base.workspace.key,
        PlanReference(plan.key, plan.alias, plan.name, base.version),
        moment_of(question.as_of, zone),
        moment_of(question.known_at, zone),
        moment_of(question.generated_at, zone),
        zone.key,
        None if change is None else moment_of(change, zone),
        evaluation.scoped(scope),
        tuple(evaluation.scoped(entry) for entry in broken_down(base, scope, breakdown)),
        None if closing is None else _closed(closing, zone),
    )


def _closed(closing: Closing, zone: tzinfo) -> Closed:
    known_at, closed_at = (moment_of(at, zone) for at in (closing.known_at, closing.closed_at))
    return Closed(known_at, closed_at, closing.author, closing.reason)


def next_change(base: Ground, as_of: int, heard: Heard) -> int | None:
    """When time alone will next change the answer; None when it never will.

    That is a minute of working time, a deadline, or a source's silence growing too long. An
    activity dated ahead of its report is no announcement: it begins to count unforeseen.
    """
    calendar, span = base.workspace.calendar, base.plan.span
    end = calendar.midnight(span.until)
    revised = base.plan.effective_from
    days = (*deadlines(base.plan), *(() if revised is None else (revised,)))
    limits = [calendar.midnight(day) for day in days]
    work = calendar.next_change(max(as_of, calendar.midnight(span.first)))
    kinds = {goal.metric.kind for goal in base.plan.root.walk()}
    feeding = [source for source in heard.sources if any(map(source.feeds, kinds))]
    silence = next_silence(feeding, heard.last, calendar, as_of)
    ahead = [limit for limit in limits if limit > as_of]
    ahead += [at for at in (work,) if at is not None and at < end]
    return min((*ahead, *([] if silence is None else [silence])), default=None)


def _evaluation(
    base: Ground, question: Question, counted: Counted, heard: Heard, closing: Closing | None
) -> _Evaluation:
    calendar, goals = base.workspace.calendar, list(base.plan.root.walk())
    narrow = question.scope != WHOLE or question.breakdown is not Breakdown.NONE
    fresh = {
        kind: freshness(kind, heard.sources, heard.last, calendar, question.as_of, heard.pending)
        for kind in {goal.metric.kind for goal in goals}
    }
    # Only parts of the plan need the largest remainder over everybody.
    displays = {goal.key: member_displays(base, goal) for goal in goals} if narrow else {}
    return _Evaluation(
        base,
        belongings(base.plan, counted),
        None if closing is None else belongings(base.plan, closing.counted),
        moment(calendar, question.as_of),
        fresh,
        displays,
    )


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What the trees of one answer share. closed: what was counted at the close, if ever."""

    base: Ground
    counted: Belongings
    closed: Belongings | None
    now: Moment
    fresh: Mapping[str, Freshness]
    displays: Mapping[str, Mapping[str, Fraction]]

    def scoped(self, scope: Scope) -> ScopedProgress:
        """The tree for one scope."""
        base, plan = self.base, self.base.plan
        people = portions(base, scope) if plan.assignments else (everybody(plan.span),)
        due = {d: parts(people, base.workdays, d, self.now) for d in deadlines(plan)}
        # A member counts the own days; teams and plans count the workspace's.
        days = people[0].stints if scope.member is not None else everybody(plan.span).stints
        closed = None if self.closed is None else self.closed.of(scope)
        bent = None if is_plain(base) else line(base, scope, self.now)
        view = _View(self, scope, people, days, self.counted.of(scope), closed, due, bent)
        return ScopedProgress(
            scope,
            name(base, scope),
            working_days(days, base.workdays, self.now, plan.span.until),
            view.goal(plan.root),
        )


@dataclass(frozen=True, slots=True)
class _View:
    """One tree in the making. days: whose working days are counted; due: parts by deadline.

    bent: the line that is expected where it is not the plain one
    """

    evaluation: _Evaluation
    scope: Scope
    people: tuple[Portion, ...]
    days: tuple[Stint, ...]
    sums: Sums
    closed: Sums | None
    due: Mapping[date, Parts]
    bent: Line | None = None

    def goal(self, goal: Goal, branch: Branch | None = None) -> GoalProgress:
        """A goal and everything below it; `branch` says how it hangs on the one above."""
        at, plan = self.evaluation, self.evaluation.base.plan
        deadline = plan.deadlines[goal.key]
        target, due = plan.targets[goal.key], self.due[deadline]
        wanted = target if self.scope == WHOLE else target * due.target
        expected = self.bent.expected(goal.key) if self.bent else target * due.expected
        actual = reading(goal, self.sums)
        open_days = working_days(self.days, at.base.workdays, at.now, deadline).remaining
        required = required_per_day(wanted, actual, open_days)
        rate = self._rate(goal, actual)
        word = verdict(wanted, actual, expected, plan, at.now)
        fresh = at.fresh[goal.metric.kind]
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
            required_per_day=required,
            rate=rate,
            unassigned=reading(goal, at.counted.counted.get(UNASSIGNED, {})),
            outside_plan=reading(goal, at.counted.counted.get(OUTSIDE, {})),
            excluded=_excluded(goal, self.sums),
            freshness=fresh,
            verdict=word,
            reasons=tuple(self._reasons(wanted, expected, required, rate, fresh, word)),
            children=tuple(self.goal(below.goal, below) for below in goal.branches),
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
        """The conversion as seen in the period: what came out per what went in."""
        if goal.conversion is None:
            return None
        child = goal.conversion.child
        basis = reading(child, self.sums)
        observed = actual / basis if basis else None
        sample = child.metric.counted(amount(child, self.sums).number)
        counts = {goal.unit.kind, child.unit.kind} == {UnitKind.COUNT}
        low, high = (counts and interval(actual, basis)) or (None, None)
        return Rate(goal.conversion.rate.value, observed, sample, low, high)

    def _reasons(
        self,
        target: Fraction,
        expected: Fraction,
        required: Fraction | None,
        rate: Rate | None,
        fresh: Freshness,
        word: Verdict,
    ) -> Iterator[Reason]:
        if not target:
            yield Reason("target_zero")
        if not expected:
            carried = any(portion.share for portion in self.people)
            yield Reason("nothing_expected_yet" if carried else "nobody_carries_it")
        if required is None:
            yield Reason("no_days_left")
        if rate is not None and rate.observed is None:
            yield Reason("no_sample")
        if fresh.last_event_at is None:
            yield Reason("never_heard")
        if word in (Verdict.AT_RISK, Verdict.OFF_TRACK):
            threshold = ON_TRACK if word is Verdict.AT_RISK else AT_RISK
            yield Reason("pace_below", {"threshold": written(threshold)})


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
