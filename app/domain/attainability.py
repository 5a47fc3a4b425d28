"""Whether a plan asks for more than its people have shown, and what rates they have shown.

Past spans as long as the plan are set beside it, each stretched to the plan's working days: a
February is short, and December has holidays. What nobody has ever done is no reason to refuse a
plan, and a reason to say so before anybody is held to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from app.domain.attribution import NOTHING
from app.domain.experience import Experience
from app.domain.forecast import Outlook
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.history import History
from app.domain.metrics import UnitKind
from app.domain.outcomes import Part
from app.domain.pacing import Moment, everybody
from app.domain.progress import Rate, Reason
from app.domain.quantities import Quantity, exact, written
from app.domain.rates import interval
from app.domain.scopes import WHOLE, portions
from app.domain.spans import Span

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Attainable:
    """A target beside what the plan's people did of its metric in past spans of that length.

    best, median: of these spans, each by the plan's working days; spans: how many, within `within`
    probability: of reaching the target, as forecast at the plan's beginning; None without one
    """

    target: Fraction
    best: Fraction
    median: Fraction
    spans: int
    within: Span
    probability: Fraction | None


def attainable(base: Ground, history: History, known: Experience) -> dict[str, Attainable]:
    """Of every goal of which anything was counted before the plan, by its key."""
    plan = base.plan
    people = portions(base, WHOLE) if plan.assignments else (everybody(plan.span),)
    outlook, spans = Outlook(base, known, Moment(plan.span.first, ZERO)), past_spans(base, history)
    found: dict[str, Attainable] = {}
    for goal in plan.root.walk():
        if not spans or goal.metric.key not in history.daily:
            continue
        target = plan.targets[goal.key]
        forecast = outlook.whole(goal, Part(people, 0, ZERO, target, ZERO)).forecast
        done = [_stretched(base, history, goal, span) for span in spans]
        found[goal.key] = Attainable(
            target,
            max(done),
            median(done),
            len(spans),
            Span(spans[-1].first, spans[0].until),
            forecast.probability if forecast else None,
        )
    return found


def doubts(base: Ground, found: Mapping[str, Attainable]) -> Iterator[Reason]:
    """What speaks against a plan.

    above_shown_best: more is asked for than was ever done in a span of that length. no_history:
    of these goals nothing was counted before, so nobody can say.
    """
    for key, one in found.items():
        if one.target > one.best:
            numbers = {"target": written(one.target), "best": written(one.best)}
            yield Reason("above_shown_best", {"goal": key, **numbers})
    unknown = [goal.key for goal in base.plan.root.walk() if goal.key not in found]
    if unknown:
        yield Reason("no_history", {"goals": ", ".join(unknown)})


def past_spans(base: Ground, history: History) -> tuple[Span, ...]:
    """Spans as long as the plan that end where its history does, the latest first.

    Whole months are set beside whole months. Where not even one fits, all that is known is the
    one span. Those without a working day show nothing.
    """
    if not history.months:
        return ()
    within = Span(history.months[-1].first, history.months[0].until)
    months = _whole_months(base.plan.span)
    found = _by_months(history.months, months) if months else _by_days(within, base.plan.span)
    working = (span for span in found or [within] if _working_days(base, span))
    return tuple(working)


def _whole_months(span: Span) -> int:
    """How many months a span is, if it is whole ones."""
    first, until = span.first, span.until
    months = (until.year - first.year) * 12 + until.month - first.month
    return months if first.day == until.day == 1 else 0


def _by_months(months: Sequence[Span], number: int) -> list[Span]:
    groups = (months[n : n + number] for n in range(0, len(months) - number + 1, number))
    return [Span(group[-1].first, group[0].until) for group in groups]


def _by_days(within: Span, span: Span) -> list[Span]:
    length = span.until - span.first
    number = (within.until - within.first) // length
    ends = (within.until - n * length for n in range(number))
    return [Span(end - length, end) for end in ends]


def _working_days(base: Ground, span: Span) -> int:
    return base.workspace.calendar.workdays(span).total


def _stretched(base: Ground, history: History, goal: Goal, span: Span) -> Fraction:
    return _done(history, goal, span) * base.workdays.total / _working_days(base, span)


def _done(history: History, goal: Goal, span: Span) -> Fraction:
    amount = NOTHING
    for day, part in history.daily.get(goal.metric.key, {}).items():
        if day in span:
            amount = amount.plus(part)
    return goal.metric.reading(*amount, goal.unit.currency or "") or ZERO


def suggested(base: Ground, history: History) -> dict[str, Rate]:
    """Of every goal that another one converts into: the rate as it was seen, by its key.

    Since the other one was first counted: what came before it came from no such work. A rate that
    is written as 0 is none, since nothing can be reached at it.
    """
    found: dict[str, Rate] = {}
    for goal in base.plan.root.walk():
        if goal.conversion is None:
            continue
        child = goal.conversion.child
        done, basis = seen(history, goal, child) or (ZERO, ZERO)
        if not basis or not exact(written(done / basis)):
            continue
        counts = {goal.unit.kind, child.unit.kind} == {UnitKind.COUNT}
        low, high = (counts and interval(done, basis)) or (None, None)
        sample = _number(history, child)
        found[goal.key] = Rate(goal.conversion.rate.value, done / basis, sample, low, high)
    return found


def _number(history: History, goal: Goal) -> Quantity:
    days = history.daily.get(goal.metric.key, {}).values()
    return goal.metric.counted(sum(amount.number for amount in days))


def seen(history: History, goal: Goal, below: Goal) -> tuple[Fraction, Fraction] | None:
    """What was done of a goal and of one below it, since the one below was first counted."""
    first = min(history.daily.get(below.metric.key, {}), default=None)
    if first is None or not history.months:
        return None
    since = Span(first, history.months[0].until)
    return _done(history, goal, since), _done(history, below, since)
