"""The law of a sum to come: so many amounts, each of them like those that came before.

A number of deals whose law is known, times what deals bring: the compound law (Klugman, Panjer,
Willmot, Loss Models, 9). It is worked out on a lattice by its generating function instead of by
drawing: the generating function of the number, at that of one amount, back by a Fourier
transform. So the same question has the same answer, and a thousand people are not a million draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.predictive import Floats, Law, at_most, quantile

Waves = NDArray[np.complex128]
CELLS = 4_096
# Beyond so many standard deviations above the mean the lattice ends; what lies there is nothing.
_REACH = 12.0
_HAIR = 1e-9  # of a step: what division leaves


class Lattice(NamedTuple):
    """A sum's law: cumulative[n] is the probability of at most n steps."""

    step: float
    cumulative: Floats

    def at_most(self, steps: int) -> float:
        """The probability of so many steps or fewer."""
        last = len(self.cumulative) - 1
        return float(self.cumulative[min(steps, last)]) if steps >= 0 else 0.0

    def quantiles(self, shares: Floats) -> NDArray[np.int64]:
        """The fewest steps that so many of all cases do not exceed."""
        return np.searchsorted(self.cumulative, shares).astype(np.int64)


class Multiple(NamedTuple):
    """The law of a sum of equal amounts: that of their number."""

    step: float
    number: Law

    def at_most(self, steps: int) -> float:
        """The probability of so many amounts or fewer."""
        return float(at_most(self.number, steps))

    def quantiles(self, shares: Floats) -> NDArray[np.int64]:
        """The fewest amounts that so many of all cases do not exceed."""
        return quantile(self.number, shares)


SumLaw = Lattice | Multiple


def summed(law: Law, amounts: Floats, cells: int = CELLS) -> SumLaw:
    """The law of the sum of a number of amounts, each drawn from `amounts`, all alike.

    law: of the number, one mean and one variance. An amount below nothing counts as nothing: a
    correction is no new deal.
    """
    values = np.maximum(amounts, 0.0)
    if not float(law.mean) or not values.any():
        return Lattice(1.0, np.ones(1))
    if values.min() == values.max():
        return Multiple(float(values[0]), law)
    return _transformed(law, values, cells)


def _transformed(law: Law, values: Floats, cells: int) -> Lattice:
    mean, variance = float(law.mean), float(law.variance)
    each, spread = values.mean(), values.var()
    sd = np.sqrt(mean * spread + variance * each**2)
    step = (mean * each + _REACH * sd + values.max()) / (cells - 2)
    one = _masses(values / step, cells)
    transformed = np.fft.rfft(one)
    whole = np.fft.irfft(_generated(mean, variance, transformed), cells)
    return Lattice(step, np.minimum(np.cumsum(np.maximum(whole, 0.0)), 1.0))


def _masses(places: Floats, cells: int) -> Floats:
    """The amounts on the lattice, each divided between its neighbours so that the mean is kept."""
    masses = np.zeros(cells)
    below = np.floor(places).astype(int)
    part = places - below
    np.add.at(masses, below, (1 - part) / len(places))
    np.add.at(masses, below + 1, part / len(places))
    return masses


def _generated(mean: float, variance: float, at: Waves) -> Waves:
    """The generating function of the number: negative binomial, or Poisson where it is as wide."""
    if variance <= mean * (1 + 1e-9):
        pure: Waves = np.exp(mean * (at - 1))
        return pure
    size = mean**2 / (variance - mean)
    chance = size / (size + mean)
    wider: Waves = np.exp(size * (np.log(chance) - np.log(1 - (1 - chance) * at)))
    return wider


def at_most_sum(law: SumLaw, amount: float) -> float:
    """The probability of at most an amount."""
    return law.at_most(floor(amount / law.step + _HAIR))


def less_than_sum(law: SumLaw, amount: float) -> float:
    """The probability of less than an amount."""
    return law.at_most(ceil(amount / law.step - _HAIR) - 1)


def sum_quantiles(law: SumLaw, shares: Sequence[float]) -> list[float]:
    """The smallest amounts that so many of all cases do not exceed."""
    return [law.step * int(steps) for steps in law.quantiles(np.array(shares))]
