"""How good forecasts have been: each against what came, and against a plain run-rate.

The error of the median says how far off a forecast was; the CRPS also how honest its spread was,
in the same unit, the smaller the better (Gneiting, Raftery 2007); cover is how often the interval
of 80 % held; the Brier score is that of the probability of reaching the target (Brier 1950).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from app.domain.foreseen import ForecastLaw
from app.domain.predictive import Law, at_most, quantile
from app.domain.progress import GoalProgress

# Past errors widen the law, never narrow it, and at most threefold; as if six had been as expected.
_EXPECTED, _WIDEST = 6, 9.0
_CELLS = 20_000
# In so many periods a law must have been better than the usual one before it is used.
_BETTER_IN = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast as it was made, in its unit. done: what had come; counts: whether it is a count.

    elapsed: the share of the working time before the deadline that was over
    """

    counts: bool
    done: float
    elapsed: float
    target: float
    low: float
    median: float
    high: float
    mean: float
    deviation: float
    probability: float


def made_of(goal: GoalProgress, *, counts: bool) -> Made | None:
    """The forecast of a goal; None where there is none. What came too late is not in it."""
    found = goal.forecast
    if found is None:
        return None
    return Made(
        counts,
        float(goal.actual - goal.next_period),
        float(goal.expected / goal.target) if goal.target else 1.0,
        float(goal.target),
        float(found.low),
        float(found.median),
        float(found.high),
        float(found.mean),
        found.deviation,
        float(found.probability),
    )


@dataclass(frozen=True, slots=True)
class Score:
    """One forecast against what came. error, crps: in the unit; brier: of the probability."""

    actual: float
    error: float
    crps: float
    covered: bool
    brier: float
    surprise: float


class Totals(NamedTuple):
    """Scores added up. came: of all that was forecast, as often as it was."""

    number: int = 0
    came: float = 0.0
    error: float = 0.0
    crps: float = 0.0
    covered: int = 0
    brier: float = 0.0

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        return Totals(
            self.number + other.number,
            self.came + other.came,
            self.error + other.error,
            self.crps + other.crps,
            self.covered + other.covered,
            self.brier + other.brier,
        )


class Stage(StrEnum):
    """How far a period is when a forecast is made: in its first, second or last third."""

    EARLY = "early"
    MIDDLE = "middle"
    LATE = "late"


def stage_of(elapsed: float) -> Stage:
    """The third in which so much of the working time is over."""
    return tuple(Stage)[min(int(3 * elapsed), 2)]


@dataclass(frozen=True, slots=True)
class Scores:
    """Of several forecasts. wape, crps: of all that came; None where nothing came."""

    number: int
    wape: float | None
    crps: float | None
    cover: float | None
    brier: float | None


def score(made: Made, actual: float) -> Score:
    """A forecast against what came. surprise: the error of the mean in standard deviations."""
    off = actual - made.mean
    return Score(
        actual,
        abs(actual - made.median),
        crps(made, actual),
        made.low <= actual <= made.high,
        (made.probability - (actual >= made.target)) ** 2,
        off / made.deviation if made.deviation else 0.0,
    )


def scored(scores: Iterable[Score]) -> Scores:
    """Several together: errors are added up before they are divided by what came."""
    return summary(added(scores))


def added(scores: Iterable[Score]) -> Totals:
    """Scores added up."""
    total = Totals()
    for one in scores:
        own = Totals(1, abs(one.actual), one.error, one.crps, int(one.covered), one.brier)
        total = total.plus(own)
    return total


def summary(total: Totals) -> Scores:
    """What added scores say."""
    number, came = total.number, total.came
    return Scores(
        number,
        total.error / came if came else None,
        total.crps / came if came else None,
        total.covered / number if number else None,
        total.brier / number if number else None,
    )


def run_rate(made: Made) -> Made:
    """What a plain run-rate says at the same moment: so much a working day, and chance alone."""
    rest = made.done / made.elapsed * (1 - made.elapsed) if made.elapsed else 0.0
    if not made.counts:
        end = made.done + rest
        reached = float(end >= made.target)
        return replace(
            made, low=end, median=end, high=end, mean=end, deviation=0.0, probability=reached
        )
    law = Law(np.array(rest), np.array(rest))
    low, median, high = (made.done + int(quantile(law, share)) for share in (0.1, 0.5, 0.9))
    reach = 1 - float(at_most(law, np.ceil(made.target - made.done) - 1))
    return replace(
        made,
        low=low,
        median=median,
        high=high,
        mean=made.done + rest,
        deviation=float(np.sqrt(rest)),
        probability=reach,
    )


def crps(made: Made, actual: float) -> float:
    """The continuous ranked probability score of what was still to come."""
    mean, came = made.mean - made.done, actual - made.done
    if mean <= 0 or not made.deviation:
        return abs(came - mean)
    if made.counts and max(mean + 12 * made.deviation, came) < _CELLS:
        return _of_counts(Law(np.array(mean), np.array(made.deviation**2)), came)
    return _of_amounts(mean, made.deviation, came)


def _of_counts(law: Law, came: float) -> float:
    """The sum over all numbers of the squared distance of the law from what came."""
    last = int(max(quantile(law, 1 - 1e-9), np.ceil(came))) + 1
    numbers = np.arange(last + 1.0)
    return float(((at_most(law, numbers) - (numbers >= came)) ** 2).sum())


def _of_amounts(mean: float, deviation: float, came: float) -> float:
    """The same for a gamma law of this mean and deviation, in closed form."""
    from scipy.special import (  # noqa: PLC0415 - a seventh of a start that may never be asked this
        betaln,
        gammainc,
    )

    shape, scale = (mean / deviation) ** 2, deviation**2 / mean
    place = max(came, 0.0) / scale
    below, above = gammainc(shape, place), gammainc(shape + 1, place)
    between = scale * np.exp(-betaln(0.5, shape))
    found = came * (2 * below - 1) - mean * (2 * above - 1) - between
    return float(max(found, 0.0))


def widened(squares: float, number: int) -> float:
    """By how much the variance of a law is to be multiplied, after so many surprises.

    squares: the sum of their squares
    """
    return min(max((_EXPECTED + squares) / (_EXPECTED + number), 1.0), _WIDEST)


def earns(periods: Iterable[tuple[float, float]]) -> bool:
    """Whether a law is used instead of the usual one, by the CRPS of both in earlier periods.

    periods: of each in which both were kept, the law's and the usual one's, of the same forecasts
    """
    told = list(periods)
    better = sum(own < usual for own, usual in told)
    return better >= _BETTER_IN and sum(own for own, _ in told) < sum(usual for _, usual in told)


@dataclass(frozen=True, slots=True)
class Said:
    """A forecast at the end of a day; at: when it was kept; other: by the law not in force."""

    day: date
    at: int
    made: Made
    law: ForecastLaw
    other: Made | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How good forecasts of a goal have been at a stage; level: plan, team or member.

    laws: of those of the whole that were made by both laws, each law's; empty where none were
    """

    goal: str
    level: str
    stage: Stage
    forecast: Scores
    run_rate: Scores
    laws: Mapping[ForecastLaw, Scores]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Over how many periods of an alias, and how good."""

    alias: str
    periods: tuple[str, ...]
    items: tuple[Standing, ...]
