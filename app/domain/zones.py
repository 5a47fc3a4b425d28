"""The rules of a zone, written out as offsets: what days were cut by stays known.

Governments change the rules, and each update of the system brings them, also for days that are
counted already. What was cut by one set of rules and goes on by another adds up to no day at all.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from app.domain.instants import DAY, FLOOR, QUARTER, SECOND, day_number, moment_of

# 2100-01-01T00:00:00Z. Rules that differ, differ before: from 2037 on they are repeated for ever.
END = 47_482 * DAY


@dataclass(frozen=True, slots=True)
class Offsets:
    """How far a zone is east of UTC, in seconds, from each of some seconds since 1970 on."""

    since: tuple[int, ...]
    east: tuple[int, ...]

    def day_of(self, quarter: int) -> int:
        """The local day in which a quarter hour before `END` begins."""
        at = quarter * (QUARTER // SECOND)
        place = max(bisect_right(self.since, at) - 1, 0)
        return (at + self.east[place]) // (DAY // SECOND)

    def written(self) -> str:
        """The one text that says so."""
        return json.dumps([self.since, self.east], separators=(",", ":"))


@lru_cache(maxsize=256)
def read_offsets(text: str) -> Offsets:
    """The inverse of `written`."""
    since, east = json.loads(text)
    return Offsets(tuple(since), tuple(east))


@cache
def offsets_of(zone: ZoneInfo) -> Offsets:
    """A zone's rules from 1980 to 2100.

    Of the zone as it behaves, not of the file it was read from: the same rules come in files of
    different versions and forms. Kept for ever, and the zone with it, so that a process has one
    set of rules although an update may replace the files while it runs.
    """
    day, end = DAY // SECOND, END // SECOND
    at = FLOOR // SECOND
    since, east = [at], [_east(zone, at)]
    while at < end:
        before, at = at, min(at + day, end)
        # No zone goes forth and back within a day.
        if _east(zone, at) != east[-1]:
            since.append(_change(zone, before, at))
            east.append(_east(zone, at))
    return Offsets(tuple(since), tuple(east))


def day_of(quarter: int, offsets: Offsets, zone: ZoneInfo) -> int:
    """The local day in which a quarter hour begins; behind `END` as the zone itself says."""
    if quarter < END // QUARTER:
        return offsets.day_of(quarter)
    return day_number(moment_of(quarter * QUARTER, zone).date())


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second between two at which the offset of the later one holds."""
    east = _east(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _east(zone, middle) == east:
            after = middle
        else:
            before = middle
    return after


def _east(zone: ZoneInfo, at: int) -> int:
    offset = moment_of(at * SECOND, zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always has one
    return round(offset.total_seconds())
