"""What the people of a plan did before it: what a forecast may learn from, and nothing later.

Half a year, cut into months that end where the plan begins (or today, for a plan that is still
ahead): far enough to see how much months and weeks differ, near enough to be the same team.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from app.domain.attribution import Amount
from app.domain.spans import Span

MONTHS = 6
RECENT = 3  # months whose level, and whose division among people, are taken to go on
AMOUNTS = 4  # months whose single amounts are taken to be what the next ones are like
WEEK = 7
LAST_DAY = 28  # of every month


@dataclass(frozen=True, slots=True)
class Single:
    """Amounts of a metric that came together: in most cases one alone. member "" is nobody."""

    member: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class History:
    """What was counted for the people of a plan, in the workspace's currency, as it is tallied.

    months: the latest first; only those in which anything could have been counted already
    daily: by metric and day, of all of them together; empty days are left out
    recent: by metric and member, in the latest RECENT months
    singles: by metric, amounts of the latest AMOUNTS months, the newest first
    """

    months: tuple[Span, ...] = ()
    daily: Mapping[str, Mapping[date, Amount]] = field(default_factory=dict)
    recent: Mapping[str, Mapping[str, Amount]] = field(default_factory=dict)
    singles: Mapping[str, tuple[Single, ...]] = field(default_factory=dict)


NO_HISTORY = History()


def months_before(end: date, number: int = MONTHS) -> tuple[Span, ...]:
    """So many months up to a day, the latest first; each begins on the same day of its month."""
    edges = [end, *(months_earlier(end, n) for n in range(1, number + 1))]
    return tuple(Span(first, until) for until, first in pairwise(edges))


def months_earlier(day: date, number: int) -> date:
    """The day so many months earlier; one that a month may lack becomes its 28th."""
    years, month = divmod(day.year * 12 + day.month - 1 - number, 12)
    return date(years, month + 1, day.day if number == 0 else min(day.day, LAST_DAY))


def with_anything(
    months: tuple[Span, ...], daily: Mapping[str, Mapping[date, Amount]]
) -> tuple[Span, ...]:
    """The months since anything of the plan was counted: before, silence says nothing.

    A month in which counting began is one if it began in the first week: a holiday is no gap.
    """
    first = min(_days(daily), default=date.max)
    return tuple(month for month in months if (first - month.first).days < WEEK)


def _days(daily: Mapping[str, Mapping[date, Amount]]) -> Iterator[date]:
    return (day for days in daily.values() for day in days)
