"""Whether the journal is true: what it says of every commit against the reports that it brought.

The journal is as long as history, so it is not held in memory: of each commit only a sum is kept
in which every place that moves has a weight of its own. A row that is wrong, missing or too much
changes the sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, and_, select

from app.domain.activities import NOTHING, State
from app.domain.tallies import Cell, Movement, cells, moved, occurrences
from app.store import history
from app.store.dialect import AnySelect
from app.store.history import Told
from app.store.rules import Rules
from app.store.states import CHUNK
from app.store.tables import actor, journal, journal_values, metric_slot
from app.store.transactions import Access

_MASK = 2**64 - 1


class Commits:
    """The weighed sum of every commit's movements."""

    def __init__(self) -> None:
        self._sums: defaultdict[int, int] = defaultdict(int)

    def expect(self, source: str, told: list[Told], counting: Rules) -> None:
        """Add what the reports of one activity must have moved."""
        before = NOTHING
        for seq, after in history.states(told):
            for cell, by in moved(
                _cells(source, before, counting), _cells(source, after, counting)
            ).items():
                self._add(seq, (*cell[:3], source, cell[3]), by.number, by.total)
            for state, step in ((before, -1), (after, 1)):
                for metric, currency, quarter, who, value in _values(source, state, counting):
                    self._add(seq, (metric, currency, quarter, source, who, value), step)
            before = after

    def read(self, access: Access, workspace: str) -> None:
        """Add what is written."""
        of, values = journal.c, journal_values.c
        query = named(journal, workspace, of.quarter, of.seq, of.number, of.total)
        for metric, currency, quarter, source, who, seq, number, total in access.connection.execute(
            query
        ):
            self._add(seq, (metric, currency, quarter, source, who), number, total)
        query = named(journal_values, workspace, values.quarter, values.seq, values.value, values.n)
        for metric, currency, quarter, source, who, seq, value, n in access.connection.execute(
            query
        ):
            self._add(seq, (metric, currency, quarter, source, who, value), n)

    def differing(self, stored: Commits) -> Iterator[tuple[int, str, str]]:
        """The commits of which something else is written: their numbers, and both sums."""
        for seq in sorted(self._sums.keys() | stored._sums.keys()):
            should_be, is_stored = self._sums[seq] & _MASK, stored._sums[seq] & _MASK
            if should_be != is_stored:
                yield seq, f"{is_stored:016x}", f"{should_be:016x}"

    def _add(self, seq: int, place: tuple[str | int, ...], number: int, total: int = 0) -> None:
        self._sums[seq] += hash(place) * number + hash((place, "total")) * total


def _cells(source: str, state: State, counting: Rules) -> dict[Cell, Movement]:
    if state is NOTHING:
        return {}
    return cells(state, counting.metrics_of(source, state.kind), counting.currency)


def _values(
    source: str, state: State, counting: Rules
) -> tuple[tuple[str, str, int, str, str], ...]:
    if state is NOTHING:
        return ()
    return occurrences(state, counting.metrics_of(source, state.kind), counting.currency)


def named(table: Table, workspace: str, *values: Column[Any]) -> AnySelect:
    """The rows of a tally, or of how it moved, under the names of their metrics and people."""
    bucket, *rest = values
    slot, who = metric_slot.c, actor.c
    of = table.c
    return (
        select(slot.metric, slot.currency, bucket, who.source, who.identity, *rest)
        .join(metric_slot, and_(slot.workspace_id == of.workspace_id, slot.slot == of.slot))
        .join(actor, and_(who.workspace_id == of.workspace_id, who.actor == of.actor))
        .where(of.workspace_id == workspace)
        .execution_options(yield_per=CHUNK)
    )
