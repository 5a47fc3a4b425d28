"""Where a goal will end, how surely, and whether its gap is more than luck.

The plan as a whole is forecast from its own level and what has come (`predictive`). People are
never forecast from their own short history alone: what the team's rate of this period is, is
divided by what each was worth before, and learns from what each has done. Their means add up to
the whole's; medians and intervals of parts do not add up, and nothing pretends so.

A sum of amounts is so many of them, each like those before (`compound`). Without any history the
plan's own rate stands in its place, and its planned amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.compound import CELLS
from app.domain.experience import Experience, at_work, day_places, is_sum, planned_amount
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.levels import STRENGTH
from app.domain.outcomes import Ahead, Part, counts_ahead, sum_ahead
from app.domain.pacing import Moment, Portion
from app.domain.plans import Unassigned
from app.domain.predictive import (
    Exposure,
    Floats,
    Law,
    Level,
    Rate,
    quotient,
    rate_now,
    to_come,
)
from app.domain.quantities import Quantity

# How surely a person is worth what was seen of the team and of that person before.
MEMBER_STRENGTH = 15.0
# So many amounts are like a person's next ones; who has fewer borrows the others'.
OWN_AMOUNTS = 30
_COARSE = CELLS // 4


class Roster(NamedTuple):
    """Who is at work when, for each portion. owner: to which of the parts each portion belongs."""

    portions: tuple[Portion, ...]
    owner: NDArray[np.intp]
    rows: Floats
    parts: int


class _Paces(NamedTuple):
    """Rates of the people in parts, portion by portion; team: the shape of the team's own."""

    mean: Floats
    shape: Floats
    team: Floats


class Outlook:
    """Forecasts of a plan at a moment."""

    def __init__(self, base: Ground, known: Experience, now: Moment) -> None:
        self.base, self.known = base, known
        self._span, days = base.plan.span, len(known.presence)
        self._over = np.zeros(days)
        self._over[: day_places(self._span, now.day)] = 1.0
        if now.day in self._span:
            self._over[day_places(self._span, now.day)] = float(now.share)
        monday = self._span.first.toordinal() - 1
        weeks = np.arange(monday, monday + days) // 7 - monday // 7
        self._by_week = np.zeros((days, int(weeks[-1]) + 1))
        self._by_week[np.arange(days), weeks] = 1.0

    def whole(self, goal: Goal, part: Part) -> Ahead:
        """Of the plan as a whole."""
        return _Goal(self, goal, part).whole()

    def of(
        self,
        goal: Goal,
        whole: Part,
        people: Mapping[str, Quantity],
        roster: Roster,
        parts: Sequence[Part],
    ) -> list[Ahead]:
        """Of parts of it. people: how many activities each person in the plan has so far."""
        return _Goal(self, goal, whole).parts(people, roster, parts)

    def trail(
        self,
        goal: Goal,
        whole: Part,
        people: Mapping[str, Quantity],
        part: Part,
        days: Sequence[int],
    ) -> list[Ahead]:
        """Where a part of it will stand when so many days of the plan are over, for each number.

        On the day of the goal's deadline that is the part's forecast itself.
        """
        return _Goal(self, goal, whole).trail(people, part, days)

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

    def weeks(self, goal: Goal) -> tuple[Floats, Floats]:
        """What each day brings of a goal up to its deadline, by week: as far as over, and ahead."""
        weights = self.known.weights(goal.metric.key)
        weights[day_places(self._span, self.base.plan.deadlines[goal.key]) :] = 0.0
        over, ahead = weights * self._over, weights * (1 - self._over)
        return self._by_week * over[:, np.newaxis], self._by_week * ahead[:, np.newaxis]


class _Goal:
    """The forecasts of one goal in the making."""

    def __init__(self, outlook: Outlook, goal: Goal, whole: Part) -> None:
        self._outlook, self._base, self._known = outlook, outlook.base, outlook.known
        self._goal, self._whole = goal, whole
        self._elapsed, self._remaining = outlook.weeks(goal)
        self._amounts = self._single_amounts()
        self._exposure = self._exposed(outlook.known.presence[np.newaxis])
        self._level = self._before()

    def _exposed(self, rows: Floats, ahead: Floats | None = None) -> Exposure:
        """Of people at work as the rows say, one row for each exposure; ahead: of what is left."""
        elapsed = rows @ self._elapsed
        remaining = rows @ (self._remaining if ahead is None else ahead)
        return Exposure(
            elapsed.sum(axis=1),
            remaining.sum(axis=1),
            (elapsed**2).sum(axis=1),
            (remaining**2).sum(axis=1),
        )

    def whole(self) -> Ahead:
        """Of all together."""
        if self._level is None:
            return Ahead(None)
        law = to_come(
            self._rate(self._level), self._level, self._exposure, self._spread(whole=True)
        )
        own = [self._amounts]
        return self._told(self._level, [self._whole], law, self._exposure, own, CELLS)[0]

    def parts(
        self, people: Mapping[str, Quantity], roster: Roster, parts: Sequence[Part]
    ) -> list[Ahead]:
        """Of parts; one that is the whole is forecast as the whole."""
        if self._level is None:
            return [Ahead(None)] * len(parts)
        whole = self.whole() if any(self._is_whole(part) for part in parts) else None
        paces = self._paces(self._level, people, roster)
        law = self._divided(self._level, paces, roster, self._remaining)
        together = np.zeros((len(parts), roster.rows.shape[1]))
        np.add.at(together, roster.owner, roster.rows)
        exposure = self._exposed(together)
        own = [self._own_amounts(part.portions) for part in parts]
        found = self._told(self._level, parts, law, exposure, own, _COARSE)
        return [
            whole if whole and self._is_whole(part) else ahead
            for part, ahead in zip(parts, found, strict=True)
        ]

    def trail(self, people: Mapping[str, Quantity], part: Part, days: Sequence[int]) -> list[Ahead]:
        """Of a part, as far as some numbers of days."""
        if self._level is None:
            return [Ahead(None)] * len(days)
        is_whole, found = self._is_whole(part), []
        roster = self._outlook.roster([part.portions])
        rows = self._known.presence[np.newaxis] if is_whole else roster.rows.sum(0, keepdims=True)
        own = self._amounts if is_whole else self._own_amounts(part.portions)
        paces = None if is_whole else self._paces(self._level, people, roster)
        for number in days:
            ahead = self._remaining.copy()
            ahead[number:] = 0.0
            exposure = self._exposed(rows, ahead)
            law = (
                to_come(self._rate(self._level), self._level, exposure, self._spread(whole=True))
                if paces is None
                else self._divided(self._level, paces, roster, ahead)
            )
            cells = CELLS if is_whole else _COARSE
            found += self._told(self._level, [part], law, exposure, [own], cells)
        return found

    def _is_whole(self, part: Part) -> bool:
        return part.portions == self._whole.portions and part.number == self._whole.number

    def _single_amounts(self) -> Floats | None:
        """What single amounts are like; None for a count, empty where nothing tells."""
        if not is_sum(self._goal):
            return None
        known = self._known.amounts.get(self._goal.metric.key)
        if known:
            return np.array([amount for _, amount in known])
        planned, number = planned_amount(self._goal), self._whole.number
        if planned is not None:
            return np.array([float(planned)])
        return np.array([float(self._whole.reached / number)] if number else [])

    def _own_amounts(self, portions: Sequence[Portion]) -> Floats | None:
        """A person's own amounts, the newest first, filled up with others'; a team's as all's."""
        known = self._known.amounts.get(self._goal.metric.key)
        if self._amounts is None or not known or len(portions) != 1:
            return self._amounts
        member = portions[0].person.member
        own = [amount for whose, amount in known if whose == member]
        others = [amount for whose, amount in known if whose != member]
        found = np.array([*own, *others[: max(OWN_AMOUNTS - len(own), 0)]])
        return found if found.mean() > 0 else self._amounts

    def _before(self) -> Level | None:
        """What is known of the rate before the period, else what the plan asks for."""
        each = 1.0 if self._amounts is None else self._mean(self._amounts)
        time = float((self._exposure.elapsed + self._exposure.remaining)[0])
        if each <= 0 or not time:
            # Where what came is taken back again, no number of activities leads to the target.
            return None
        known = self._known.levels.get(self._goal.metric.key)
        return known.level if known else Level(float(self._whole.target) / each / time, STRENGTH)

    @staticmethod
    def _mean(amounts: Floats) -> float:
        return float(amounts.mean()) if len(amounts) else 0.0

    def _rate(self, level: Level) -> Rate:
        return rate_now(np.array([float(self._whole.number)]), level, self._exposure)

    def _paces(self, level: Level, people: Mapping[str, Quantity], roster: Roster) -> _Paces:
        """The rates of those who stand in parts, and the team's."""
        team = self._rate(level)
        persons = self._persons(team, level, people)
        of = [persons[portion.person.member] for portion in roster.portions]
        mean, shape = np.array([one.mean for one in of]), np.array([one.shape for one in of])
        return _Paces(mean, shape, team.shape)

    def _divided(self, level: Level, paces: _Paces, roster: Roster, ahead: Floats) -> Law:
        """The laws of parts: each person's rate, in the weeks each portion has still to come.

        Together with all others' they have the whole's mean. To the person's own uncertainty comes
        the team's, which all have in common.
        """
        weekly = (roster.rows @ ahead) * paces.mean[:, np.newaxis]
        by_part = np.zeros((roster.parts, weekly.shape[1]))
        np.add.at(by_part, roster.owner, weekly)
        own = np.zeros(roster.parts)
        np.add.at(own, roster.owner, quotient(weekly.sum(axis=1) ** 2, paces.shape))
        mean = by_part.sum(axis=1)
        shocks = level.weeks * (by_part**2).sum(axis=1)
        together = quotient(mean**2, paces.team)
        variance = level.dispersion * mean + shocks + own + together
        return Law(mean, self._spread(whole=False) * variance)

    def _spread(self, *, whole: bool) -> float:
        return self._known.spreads.get((self._goal.metric.key, whole), 1.0)

    def _persons(self, team: Rate, level: Level, people: Mapping[str, Quantity]) -> dict[str, Rate]:
        """The rate of each person in the plan, per unit of own exposure."""
        everybody = self._outlook.everybody
        exposure = self._exposed(everybody.rows)
        vigour = self._vigour(everybody.portions, exposure.elapsed + exposure.remaining)
        before = Level(team.mean[0] * vigour, MEMBER_STRENGTH, *level[2:])
        members = [portion.person.member for portion in everybody.portions]
        done = np.array([float(people.get(member, 0)) for member in members])
        found = rate_now(done, before, exposure)
        expected = float((found.mean * exposure.remaining).sum())
        whole = float(team.mean[0] * self._exposure.remaining[0]) * self._theirs(float(done.sum()))
        scale = whole / expected if expected else 1.0
        return {
            member: Rate(shape, mean * scale)
            for member, shape, mean in zip(members, found.shape, found.mean, strict=True)
        }

    def _theirs(self, done: float) -> float:
        """The part of the whole that people bring, where work of nobody counts as well."""
        if self._base.plan.unassigned is not Unassigned.INSIDE:
            return 1.0
        return (done + 1) / (float(self._whole.number) + 1)

    def _vigour(self, everybody: Sequence[Portion], time: Floats) -> Floats:
        """What a day of each brings, over everybody's mean; else as the plan is divided."""
        known = self._known.vigour.get(self._goal.metric.key)
        if known is not None:
            return np.array([known[portion.person.member] for portion in everybody])
        shares = np.array([float(portion.share) for portion in everybody])
        return quotient(shares * float(time.sum()), time)

    def _told(
        self,
        level: Level,
        parts: Sequence[Part],
        law: Law,
        exposure: Exposure,
        amounts: Sequence[Floats | None],
        cells: int,
    ) -> list[Ahead]:
        """Forecasts and chances of gaps, in the goal's unit."""
        each = [1.0 if own is None else self._mean(own) for own in amounts]
        expected = np.array([float(part.expected) for part in parts]) / np.array(each)
        squares = quotient(exposure.elapsed_squares, exposure.elapsed**2)
        planned = Law(expected, level.dispersion * expected + level.weeks * expected**2 * squares)
        if self._amounts is None:
            return counts_ahead(parts, law, planned)
        return [
            sum_ahead(part, _of(law, n), _of(planned, n), own, self._goal, cells)
            for n, (part, own) in enumerate(zip(parts, amounts, strict=True))
            if own is not None
        ]


def _of(law: Law, place: int) -> Law:
    return Law(law.mean[place], law.variance[place])
