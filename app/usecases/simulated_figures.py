"""Figures that were measured beside those they are held against, and what chance explains."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy import float64
from numpy.typing import NDArray

from app.domain.drift import LOOK

# How many runs the references were taken from, and how far chance may move either side.
_REFERENCE_RUNS = 4_000
_ERRORS = 4.0

Figures = NDArray[float64]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that was measured in so many runs, and the one it is held against.

    measured, low, high: shares of the runs, or days
    errors: by how many standard errors it lies outside of low to high, as they are rounded
    """

    what: str
    measured: float
    low: float
    high: float
    errors: float
    days: bool = False

    def written(self, figure: float) -> str:
        """A figure as it is shown: the day, or the per cents."""
        return f"day {figure:g}" if self.days else f"{100 * figure:.1f} %"

    @property
    def sound(self) -> bool:
        """Whether chance explains the difference."""
        return self.errors <= _ERRORS


def alarmed(logs: Figures, threshold: float = LOOK) -> NDArray[np.bool_]:
    """In which runs the evidence, by day along the last axis, ever reaches a threshold."""
    found: NDArray[np.bool_] = np.any(logs >= log(threshold), axis=1)
    return found


def reaching(
    what: str, logs: Figures, share: float, threshold: float = LOOK, digits: int = 3
) -> Row:
    """The share of runs that ever reach a threshold; the reference has so many digits."""
    return within(what, alarmed(logs, threshold), share, share, digits)


def within(what: str, hit: NDArray[np.bool_], low: float, high: float, digits: int = 6) -> Row:
    """The share of runs in which something happened, and between which it should lie."""
    measured, half = float(hit.mean()), 0.5 / 10**digits
    nearest = min(max(measured, low - half), high + half, 1.0)
    return Row(what, measured, low, high, _errors(measured, nearest, len(hit)))


def median_day(what: str, logs: Figures, day: int, threshold: float = LOOK) -> Row:
    """The day by which half of those that are found at all are found; the reference is whole."""
    first = (logs >= log(threshold)).argmax(axis=1)[alarmed(logs, threshold)] + 1
    if not len(first):
        return Row(what, 0, day, day, float("inf"), days=True)
    before, until = float((first < day).mean()), float((first <= day).mean())
    errors = _errors(min(max(0.5, before), until), 0.5, len(first))
    return Row(what, float(np.median(first)), day, day, errors, days=True)


def _errors(measured: float, nearest: float, runs: int) -> float:
    """How many standard errors two shares differ by, where both were measured."""
    if measured == nearest:
        return 0.0
    pooled = (measured * runs + nearest * _REFERENCE_RUNS) / (runs + _REFERENCE_RUNS)
    return abs(measured - nearest) / sqrt(pooled * (1 - pooled) * (1 / runs + 1 / _REFERENCE_RUNS))
