"""How far somebody comes on the way through a plan, where the way is not the plain one.

Worked out once per person and plan: of a moment only the own time since the last slice is new.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from fractions import Fraction
from itertools import accumulate, pairwise

from app.domain.allocation import Stint, effort
from app.domain.calendar import Workdays
from app.domain.pacing import Moment, elapsed
from app.domain.plans import Plan
from app.domain.slices import ONE, Slice

ZERO = Fraction(0)


class Path:
    """A person's way through the slices of a plan; without slices, by effort alone.

    Within a slice evenly by effort, each day as its day of the week weighs; where it has none, all
    of it at its end.
    """

    def __init__(
        self, plan: Plan, weighted: Workdays, stints: tuple[Stint, ...], start: date
    ) -> None:
        """start: the day from which the way is looked at: the plan's first, or of its revision."""
        slices = plan.slices or (Slice(plan.span, ONE),)
        self._stints, self._weighted = stints, weighted
        self._firsts = [piece.span.first for piece in slices]
        self._over = [ZERO, *accumulate(piece.share for piece in slices)]
        ends = (*self._firsts, plan.span.until)
        self._efforts = [effort(stints, weighted, day) for day in ends]
        self._paces = [
            piece.share / (after - before) if after > before else ZERO
            for piece, (before, after) in zip(slices, pairwise(self._efforts), strict=True)
        ]
        self._begun = self.run(Moment(start, ZERO))
        self._whole = {
            day: self.run(Moment(day, ZERO)) - self._begun for day in plan.deadlines.values()
        }

    def run(self, now: Moment) -> Fraction:
        """The share of the whole way that is over, 0 to 1."""
        place = bisect_right(self._firsts, now.day) - 1
        if place < 0:
            return ZERO
        if now.day >= self._weighted.span.until:
            return self._over[-1]
        over, pace = self._over[place], self._paces[place]
        if not pace:
            return over
        return over + pace * (elapsed(self._stints, self._weighted, now) - self._efforts[place])

    def part(self, run: Fraction, deadline: date) -> Fraction:
        """How much of the way from the start to a deadline of the plan is over, 0 to 1.

        run: how much of the whole way is, before the deadline
        """
        whole = self._whole[deadline]
        return max(run - self._begun, ZERO) / whole if whole else ZERO
