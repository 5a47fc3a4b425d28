"""A provider's revision, written so that text order is revision order.

All digits compare as integers of any length, RFC 3339 as instants; the two clocks cannot be
compared with each other, so a source may use only one of them. No revision and no time: "".
"""

from __future__ import annotations

from enum import StrEnum

from app.domain.errors import Invalid
from app.domain.instants import instant, written_instant

MAX_DIGITS = 200
_OFFSET = 10**18  # lifts instants before 1970 above zero, so that their text sorts too


class RevisionClock(StrEnum):
    """What a source counts its revisions with."""

    NUMBER = "n"
    TIME = "t"


# Looked up some times per event: an enumeration's own call takes longer.
_CLOCKS = {clock.value: clock for clock in RevisionClock}
_NUMBER, _TIME = RevisionClock.NUMBER.value, RevisionClock.TIME.value


def sortable(revision: str | None, time: str | None) -> str:
    """The sortable text of a revision; without one, of the event's time; without both, ""."""
    if revision is None:
        return of_instant(instant(time)) if time is not None else ""
    if revision.isascii() and revision.isdigit() and len(revision) <= MAX_DIGITS:
        return of_number(revision)
    return of_instant(instant(revision))


def of_number(digits: str) -> str:
    """An integer of up to 200 digits: its length first, so that 10 follows 9."""
    digits = digits.lstrip("0")
    if len(digits) > MAX_DIGITS:
        raise Invalid("revision_too_long")
    return f"{_NUMBER}{len(digits):03d}{digits}"


def of_instant(microseconds: int) -> str:
    """An instant in microseconds since 1970."""
    return f"{_TIME}{microseconds + _OFFSET:019d}"


def clock_of(revision: str) -> RevisionClock | None:
    """Which clock a sortable revision was read from; None when the report had none."""
    return _CLOCKS[revision[0]] if revision else None


def written_revision(revision: str) -> str | None:
    """A sortable revision as its sender would write it: digits, or RFC 3339."""
    match clock_of(revision):
        case RevisionClock.NUMBER:
            return revision[4:] or "0"
        case RevisionClock.TIME:
            return written_instant(int(revision[1:]) - _OFFSET)
        case None:
            return None
