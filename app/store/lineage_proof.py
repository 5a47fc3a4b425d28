"""Whether the rows of what grew from what are true: held against the reports at every commit.

A row that begins or ends at another commit than one that told of its activity is wrong as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Table, func, select, tuple_

from app.domain.activities import Story
from app.domain.origins import links
from app.domain.tallies import cells
from app.store import history
from app.store.actors import all_actors
from app.store.dialect import AnyRow, AnySelect
from app.store.history import LAST, Told
from app.store.proof import kept
from app.store.rules import Rules
from app.store.states import Where
from app.store.tables import link, metric_slot, placed
from app.store.transactions import Access

_L, _P, _S = link.c, placed.c, metric_slot.c
Fact = tuple[str | int, ...]


class Differing(NamedTuple):
    """A table, an activity, and what is stored of it as of which commit beside what should be."""

    what: str
    where: Where
    stored: object
    computed: object


class _Row(NamedTuple):
    fact: Fact
    since: int
    until: int


class Lineage:
    """Compares chunk by chunk, and at the end whether there is anything beside."""

    def __init__(self, access: Access, workspace: str, by: Rules) -> None:
        self._access = access
        self._workspace = workspace
        self._rules = by
        ends = select(_L.source, _L.key, _L.from_source, _L.from_key).where(
            _L.workspace_id == workspace
        )
        self._ends: set[Where] = set()
        for source, key, *of in access.connection.execute(ends):
            self._ends |= {(source, key), (of[0], of[1])}
        self._actors = all_actors(access, workspace)
        query = select(_S.slot, _S.metric, _S.currency).where(_S.workspace_id == workspace)
        self._slots: dict[int, tuple[str, str]] = {
            slot: (metric, currency)
            for slot, metric, currency in access.connection.execute(query)
            if metric not in by.leaving
        }
        self._met = {link.name: 0, placed.name: 0}

    def differing(self, histories: Sequence[tuple[Where, list[Told]]]) -> Iterator[Differing]:
        """What is stored otherwise of some activities, which lie side by side."""
        span = histories[0][0], histories[-1][0]
        linked, lying = self._linked(*span), self._lying(*span)
        for where, told in histories:
            steps = history.steps(told, self._rules.remembering)
            ended = where in self._ends
            grew = {seq: self._grew(where, story) for seq, story in steps}
            lay = {seq: self._lay(where, story) if ended else set() for seq, story in steps}
            for what, rows, should in (
                (link.name, linked[where], grew),
                (placed.name, lying[where], lay),
            ):
                self._met[what] += len(rows)
                yield from _compared(what, where, rows, should)

    def beside(self) -> Iterator[Differing]:
        """Rows of activities that nothing was ever told of."""
        query = select(func.count()).where(_L.workspace_id == self._workspace)
        own = _P.slot.in_(sorted(self._slots))
        lying = select(func.count()).where(_P.workspace_id == self._workspace, own)
        for table, counted in ((link, query), (placed, lying)):
            number = self._access.connection.execute(counted).scalar_one()
            if number != self._met[table.name]:
                yield Differing(table.name, ("", ""), number, self._met[table.name])

    def _grew(self, where: Where, story: Story) -> set[Fact]:
        named = ((one.source or where[0], one.key) for one in links(story.state.fields))
        return {one for one in named if one != where}

    def _lay(self, where: Where, story: Story) -> set[Fact]:
        state, earlier = story
        metrics = [one for one in kept(self._rules, where, state) if one.additive]
        found = cells(state, metrics, self._rules.currency, earlier)
        return {(*cell, movement.number) for cell, movement in found.items()}

    def _linked(self, first: Where, last: Where) -> dict[Where, list[_Row]]:
        found: dict[Where, list[_Row]] = defaultdict(list)
        query = select(_L.source, _L.key, _L.from_source, _L.from_key, _L.since, _L.until)
        for source, key, *of, since, until in self._rows(query, link, first, last):
            found[source, key].append(_Row(tuple(of), since, until))
        return found

    def _lying(self, first: Where, last: Where) -> dict[Where, list[_Row]]:
        found: dict[Where, list[_Row]] = defaultdict(list)
        query = select(
            _P.source, _P.key, _P.slot, _P.quarter, _P.actor, _P.number, _P.since, _P.until
        )
        for source, key, slot, quarter, who, number, since, until in self._rows(
            query, placed, first, last
        ):
            if slot in self._slots:
                actor = self._actors.get(who)
                whom = actor.identity if actor and actor.source == source else f"#{who}"
                fact = (*self._slots[slot], quarter, whom, number)
                found[source, key].append(_Row(fact, since, until))
        return found

    def _rows(self, query: AnySelect, table: Table, first: Where, last: Where) -> list[AnyRow]:
        place = tuple_(table.c.source, table.c.key)
        within = query.where(table.c.workspace_id == self._workspace, place >= first, place <= last)
        return list(self._access.connection.execute(within))


def _compared(
    what: str, where: Where, rows: Sequence[_Row], should: dict[int, set[Fact]]
) -> Iterator[Differing]:
    turns = {*should, LAST}
    for row in rows:
        if not (row.since in should and row.until in turns and row.since < row.until):
            yield Differing(what, where, row, None)
    for seq, computed in should.items():
        stored = [row.fact for row in rows if row.since <= seq < row.until]
        if sorted(map(repr, stored)) != sorted(map(repr, computed)):
            yield Differing(
                what, where, (seq, sorted(map(repr, stored))), sorted(map(repr, computed))
            )
