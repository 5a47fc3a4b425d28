"""What was received, as it came: written with its items, listed, read again, and let go of.

A delivery is kept in the transaction that counts its items, so what was acknowledged is here. The
same bytes sent twice are two deliveries: both were received.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_, update

from app.domain.activities import Outcome, canonical_json
from app.domain.deliveries import Delivery, Door, ItemResult, Raw
from app.store import fetches
from app.store.dialect import AnyRow, in_order, position
from app.store.fetches import Named
from app.store.pages import Page, cut, place_of
from app.store.statements import inserting
from app.store.tables import delivery as table
from app.store.transactions import Access, Writing

# An id is (place in the order of commits, place in that commit), as one number.
_PER_COMMIT = 1_000_000
# Below this, the compressor costs more time than the bytes it saves are worth.
_SMALLEST_PACKED = 512
_LATEST = (2**63 - 1, 2**63 - 1)
# Between and around the names of sources, which hold no control characters.
_BETWEEN = "\n"
_D = table.c
_INSERT = inserting(table)


class Packed(NamedTuple):
    """A body as it is stored."""

    compressed: bool
    octets: bytes


# Ids already given, by the identity of the Delivery in memory: a delivery whose items end in
# several transactions is kept once, with the first of them.
Placed = dict[int, int]


def packed(body: bytes) -> Packed:
    """A body as small as is cheap. Done before the transaction: it is the costly part."""
    if len(body) < _SMALLEST_PACKED:
        return Packed(compressed=False, octets=body)
    return Packed(compressed=True, octets=zlib.compress(body, 1))


class Shelf:
    """The deliveries of one workspace in one transaction."""

    def __init__(self, writing: Writing, placed: Placed, bodies: Mapping[int, Packed]) -> None:
        self._writing = writing
        self._placed = placed
        self._bodies = bodies
        self._new: dict[int, Delivery] = {}
        self._outcomes: dict[int, dict[str, int]] = {}
        self._fetching: dict[int, Delivery] = {}

    def place(self, delivery: Delivery) -> int | None:
        """The id of a delivery, a new one at first sight; None for one that is not kept."""
        if delivery.references or delivery.fetched:
            self._fetching[id(delivery)] = delivery
        if delivery.replay is not None:
            return delivery.replay.delivery
        if delivery.raw is None:
            return None
        known = self._placed.get(id(delivery))
        if known is None:
            known = self._writing.seq * _PER_COMMIT + len(self._new)
            self._placed[id(delivery)] = known
            self._new[known] = delivery
        return known

    def count(self, delivery: Delivery, result: ItemResult) -> None:
        """What became of one of its items."""
        number = self.place(delivery)
        if number is not None and delivery.replay is None:
            counted = self._outcomes.get(number)
            if counted is None:
                counted = self._outcomes[number] = {}
            word = result.outcome.value
            counted[word] = counted.get(word, 0) + 1

    def write(self) -> None:
        """Keep what is new; add outcomes to what an earlier transaction kept."""
        rows = [self._row(number, delivery) for number, delivery in self._new.items()]
        _INSERT.many(self._writing.connection, rows)
        for number in self._outcomes.keys() - self._new.keys():
            self._add(number, self._outcomes[number])
        # In the transaction that keeps them: what is acknowledged waits, what is counted does not.
        for delivery in self._fetching.values():
            at, place = delivery.taken_at, self.place(delivery)
            named = [Named(reference, at, place) for reference in delivery.references]
            fetches.enqueue(self._writing, named)
            fetches.settle(self._writing, delivery.fetched)

    def _row(self, number: int, delivery: Delivery) -> tuple[Any, ...]:
        raw = delivery.raw
        assert raw is not None  # noqa: S101 - only those with a raw part are placed
        body = self._bodies[id(delivery)]
        return (
            self._writing.workspace,
            number,
            delivery.received_at,
            raw.door.value,
            raw.source,
            _listed(_sources(delivery)),
            raw.method,
            raw.query,
            raw.media_type,
            canonical_json(raw.headers) if raw.headers else "{}",
            _counted(tuple(self._told(number, delivery).items())),
            int(raw.altered),
            len(raw.body),
            int(body.compressed),
            body.octets,
        )

    def _told(self, number: int, delivery: Delivery) -> Mapping[str, int]:
        told = self._outcomes.get(number, {})
        named = len(delivery.references)
        return told | {Outcome.PENDING.value: named} if named else told

    def _add(self, number: int, more: Mapping[str, int]) -> None:
        same = and_(_D.workspace_id == self._writing.workspace, _D.id == number)
        before = self._writing.connection.execute(select(_D.outcomes).where(same)).scalar_one()
        outcomes = canonical_json(Counter(json.loads(before)) + Counter(more))
        self._writing.connection.execute(update(table).where(same).values(outcomes=outcomes))


@lru_cache(maxsize=1_000)  # nearly all deliveries have one item, and end alike
def _counted(outcomes: tuple[tuple[str, int], ...]) -> str:
    return canonical_json(dict(outcomes))


def _sources(delivery: Delivery) -> Iterable[str]:
    raw = delivery.raw
    if raw is not None and raw.source is not None:
        return (raw.source,)
    if len(delivery.items) == 1 and not delivery.refused:
        return (delivery.items[0].report.source,)
    told = {item.report.source for item in delivery.items}
    return sorted(told | {refused.source for refused in delivery.refused if refused.source})


def _listed(sources: Iterable[str]) -> str:
    return "".join(f"{_BETWEEN}{source}" for source in sources) + _BETWEEN


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept delivery without its body. `outcomes` counts its items as they were answered."""

    id: int
    received_at: int
    door: Door
    sources: tuple[str, ...]
    media_type: str
    size: int
    altered: bool
    outcomes: Mapping[str, int]


class Whole(NamedTuple):
    """A kept delivery and the request it was."""

    stored: Stored
    raw: Raw


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries: received in [first, until), with something of a source."""

    first: int | None = None
    until: int | None = None
    source: str | None = None


_LISTED = (
    _D.id, _D.received_at, _D.door, _D.sources, _D.media_type, _D.size, _D.altered, _D.outcomes,
)  # fmt: skip
_WHOLE = (*_LISTED, _D.source, _D.method, _D.query, _D.headers, _D.packed, _D.body)
_order = tuple_(_D.received_at, _D.id)
# Of a column of bytes no engine reads the bytes for it.
_SIZE = func.length(_D.body)


def page(
    access: Access, workspace: str, chosen: Filter, cursor: str | None, limit: int
) -> Page[Stored]:
    """Deliveries without their bodies, the newest first."""
    before = place_of(cursor, _LATEST)
    query = (
        select(*_LISTED)
        .where(*_matching(workspace, chosen), _order < before)
        .order_by(_D.received_at.desc(), _D.id.desc())
        .limit(limit + 1)
    )
    return cut(in_order(access.connection, query), limit, _stored, _place)


def onward(
    access: Access, workspace: str, chosen: Filter, cursor: str | None, limit: int
) -> Page[Whole]:
    """Deliveries with their bodies, the oldest first."""
    after = place_of(cursor, (-(2**63), 0))
    query = (
        select(*_WHOLE)
        .where(*_matching(workspace, chosen), _order > after)
        .order_by(_D.received_at, _D.id)
        .limit(limit + 1)
    )
    return cut(in_order(access.connection, query), limit, _whole, _place)


def latest(access: Access, workspace: str, source: str, among: int, limit: int) -> list[Stored]:
    """Deliveries of a source, those of no interest too, among so many newest of the workspace."""
    newest = (_D.received_at.desc(), _D.id.desc())
    all_its = select(_D.received_at, _D.id).where(_D.workspace_id == workspace).order_by(*newest)
    edge = in_order(access.connection, all_its.offset(among - 1).limit(1))
    its = or_(_D.source == source, position(_D.sources, _listed([source])) > 0)
    query = select(*_LISTED).where(_D.workspace_id == workspace, its).order_by(*newest)
    if edge:
        query = query.where(_order >= tuple_(*edge[0]))
    return [_stored(row) for row in in_order(access.connection, query.limit(limit))]


def commit_of(id_: int) -> int:
    """The commit that kept a delivery."""
    return id_ // _PER_COMMIT


def get(access: Access, workspace: str, id_: int) -> Whole | None:
    """One delivery with its body."""
    query = select(*_WHOLE).where(_D.workspace_id == workspace, _D.id == id_)
    row = access.connection.execute(query).one_or_none()
    return None if row is None else _whole(row)


def has_before(access: Access, workspace: str, before: int) -> bool:
    """Whether something was received before an instant."""
    query = select(_D.id).where(_D.workspace_id == workspace, _D.received_at < before).limit(1)
    return access.connection.execute(query).first() is not None


class Gone(NamedTuple):
    """Deliveries that were let go of, and the bytes their bodies took."""

    number: int
    size: int


def expire(
    writing: Writing, limit: int, *, before: int | None = None, enough: int | None = None
) -> Gone:
    """Let go of the oldest deliveries: those received before an instant, or enough bytes of them.

    At most `limit` at once.
    """
    query = (
        select(_D.id, _SIZE)
        .where(*_matching(writing.workspace, Filter(until=before)))
        .order_by(_D.received_at, _D.id)
        .limit(limit)
    )
    gone: list[int] = []
    size = 0
    for id_, octets in in_order(writing.connection, query):
        if enough is not None and size >= enough:
            break
        gone.append(id_)
        size += octets
    same = and_(_D.workspace_id == writing.workspace, _D.id.in_(gone))
    writing.connection.execute(delete(table).where(same))
    return Gone(len(gone), size)


class Measured(NamedTuple):
    """The bytes that bodies take on disk, and the last delivery that was measured."""

    size: int
    last: int


def measure(access: Access, workspace: str, after: int, limit: int) -> Measured:
    """What the next deliveries after one take, in the order of their ids; nothing at the end."""
    following = (
        select(_D.id.label("id"), _SIZE.label("size"))
        .where(_D.workspace_id == workspace, _D.id > after)
        .order_by(_D.id)
        .limit(limit)
        .subquery()
    )
    query = select(func.sum(following.c.size), func.max(following.c.id))
    size, last = access.connection.execute(query).one()
    return Measured(int(size or 0), last or after)


def _matching(workspace: str, chosen: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_D.workspace_id == workspace]
    if chosen.first is not None:
        conditions.append(_D.received_at >= chosen.first)
    if chosen.until is not None:
        conditions.append(_D.received_at < chosen.until)
    if chosen.source is not None:
        conditions.append(position(_D.sources, _listed([chosen.source])) > 0)
    return conditions


def _place(row: AnyRow) -> tuple[int, int]:
    return row.received_at, row.id


def _stored(row: AnyRow) -> Stored:
    return Stored(
        row.id,
        row.received_at,
        Door(row.door),
        tuple(row.sources.split(_BETWEEN)[1:-1]),
        row.media_type,
        row.size,
        bool(row.altered),
        json.loads(row.outcomes),
    )


def _whole(row: AnyRow) -> Whole:
    stored = _stored(row)
    body = zlib.decompress(row.body) if row.packed else row.body
    headers = json.loads(row.headers)
    raw = Raw(
        stored.door, row.source, row.method, row.query, row.media_type, headers, body,
        altered=stored.altered,
    )  # fmt: skip
    return Whole(stored, raw)
