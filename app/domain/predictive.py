"""The law of what is still to come in a count: Gamma-Poisson with two dispersions.

A rate per unit of exposure is known from before (`Level`) and learned from what has come
(Gelman et al., Bayesian Data Analysis, 2.6). Days vary by more than chance by a factor, and weeks
have good and bad luck of their own, so evidence counts for less than its number and what is to
come spreads more widely. The rest of the period is then a negative binomial of that mean and
variance; a Poisson where nothing spreads it further. Where items under way are followed, what they
should bring stands in the place of a rate times the time that is left.

Every function takes numbers or arrays of them, so that a thousand people are one call. These are
probabilities, not counts: floats.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = float | Floats
# What a rate is worth in days when evidence is weighed: the same for every level.
_WEIGHING = 8.0
# How sure it is before a period that items convert as they did, in conversions.
_TRUSTED = 20.0
# A variance this near the mean is the Poisson's own.
_POISSON = 1e-9


class Level(NamedTuple):
    """A rate before the period. rate: per unit of exposure; strength: shape of its Gamma law.

    dispersion: of days, 1 for pure chance; weeks: squared variation of the rate between weeks
    """

    rate: Numbers
    strength: Numbers
    dispersion: float = 1.0
    weeks: float = 0.01


class Exposure(NamedTuple):
    """Time that counts, over and still to come, and the sums of the squares of its weeks."""

    elapsed: Floats
    remaining: Floats
    elapsed_squares: Floats
    remaining_squares: Floats


class Due(NamedTuple):
    """Conversions of items under way: what should have come of them by now, and still should."""

    elapsed: Floats
    remaining: Floats


class Law(NamedTuple):
    """Mean and variance of a count to come."""

    mean: Floats
    variance: Floats


class Rate(NamedTuple):
    """A rate as it is known now: Gamma of this shape and mean."""

    shape: Floats
    mean: Floats


def rate_now(done: Floats, level: Level, exposure: Exposure) -> Rate:
    """The rate after what has come. A level of 0 knows nothing: then the pace so far goes on."""
    before, elapsed = np.asarray(level.rate, float), exposure.elapsed
    known = before > 0
    safe = np.where(known, before, 1.0)
    strength = np.where(known, level.strength, 0.0)
    dispersion = _dispersion(done, safe, level, exposure)
    shape = strength + done / dispersion
    return Rate(shape, quotient(shape, strength / safe + elapsed / dispersion))


def rate_of_items(done: Floats, due: Due, level: Level, exposure: Exposure) -> Rate:
    """The rate at which items under way will still convert, over the time that is left.

    What they should bring is corrected by what has come of what should have by now. That is Gamma
    as well, of mean 1 and as sure as _TRUSTED conversions before anything has come; each conversion
    counts for as much as in `rate_now`. The level gives how much days and weeks differ.
    """
    before = np.asarray(level.rate, float)
    dispersion = _dispersion(done, np.where(before > 0, before, 1.0), level, exposure)
    shape = _TRUSTED + done / dispersion
    corrected = due.remaining * shape / (_TRUSTED + due.elapsed / dispersion)
    return Rate(shape, quotient(corrected, exposure.remaining))


def _dispersion(done: Floats, before: Floats, level: Level, exposure: Exposure) -> Floats:
    """By how much less than its number what has come counts: days and weeks have luck in common."""
    each = (_WEIGHING + done) / (_WEIGHING / before + exposure.elapsed)
    found: Floats = level.dispersion + level.weeks * each * quotient(
        exposure.elapsed_squares, exposure.elapsed
    )
    return found


def to_come(rate: Rate, level: Level, exposure: Exposure, spread: Numbers = 1.0) -> Law:
    """What is still to come. spread: by how much past forecasts were too sure, as a variance."""
    mean = rate.mean * exposure.remaining
    weeks = level.weeks * rate.mean**2 * exposure.remaining_squares
    own = quotient(mean**2, rate.shape)
    return Law(mean, spread * (level.dispersion * mean + weeks + own))


def quotient(value: Floats, by: Floats) -> Floats:
    """Nothing by nothing is nothing."""
    return np.divide(
        value, by, out=np.zeros(np.broadcast_shapes(value.shape, by.shape)), where=by > 0
    )


def at_most(law: Law, count: Numbers) -> Floats:
    """The probability of so many or fewer."""
    from scipy.special import (  # noqa: PLC0415 - a seventh of a start that may never be asked this
        betainc,
        gammaincc,
    )

    mean, variance, k = np.broadcast_arrays(law.mean, law.variance, np.floor(count))
    wider = variance > mean * (1 + _POISSON)
    size = np.where(wider, mean**2, 1.0) / np.where(wider, variance - mean, 1.0)
    chance = size / (size + np.where(wider, mean, 1.0))
    k = np.maximum(k, -0.5)
    spread = betainc(size, k + 1, chance)
    pure = gammaincc(k + 1, np.where(wider, 1.0, mean))
    return np.where(np.asarray(np.floor(count)) < 0, 0.0, np.where(wider, spread, pure))


def quantile(law: Law, share: Numbers) -> NDArray[np.int64]:
    """The smallest count that so many of all cases do not exceed, 0 < share < 1.

    Of several shares at once, as arrays are broadcast.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - as above

    mean, variance, share = np.broadcast_arrays(law.mean, law.variance, share)
    law = Law(mean, variance)
    # Each look at the law costs, and the normal one of that mean and variance is seldom far off.
    spread = np.sqrt(variance)
    near, step = np.floor(mean + spread * ndtri(share)), np.ceil(spread / 8) + 1
    low, high = near - step, np.maximum(near + step, 0)
    while np.any(short := at_most(law, high) < share):
        step = np.where(short, 2 * step, step)
        low, high = np.where(short, high, low), np.where(short, high + step, high)
    while np.any(enough := at_most(law, low) >= share):
        step = np.where(enough, 2 * step, step)
        low, high = np.where(enough, low - step, low), np.where(enough, low, high)
    low = np.maximum(low, -1.0)  # never enough
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = at_most(law, middle) >= share
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    found: NDArray[np.int64] = high.astype(np.int64)
    return found
