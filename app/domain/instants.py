"""Instants: RFC 3339 outside, integer microseconds since 1970 UTC in the store.

Microseconds because neither engine's own type keeps an instant exactly and sorts it the same way;
finer digits are cut off. Days are calendar days of a zone, numbered from 1970-01-01.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from app.domain.errors import Invalid

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
DAY = 24 * 60 * MINUTE
# The calendar ends at the year 9999; a day less, so that every zone can still show an instant.
_FIRST = (datetime.min.replace(tzinfo=UTC) + timedelta(days=1) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - timedelta(days=1) - _EPOCH) // _MICROSECOND


# Older zones have offsets that no quarter hour fits: 1980-01-01T00:00:00Z.
FLOOR = 3_652 * DAY


@lru_cache(maxsize=4096)  # every metric of an activity reads the same few times
def instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 text with offset.

    Raises Invalid: `time_without_offset` for a naive time, `not_a_time` for anything else.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        naive = re.fullmatch(r"\d{4}-\d\d-\d\d([Tt ][^Zz+-]*)?", text, re.ASCII) is not None
        raise Invalid("time_without_offset" if naive else "not_a_time")
    fraction = match[1]
    whole = text.replace(fraction, "") if fraction else text
    try:
        at = micros(datetime.fromisoformat(whole.upper()))
    except (ValueError, OverflowError):
        raise Invalid("not_a_time") from None
    if not _FIRST <= at <= _LAST:
        raise Invalid("not_a_time")
    return at + (int(fraction[1:7].ljust(6, "0")) if fraction else 0)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(microseconds: int, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of an instant, in a zone."""
    return (_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)


def written_instant(microseconds: int) -> str:
    """The canonical RFC 3339 text of an instant: UTC, a fraction only where there is one."""
    return (_EPOCH + microseconds * _MICROSECOND).isoformat().removesuffix("+00:00") + "Z"


def canonical_instant(text: str) -> tuple[int, str]:
    """An instant, and the canonical text of it. Raises Invalid as `instant` does."""
    at = instant(text)
    # Nearly every sender writes whole seconds of UTC so: there is nothing to be written anew.
    plain = len(text) == len("2026-12-01T09:00:00Z") and text[10] == "T" and text[-1] == "Z"
    return at, text if plain else written_instant(at)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def day_of_number(number: int) -> date:
    """The inverse of `day_number`."""
    return date.fromordinal(number + _EPOCH_DAY)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a calendar day in a zone, also where midnight itself was skipped."""
    start = datetime.combine(day, time.min, tzinfo=zone)
    # A wall time inside a gap maps forward after a round trip through UTC; fold=0 reads a
    # repeated midnight as the earlier one.
    return start.astimezone(UTC).astimezone(zone)
