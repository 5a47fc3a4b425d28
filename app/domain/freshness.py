"""Freshness: silence is not zero. Has every source that feeds a goal spoken as it should?

An expectation within working hours counts working time only: P1D is one working day of the
calendar, PT2H two hours of it, so that a silent weekend is no alarm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.domain.calendar import HORIZON, ONE_DAY, WorkCalendar
from app.domain.documents import Node, gathered
from app.domain.instants import DAY, MINUTE, SECOND, moment_of
from app.domain.progress import NOTHING_WAITS, Freshness, FreshnessState, Waiting

_DURATION = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?",
    re.ASCII,
)
LONGEST = HORIZON * DAY
SEARCHED = 2_000  # days; whoever is silent for longer than that is not late


class Within(StrEnum):
    """Which time an expectation counts."""

    WORKING_HOURS = "working_hours"
    ALWAYS = "always"


class Basis(StrEnum):
    """Where an expectation comes from: the source's document, its deliveries, or nothing yet."""

    SET = "set"
    LEARNED = "learned"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A delivery at least every `days` days and `time` microseconds.

    learned_from: how many whole working days taught it; 0 unless it is learned
    """

    days: int
    time: int
    within: Within
    basis: Basis = Basis.SET
    learned_from: int = 0


DAILY = Expectation(1, 0, Within.WORKING_HOURS, Basis.DEFAULT)


@dataclass(frozen=True, slots=True)
class Source:
    """What a sender feeds: the kinds it counts (None: every kind), and how often it speaks."""

    key: str
    counts: frozenset[str] | None = None
    expect: Expectation = DAILY

    def feeds(self, kind: str) -> bool:
        """Whether activities of a kind that this source reports are counted."""
        return self.counts is None or kind in self.counts


@dataclass(frozen=True, slots=True)
class Pending:
    """What a source has named and not yet told: how many objects, and since when the oldest."""

    count: int
    oldest: int


NOTHING_PENDING: Mapping[str, Pending] = {}


def source_of(key: str, document: Mapping[str, object]) -> Source:
    """What a source document says of counting and speaking.

    Without `expect`: one delivery per working day, until `cadence` knows better. Raises Invalid:
    not_a_duration, unknown_value.
    """
    node = Node(document)
    counts, expect = node.at("counts"), node.at("expect")
    return Source(
        key,
        frozenset(gathered(counts.items(), Node.text)) if counts.given else None,
        _expectation(expect) if expect.given else DAILY,
    )


def _expectation(node: Node) -> Expectation:
    every, within = node.at("every"), node.at("within")
    if within.given and within.value not in tuple(Within):
        raise within.refused("unknown_value", allowed=", ".join(Within))
    match = _DURATION.fullmatch(every.text())
    parts = [int(part or 0) for part in match.groups()] if match else []
    if not any(parts):
        raise every.refused("not_a_duration")
    weeks, days, hours, minutes, seconds = parts
    days += 7 * weeks
    time = (hours * 60 + minutes) * MINUTE + seconds * SECOND
    if days * DAY + time > LONGEST:
        raise every.refused("duration_too_long", days=HORIZON)
    return Expectation(days, time, Within(within.text()) if within.given else Within.WORKING_HOURS)


def duration(expect: Expectation) -> str:
    """The ISO 8601 text of an expectation, down to the second; its days are not made hours."""
    minutes, seconds = divmod(expect.time // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    return "P" + (f"{expect.days}D" if expect.days else "") + (f"T{time}" if time else "")


def stale_from(expect: Expectation, last: int, calendar: WorkCalendar) -> int | None:
    """The instant after which silence since `last` is too long; None: not for years."""
    if expect.within is Within.ALWAYS:
        return last + expect.days * DAY + expect.time
    left = expect.days * (calendar.closes - calendar.opens) * MINUTE + expect.time
    return _after_working_time(calendar, last, left)


def _after_working_time(calendar: WorkCalendar, at: int, left: int) -> int | None:
    day: date = calendar.local_day(at)
    for _ in range(SEARCHED):
        opens, closes = calendar.hours(day)
        begin = max(at, opens)
        if calendar.day(day).working and begin < closes:
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        day += ONE_DAY
    return None


def silent(
    kind: str,
    sources: Iterable[Source],
    last: Mapping[str, int],
    calendar: WorkCalendar,
    as_of: int,
) -> tuple[str, ...]:
    """The keys of the sources that feed a kind, have spoken, and are silent for too long."""
    heard = (source for source in sources if source.feeds(kind) and source.key in last)
    return tuple(
        source.key for source in heard if is_stale(source, last[source.key], calendar, as_of)
    )


def is_stale(source: Source, last: int, calendar: WorkCalendar, as_of: int) -> bool:
    """Whether the silence since a source's last delivery is longer than is expected of it."""
    limit = stale_from(source.expect, last, calendar)
    return limit is not None and as_of > limit


def freshness(
    kind: str,
    sources: Iterable[Source],
    last: Mapping[str, int],
    calendar: WorkCalendar,
    as_of: int,
    pending: Mapping[str, Pending] = NOTHING_PENDING,
) -> Freshness:
    """How fresh what is known of a kind is, at an instant.

    `last` has the instant of each source's last delivery, `pending` what it named and did not tell.
    NONE where nobody feeds the kind or nobody has spoken yet; STALE as soon as one source that has
    spoken is too long silent; PENDING where all have spoken and something of them is still to be
    fetched. Of what kind that is nobody knows before, so it is said of every kind that they feed.
    """
    heard = [source for source in sources if source.feeds(kind) and source.key in last]
    if not heard:
        return Freshness(FreshnessState.NONE, None)
    stale = silent(kind, heard, last, calendar, as_of)
    waiting = _waiting([pending[one.key] for one in heard if one.key in pending], calendar)
    calm = FreshnessState.PENDING if waiting.count else FreshnessState.FRESH
    return Freshness(
        FreshnessState.STALE if stale else calm,
        moment_of(max(last[source.key] for source in heard), calendar.zone),
        waiting,
    )


def _waiting(found: Sequence[Pending], calendar: WorkCalendar) -> Waiting:
    if not found:
        return NOTHING_WAITS
    oldest = min(one.oldest for one in found)
    return Waiting(sum(one.count for one in found), moment_of(oldest, calendar.zone))


def next_silence(
    sources: Iterable[Source], last: Mapping[str, int], calendar: WorkCalendar, as_of: int
) -> int | None:
    """The next instant at which silence alone makes a source stale; None if none ever will."""
    limits = [
        stale_from(source.expect, last[source.key], calendar)
        for source in sources
        if source.key in last
    ]
    return min(
        (limit + 1 for limit in limits if limit is not None and limit >= as_of), default=None
    )
