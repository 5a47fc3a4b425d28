"""When who of a plan is at work, and which of it is over: the time that forecasts count in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.experience import Experience, at_work, day_places
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.pacing import Moment, Portion
from app.domain.predictive import Exposure, Floats


class Roster(NamedTuple):
    """Who is at work when, for each portion. owner: to which of the parts each portion belongs."""

    portions: tuple[Portion, ...]
    owner: NDArray[np.intp]
    rows: Floats
    parts: int


class Time:
    """The days of a plan at a moment, for whoever is at work on them."""

    def __init__(self, base: Ground, known: Experience, now: Moment) -> None:
        self.base, self.known, self.now = base, known, now
        self._span, days = base.plan.span, len(known.presence)
        self._over = np.zeros(days)
        self._over[: self.place] = 1.0
        if now.day in self._span:
            self._over[self.place] = float(now.share)
        monday = self._span.first.toordinal() - 1
        weeks = np.arange(monday, monday + days) // 7 - monday // 7
        self._by_week = np.zeros((days, int(weeks[-1]) + 1))
        self._by_week[np.arange(days), weeks] = 1.0

    @property
    def place(self) -> int:
        """How many days of the plan lie before the moment's."""
        return day_places(self._span, self.now.day)

    def deadline(self, goal: Goal) -> int:
        """How many days of the plan lie before a goal's deadline."""
        return day_places(self._span, self.base.plan.deadlines[goal.key])

    def roster(self, parts: Sequence[Sequence[Portion]]) -> Roster:
        """Who is at work in each part."""
        portions = tuple(portion for part in parts for portion in part)
        rows = np.zeros((len(portions), len(self._over)))
        for row, portion in zip(rows, portions, strict=True):
            at_work(row, self._span, portion.stints, portion.person.capacity)
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return Roster(portions, owner, rows, len(parts))

    @cached_property
    def everybody(self) -> Roster:
        """Each person of the plan as a part of one's own."""
        shares = self.base.shares
        persons = self.base.persons.items()
        return self.roster([(Portion(p, shares[key], p.stints),) for key, p in persons])

    def ahead(self, goal: Goal) -> Floats:
        """What each day still brings of a goal to somebody at work on it, deadline or not."""
        left: Floats = self.known.weights(goal.metric.key) * (1 - self._over)
        return left

    def weeks(self, goal: Goal) -> tuple[Floats, Floats]:
        """What each day brings of a goal up to its deadline, by week: as far as over, and ahead."""
        weights = self.known.weights(goal.metric.key)
        weights[self.deadline(goal) :] = 0.0
        over, ahead = weights * self._over, weights * (1 - self._over)
        return self._by_week * over[:, np.newaxis], self._by_week * ahead[:, np.newaxis]


def exposed(rows: Floats, elapsed: Floats, remaining: Floats) -> Exposure:
    """Of people at work as the rows say, one row for each exposure, in what `Time.weeks` gives."""
    over, ahead = rows @ elapsed, rows @ remaining
    return Exposure(
        over.sum(axis=1),
        ahead.sum(axis=1),
        (over**2).sum(axis=1),
        (ahead**2).sum(axis=1),
    )
