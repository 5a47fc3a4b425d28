"""Whether a conversion that takes its time has fallen, with what is unripe counted fairly.

An appointment of yesterday that is no deal yet is no lost one. So each item is looked at on each
day that it is still open: at age a it converts with the hazard h(p) = p f(a) / (1 - p F(a - 1)),
where f is the share of all conversions that come at that age and F what has come by then. The
likelihood of what was seen under lower rates, over that under the plan's, averaged over rates from
half to nine tenths of it, is an e-value at the end of every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.drift import LOWER

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


def ripening(mean: float, ages: int) -> tuple[float, ...]:
    """The share of conversions at each age in days, of a lag of which only the mean is known.

    Negative binomial of shape 2: few at once, most around half the mean, some much later. A mean
    of 0 is no lag: all at age 0.
    """
    late = mean / (2 + mean)
    return tuple((age + 1) * (1 - late) ** 2 * late**age for age in range(ages))


def log_e_hazard(
    converted: NDArray[float64], opened: NDArray[float64], rate: float, ripe: Sequence[float]
) -> NDArray[float64]:
    """The logarithm of the evidence that items convert at less than a rate in the end.

    converted, opened: by age in days along the last axis, how many items converted at that age and
        how many were still open when they reached it, all days so far together
    ripe: the share of conversions at each age; what it calls impossible is no evidence
    0 < rate < 1. Without a lag (all at age 0) this is the likelihood ratio of plain trials.
    """
    import numpy as np  # noqa: PLC0415 - loading it is a part of a start that may never need it

    share = np.asarray(ripe)
    before = np.cumsum(share) - share
    rates = rate * np.array([1.0, *LOWER])[:, None]
    hazards = np.where(share > 0, rates * share / (1 - rates * before), 0.5)
    hit, miss = np.log(hazards), np.log1p(-hazards)
    # One row for each of the lower rates; sums over ages are products with a matrix.
    ratios = converted @ (hit[1:] - hit[0]).T + (opened - converted) @ (miss[1:] - miss[0]).T
    found: NDArray[float64] = np.logaddexp.reduce(ratios, axis=-1) - np.log(len(LOWER))
    return found


def allotted(
    begun: NDArray[float64], became: NDArray[float64], rate: float, ripe: Sequence[float]
) -> tuple[NDArray[float64], NDArray[float64]]:
    """What was converted and what was open by day and age, of tallies that know no item.

    begun, became: by day along the last axis, how many items began and how many were converted
    Returned with an axis of ages behind it. A day's conversions are divided among the items that
    are open by their hazards, as they are expected to lie; what there is no open item for is left
    out.
    """
    import numpy as np  # noqa: PLC0415 - as above

    share = np.asarray(ripe)
    hazard = rate * share / (1 - rate * (np.cumsum(share) - share))
    shape = (*begun.shape, len(ripe))
    converted, opened = np.zeros(shape), np.zeros(shape)
    # By age: all grow a day older, and the oldest are given up.
    waiting = np.zeros((*begun.shape[:-1], len(ripe)))
    for day in range(begun.shape[-1]):
        waiting[..., 1:] = waiting[..., :-1].copy()
        waiting[..., 0] = begun[..., day]
        due = waiting * hazard
        whole = due.sum(axis=-1, keepdims=True)
        part = became[..., day, None] / np.where(whole > 0, whole, 1)
        came = np.minimum(waiting, due * part)
        opened[..., day, :], converted[..., day, :] = waiting, came
        waiting -= came
    return converted, opened
