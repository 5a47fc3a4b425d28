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

from app.domain.book import Book, Now
from app.domain.compound import CELLS
from app.domain.experience import Experience, number_of, own_amounts, single_amounts
from app.domain.exposures import Roster, Time, exposed
from app.domain.foreseen import ForecastLaw
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.levels import STRENGTH
from app.domain.outcomes import Ahead, Part, counts_ahead, sum_ahead
from app.domain.pacing import Moment, Portion
from app.domain.plans import Unassigned
from app.domain.predictive import (
    Due,
    Exposure,
    Floats,
    Law,
    Level,
    Rate,
    quotient,
    rate_now,
    rate_of_items,
    to_come,
)
from app.domain.quantities import Quantity

# How surely a person is worth what was seen of the team and of that person before.
MEMBER_STRENGTH = 15.0
_COARSE = CELLS // 4


class _Paces(NamedTuple):
    """Rates of the people in parts, portion by portion; team: the team's own."""

    mean: Floats
    shape: Floats
    team: Rate

    def at(self, team: Rate) -> _Paces:
        """The same where the team's is another one."""
        return self._replace(mean=self.mean * quotient(team.mean, self.team.mean), team=team)


class Followed(NamedTuple):
    """A conversion by its items; child, whole: what they are, of all; linked: see `Yardstick`."""

    book: Book
    child: Goal
    whole: Part
    linked: float


NOTHING_FOLLOWED: Mapping[str, Followed] = {}


class Outlook:
    """Forecasts of a plan at a moment.

    followed: the conversions that may be forecast by their items, by the goal that they lead to:
        those for which that law is in force, and with `beside` all there are
    beside: to forecast by the law that is not in force, wherever there are two
    """

    def __init__(
        self,
        base: Ground,
        known: Experience,
        now: Moment,
        followed: Mapping[str, Followed] = NOTHING_FOLLOWED,
        *,
        beside: bool = False,
    ) -> None:
        self.time, self.followed, self._beside = Time(base, known, now), followed, beside

    def whole(self, goal: Goal, part: Part) -> Ahead:
        """Of the plan as a whole."""
        return self._goal(goal, part).whole()

    def of(
        self,
        goal: Goal,
        whole: Part,
        people: Mapping[str, Quantity],
        roster: Roster,
        parts: Sequence[Part],
    ) -> list[Ahead]:
        """Of parts of it. people: how many activities each person in the plan has so far."""
        return self._goal(goal, whole).parts(people, roster, parts)

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
        return self._goal(goal, whole).trail(people, part, days)

    def _goal(self, goal: Goal, whole: Part) -> _Goal:
        return _Goal(self, goal, whole, beside=self._beside)


class _Goal:
    """The forecasts of one goal in the making."""

    def __init__(self, outlook: Outlook, goal: Goal, whole: Part, *, beside: bool = False) -> None:
        self._outlook, self._time, self._base = outlook, outlook.time, outlook.time.base
        self._known, self._goal, self._whole = outlook.time.known, goal, whole
        self._elapsed, self._remaining = self._time.weeks(goal)
        self._amounts = single_amounts(self._known, goal, whole.number, whole.reached)
        self._everybody = self._known.presence[np.newaxis]
        self._exposure = exposed(self._everybody, self._elapsed, self._remaining)
        self._level = self._before()
        key = number_of(goal).key
        # The items that the whole is forecast by; None where it is by the pace.
        by_items = (key in self._known.earned) is not beside
        self._items = outlook.followed.get(key) if by_items else None

    def whole(self) -> Ahead:
        """Of all together."""
        if self._level is None:
            return Ahead(None)
        rate, spread = self._rate(self._level), self._spread(whole=True)
        law = to_come(rate, self._level, self._exposure, spread)
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
        exposure = exposed(together, self._elapsed, self._remaining)
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
        roster = self._time.roster([part.portions])
        rows = self._everybody if is_whole else roster.rows.sum(0, keepdims=True)
        own = self._amounts if is_whole else self._own_amounts(part.portions)
        paces = None if is_whole else self._paces(self._level, people, roster)
        for number in days:
            ahead = self._before_place(number)
            rate, exposure = self._rate(self._level, number), exposed(rows, self._elapsed, ahead)
            law = (
                to_come(rate, self._level, exposure, self._spread(whole=True))
                if paces is None
                else self._divided(self._level, paces.at(rate), roster, ahead)
            )
            cells = CELLS if is_whole else _COARSE
            found += self._told(self._level, [part], law, exposure, [own], cells)
        return found

    def _before_place(self, number: int) -> Floats:
        """What is left on the first so many days of the plan."""
        ahead = self._remaining.copy()
        ahead[number:] = 0.0
        return ahead

    def _is_whole(self, part: Part) -> bool:
        return part.portions == self._whole.portions and part.number == self._whole.number

    def _own_amounts(self, portions: Sequence[Portion]) -> Floats | None:
        """A person's own amounts, filled up with others'; a team's as all's."""
        if self._amounts is None or len(portions) != 1:
            return self._amounts
        member = portions[0].person.member
        return own_amounts(self._known, self._goal, member, self._amounts)

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

    def _rate(self, level: Level, until: int | None = None) -> Rate:
        """The whole's; until: as far as so many days of the plan, where it is by items."""
        if self._items is None:
            return self._usual(level)
        done = np.array([float(self._whole.number)])
        end = self._time.deadline(self._goal) if until is None else until
        exposure = exposed(self._everybody, self._elapsed, self._before_place(end))
        return rate_of_items(done, self._due(self._items, end), level, exposure)

    def _due(self, items: Followed, until: int) -> Due:
        """What items bring: those that are open, and those that the goal below still expects."""
        time, deadline, book = self._time, self._time.deadline(self._goal), items.book
        over = time.place >= deadline
        now = Now(deadline, 0.0) if over else Now(time.place, float(time.now.share))
        due = (book.should_have_come(now), book.still_to_come(now, until, self._arrivals))
        # By a rate that was learned of those that say what they grew from.
        return Due(*(np.array([number / items.linked]) for number in due))

    @cached_property
    def _arrivals(self) -> Floats:
        """How many items are still to begin on each day of the plan."""
        if self._items is None:
            return np.zeros(len(self._known.presence))
        child = self._items.child
        pace = _Goal(self._outlook, child, self._items.whole).pace()
        found: Floats = pace * self._known.presence * self._time.ahead(child)
        return found

    def pace(self) -> float:
        """What all together still bring in a unit of exposure; behind the deadline as before it."""
        if self._level is None:
            return 0.0
        rate = self._rate if self._exposure.remaining[0] else self._usual
        return float(rate(self._level).mean[0])

    def _usual(self, level: Level) -> Rate:
        """The whole's by the pace of all that has come."""
        return rate_now(np.array([float(self._whole.number)]), level, self._exposure)

    def _paces(self, level: Level, people: Mapping[str, Quantity], roster: Roster) -> _Paces:
        """The rates of those who stand in parts, and the team's."""
        team = self._rate(level)
        persons = self._persons(team, level, people)
        of = [persons[portion.person.member] for portion in roster.portions]
        mean, shape = np.array([one.mean for one in of]), np.array([one.shape for one in of])
        return _Paces(mean, shape, team)

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
        together = quotient(mean**2, paces.team.shape)
        variance = level.dispersion * mean + shocks + own + together
        return Law(mean, self._spread(whole=False) * variance)

    def _spread(self, *, whole: bool) -> float:
        metric = self._goal.metric.key
        if whole and self._items is not None:
            return self._known.spreads_by_items.get(metric, 1.0)
        return self._known.spreads.get((metric, whole), 1.0)

    def _persons(self, team: Rate, level: Level, people: Mapping[str, Quantity]) -> dict[str, Rate]:
        """The rate of each person in the plan, per unit of own exposure."""
        everybody = self._time.everybody
        exposure = exposed(everybody.rows, self._elapsed, self._remaining)
        vigour = self._vigour(everybody.portions, exposure.elapsed + exposure.remaining)
        before = Level(self._usual(level).mean[0] * vigour, MEMBER_STRENGTH, *level[2:])
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
            found = counts_ahead(parts, law, planned)
        else:
            found = [
                sum_ahead(part, _of(law, n), _of(planned, n), own, self._goal, cells)
                for n, (part, own) in enumerate(zip(parts, amounts, strict=True))
                if own is not None
            ]
        said = ForecastLaw.GAMMA_POISSON if self._items is None else ForecastLaw.PIPELINE
        return [one.by(said) for one in found]


def _of(law: Law, place: int) -> Law:
    return Law(law.mean[place], law.variance[place])
