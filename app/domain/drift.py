"""Whether less than planned is more than bad luck, whoever looks and however often.

A test for one look is wrong one time in three for people who look every day. An e-value begins at
1 and stays, on average, where it is while the plan holds; so it ever reaches 20 in at most one of
20 such plans, whenever one stops to look (Ville 1939; Howard, Ramdas, McAuliffe, Sekhon 2021). The
alternatives are averaged over a prior cut off at the plan, in closed form.

Evidence is the one thing here that floats hold: it is compared with thresholds, never added up.
Numbers go in and come out one by one or as arrays of numpy, so that what is simulated is what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import exp, fsum, log
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

# One number, or an array of them.
Figure = TypeVar("Figure", float, "NDArray[float64]")

# Look at it; act. By Ville's inequality false in at most 1 of 20 and 1 of 100 sound plans.
LOOK, ACT = 20.0, 100.0
# Of a change on a day that is not known. It is no e-value: in a sound quarter it is reached in less
# than 1 of 100, and in some year it will be.
CHANGED = 1000.0
# Of many streams at once: at most this part of those that are said to stand out is wrong.
FALSE_DISCOVERIES = 0.05
# Days differ by more than chance: the variance is about this multiple of the binomial's or
# Poisson's, and evidence is taken to its root. Measured where there is history, else assumed.
ASSUMED_DISPERSION = 2.0
# Fewer weeks than this say nothing about how much they differ.
WEEKS_NEEDED = 8
# A shortfall of less than a tenth of the plan is not worth an alarm.
TOLERATED = 0.9
# How much the alternatives keep together, and that they lie a quarter below the plan.
_TRIALS, _EVENTS, _BELOW = 40.0, 20.0, 0.75
_LARGEST = 700.0  # of an exponent
# The rates that the plan's is compared with where no prior keeps them together, as parts of it.
LOWER = (0.5, 0.6, 0.7, 0.8, 0.9)


class Certainty(StrEnum):
    """How sure it is that a shortfall has a cause."""

    PROVEN = "proven"
    LIKELY = "likely"
    NOT_YET = "not_yet_distinguishable"


def certainty(evidence: float | None) -> Certainty:
    """The word for an e-value; without one nothing can be told apart."""
    if evidence is None or evidence < LOOK:
        return Certainty.NOT_YET
    return Certainty.PROVEN if evidence >= ACT else Certainty.LIKELY


def log_e_rate(successes: Figure, trials: Figure, rate: float) -> Figure:
    """The logarithm of the evidence that successes come at less than a rate of the trials.

    0 <= successes <= trials, 0 < rate < 1. Beta prior of mean 0.75 rate and strength 40, cut to
    (0, rate); valid for every true rate not below it.
    """
    from scipy.special import (  # noqa: PLC0415 - a seventh of a start that may never be asked this
        betainc,
        betaln,
    )

    a, b = _BELOW * rate * _TRIALS, (1 - _BELOW * rate) * _TRIALS
    missed = trials - successes
    seen = _log(betainc(a + successes, b + missed, rate)) + betaln(a + successes, b + missed)
    prior = log(betainc(a, b, rate)) + betaln(a, b)
    found: Figure = seen - prior - successes * log(rate) - missed * log(1 - rate)
    return found


def log_e_above(successes: Figure, trials: Figure, rate: float) -> Figure:
    """The same, that they come at more: the failures come at less than theirs."""
    return log_e_rate(trials - successes, trials, 1 - rate)


def log_e_apart(successes: Figure, trials: Figure, low: float, high: float) -> Figure:
    """The same, that they come at less than `low` or at more than `high`: the mean of the two.

    Valid for every true rate from `low` to `high`; 0 < low <= high < 1.
    """
    return either(log_e_rate(successes, trials, low), log_e_above(successes, trials, high))


def log_e_volume(count: Figure, expected: Figure) -> Figure:
    """The logarithm of the evidence that a count grows slower than what was expected by now.

    Gamma prior of mean 0.75 and shape 20 on the multiple of the planned pace, cut to (0, 1).
    """
    from scipy.special import (  # noqa: PLC0415 - as above
        gammainc,
        gammaln,
    )

    a, b = _EVENTS, _EVENTS / _BELOW
    seen = gammaln(a + count) + _log(gammainc(a + count, b + expected))
    prior = gammaln(a) + log(gammainc(a, b))
    found: Figure = seen - prior + a * log(b) - (a + count) * _log(b + expected) + expected
    return found


def log_changed(
    successes: NDArray[float64], trials: NDArray[float64], rate: float, dispersion: float = 1.0
) -> NDArray[float64]:
    """The logarithm of the evidence that the rate fell on some day, at the end of each.

    By day along the last axis, each day for itself. A CUSUM e-detector (Shin, Ramdas, Rinaldo
    2024): of each lower rate the evidence since the day from which there is most of it, averaged.
    What went well before the fall does not count against it, as it does in an e-value.
    """
    import numpy as np  # noqa: PLC0415 - as above

    lower = rate * np.array(LOWER)
    hit, miss = np.log(lower / rate), np.log((1 - lower) / (1 - rate))
    ratios = (successes[..., None] * hit + (trials - successes)[..., None] * miss) / dispersion
    # The largest sum that ends on a day is what there is by then, less the least before.
    sums = np.cumsum(ratios, axis=-2)
    least = np.minimum.accumulate(np.minimum(sums - ratios, 0), axis=-2)
    found: NDArray[float64] = np.logaddexp.reduce(sums - least, axis=-1) - log(len(LOWER))
    return found


def either(one: Figure, other: Figure) -> Figure:
    """The logarithm of the mean of two e-values, which is one: evidence for either of two things.

    Not their maximum: that would be twice as often wrong.
    """
    from numpy import logaddexp  # noqa: PLC0415 - as above

    found: Figure = logaddexp(one, other) - log(2)
    return found


def tempered(log_e: float, dispersion: float = ASSUMED_DISPERSION) -> float:
    """The e-value that is left where days vary by more than chance: the root of that order.

    Checked by simulation with independent shocks by day, not a theorem for slow ones.
    """
    return exp(min(log_e / dispersion, _LARGEST))


def dispersion(weeks: Iterable[tuple[float, float]]) -> float | None:
    """By how much weeks differ more than chance alone would have them, at least 1.

    weeks: (successes, trials) of each. All squared deviations over all that chance would make of
    them: divided week by week, one of hardly any trials would outweigh the others. None where
    fewer than eight of them had trials, or where the successes are no share of the trials.
    """
    told = [(successes, trials) for successes, trials in weeks if trials > 0]
    if len(told) < WEEKS_NEEDED:
        return None
    whole = fsum(trials for _, trials in told)
    rate = fsum(successes for successes, _ in told) / whole
    # The common rate follows each week a little: for weeks alike that is one of them less.
    chance = rate * (1 - rate) * (whole - fsum(n * n for _, n in told) / whole)
    if not 0 < rate < 1 or chance <= 0:
        return None
    return max(1.0, fsum((s - rate * n) ** 2 for s, n in told) / chance)


def stand_out(evidence: Sequence[float], level: float = FALSE_DISCOVERIES) -> tuple[int, ...]:
    """Which of many e-values stand out, by their places: e-BH (Wang and Ramdas 2022).

    The k largest, for the largest k of which the smallest is n / (k x level). However the streams
    hang together, no more than `level` of what is told is wrong on average.
    """
    ranked = sorted(range(len(evidence)), key=lambda place: (-evidence[place], place))
    enough = [
        k for k, place in enumerate(ranked, 1) if evidence[place] * k * level >= len(evidence)
    ]
    return tuple(sorted(ranked[: max(enough, default=0)]))


def _log(value: Figure) -> Figure:
    """The logarithm, of nothing too: evidence that is no more is minus infinity."""
    from numpy import errstate  # noqa: PLC0415 - as above
    from numpy import log as logarithm  # noqa: PLC0415 - as above

    with errstate(divide="ignore"):
        found: Figure = logarithm(value)
    return found
