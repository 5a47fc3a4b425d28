"""What is under way: what has been begun and not yet turned out, and what is left to be begun.

A conversion with a lag yields days after its items were begun, so the goal above still expects
something of them, and what is begun too late yields in the next period. How much of an item's
yield has come after how many days is its lag's share, F. Of `n` items begun on one day `n p F(a)`
have come by age `a`; an item of which it is known that it is still open should yield
`p (F(a+r) - F(a)) / (1 - p F(a))` in the next `r` days, and of the `n` there are
`n (1 - p F(a))` such: so the day's items together should yield `n p (F(a+r) - F(a))`, which asks
for no more than how many were begun. Where it is known which have turned out, what is open is
counted and not expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, Protocol

from app.domain.allocation import Stint
from app.domain.attribution import Counted
from app.domain.belonging import Sums, amount, reading
from app.domain.calendar import ONE_DAY, Workdays
from app.domain.goals import Conversion, Goal
from app.domain.items import NO_COHORTS, RIPENED, Cohorts
from app.domain.pacing import Moment, working_days
from app.domain.plans import Plan
from app.domain.progress import InFlight
from app.domain.quantities import Quantity
from app.domain.spans import Span
from app.domain.survival import Learned

ZERO, ONE = Fraction(0), Fraction(1)
# Below this much of the usual yield a number of items to begin would be absurd.
RIPE = Fraction(1, 20)


class Lag(Protocol):
    """How long items take to yield."""

    @property
    def longest(self) -> int:
        """Days after which nothing more comes."""

    def share(self, age: int) -> Fraction:
        """Of all that an item's day ever yields, what has come by the end of so many days later.

        Never falls, 0 for a negative age and 1 from `longest` on.
        """


@dataclass(frozen=True, slots=True)
class Point:
    """Everything comes on one day: all that a plan's mean lag says."""

    days: int

    @property
    def longest(self) -> int:
        """The mean itself."""
        return self.days

    def share(self, age: int) -> Fraction:
        """Nothing before that day's end, then everything."""
        return ONE if age >= self.days else ZERO


def lags_of(plan: Plan, learned: Mapping[str, Learned] = NO_COHORTS.lags) -> dict[str, Lag]:
    """The lags of a plan's conversions, by the goal that is converted to; none for at once.

    learned: what was seen goes before what the plan assumes
    """
    found: dict[str, Lag] = {}
    for goal in plan.root.walk():
        if goal.conversion:
            planned = goal.conversion.lag_days
            lag = learned.get(goal.key) or Point(planned)
            if planned or lag.longest:
                found[goal.key] = lag
    return found


@dataclass(frozen=True, slots=True)
class Lately:
    """What was counted day by day up to the last day that is counted at all.

    days: `today` itself, and what `wanted` says of the days before it
    """

    today: date
    days: Mapping[date, Counted]
    cohorts: Cohorts = NO_COHORTS


NOTHING_LATELY = Lately(date.min, {})


def wanted(
    plan: Plan,
    today: date,
    learned: Mapping[str, Learned] = NO_COHORTS.lags,
    *,
    booked: bool = False,
) -> tuple[frozenset[str], Span]:
    """The metrics whose items may be in flight on a day, and the days before it they began on.

    Days before the period are among them: what was begun then yields in it. None once it is over.
    With a learned lag also the RIPENED days before, of which it is known how many turned out.
    booked: also of those that may have been open on any day of the period
    """
    lags = lags_of(plan, learned) if today < plan.span.until else {}
    fed = [
        goal.conversion.child for goal in plan.root.walk() if goal.conversion and goal.key in lags
    ]
    longest = timedelta(max((lag.longest for lag in lags.values()), default=0))
    follows = not learned.keys().isdisjoint(lags)
    seen = today - timedelta(days=RIPENED) if follows else today
    if booked and follows:
        seen = min(seen, plan.span.first)
    return frozenset(goal.metric.key for goal in fed), Span(seen - longest, today)


def still_to_come(lag: Lag, begun: date, now: Moment, until: date) -> Fraction:
    """Of what a day's items yield, the part that comes from a moment up to a day.

    What comes today comes along with the working hours, as everything that is expected does.
    """
    return max(lag.share((until - begun).days - 1) - come_by_now(lag, begun, now), ZERO)


def come_by_now(lag: Lag, begun: date, now: Moment) -> Fraction:
    """Of what a day's items yield, the part that has come by a moment."""
    age = (now.day - begun).days
    before = lag.share(age - 1)
    return before + now.share * (lag.share(age) - before)


# When how many of a day's items turned out.
Ends = Mapping[date, Sequence[tuple[date, int]]]


class To(NamedTuple):
    """Where a goal stands in a scope."""

    target: Fraction
    actual: Fraction


@dataclass(frozen=True, slots=True)
class At:
    """A moment from which on the rest is solved: where the goals stand, and what was begun before.

    before: the first day whose items are not in `goals` yet
    """

    now: Moment
    before: date
    goals: Mapping[str, To]


@dataclass(frozen=True)
class Rest:
    """The days that are left from a moment until a day, over which what is left is spread."""

    days: tuple[Stint, ...]
    workdays: Workdays
    now: Moment
    until: date

    @cached_property
    def whole(self) -> Fraction:
        """All of them, as they weigh."""
        return self.before(self.until)

    def before(self, day: date) -> Fraction:
        """Those before a day that is not after the last of them."""
        return working_days(self.days, self.workdays, self.now, day).remaining


@dataclass(frozen=True, slots=True)
class Course:
    """A scope on its way through a plan.

    weighted: the workdays by what the plan's days of the week weigh, the very same where alike
    days: whose working days are counted; begun: what was counted, by day; lags: see `lags_of`;
    turned: of what began, when how many turned out, by goal and the day of beginning; only of
    goals of which that is known
    """

    plan: Plan
    workdays: Workdays
    weighted: Workdays
    days: tuple[Stint, ...]
    begun: Mapping[date, Sums]
    lags: Mapping[str, Lag]
    turned: Mapping[str, Ends] = field(default_factory=dict)

    def open_days(self, now: Moment, until: date) -> Fraction:
        """The working days that are left before a day."""
        return working_days(self.days, self.workdays, now, until).remaining

    def rest(self, now: Moment, until: date) -> Rest:
        """The days that are left before a day, each as it weighs.

        Alike where only days without weight are left, for they are days at work all the same.
        """
        weighted = Rest(self.days, self.weighted, now, until)
        if self.weighted is self.workdays or weighted.whole:
            return weighted
        return Rest(self.days, self.workdays, now, until)

    def flights(self, at: At) -> dict[str, InFlight]:
        """What is in flight to each goal whose conversion takes time, by its key."""
        # A period that is still ahead expects what will come in it, not what comes before.
        first = self.plan.span.first
        now = at.now if at.now.day >= first else Moment(first, ZERO)
        return {
            goal.key: self._flight(goal, goal.conversion, now, at)
            for goal in self.plan.root.walk()
            if goal.conversion and goal.key in self.lags
        }

    def _flight(self, goal: Goal, conversion: Conversion, now: Moment, at: At) -> InFlight:
        lag, until, child = self.lags[goal.key], self.plan.deadlines[goal.key], conversion.child
        rate, ends = conversion.rate.value, self.turned.get(goal.key)
        items: Quantity = 0
        expected = ZERO
        for day, sums in self.begun.items():
            part = still_to_come(lag, day, now, until) if day < at.before else ZERO
            if not part:
                continue
            number, each = amount(child, sums).number, reading(child, sums)
            if ends is not None and rate <= 1:
                gone = sum(n for became, n in ends.get(day, ()) if became < at.before)
                number = max(number - gone, 0)
                # As it was found open, also where what counts begins with a period ahead.
                still = 1 - rate * come_by_now(lag, day, at.now)
                each = Fraction(child.metric.counted(number)) / still
            items += child.metric.counted(number)
            expected += part * each
        return InFlight(items, expected * rate)

    def needs(self, at: At, flights: Mapping[str, InFlight]) -> dict[str, Fraction | None]:
        """What is still needed of every goal so that the root is reached, by key.

        The root's remainder is taken down the chain: less what is in flight, divided by the
        assumed rate, whatever the goals below were meant to reach by themselves. A sum's is split
        over its parts by their own remainders. None: new work can no longer convert in time.
        Influences, and what is below them, are in no chain and have no entry.
        """
        target, actual = at.goals[self.plan.root.key]
        found: dict[str, Fraction | None] = {}
        waiting: list[tuple[Goal, Fraction | None]] = [(self.plan.root, max(target - actual, ZERO))]
        for goal, need in waiting:  # grows while it is gone through: parents first
            found[goal.key] = need
            if goal.conversion:
                below = self._to_begin(goal, goal.conversion, need, at, flights)
                waiting.append((goal.conversion.child, below))
            else:
                waiting += zip(goal.parts, _split(need, goal.parts, at.goals), strict=True)
        return found

    def _to_begin(
        self,
        goal: Goal,
        conversion: Conversion,
        need: Fraction | None,
        at: At,
        flights: Mapping[str, InFlight],
    ) -> Fraction | None:
        if need is None:
            return None
        flight = flights.get(goal.key)
        rest = max(need - flight.expected, ZERO) if flight else need
        if not rest:
            return rest
        ripe = self._ripe(goal, conversion.child, at.now)
        return rest / (conversion.rate.value * ripe) if ripe >= RIPE else None

    def _ripe(self, goal: Goal, child: Goal, now: Moment) -> Fraction:
        """The mean share of the yield that still comes in time, of items begun from now on.

        They are begun over the working days up to their own deadline, as these weigh.
        """
        lag = self.lags.get(goal.key)
        if lag is None:
            return ONE
        until, due = self.plan.deadlines[child.key], self.plan.deadlines[goal.key]
        whole = min(max(due - timedelta(days=lag.longest), self.plan.span.first), until)
        rest = self.rest(now, until)
        if not rest.whole:
            return ZERO
        begun = rest.before(whole)
        total = begun
        for day in days_of(Span(max(now.day, whole), until)):
            by_then = rest.before(day + ONE_DAY)
            total += (by_then - begun) * lag.share((due - day).days - 1)
            begun = by_then
        return total / rest.whole


def days_of(span: Span) -> Iterator[date]:
    """Every day of a span, in order; none of an empty one."""
    return (span.first + timedelta(days=n) for n in range((span.until - span.first).days))


def _split(
    need: Fraction | None, parts: tuple[Goal, ...], goals: Mapping[str, To]
) -> list[Fraction | None]:
    """A sum's need over its parts: by what each has left, else by what each is meant to be."""
    if need is None:
        return [None for _ in parts]
    left = [max(goals[part.key].target - goals[part.key].actual, ZERO) for part in parts]
    meant = [goals[part.key].target for part in parts]
    by = next((some for some in (left, meant) if any(some)), [ONE for _ in parts])
    return [need * one / sum(by, ZERO) for one in by]
