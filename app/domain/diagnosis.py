"""Why a goal is where it is: its gap, split over the steps below it, in units of the goal itself.

The gap between what was reached and what the plan expected by now is a difference of two products,
(volume x rate x ... x rate). Each factor gets its Shapley value: its effect averaged over all
orders in which the factors could have changed one after the other (Sun 1998; de Boer & Rodrigues
2019). It leaves no remainder, needs no order, and survives zeros and negatives, where logarithms
break. Effects are split per person and added up: people's rates may not be averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import NamedTuple

from app.domain.drift import (
    ASSUMED_DISPERSION,
    LOOK,
    TOLERATED,
    Certainty,
    certainty,
    log_e_rate,
    log_e_volume,
    tempered,
)
from app.domain.metrics import UnitKind
from app.domain.progress import Edge, GoalProgress, Progress, ScopedProgress
from app.domain.quantities import FRACTION_DIGITS, minor_digits

ZERO, ONE = Fraction(0), Fraction(1)
# What a step must be of the gap to be named as its cause.
LARGE = Fraction(1, 5)


class Step(NamedTuple):
    """What a factor is: a goal's own volume, or a goal per the goal that converts into it.

    `other`: what a goal has beside its parts, or without anything that it could come from.
    """

    goal: str
    per: str | None = None
    other: bool = False


class Factor(NamedTuple):
    """A step by the plan and as it was, to date."""

    step: Step
    planned: Fraction
    actual: Fraction


class To(NamedTuple):
    """A goal to date."""

    expected: Fraction
    actual: Fraction


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step cost or brought, in units of the goal; `shown` is rounded so that all add up.

    planned, actual: the step itself, of all together; None where its basis is nothing
    share: of the gap; None where there is no gap
    """

    step: Step
    planned: Fraction | None
    actual: Fraction | None
    exact: Fraction
    shown: Fraction
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Person:
    """The effects of one part, in the order of the whole's; member: None for no one's."""

    member: str | None
    gap: Fraction
    effects: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The step that is the largest part of a shortfall, and how sure it is that it has a cause.

    evidence: the e-value; None where none can be had: of money and time, and of a conversion with
        a lag whose past is not known
    """

    step: Step
    share: Fraction
    evidence: float | None
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A goal's gap to date, and where it comes from.

    on_pace, behind: the goals of the tree, the root first, by whether they are where expected
    mix: what the steps would be by everybody's rates together, less what they are; it adds up to 0
    """

    goal: GoalProgress
    on_pace: tuple[str, ...]
    behind: tuple[str, ...]
    effects: tuple[Effect, ...]
    people: tuple[Person, ...]
    named: Named | None
    mix: tuple[Fraction, ...]


def diagnose(progress: Progress) -> Diagnosis:
    """The diagnosis of a progress that is broken down by member, or is a member's own."""
    root = progress.whole.root
    people = [_amounts(part) for part in progress.breakdown]
    whole = _amounts(progress.whole)
    rest = {key: _less(to, [of[key] for of in people]) for key, to in whole.items()}
    named = [part.scope.member for part in progress.breakdown]
    parts = [*zip(named, people, strict=True)]
    if any(map(any, rest.values())):
        # A member asked for alone, a plan of everybody, or what counts without having anybody.
        parts.append((progress.whole.scope.member, rest))
    split = [(member, effects(_terms(root, of))) for member, of in parts]
    together = effects(_terms(root, whole))
    steps = _ordered(root, {step for found in (together, *(f for _, f in split)) for step in found})
    sums = {step: sum((found.get(step, ZERO) for _, found in split), ZERO) for step in steps}
    shown = _shown(root, sums)
    return Diagnosis(
        root,
        tuple(goal.key for goal in calculated(root) if goal.gap >= 0),
        tuple(goal.key for goal in calculated(root) if goal.gap < 0),
        tuple(_effect(root, step, sums[step], shown[step]) for step in steps),
        tuple(_person(member, found, steps) for member, found in split),
        _named(root, sums),
        tuple(together.get(step, ZERO) - sums[step] for step in steps),
    )


def effects(terms: Iterable[Sequence[Factor]]) -> dict[Step, Fraction]:
    """The Shapley values of a sum of products: those of each product, added up."""
    found: dict[Step, Fraction] = {}
    for factors in terms:
        for place, factor in enumerate(factors):
            others = [*factors[:place], *factors[place + 1 :]]
            effect = (factor.actual - factor.planned) * _averaged(others)
            found[factor.step] = found.get(factor.step, ZERO) + effect
    return found


def _averaged(factors: Iterable[Factor]) -> Fraction:
    """The product of the others, averaged over all orders: their integral from plan to actual.

    The weight of a set of s out of n others, s!(n-s)!/(n+1)!, is the integral of t^s (1-t)^(n-s).
    """
    powers = [ONE]
    for _, planned, actual in factors:
        step = actual - planned
        raised = [ZERO, *(step * power for power in powers)]
        powers = [planned * power + up for power, up in zip([*powers, ZERO], raised, strict=True)]
    return sum((power / (n + 1) for n, power in enumerate(powers)), ZERO)


def _amounts(part: ScopedProgress) -> dict[str, To]:
    return {goal.key: To(goal.expected, goal.actual) for goal in part.root.walk()}


def _less(whole: To, parts: Sequence[To]) -> To:
    expected = whole.expected - sum((part.expected for part in parts), ZERO)
    return To(expected, whole.actual - sum((part.actual for part in parts), ZERO))


def calculated(goal: GoalProgress) -> Iterator[GoalProgress]:
    """A goal and what it is calculated from, the goal first."""
    yield goal
    for child in goal.children:
        if child.edge is not Edge.INFLUENCE:
            yield from calculated(child)


def _terms(goal: GoalProgress, of: Mapping[str, To]) -> list[list[Factor]]:
    """A goal as a sum of products, both by the plan and as it was."""
    below = [child for child in goal.children if child.edge is not Edge.INFLUENCE]
    to = of[goal.key]
    if not below:
        return [[Factor(Step(goal.key), *to)]]
    if goal.rate is None:
        terms = [term for child in below for term in _terms(child, of)]
        beside = _less(to, [of[child.key] for child in below])
        return [*terms, *_unless_nothing(Factor(Step(goal.key, None, other=True), *beside))]
    (child,) = below
    basis = of[child.key]
    # To date: early in a period a step with a lag has had less time than the one before it.
    planned = to.expected / basis.expected if basis.expected else goal.rate.assumed
    actual = to.actual / basis.actual if basis.actual else planned
    rate = Factor(Step(goal.key, child.key), planned, actual)
    # What came although there was nothing that it could come from is the step's as well.
    without = Factor(
        rate.step,
        ZERO if basis.expected else to.expected,
        ZERO if basis.actual else to.actual,
    )
    return [*([*term, rate] for term in _terms(child, of)), *_unless_nothing(without)]


def _unless_nothing(factor: Factor) -> list[list[Factor]]:
    return [[factor]] if factor.planned or factor.actual else []


def _ordered(root: GoalProgress, steps: set[Step]) -> list[Step]:
    """From the bottom up: what is done, then what becomes of it."""
    places = {goal.key: place for place, goal in enumerate(calculated(root))}
    return sorted(steps, key=lambda step: (-places[step.goal], step.other))


def _shown(root: GoalProgress, sums: Mapping[Step, Fraction]) -> dict[Step, Fraction]:
    """Rounded by largest remainder, so that the lines add up to the gap as it would be rounded."""
    currency = root.unit.currency
    scale = 10 ** (FRACTION_DIGITS if currency is None else minor_digits(currency))
    floors = {step: floor(value * scale) for step, value in sums.items()}
    missing = round(sum(sums.values(), ZERO) * scale) - sum(floors.values())
    by_remainder = sorted(sums, key=lambda step: floors[step] - sums[step] * scale)
    for step in by_remainder[:missing]:
        floors[step] += 1
    return {step: Fraction(value, scale) for step, value in floors.items()}


def _effect(root: GoalProgress, step: Step, exact: Fraction, shown: Fraction) -> Effect:
    planned, actual = _to_date(root, step)
    share = exact / root.gap if root.gap else None
    return Effect(step, planned, actual, exact, shown, share)


def _to_date(root: GoalProgress, step: Step) -> tuple[Fraction | None, Fraction | None]:
    by_key = {goal.key: goal for goal in calculated(root)}
    goal = by_key[step.goal]
    if step.other:
        below = (child for child in goal.children if child.edge is not Edge.INFLUENCE)
        parts = [To(child.expected, child.actual) for child in below]
        return _less(To(goal.expected, goal.actual), parts)
    if step.per is None:
        return goal.expected, goal.actual
    child = by_key[step.per]
    return (
        goal.expected / child.expected if child.expected else None,
        goal.actual / child.actual if child.actual else None,
    )


def _person(member: str | None, found: Mapping[Step, Fraction], steps: Sequence[Step]) -> Person:
    split = tuple(found.get(step, ZERO) for step in steps)
    return Person(member, sum(split, ZERO), split)


def _named(root: GoalProgress, sums: Mapping[Step, Fraction]) -> Named | None:
    """The step that costs most, where it is a fifth of a shortfall or more."""
    if root.gap >= 0 or not sums:
        return None
    step = min(sums, key=lambda one: (sums[one], one.goal))
    share = sums[step] / root.gap
    if share < LARGE:
        return None
    evidence, word = _evidence(root, step)
    return Named(step, share, evidence, word)


def _evidence(root: GoalProgress, step: Step) -> tuple[float | None, Certainty]:
    by_key = {goal.key: goal for goal in calculated(root)}
    goal = by_key[step.goal]
    if goal.unit.kind is not UnitKind.COUNT or step.other:
        return None, Certainty.NOT_YET
    if step.per is None:
        return _judged(volume_evidence(goal))
    child, rate = by_key[step.per], goal.rate
    if rate is None or child.unit.kind is not UnitKind.COUNT:
        return None, Certainty.NOT_YET
    lag = rate.lag.longest if rate.lag else 0
    if lag or child.deadline != goal.deadline:
        # What is under way has not had the time to convert: the days tell, and no more than they.
        late = rate.drift.e_value
        return late, Certainty.LIKELY if late is not None and late >= LOOK else Certainty.NOT_YET
    if not 0 <= goal.actual <= child.actual or not 0 < rate.assumed < 1:
        return None, Certainty.NOT_YET
    log_e = log_e_rate(float(goal.actual), float(child.actual), float(rate.assumed) * TOLERATED)
    return _judged(tempered(log_e, rate.drift.dispersion or ASSUMED_DISPERSION))


def volume_evidence(goal: GoalProgress) -> float | None:
    """The e-value that a goal of things comes slower than the plan less a tenth."""
    expected = float(goal.expected) * TOLERATED
    if goal.unit.kind is not UnitKind.COUNT or expected <= 0 or goal.actual < 0:
        return None
    return tempered(log_e_volume(float(goal.actual), expected))


def _judged(evidence: float | None) -> tuple[float | None, Certainty]:
    return evidence, certainty(evidence)
