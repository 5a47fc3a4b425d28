"""The streams of a plan: what each scope converted day by day, and whether a rate has drifted.

For every conversion and everyone asked about, the tallies of the days are read as trials and
successes, and evidence runs over them (`running`). It begins anew with every period. Beside it, a
person's rate is told in the light of everybody's (`shrinkage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from app.domain.allocation import Person
from app.domain.attribution import NOTHING, Amount, Counted, Standing
from app.domain.belonging import lies_in
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.items import NO_COHORTS, Cohorts
from app.domain.metrics import Aggregation, UnitKind
from app.domain.progress import (
    NO_DRIFT,
    Drift,
    DriftState,
    GoalProgress,
    Progress,
    Rate,
    Reason,
    Scope,
    ScopedProgress,
)
from app.domain.quantities import written
from app.domain.ripening import ripening
from app.domain.running import (
    PAST,
    Course,
    judged,
    running,
    running_items,
    running_late,
    settled,
    uneven,
)
from app.domain.scopes import WHOLE
from app.domain.shrinkage import Priors, Seen, priors
from app.domain.spans import Span

_LONGEST_PAST = 366
_ONE_DAY = timedelta(days=1)

# By metric, then by day.
Daily = Mapping[str, Mapping[date, Amount]]


@dataclass(frozen=True, slots=True)
class Tallied:
    """What was counted day by day, from some days before the period until now.

    span: the days that were looked at
    everybody: of all people of the plan together, unless `members` is given
    members: by member, for scopes that are less than the whole; those who are in none of them
        may be left out where `done` tells of everybody
    done: by member and metric, what everybody did in the period as one of the plan
    past: of all people together, before the period: how much weeks differ
    since: by goal, the day from which its rate is assumed, where that was changed on the way
    cohorts: which items turned out; over: the first of the days that are not over
    """

    span: Span
    everybody: Daily = field(default_factory=dict)
    members: Mapping[str, Daily] | None = None
    past: Daily = field(default_factory=dict)
    since: Mapping[str, date] = field(default_factory=dict)
    done: Mapping[str, Mapping[str, Amount]] | None = None
    cohorts: Cohorts = NO_COHORTS
    over: date = date.max


def done_by_member(counted: Counted) -> dict[str, dict[str, Amount]]:
    """What everybody did in the period as one of the plan, by member and metric.

    Of what is money the currencies would be mixed; of that there are no streams.
    """
    found: dict[str, dict[str, Amount]] = {}
    for place, sums in counted.items():
        if place.standing is Standing.IN_PLAN:
            of = found.setdefault(place.member, {})
            for key, amount in sums.items():
                of[key.metric] = of.get(key.metric, NOTHING).plus(amount)
    return found


class Stream(NamedTuple):
    """A conversion whose rate is a probability: things of things."""

    goal: Goal
    child: Goal
    assumed: Fraction
    lag: int


def streams(goals: Iterable[Goal]) -> list[Stream]:
    """The conversions of some goals that can be told to have drifted; of money there is none."""
    found = (
        Stream(goal, goal.conversion.child, goal.conversion.rate.value, goal.conversion.lag_days)
        for goal in goals
        if goal.conversion is not None
    )
    return [
        one
        for one in found
        if {one.goal.unit.kind, one.child.unit.kind} == {UnitKind.COUNT} and one.assumed < 1
    ]


def past_days(base: Ground, cohorts: Cohorts = NO_COHORTS) -> int:
    """How many days before the period a plan's lags ask for."""
    asked = (_asked(one, cohorts) for one in streams(base.plan.root.walk()))
    return min(max(asked, default=0), _LONGEST_PAST)


def _asked(stream: Stream, cohorts: Cohorts) -> int:
    """Of items no more than what is open; of tallies as long again, when something has to begin."""
    if stream.goal.key in cohorts.turned:
        return cohorts.yardsticks[stream.goal.key].lag.longest
    learned = cohorts.lags.get(stream.goal.key)
    if learned is None:
        return PAST * stream.lag
    return 2 * (learned.longest + 1) if learned.longest else 0


def drifted(progress: Progress, base: Ground, tallied: Tallied) -> Progress:
    """A progress whose rates say whether they have drifted, and people's in the light of all."""
    found = _Streams(base, tallied)
    return replace(
        progress,
        whole=found.scoped(progress.whole),
        breakdown=tuple(found.scoped(part) for part in progress.breakdown),
    )


class _Streams:
    """The streams of one progress; what all scopes share is worked out once."""

    def __init__(self, base: Ground, tallied: Tallied) -> None:
        self._base = base
        self._tallied = tallied
        self._first = base.plan.span.first
        self._past = (self._first - tallied.span.first).days
        self._last = min(tallied.span.until, base.plan.span.until) - _ONE_DAY
        self._found: dict[tuple[Scope, str], list[int]] = {}
        self._seen_of: dict[tuple[Scope, str], Seen] = {}
        self._streams = {one.goal.key: one for one in streams(base.plan.root.walk())}
        self._ripes = {key: self._ripe(one) for key, one in self._streams.items()}
        self._spreads = {key: self._spread(one) for key, one in self._streams.items()}
        narrow = tallied.members is not None and bool(base.persons)
        self._priors = (
            {key: self._prior(one) for key, one in self._streams.items()} if narrow else {}
        )

    def scoped(self, part: ScopedProgress) -> ScopedProgress:
        """The tree of a scope with what its streams tell."""
        return replace(part, root=self._goal(part.root, part.scope))

    def _goal(self, goal: GoalProgress, scope: Scope) -> GoalProgress:
        children = tuple(self._goal(child, scope) for child in goal.children)
        stream = self._streams.get(goal.key)
        if goal.rate is None or stream is None:
            return replace(goal, children=children)
        rate = replace(
            goal.rate, drift=self._drift(scope, stream), shrunken=self._shrunken(scope, stream)
        )
        reasons = (*goal.reasons, *_too_little(rate, scope))
        return replace(goal, rate=rate, reasons=reasons, children=children)

    def _drift(self, scope: Scope, stream: Stream) -> Drift:
        """It begins with the period, or anew with a rate that is assumed since a day of it."""
        first = max(self._tallied.since.get(stream.goal.key, self._first), self._first)
        past = (first - self._tallied.span.first).days
        begun, became = (self._daily(scope, goal) for goal in (stream.child, stream.goal))
        if stream.goal.key in self._tallied.cohorts.turned:
            spread = self._spreads[stream.goal.key]
            return judged(
                self._by_items(scope, stream, begun, past), first, DriftState.PROVEN, spread
            )
        ripe, decided = self._ripes[stream.goal.key]
        # With a lag there is also what had begun before.
        counts = past if len(ripe) == 1 else 0
        trials, successes = sum(begun[counts:]), sum(became[counts:])
        # More came than there was to come of, or a correction of what was never counted: no trials.
        if not trials or successes > trials or min((*begun, *became)) < 0:
            return NO_DRIFT
        assumed, spread = float(stream.assumed), self._spreads[stream.goal.key]
        if len(ripe) == 1:
            evidence = running(begun[past:], became[past:], assumed, spread)
            return judged(evidence, first, DriftState.PROVEN, spread)
        late = running_late(begun, became, assumed, (ripe, decided, past), spread)
        # How the lag lies is not measured, and a rule by a wrong lag is wrong more often.
        return judged(late, first, DriftState.SUSPECTED, spread)

    def _by_items(self, scope: Scope, stream: Stream, begun: list[float], past: int) -> Course:
        """Each item by itself, on the days that are over, by the lag that was learned."""
        key, start = stream.goal.key, self._tallied.span.first
        assumed = float(stream.assumed * self._tallied.cohorts.yardsticks[key].linked)
        unit = float(_unit(stream.child))
        ends = [
            ((one.begun - start).days, max((one.became - one.begun).days, 0), one.number * unit)
            for one in self._tallied.cohorts.turned[key]
            if one.begun >= start
            and one.became < self._tallied.over
            and lies_in(self._base.plan, scope, one.place)
        ]
        seen = begun[: max((self._tallied.over - start).days, 0)]
        spread = self._spreads[key]
        return running_items(seen, ends, assumed, (self._ripes[key][0], past), spread)

    def _spread(self, stream: Stream) -> float:
        """By how much the weeks before the period differ; with a lag, against what was due then."""
        days = self._tallied.past
        span = Span(min(days.get(stream.child.metric.key, {}), default=self._first), self._first)
        begun, became = (
            _counts(goal, _by_day(goal, days, span)) for goal in (stream.child, stream.goal)
        )
        return uneven(begun, became, *self._ripes[stream.goal.key])

    def _ripe(self, stream: Stream) -> tuple[Sequence[float], int]:
        """The share of conversions at each age, and the age at which all but all have come."""
        test = self._tallied.cohorts.yardsticks.get(stream.goal.key)
        learned = test.lag if test else self._tallied.cohorts.lags.get(stream.goal.key)
        if learned is not None:
            return learned.steps, learned.settled
        lag = stream.lag
        return ripening(lag, PAST * lag) if lag else (1.0,), settled(lag)

    def _prior(self, stream: Stream) -> Priors:
        persons = self._base.persons
        seen = {member: self._seen(Scope(member=member), stream) for member in persons}
        teams = {member: _team(person, self._last) for member, person in persons.items()}
        return priors(seen, teams, stream.assumed)

    def _shrunken(self, scope: Scope, stream: Stream) -> Fraction | None:
        found = self._priors.get(stream.goal.key)
        if found is None or scope == WHOLE:
            return None
        seen = self._seen(scope, stream)
        if scope.member is None:
            return found.team(seen)
        return found.person(seen, _team(self._base.persons[scope.member], self._last))

    def _seen(self, scope: Scope, stream: Stream) -> Seen:
        place = (scope, stream.goal.key)
        if place not in self._seen_of:
            self._seen_of[place] = self._sum(scope, stream)
        return self._seen_of[place]

    def _sum(self, scope: Scope, stream: Stream) -> Seen:
        """Of the period; where more came than there was to come of, that is all of it."""
        begun, became = (
            max(self._done(scope, goal), 0) * _unit(goal) for goal in (stream.child, stream.goal)
        )
        return Seen(min(became, begun), begun)

    def _done(self, scope: Scope, goal: Goal) -> int:
        done = self._tallied.done
        if done is None or scope.member is None or scope.team is not None:
            return sum(self._tallies(scope, goal)[self._past :])
        return _number(goal, done.get(scope.member, {}).get(goal.metric.key, NOTHING))

    def _daily(self, scope: Scope, goal: Goal) -> list[float]:
        """What was counted of a goal on each day, for a scope."""
        return _counts(goal, self._tallies(scope, goal))

    def _tallies(self, scope: Scope, goal: Goal) -> list[int]:
        """The same as it is tallied; each person is read once, and wholes are sums of people."""
        place = (scope, goal.metric.key)
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = self._read(scope, goal)
        return found

    def _read(self, scope: Scope, goal: Goal) -> list[int]:
        span, members = self._tallied.span, self._tallied.members
        if members is None:
            return _by_day(goal, self._tallied.everybody, span)
        if scope.member is None:
            people = (self._tallies(Scope(scope.team, member), goal) for member in members)
            return [sum(day) for day in zip(*people, strict=True)] or [0] * _length(span)
        found = [0] * _length(span)
        inside = _inside(self._base.persons[scope.member], scope.team)
        for day, amount in members.get(scope.member, {}).get(goal.metric.key, {}).items():
            at = max(day, self._first)
            if any(first <= at < until for first, until in inside):
                found[(day - span.first).days] += _number(goal, amount)
        return found


def _too_little(rate: Rate, scope: Scope) -> Iterable[Reason]:
    """Where the rate may be anything from nothing to twice the plan's, nobody should be judged."""
    told = None if rate.low is None or rate.high is None else rate.high - rate.low
    if scope.member is not None and told is not None and told > rate.assumed:
        yield Reason("not_enough_data", {"sample": written(rate.sample)})


def _number(goal: Goal, amount: Amount) -> int:
    return amount.number if goal.metric.aggregation is Aggregation.COUNT else amount.total


def _unit(goal: Goal) -> Fraction:
    """What one of a tally means: no whole one where credit is shared."""
    return goal.metric.reading(1, 1, "") or Fraction(0)


def _counts(goal: Goal, tallies: Sequence[int]) -> list[float]:
    unit = float(_unit(goal))
    return [number * unit for number in tallies]


def _length(span: Span) -> int:
    return (span.until - span.first).days


def _by_day(goal: Goal, days: Daily, span: Span) -> list[int]:
    found = [0] * _length(span)
    for day, amount in days.get(goal.metric.key, {}).items():
        if day in span:
            found[(day - span.first).days] = _number(goal, amount)
    return found


def _inside(person: Person, team: str | None) -> list[tuple[date, date]]:
    """When somebody is in the plan, and in a team; before the period, as it begins."""
    stints = (one for one in person.stints if team in (None, *one.line))
    return [(one.span.first, one.span.until) for one in stints]


def _team(person: Person, day: date) -> str | None:
    """The nearest team somebody was last in."""
    stints = [stint for stint in person.stints if stint.span.first <= day] or person.stints[:1]
    return next(iter(stints[-1].line), None)
