"""A metric over time: cut the range into buckets, read the tallies, say whose they are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from app.domain.buckets import (
    Bucket,
    Granularity,
    Window,
    buckets,
    parts,
    pieces,
    whole,
    window_start,
)
from app.domain.calendar import ONE_DAY
from app.domain.errors import Fault, Invalid
from app.domain.instants import (
    FLOOR,
    QUARTER,
    day_number,
    micros,
    midnight,
    moment_of,
)
from app.domain.metrics import MULTISETS, Aggregation, Metric
from app.domain.series import (
    ALL,
    NOBODY,
    By,
    Group,
    Header,
    Item,
    Measure,
    Place,
    Sum,
    Value,
    group_of,
    items,
    levels,
    measured,
)
from app.domain.spans import Span
from app.store import actors, heads, totals
from app.store.actors import Actor
from app.store.journal import Knowing
from app.store.series import Tallied, Values
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.counted import knowing, moment_written
from app.usecases.organisation import Organisation
from app.usecases.settling import settling

_WHICH = {
    Aggregation.UNIQUE: Values.DISTINCT,
    Aggregation.MIN: Values.LEAST,
    Aggregation.MAX: Values.GREATEST,
    Aggregation.LATEST: Values.GREATEST,
}


LONG_AGO = 0  # no activity lies before 1980
# A page shows at most so many buckets, and few of them where many people stand in each.
BUCKETS_AT_ONCE = 500
FEW_BUCKETS = 16


class Fill(StrEnum):
    """Whether buckets and people without activities are shown."""

    NOTHING = "nothing"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants to see of a metric.

    start, end, as_of: as written, a date of the zone or an RFC 3339 time on a quarter hour
    known_at: the same, at any instant; None: all that is known
    time_zone: None means the workspace's
    """

    start: str | None = None
    end: str | None = None
    window: Window | None = None
    granularity: Granularity = Granularity.TOTAL
    time_zone: str | None = None
    by: By = By.NOTHING
    as_of: str | None = None
    known_at: str | None = None
    fill: Fill = Fill.NOTHING


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers asked for, in order, and all that decides them: what a tag is made of."""

    header: Header
    items: tuple[Item, ...]
    basis: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` to `end`, of which everything before `until` is counted."""

    start: int
    end: int
    until: int


Behind = tuple[int, Group]  # the place of the last item of the page before


@settling
def series(
    context: Context, workspace: str, key: str, asked: Asked, behind: Behind | None, limit: int
) -> Series:
    """Up to `limit` numbers of a metric, behind a place; none of one that is still to be counted.

    Raises NotFound `unknown_metric`, and Invalid with the parameter that has no meaning.
    """
    now = context.clock()
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        counted = key not in found.building or key in found.metrics
        metric = found.metric(key) if counted else found.building[key]
        zone = found.workspace.zone if asked.time_zone is None else zone_asked(asked.time_zone)
        asked_range = range_asked(asked, zone, now)
        known_at = known_asked(asked, zone, now)
        known = knowing(reading, found, known_at)
        shown = _Showing(reading, found, metric, asked, known).items(asked_range, zone, behind)
        head = heads.head(reading, workspace)
        page = tuple(islice(shown, limit)) if counted else ()
    moved = (known.seq if known else head.seq, head.config_version) if head else ()
    basis = (workspace, key, *moved, asked_range.until, repr(asked), repr(behind), limit)
    unit = metric.unit_in(found.workspace.currency)
    then = None if known_at is None else moment_of(known_at, zone)
    header = Header(key, unit, asked.granularity, zone, asked.by, then, counted=counted)
    return Series(header, page, basis)


def range_asked(asked: Asked, zone: ZoneInfo, now: int) -> Range:
    """What is asked for. Raises Invalid with the parameter that has no meaning."""
    if asked.window is not None and (asked.start is not None or asked.end is not None):
        raise _refused("window_or_range", "window")
    # Until the end of the running quarter hour: a read after the ack sees the event.
    until = now - now % QUARTER + QUARTER
    if asked.as_of is not None:
        until = _moment(asked.as_of, "as_of", zone, days=1)
        if until > now:
            raise _refused("as_of_ahead", "as_of")
    if asked.window is not None:
        return Range(max(window_start(asked.window, zone, until), FLOOR), until, until)
    if asked.start is None:
        raise _refused("required", "from")
    start = _moment(asked.start, "from", zone)
    end = until if asked.end is None else _moment(asked.end, "to", zone)
    if start > now:
        raise _refused("as_of_ahead", "from")
    if asked.end is not None and start >= end:
        raise _refused("empty_span", "to")
    return Range(start, end, until)


def known_asked(asked: Asked, zone: ZoneInfo, now: int) -> int | None:
    """The instant that is known of; None for now. Raises Invalid with the parameter."""
    if asked.known_at is None:
        return None
    try:
        at = moment_written(asked.known_at, zone, days=1)
    except Invalid as error:
        raise _refused(error.code, "known_at") from None
    if at > now:
        raise _refused("as_of_ahead", "known_at")
    return at


def _moment(text: str, parameter: str, zone: ZoneInfo, days: int = 0) -> int:
    try:
        return _instant(text, zone, days)
    except Invalid as error:
        raise _refused(error.code, parameter) from None


def _instant(text: str, zone: ZoneInfo, days: int) -> int:
    at = moment_written(text, zone, days)
    if at < FLOOR:
        raise Invalid("time_before_1980")
    if at % QUARTER:
        raise Invalid("as_of_between_quarters")
    return at


def zone_asked(text: str) -> ZoneInfo:
    """A zone by its name. Raises Invalid with the parameter."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise _refused("unknown_zone", "time_zone") from None


def _refused(code: str, parameter: str) -> Invalid:
    return Invalid("invalid_request", Fault("", code, {"parameter": parameter}))


class _Showing:
    """One metric in one snapshot, broken down as asked."""

    def __init__(
        self,
        access: Access,
        found: Organisation,
        metric: Metric,
        asked: Asked,
        known: Knowing | None,
    ) -> None:
        self._access = access
        self._known_then = known
        self._found = found
        self._home = found.workspace.zone
        self._metric = metric
        self._currency = metric.unit_in(found.workspace.currency).currency or ""
        self._asked = asked
        self._actors: Mapping[int, Actor] = {}
        if asked.by is not By.NOTHING:
            self._actors = actors.all_actors(access, found.workspace.key)
        self._days: dict[int, date] = {}
        self._known: dict[tuple[int, date], Group] = {}

    def items(self, asked: Range, zone: ZoneInfo, behind: Behind | None) -> Iterator[Item]:
        """The numbers behind a place, read as far as they are taken."""
        cut = buckets(self._asked.granularity, zone, asked.start, asked.end, asked.until)
        first = 0 if behind is None else bisect_left(cut, behind[0], key=lambda one: one.start)
        size = BUCKETS_AT_ONCE if self._asked.by is By.NOTHING else FEW_BUCKETS
        while some := cut[first : first + size]:
            first, size = first + size, min(2 * size, BUCKETS_AT_ONCE)
            counted = self._measured(some, asked.until)
            for one in items(self._metric, self._currency, some, counted, self._filled()):
                if behind is None or one.place > behind:
                    yield one

    def _measured(self, cut: Sequence[Bucket], until: int) -> Mapping[Place, Measure]:
        within = parts(cut, until, self._changes(cut[0].start, min(cut[-1].end, until)))
        workspace, metric = self._found.workspace.key, self._metric.key
        tallied = Tallied(self._access, workspace, metric, self._currency, self._known_then)
        by_actor = self._asked.by is not By.NOTHING
        days, quarters = pieces(within, self._home)
        sums = [
            Sum(*row)
            for rows in (
                tallied.days(days, by_actor=by_actor),
                tallied.quarters(quarters, by_actor=by_actor),
            )
            for row in rows
        ]
        if self._metric.stock is not None:
            return levels(within, self._opening(cut[0].start), sums, self._whose)
        values: Iterable[Value] = ()
        if self._metric.aggregation in MULTISETS:
            which = _WHICH[self._metric.aggregation]
            values = (
                Value(*row) for row in tallied.values(whole(within), which, by_actor=by_actor)
            )
        return measured(self._metric, within, sums, values, self._whose)

    def _changes(self, start: int, end: int) -> list[int]:
        """The instants inside a range at which an actor may come to mean somebody else."""
        if self._asked.by not in {By.MEMBER, By.TEAM}:
            return []
        span = Span(self._day(start), self._day(end) + ONE_DAY)
        days = self._found.people.changes(span)
        return sorted(micros(midnight(day, self._home)) for day in days)

    def _opening(self, start: int) -> dict[int, Measure]:
        """What stood of a stock, per actor, when the first bucket began."""
        access, workspace, metric = self._access, self._found.workspace.key, {self._metric.key}
        today = self._day(start)
        dawn = micros(midnight(today, self._home))
        known, quarters = self._known_then, (dawn // QUARTER, start // QUARTER)
        rows = [
            *totals.totals(access, workspace, metric, LONG_AGO, day_number(today), known),
            *totals.quarter_totals(access, workspace, metric, *quarters, known),
        ]
        held: dict[int, Measure] = {}
        for row in rows:
            if row.currency == self._currency:
                actor = row.actor if self._actors else 0
                before = held.get(actor, Measure(0, 0))
                held[actor] = Measure(before.number + row.number, before.total + row.total)
        return held

    def _whose(self, actor: int, at: int) -> Group:
        if self._asked.by is By.NOTHING:
            return ALL
        day = self._days.get(at)
        if day is None:
            day = self._days[at] = self._day(at)
        known = self._known.get((actor, day))
        if known is None:
            people, who = self._found.people, self._actors[actor]
            known = group_of(people, *who, self._asked.by, day)
            self._known[actor, day] = known
        return known

    def _filled(self) -> list[Group]:
        """The groups that are shown with nothing as well."""
        if self._asked.fill is Fill.NOTHING:
            return []
        match self._asked.by:
            case By.NOTHING:
                return [ALL]
            case By.ACTOR:
                return [Group(nobody=False, source=s, name=n) for s, n in self._actors.values()]
            case By.TEAM:
                names: Iterable[str] = self._found.people.teams
            case By.MEMBER:
                names = self._found.people.members
        return [*(Group(nobody=False, name=name) for name in names), NOBODY]

    def _day(self, at: int) -> date:
        return moment_of(at, self._home).date()
