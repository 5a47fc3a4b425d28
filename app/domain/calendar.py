"""The working calendar: which days work and why not, and how far a working day has come.

Days are calendar days of the workspace's zone. Working time runs linearly over the working hours
in absolute time, so a day on which the clocks change is simply shorter or longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction

from app.domain.instants import MINUTE, micros, midnight, moment_of
from app.domain.spans import Span
from app.domain.weekdays import EVEN, Weights

ONE_DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
HORIZON = 400  # days that are searched for the next working one; a year of closures is none


class DayKind(StrEnum):
    """What a day is, the most particular first: the company's own word beats the state's."""

    EXTRA = "extra"
    CLOSURE = "closure"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    WORKDAY = "workday"


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day; `reason` is the holiday's name or the closure's reason."""

    date: date
    kind: DayKind
    reason: str | None = None

    @property
    def working(self) -> bool:
        """Whether people work on it."""
        return self.kind in {DayKind.WORKDAY, DayKind.EXTRA}


@dataclass(frozen=True, slots=True)
class Closure:
    """Days on which the company is closed, and why."""

    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """When the workspace works.

    weekdays: Monday = 0; opens, closes: minutes since local midnight, 0 <= opens < closes <= 1440
    holidays: the public holidays and their names, looked up by day
    extra: days that work whatever else they are
    """

    zone: tzinfo
    weekdays: frozenset[int]
    opens: int
    closes: int
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    extra: frozenset[date] = frozenset()

    def day(self, day: date) -> Day:
        """Whether a day works, and why not."""
        if day in self.extra:
            return Day(day, DayKind.EXTRA)
        for closure in self.closures:
            if day in closure.span:
                return Day(day, DayKind.CLOSURE, closure.reason)
        holiday = self.holidays.get(day)
        if holiday is not None:
            return Day(day, DayKind.HOLIDAY, holiday)
        weekday = day.weekday() in self.weekdays
        return Day(day, DayKind.WORKDAY if weekday else DayKind.WEEKEND)

    def days(self, span: Span) -> tuple[Day, ...]:
        """Every day of a span, in order."""
        length = (span.until - span.first).days
        return tuple(self.day(span.first + timedelta(days=n)) for n in range(length))

    def workdays(self, span: Span, weights: Weights = EVEN) -> Workdays:
        """The working days of a span, counted once so that any part of it is a subtraction.

        weights: of the days of the week, each of which counts so often
        """
        counts = [0]
        for day in self.days(span):
            counts.append(counts[-1] + day.working * weights[day.date.weekday()])
        return Workdays(span, tuple(counts))

    def local_day(self, at: int) -> date:
        """The calendar day of an instant."""
        return moment_of(at, self.zone).date()

    def midnight(self, day: date) -> int:
        """The first instant of a day."""
        return micros(midnight(day, self.zone))

    def hours(self, day: date) -> tuple[int, int]:
        """The instants at which a day's working hours begin and end."""
        return self._clock(day, self.opens), self._clock(day, self.closes)

    def elapsed(self, day: date, at: int) -> Fraction:
        """The share, 0 to 1, of a day's working hours that is over at an instant."""
        opens, closes = self.hours(day)
        # The end is asked first: where the clocks jump over the whole working day it has no
        # length, and it is over at once instead of dividing by zero.
        if at >= closes:
            return Fraction(1)
        return Fraction(max(at - opens, 0), closes - opens)

    def next_change(self, at: int) -> int | None:
        """When working time next moves on, in whole minutes; None if not within a year."""
        day = self.local_day(at)
        for _ in range(HORIZON):
            opens, closes = self.hours(day)
            if at < closes and self.day(day).working:
                return min((max(at, opens) // MINUTE + 1) * MINUTE, closes)
            day += ONE_DAY
        return None

    def _clock(self, day: date, minute: int) -> int:
        if minute == DAY_MINUTES:
            return self.midnight(day + ONE_DAY)
        return micros(datetime.combine(day, time(minute // 60, minute % 60), tzinfo=self.zone))


@dataclass(frozen=True, slots=True)
class Workdays:
    """The working days of a span; `counts[n]` of its first n days work.

    Where days of the week have weights, `counts[n]` is what those days weigh together.
    """

    span: Span
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many days of the span work, or what they weigh."""
        return self.counts[-1]

    def between(self, first: date, until: date) -> int:
        """How many days of [first, until) inside the span work, or what they weigh.

        0 when until <= first.
        """
        return max(self._before(until) - self._before(first), 0)

    def on(self, day: date) -> int:
        """1 where a day of the span works, or its weight; 0 of other days, and outside the span."""
        return self.between(day, day + ONE_DAY)

    def _before(self, day: date) -> int:
        place = day.toordinal() - self.span.first.toordinal()
        return self.counts[min(max(place, 0), len(self.counts) - 1)]
