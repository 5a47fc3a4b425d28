"""What stands out among everything that could: people x steps, and rates that call for a new plan.

Of a hundred streams some look bad by chance alone, and whoever looks at the worst one finds it. So
their evidence is weighed together (e-BH): of those that are told to stand out no more than one in
twenty is wrong on average, however the streams hang together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.domain.diagnosis import Step, calculated, volume_evidence
from app.domain.drift import stand_out
from app.domain.metrics import Unit
from app.domain.progress import DriftState, GoalProgress, Progress, Rate, ScopedProgress


@dataclass(frozen=True, slots=True)
class Signal:
    """A step of somebody's that is not as planned, and hardly by chance.

    member: None for a plan of everybody; name: of the member, or of the plan
    planned, actual: the rate, or the volume to date
    evidence: the e-value as it stands
    """

    member: str | None
    name: str
    step: Step
    planned: Fraction
    actual: Fraction
    evidence: float


@dataclass(frozen=True, slots=True)
class Needed:
    """What a goal is planned to reach, and what it would have to at the rate that was seen."""

    goal: str
    name: str
    unit: Unit
    planned: Fraction
    needed: Fraction


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rate that is proven to have drifted, and what a plan by the rate seen would ask below it.

    needed: of the goals from which this one is reached, the nearest first; each rate is looked at
        alone. None where nothing came at all: then no number would do.
    """

    goal: str
    per: str
    assumed: Fraction
    observed: Fraction
    since: date
    needed: tuple[Needed, ...] | None


def signals(progress: Progress) -> tuple[Signal, ...]:
    """The streams that stand out, of a progress that is broken down by member or is a member's."""
    told = [
        stream
        for part in progress.breakdown or (progress.whole,)
        for goal in calculated(part.root)
        for stream in _streams(part, goal)
    ]
    return tuple(told[place] for place in stand_out([one.evidence for one in told]))


def proposals(progress: Progress) -> tuple[Proposal, ...]:
    """What the rates that are proven to have drifted call for, in the scope that was asked for."""
    return tuple(
        proposal
        for goal in calculated(progress.whole.root)
        if (proposal := _proposal(goal)) is not None
    )


def _streams(part: ScopedProgress, goal: GoalProgress) -> Iterator[Signal]:
    """A goal's rate; of one that is reached from no other, how fast it grows."""
    whose = (part.scope.member, part.name)
    child, rate = goal.converted, goal.rate
    if child is not None and rate is not None:
        observed = _observed(rate)
        if rate.drift.e_value is not None and observed is not None:
            step = Step(goal.key, child.key)
            yield Signal(*whose, step, rate.assumed, observed, rate.drift.e_value)
    elif len([*calculated(goal)]) == 1:
        evidence = volume_evidence(goal)
        if evidence is not None:
            yield Signal(*whose, Step(goal.key), goal.expected, goal.actual, evidence)


def _proposal(goal: GoalProgress) -> Proposal | None:
    child, rate = goal.converted, goal.rate
    if child is None or rate is None:
        return None
    observed = _observed(rate)
    if observed is None or rate.drift.state is not DriftState.PROVEN or rate.drift.since is None:
        return None
    needed = None
    if observed:
        more = rate.assumed / observed
        needed = tuple(
            Needed(one.key, one.name, one.unit, one.target, one.target * more)
            for one in calculated(child)
        )
    return Proposal(goal.key, child.key, rate.assumed, observed, rate.drift.since, needed)


def _observed(rate: Rate) -> Fraction | None:
    """The rate that was seen; where items are followed, of those that have had their time."""
    return rate.observed if rate.matured is None else rate.matured.rate
