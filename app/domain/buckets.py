"""Cutting time into buckets: half-open, in any zone, from quarter hours.

Days, weeks (from Monday), months, quarters and years are the zone's own, so a day may have 23 or
25 hours. An hour of the clock that is repeated when the clocks go back is a bucket of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from itertools import islice, pairwise
from typing import NamedTuple

from app.domain.errors import Invalid
from app.domain.instants import (
    QUARTER,
    day_number,
    day_of_number,
    micros,
    midnight,
    moment_of,
)

MAX_BUCKETS = 10_000
_HOUR = 4 * QUARTER
_ONE_DAY = timedelta(days=1)


class Granularity(StrEnum):
    """How long a bucket is. Each is cut again where the range begins and ends."""

    TOTAL = "total"
    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Window(StrEnum):
    """A range that ends now: so many hours, so many days of the zone, or a period so far."""

    HOUR = "1h"
    HOURS = "24h"
    WEEK = "7d"
    MONTH = "28d"
    MONTH_TO_DATE = "mtd"
    QUARTER_TO_DATE = "qtd"
    YEAR_TO_DATE = "ytd"


class Bucket(NamedTuple):
    """[start, end) in microseconds since 1970, both on quarter hours."""

    start: int
    end: int


class Part(NamedTuple):
    """What lies of a bucket, by its place among them, between two changes of the directory."""

    bucket: int
    start: int
    end: int


class Piece(NamedTuple):
    """What lies of a part, by its place among them, in whole local days or in quarter hours."""

    part: int
    first: int
    end: int


def buckets(
    granularity: Granularity, zone: tzinfo, start: int, end: int, until: int
) -> tuple[Bucket, ...]:
    """The buckets of [start, end) that begin before `until`.

    Raises Invalid `too_many_buckets`.
    """
    if start >= min(end, until):
        return ()
    found: list[Bucket] = []
    at = start
    inner = _edges(granularity, zone, start)
    for edge in islice(inner, MAX_BUCKETS + 1):
        if edge > at:
            found.append(Bucket(at, min(edge, end)))
            at = edge
        if at >= min(end, until):
            return tuple(found)
    if granularity is Granularity.TOTAL:
        return (Bucket(start, end),)
    raise Invalid("too_many_buckets", limit=MAX_BUCKETS)


def _edges(granularity: Granularity, zone: tzinfo, start: int) -> Iterator[int]:
    """Where buckets end after an instant, in order and without end; none for the total."""
    match granularity:
        case Granularity.TOTAL:
            return
        case Granularity.QUARTER_HOUR:
            while True:
                start += QUARTER
                yield start
        case Granularity.HOUR:
            yield from _hours(zone, start)
        case _:
            day = _first(granularity, moment_of(start, zone).date())
            while True:
                day = _next(granularity, day)
                yield micros(midnight(day, zone))


def _hours(zone: tzinfo, start: int) -> Iterator[int]:
    """Where the clock's hour ends, or the clock is changed within it."""
    at = start
    while True:
        local = moment_of(at, zone)
        hour = (local.hour, local.utcoffset())
        ahead = at + _HOUR - (local.minute * 60_000_000)
        at = next(
            (
                quarter
                for quarter in range(at + QUARTER, ahead, QUARTER)
                if _hour_of(quarter, zone) != hour
            ),
            ahead,
        )
        yield at


def _hour_of(at: int, zone: tzinfo) -> tuple[int, timedelta | None]:
    local = moment_of(at, zone)
    return local.hour, local.utcoffset()


def _first(granularity: Granularity, day: date) -> date:
    """The first day of the calendar period in which a day lies."""
    match granularity:
        case Granularity.WEEK:
            return day - timedelta(days=day.weekday())
        case Granularity.MONTH:
            return day.replace(day=1)
        case Granularity.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Granularity.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


def _next(granularity: Granularity, first: date) -> date:
    """The first day of the period that follows the one beginning on `first`."""
    longest = {Granularity.MONTH: 31, Granularity.QUARTER: 92, Granularity.YEAR: 366}
    match granularity:
        case Granularity.DAY:
            return first + _ONE_DAY
        case Granularity.WEEK:
            return first + 7 * _ONE_DAY
        case _:
            # Far enough to be in the next period, and not in the one after it.
            return _first(granularity, first + timedelta(days=longest[granularity]))


def window_start(window: Window, zone: tzinfo, end: int) -> int:
    """Where a window begins that ends at an instant."""
    local = moment_of(end, zone)
    match window:
        case Window.HOUR:
            return end - _HOUR
        case Window.HOURS:
            return end - 24 * _HOUR
        case Window.WEEK | Window.MONTH:
            # The same time of day, which summer time makes 167 or 169 hours ago.
            return micros(local - timedelta(days=7 if window is Window.WEEK else 28))
        case _:
            period = {
                Window.MONTH_TO_DATE: Granularity.MONTH,
                Window.QUARTER_TO_DATE: Granularity.QUARTER,
                Window.YEAR_TO_DATE: Granularity.YEAR,
            }[window]
            last_day = moment_of(end - 1, zone).date()
            return micros(midnight(_first(period, last_day), zone))


def parts(cut: Sequence[Bucket], until: int, changes: Sequence[int]) -> list[Part]:
    """The buckets up to `until`, each cut at the instants of `changes` (in order) inside it."""
    found: list[Part] = []
    for place, (start, end) in enumerate(cut):
        last = min(end, until)
        within = changes[bisect_right(changes, start) : bisect_left(changes, last)]
        found += [Part(place, *pair) for pair in pairwise((start, *within, last))]
    return found


def pieces(cut: Sequence[Part], home: tzinfo) -> tuple[list[Piece], list[Piece]]:
    """Parts as whole days of the home zone, and the quarter hours around them.

    A bucket of another zone begins and ends within a day of ours; what lies between is our days
    all the same.
    """
    days: list[Piece] = []
    quarters: list[Piece] = []
    for place, (_, start, end) in enumerate(cut):
        first, last = _day_from(start, home), day_number(moment_of(end, home).date())
        if first >= last:
            quarters.append(Piece(place, start // QUARTER, end // QUARTER))
            continue
        days.append(Piece(place, first, last))
        opens, closes = (micros(midnight(day_of_number(day), home)) for day in (first, last))
        quarters += [
            Piece(place, left // QUARTER, right // QUARTER)
            for left, right in ((start, opens), (closes, end))
            if left < right
        ]
    return days, quarters


def whole(cut: Sequence[Part]) -> list[Piece]:
    """Parts in quarter hours alone."""
    return [
        Piece(place, start // QUARTER, end // QUARTER) for place, (_, start, end) in enumerate(cut)
    ]


def _day_from(at: int, zone: tzinfo) -> int:
    """The first local day that begins at an instant or later."""
    day = moment_of(at, zone).date()
    return day_number(day) + (micros(midnight(day, zone)) < at)
