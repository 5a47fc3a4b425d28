"""How much work makes a goal succeed, not only come out right on average.

At exactly the calculated number of calls the deals are reached about every second time. Of counts
that convert into counts each unit succeeds or does not, so what is above is binomial; where the
rate itself was only seen in a sample, beta-binomial. Searched is the smallest number with which
the goal above is reached in 80 of 100 cases; the chance grows with the number, so halving finds it.

Chances are the one thing here that floats hold: they are compared, never added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.domain.backcalc import display
from app.domain.goals import Goal
from app.domain.metrics import UnitKind
from app.domain.quantities import Quantity

SURE = 0.8
# Beyond these chance is less than the last digit of any target, and floats end.
_LARGEST_GOAL, _LARGEST_NUMBER = 10**9, 10**18
# Of the integral over a rate that is not known; twice as many change no answer by one.
_NODES = 64


@dataclass(frozen=True, slots=True)
class Needed:
    """What a goal must come to so that the count it feeds is reached in 80 of 100 cases.

    feeds: the topmost count that is reached by counts alone; rate: from this goal to that one
    chance: 0 to 1, of reaching it with exactly the calculated number, rounded up
    known: the number where the rate is as the plan says; uncertain: where it is only known from
    `successes` of `trials`; None without them
    """

    feeds: str
    rate: Fraction
    chance: float
    known: int
    uncertain: int | None = None
    trials: int | None = None


# What was done of a goal and of one that it is converted from.
Seen = Callable[[Goal, Goal], tuple[Quantity, Quantity] | None]


def _unseen(_top: Goal, _below: Goal) -> None:
    """What was done where nothing was."""


def needed(root: Goal, targets: Mapping[str, Fraction], seen: Seen = _unseen) -> dict[str, Needed]:
    """For every goal below a count that it converts into, by key. A rate above 1 is no chance.

    seen: what was done of a goal and of one below it in the past, where that is known
    """
    found: dict[str, Needed] = {}
    for top, below, rate in _successes(root):
        goal, work = (int(display(g, targets[g.key])) for g in (top, below))
        if goal > _LARGEST_GOAL or goal / rate > _LARGEST_NUMBER:
            continue
        by_number, sample = (
            chance(goal, float(rate)),
            _sample(seen(top, below)),
        )
        found[below.key] = Needed(
            top.key,
            rate,
            by_number(work),
            smallest(goal, by_number),
            sample and smallest(goal, chance_unsure(goal, *sample)),
            sample and sample[1],
        )
    return found


def _successes(goal: Goal) -> Iterator[tuple[Goal, Goal, Fraction]]:
    """Counts that are reached by counts: the topmost one, one below it, the rate between."""
    top, rate, at = goal, Fraction(1), goal
    while at.conversion:
        below, step = at.conversion.child, at.conversion.rate.value
        trials = {at.unit.kind, below.unit.kind} == {UnitKind.COUNT} and step <= 1
        top, rate = (top, rate * step) if trials else (below, Fraction(1))
        if trials:
            yield top, below, rate
        at = below
    for part in (*at.parts, *(other.goal for g in goal.chain() for other in g.influences)):
        yield from _successes(part)


def _sample(found: tuple[Quantity, Quantity] | None) -> tuple[int, int] | None:
    """A sample that says something: a rate of 0 or 1 would be known for certain, which it is not.

    Shared work is counted in parts; of those only what is whole was tried.
    """
    if found is None:
        return None
    hits, tries = map(int, found)
    return (hits, tries) if 0 < hits < tries else None


def smallest(goal: int, chance_of: Callable[[int], float], sure: float = SURE) -> int:
    """The smallest number at which a chance that grows with it is large enough."""
    low, high = goal, max(goal, 1)
    while high < _LARGEST_NUMBER and chance_of(high) < sure:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance_of(middle) >= sure else (middle + 1, high)
    return low


def chance(goal: int, rate: float) -> Callable[[int], float]:
    """The chance, by number of trials, that at least `goal` succeed, each at a known rate."""
    from scipy.special import betainc  # noqa: PLC0415 - a seventh of a start that may need none

    def of(number: int) -> float:
        if goal <= 0:
            return 1.0
        return float(betainc(goal, number - goal + 1, rate)) if number >= goal else 0.0

    return of


def chance_unsure(goal: int, successes: int, trials: int) -> Callable[[int], float]:
    """The same where the rate is only known from a sample (beta-binomial).

    The binomial chance, integrated over the rates that the sample allows; and since either of the
    two laws may be a step beside the other, the quantiles are those of the narrower one.
    """
    from scipy.special import (  # noqa: PLC0415 - as above
        betainc,
        betaincinv,
        roots_legendre,
    )

    places, weights = roots_legendre(_NODES)
    quantiles, weights = (places + 1) / 2, weights / 2
    failures = trials - successes
    rates = betaincinv(successes, failures, quantiles)

    def of(number: int) -> float:
        if goal <= 0:
            return 1.0
        if number < goal:
            return 0.0
        missed = number - goal + 1
        if goal > successes:
            needed_rates = betaincinv(goal, missed, quantiles)
            return 1.0 - float(weights @ betainc(successes, failures, needed_rates))
        return float(weights @ betainc(goal, missed, rates))

    return of
