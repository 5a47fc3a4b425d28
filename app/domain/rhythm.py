"""Which days of the week bring more than others, as a plan's people have shown it.

Weights of the weekdays that a plan could take for its own: learned as forecasts learn theirs, but
exactly and of working days alone, and told only where they say something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from app.domain.attribution import NOTHING
from app.domain.calendar import WorkCalendar
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.history import AMOUNTS, History
from app.domain.levels import USUAL_WORKING, drawn, kinds_of
from app.domain.quantities import Quantity

ZERO = Fraction(0)
DIGITS = 2
# Of fewer activities, within a tenth of the plan's, or within so many standard deviations nothing
# is worth a word.
_FEWEST, _WORTH, _DEVIATIONS = 50, Fraction(1, 10), 3


class _Day(NamedTuple):
    """kind: the day of the week that it is like, Monday = 0; number: what was counted on it."""

    kind: int
    number: Quantity


def suggested_weekdays(base: Ground, history: History) -> dict[int, Fraction] | None:
    """The weights of the weekdays that work, Monday = 0, with two digits; their mean is 1.

    Of a working weekday d in the latest four months w = (n / level + 2 x 1.2) / (days + 2), with n
    of what was counted on such days of the goal of which most was, and level the mean of all days;
    a day unlike its weekday, as a holiday, is one of rest. Then all are divided by their mean. None
    without a whole month, of fewer than 50, and where no weekday differs from the plan's weights by
    a tenth or more and by more than three standard deviations of chance.
    """
    calendar, months = base.workspace.calendar, history.months[:AMOUNTS]
    kinds = [
        (day.date, int(kind))
        for month in months
        for day, kind in zip(calendar.days(month), kinds_of(calendar, month), strict=True)
    ]
    told = (_days(goal, history, kinds) for goal in base.plan.root.walk())
    days = max(told, key=_total)
    whole = _total(days)
    if whole < _FEWEST:
        return None
    level = Fraction(whole) / len(days)
    seen = _Seen([day for day in days if day.kind in calendar.weekdays], calendar)
    learned = {
        kind: drawn(seen.number[kind] / level, seen.days[kind], USUAL_WORKING)
        for kind in sorted(calendar.weekdays)
    }
    weights = {kind: round(weight, DIGITS) for kind, weight in _of_mean_1(learned).items()}
    planned = {kind: Fraction(base.plan.weights[kind]) for kind in weights}
    return weights if _worth_telling(weights, planned, seen) else None


def _days(goal: Goal, history: History, kinds: Sequence[tuple[date, int]]) -> list[_Day]:
    counted = history.daily.get(goal.metric.key, {})
    return [_Day(k, goal.metric.counted(counted.get(day, NOTHING).number)) for day, k in kinds]


def _total(days: Sequence[_Day]) -> Quantity:
    return sum(day.number for day in days)


class _Seen:
    """Working days by the weekday that they are like: how many, and what was counted on them."""

    def __init__(self, days: Sequence[_Day], calendar: WorkCalendar) -> None:
        self._all = days
        self.days = dict.fromkeys(calendar.weekdays, 0)
        self.number = dict.fromkeys(calendar.weekdays, ZERO)
        for kind, number in days:
            self.days[kind] += 1
            self.number[kind] += number

    def dispersion(self) -> Fraction:
        """By how much days of one weekday vary more than chance; 1 where they do not."""
        whole = sum(self.number.values(), ZERO)
        squares = sum(
            ((number - self.number[kind] / self.days[kind]) ** 2 for kind, number in self._all),
            ZERO,
        )
        return max(Fraction(1), squares / whole) if whole else Fraction(1)


def _of_mean_1(weights: Mapping[int, Fraction]) -> dict[int, Fraction]:
    mean = sum(weights.values(), ZERO) / len(weights)
    return {kind: weight / mean if mean else weight for kind, weight in weights.items()}


def _worth_telling(
    weights: Mapping[int, Fraction], planned: Mapping[int, Fraction], seen: _Seen
) -> bool:
    """Whether on any weekday more or less came than the plan's weights say, and not by chance."""
    whole, dispersion = sum(seen.number.values(), ZERO), seen.dispersion()
    weighed = sum((seen.days[kind] * weight for kind, weight in planned.items()), ZERO)
    usual = _of_mean_1(planned)
    for kind, weight in weights.items():
        expected = whole * seen.days[kind] * planned[kind] / weighed if weighed else ZERO
        by_chance = _DEVIATIONS**2 * dispersion * expected
        differs = abs(weight - usual[kind]) >= _WORTH
        if differs and (seen.number[kind] - expected) ** 2 > by_chance:
            return True
    return False
