"""Whether less than planned is more than bad luck, whoever looks and however often.

A test for one look is wrong one time in three for people who look every day. An e-value begins at
1 and stays, on average, where it is while the plan holds; so it ever reaches 20 in at most one of
20 such plans, whenever one stops to look (Ville 1939; Howard, Ramdas, McAuliffe, Sekhon 2021). The
alternatives are averaged over a prior cut off at the plan, in closed form.

Evidence is the one thing here that floats hold: it is compared with thresholds, never added up.
"""

from __future__ import annotations

from enum import StrEnum
from math import exp, inf, lgamma, log

# Look at it; act. By Ville's inequality false in at most 1 of 20 and 1 of 100 sound plans.
LOOK, ACT = 20.0, 100.0
# Days differ by more than chance: the variance is about this multiple of the binomial's or
# Poisson's, and evidence is taken to its root. Measured where there is history, else assumed.
ASSUMED_DISPERSION = 2.0
# A shortfall of less than a tenth of the plan is not worth an alarm.
TOLERATED = 0.9
# How much the alternatives keep together, and that they lie a quarter below the plan.
_TRIALS, _EVENTS, _BELOW = 40.0, 20.0, 0.75
_LARGEST = 700.0  # of an exponent


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


def log_e_rate(successes: float, trials: float, rate: float) -> float:
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
    prior = _log(betainc(a, b, rate)) + betaln(a, b)
    return float(seen - prior - successes * log(rate) - missed * log(1 - rate))


def log_e_volume(count: float, expected: float) -> float:
    """The logarithm of the evidence that a count grows slower than what was expected by now.

    Gamma prior of mean 0.75 and shape 20 on the multiple of the planned pace, cut to (0, 1).
    """
    from scipy.special import gammainc  # noqa: PLC0415 - as above

    a, b = _EVENTS, _EVENTS / _BELOW
    seen = lgamma(a + count) + _log(gammainc(a + count, b + expected))
    prior = lgamma(a) + _log(gammainc(a, b))
    return float(seen - prior + a * log(b) - (a + count) * log(b + expected) + expected)


def tempered(log_e: float, dispersion: float = ASSUMED_DISPERSION) -> float:
    """The e-value that is left where days vary by more than chance: the root of that order.

    Checked by simulation with independent shocks by day, not a theorem for slow ones.
    """
    return exp(min(log_e / dispersion, _LARGEST))


def _log(value: float) -> float:
    return log(value) if value > 0 else -inf
