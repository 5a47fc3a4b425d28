"""The open book: what items under way should have brought by now, and what they still should.

Each item is open until it turns out, and on a day on which it reaches an age it turns out with the
hazard that was learned of others at that age. So what should have come in a time is the sum of the
hazards of all that were open in it, item by item and age by age: what came less that is pure chance
as long as items convert as they did (the compensator of a counting process; Andersen, Borgan, Gill,
Keiding, Statistical Models Based on Counting Processes, II.4). What an open item should still bring
up to a day is 1 - S(its age on that day) / S(its age now). Days are places in the plan's period, 0
its first day and those before it negative; a running day's hazard is over as far as its hours.

These are expectations: floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.predictive import Floats, quotient
from app.domain.survival import Learned

Places = NDArray[np.intp]


class Now(NamedTuple):
    """A moment in a period: the place of its day, and the share of that day that is over."""

    place: int
    share: float


class End(NamedTuple):
    """Items that turned out: the place of the day they began on, at which age, and how many."""

    begun: int
    age: int
    number: float


class Book:
    """The items of a conversion, by the day on which they began."""

    def __init__(
        self, first: int, begun: Sequence[float], ends: Iterable[End], lag: Learned
    ) -> None:
        """first: the place of the first day of `begun`, how many items began on each day."""
        self._begun = np.array(begun, float)
        self._starts = first + np.arange(len(self._begun))
        within = [one for one in ends if first <= one.begun < first + len(begun)]
        self._row = np.array([one.begun - first for one in within], np.intp)
        self._age = np.array([one.age for one in within], np.intp)
        self._number = np.array([one.number for one in within], float)
        # From the age -1 on, at which everything is open and nothing was due.
        self._left = 1 - float(lag.rate) * np.array([0.0, *map(float, lag.shares)])
        hazards = quotient(self._left[:-1] - self._left[1:], self._left[:-1])
        self._hazards = np.concatenate([[0.0], np.cumsum(hazards)])

    def should_have_come(self, now: Now) -> float:
        """How many conversions should have come from the period's beginning to a moment."""
        over = self._by(self._hazards, now)
        before = _at(self._hazards, np.maximum(-self._starts, 0) - 1)
        due = self._begun * np.maximum(over - before, 0)
        gone = np.maximum(_at(self._hazards, self._age), before[self._row])
        np.subtract.at(due, self._row, self._number * np.maximum(over[self._row] - gone, 0))
        return float(np.maximum(due, 0).sum())

    def still_to_come(self, now: Now, until: int, arrivals: Floats) -> float:
        """How many should come from a moment up to a day of items that are open, and of new ones.

        arrivals: how many are still to begin on each day of the period
        """
        open_now = self._begun.copy()
        np.subtract.at(open_now, self._row, self._number)
        then = _at(self._left, until - self._starts - 1)
        staying = self._by(self._left, now)
        part = np.maximum(quotient(staying - then, staying), 0)
        new = 1 - _at(self._left, until - np.arange(len(arrivals)) - 1)
        return float((np.maximum(open_now, 0) * part).sum() + (arrivals * new).sum())

    def _by(self, values: Floats, now: Now) -> Floats:
        """Values by age, of each day's items at a moment."""
        ages = now.place - self._starts
        before = _at(values, ages - 1)
        found: Floats = before + now.share * (_at(values, ages) - before)
        return found


def _at(values: Floats, ages: Places) -> Floats:
    """Values by age from -1 on, which end at the last age that is known."""
    found: Floats = values[np.clip(ages + 1, 0, len(values) - 1)]
    return found
