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

from app.domain.activities import State, Story
from app.domain.tallies import cells, occurrences
from app.store import history
from app.store.dialect import AnySelect
from app.store.history import Told
from app.store.rules import Metrics, Rules
from app.store.states import CHUNK, Where
from app.store.tables import actor, journal, journal_values, metric_slot
from app.store.transactions import Access

_MASK = 2**64 - 1
Place = tuple[str | int, ...]
Amount = tuple[int, int]


class Commits:
    """The weighed sum of every commit's movements."""

    def __init__(self) -> None:
        self._sums: defaultdict[int, int] = defaultdict(int)

    def expect(self, where: Where, told: list[Told], counting: Rules) -> None:
        """Add what the reports of one activity must have moved."""
        stood: dict[Place, Amount] = {}
        for seq, story in history.steps(told, counting.remembering):
            stands = _stands(where, story, counting)
            for sign, places in ((-1, stood), (1, stands)):
                for place, (number, total) in places.items():
                    self._add(seq, place, sign * number, sign * total)
            stood = stands

    def read(self, access: Access, workspace: str, leaving: frozenset[str]) -> None:
        """Add what is written, but of the generations that are going away."""
        of, values = journal.c, journal_values.c
        query = named(journal, workspace, leaving, of.quarter, of.seq, of.number, of.total)
        for metric, currency, quarter, source, who, seq, number, total in access.connection.execute(
            query
        ):
            self._add(seq, (metric, currency, quarter, source, who), number, total)
        query = named(
            journal_values,
            workspace,
            leaving,
            values.quarter,
            values.seq,
            values.value,
            values.n,
        )
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

    def _add(self, seq: int, place: Place, number: int, total: int = 0) -> None:
        self._sums[seq] += hash(place) * number + hash((place, "total")) * total


def _stands(where: Where, story: Story, counting: Rules) -> dict[Place, Amount]:
    """Where an activity stands in the tallies and, with its values, in the multisets."""
    state, earlier = story
    source, metrics = where[0], kept(counting, where, state)
    found: dict[Place, Amount] = {
        (*cell[:3], source, cell.identity): (by.number, by.total)
        for cell, by in cells(state, metrics, counting.currency, earlier).items()
    }
    for metric, currency, quarter, who, value in occurrences(
        state, metrics, counting.currency, earlier
    ):
        found[metric, currency, quarter, source, who, value] = (1, 0)
    return found


def kept(counting: Rules, where: Where, state: State) -> Metrics:
    """What an activity must be found tallied under; what goes away is nobody's business."""
    tallied = counting.tallied(where, state.kind)
    leaving = counting.leaving
    return tuple(one for one in tallied if one.key not in leaving) if leaving else tallied


def named(table: Table, workspace: str, leaving: frozenset[str], *values: Column[Any]) -> AnySelect:
    """The rows of a tally, or of how it moved, under the names of generations and people."""
    bucket, *rest = values
    slot, who = metric_slot.c, actor.c
    of = table.c
    return (
        select(slot.metric, slot.currency, bucket, who.source, who.identity, *rest)
        .join(metric_slot, and_(slot.workspace_id == of.workspace_id, slot.slot == of.slot))
        .join(actor, and_(who.workspace_id == of.workspace_id, who.actor == of.actor))
        .where(of.workspace_id == workspace, slot.metric.not_in(sorted(leaving)))
        .execution_options(yield_per=CHUNK)
    )
