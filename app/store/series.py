"""Tallies in many buckets at once: one statement, however many buckets there are.

The buckets are bound as an array and joined on the range of the tally's own key. A query for each
of them would be thousands.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, select

from app.store import journal, tallies
from app.store.dialect import (
    AnySelect,
    Whole,
    Words,
    halves,
    joined,
    summed,
    tabled,
    whole,
)
from app.store.journal import Knowing
from app.store.tables import tally_day, tally_quarter, tally_values
from app.store.transactions import Access

Range = tuple[int, int, int]  # bucket, first day or quarter, end


class Values(StrEnum):
    """Which values of a multiset are asked for."""

    DISTINCT = "distinct"
    LEAST = "least"
    GREATEST = "greatest"


class Sums(NamedTuple):
    """What is in a bucket; `total` is an integer at the metric's scale. Actor 0 is everybody."""

    bucket: int
    actor: int
    number: int
    total: int


class Tallied:
    """The tallies of one metric in one currency ("" unless money)."""

    def __init__(
        self,
        access: Access,
        workspace: str,
        metric: str,
        currency: str,
        known: Knowing | None = None,
    ) -> None:
        self._access = access
        self._workspace = workspace
        self._slot = tallies.serving(access, workspace).get((metric, currency))
        self._known = known

    def days(self, ranges: Sequence[Range], *, by_actor: bool) -> list[Sums]:
        """Sums over whole local days, of each actor or of everybody; ranges are disjoint."""
        stands = self._sums(tally_day, ranges, by_actor=by_actor)
        if self._known is None:
            return stands
        quarters = [(place, *self._known.quarters((first, end))) for place, first, end in ranges]
        return self._less(stands, quarters, by_actor=by_actor)

    def quarters(self, ranges: Sequence[Range], *, by_actor: bool) -> list[Sums]:
        """Sums over quarter hours (instant // QUARTER); ranges are disjoint."""
        stands = self._sums(tally_quarter, ranges, by_actor=by_actor)
        return stands if self._known is None else self._less(stands, ranges, by_actor=by_actor)

    def values(
        self, ranges: Sequence[Range], which: Values, *, by_actor: bool
    ) -> list[tuple[int, int, str]]:
        """Bucket, actor and value over quarter hours: the distinct ones, the least or greatest.

        Who knows less than everything gets all distinct values, the asked one among them.
        """
        value = tally_values.c.value
        if self._known is not None:
            return self._values_then(ranges, by_actor=by_actor)
        chosen = {Values.LEAST: func.min(value), Values.GREATEST: func.max(value)}.get(which)
        if chosen is not None:
            return self._grouped(tally_values, ranges, [chosen], by_actor=by_actor)
        return self._grouped(tally_values, ranges, [value], by_actor=by_actor, also=(value,))

    def _less(
        self, stands: Iterable[Sums], ranges: Sequence[Range], *, by_actor: bool
    ) -> list[Sums]:
        """Sums less what has come into their quarter hours since."""
        left = {(row.bucket, row.actor): (row.number, row.total) for row in stands}
        for place, actor, came in self._since(journal.since_by_quarter, ranges):
            whose = (place, actor if by_actor else 0)
            number, total = left.get(whose, (0, 0))
            left[whose] = (number - came[0], total - came[1])
        return [Sums(*whose, *left[whose]) for whose in sorted(left)]

    def _values_then(
        self, ranges: Sequence[Range], *, by_actor: bool
    ) -> list[tuple[int, int, str]]:
        of = tally_values.c
        stands = self._grouped(
            tally_values, ranges, [of.value, summed(of.n)], by_actor=by_actor, also=(of.value,)
        )
        left = {tuple(row[:3]): row[3] for row in stands}
        for place, actor, (value, more) in self._since(journal.values_since, ranges):
            what = (place, actor if by_actor else 0, value)
            left[what] = left.get(what, 0) - more
        return sorted(what for what, n in left.items() if n > 0)

    def _since(
        self, read: Callable[..., Iterable[tuple[Any, ...]]], ranges: Sequence[Range]
    ) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Bucket, actor and what else the journal tells of what came into the ranges since."""
        if self._slot is None or self._known is None or not ranges:
            return
        cut = sorted((first, end, place) for place, first, end in ranges)
        window = (cut[0][0], max(end for _, end, _ in cut))
        slot, seq = self._slot, self._known.seq
        for quarter, actor, *came in read(self._access, self._workspace, slot, seq, window):
            at = bisect_right(cut, quarter, key=itemgetter(0)) - 1
            if at >= 0 and quarter < cut[at][1]:
                yield cut[at][2], actor, tuple(came)

    def _sums(self, table: Table, ranges: Sequence[Range], *, by_actor: bool) -> list[Sums]:
        chosen = (summed(table.c.number), *halves(table.c.total))
        rows = self._grouped(table, ranges, chosen, by_actor=by_actor)
        return [
            Sums(place, actor, number, joined(upper, lower))
            for place, actor, number, upper, lower in rows
        ]

    def _grouped(
        self,
        table: Table,
        ranges: Sequence[Range],
        chosen: Sequence[ColumnElement[Any]],
        *,
        by_actor: bool,
        also: Sequence[ColumnElement[Any]] = (),
    ) -> list[Any]:
        if self._slot is None or not ranges:
            return []
        bound = {"workspace": self._workspace, "slot": self._slot, "ranges": json.dumps(ranges)}
        query = _query(table, chosen, also, by_actor=by_actor)
        # An empty bucket is nobody's: dropped here, since a condition would make the join inner.
        return [
            (place, actor if by_actor else 0, *rest)
            for place, actor, *rest in self._access.connection.execute(query, bound)
            if actor is not None
        ]


def _query(
    table: Table,
    chosen: Sequence[ColumnElement[Any]],
    also: Sequence[ColumnElement[Any]],
    *,
    by_actor: bool,
) -> AnySelect:
    within = tabled("ranges", whole, "place", "first", "until").subquery("within")
    bucket = table.c.day if table is tally_day else table.c.quarter
    # An outer join keeps this order: a range scan of the tally for each bucket. SQLite knows
    # nothing of the array and would else go through the whole tally, asking it for every row.
    source = within.outerjoin(
        table,
        and_(
            table.c.workspace_id == bindparam("workspace", type_=Words),
            table.c.slot == bindparam("slot", type_=Whole),
            bucket >= within.c.first,
            bucket < within.c.until,
        ),
    )
    actor = table.c.actor if by_actor else func.min(table.c.actor)
    groups = (within.c.place, *((table.c.actor,) if by_actor else ()), *also)
    return select(within.c.place, actor, *chosen).select_from(source).group_by(*groups)
