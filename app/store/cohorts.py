"""Which items of a metric turned out, and when: read off the links and where their ends lie.

An activity that grew from several items of a metric grew from the earliest of them, and an item
turned out with the earliest activity that grew from it. So neither is counted twice, and the rate
of items that turn out is one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select

from app.store import tallies
from app.store.dialect import Whole, Words, among, listed, whole
from app.store.history import LAST
from app.store.journal import Window
from app.store.statements import Prepared
from app.store.states import Where
from app.store.tables import link, placed
from app.store.transactions import Access

_L, _P = link.c, placed.c
# Added to a slot: SQLite would else go through all that ever turned out, for every single item.
_NOTHING: ColumnElement[int] = literal_column("0")


class Grown(NamedTuple):
    """Items of an actor that began in a quarter hour and turned out in another one.

    number: as it is tallied, so that it can be taken from the items of that quarter hour
    """

    begun: int
    actor: int
    number: int
    became: int


class _Item(NamedTuple):
    """What began: the earliest stands first."""

    quarter: int
    source: str
    key: str


class _Begun(NamedTuple):
    """A part of an item, with one activity that grew from it."""

    item: _Item
    actor: int
    number: int
    child: Where


def grown(
    access: Access,
    workspace: str,
    edge: tuple[str, str],
    within: Window,
    until: int,
    seq: int | None = None,
) -> list[Grown]:
    """The items of a metric that turned out in another one before a quarter hour.

    edge: the metric of the items, and that of what they become; within: the quarter hours in
    which they began; seq: the commit up to which all is known, None for now
    """
    at = LAST - 1 if seq is None else seq
    numbers = tallies.serving(access, workspace)
    begun, became = ([n for (key, _), n in numbers.items() if key == name] for name in edge)
    rows = _begun(access, workspace, begun, (within[0], min(within[1], until)), at)
    ends = _ends(access, workspace, became, {row.child for row in rows}, until, at)
    return matched(rows, ends)


def matched(rows: Iterable[_Begun], ends: Mapping[Where, int]) -> list[Grown]:
    """Of all pairs of an item and what grew from it those that count."""
    first: dict[Where, _Item] = {}
    parts = {(row.item, row.actor, row.number) for row in rows}
    for row in rows:
        if row.child in ends:
            first[row.child] = min(first.get(row.child, row.item), row.item)
    became: dict[_Item, int] = {}
    for child, item in first.items():
        became[item] = min(became.get(item, ends[child]), ends[child])
    # Of an item whose credit is shared there is a part for each of its people.
    return [
        Grown(item.quarter, actor, number, became[item])
        for item, actor, number in sorted(parts)
        if item in became
    ]


def _begun(
    access: Access, workspace: str, slots: list[int], within: Window, at: int
) -> list[_Begun]:
    query = (
        select(_P.quarter, _P.source, _P.key, _P.actor, _P.number, _L.source, _L.key)
        .select_from(placed)
        .join(
            link,
            and_(
                _L.workspace_id == _P.workspace_id,
                _L.from_source == _P.source,
                _L.from_key == _P.key,
            ),
        )
        .where(
            *(_P.workspace_id == workspace, _P.slot.in_(slots)),
            *(_P.quarter >= within[0], _P.quarter < within[1]),
            *(_P.since <= at, _P.until > at, _L.since <= at, _L.until > at),
        )
    )
    return [
        _Begun(_Item(quarter, source, key), actor, number, (child[0], child[1]))
        for quarter, source, key, actor, number, *child in access.connection.execute(query)
    ]


_ENDS = Prepared(
    select(_P.key, func.min(_P.quarter))
    .where(
        _P.workspace_id == bindparam("workspace", type_=Words),
        _P.source == bindparam("source", type_=Words),
        among(_P.key, listed("keys")),
        (_P.slot + _NOTHING).in_(listed("slots", whole)),
        _P.quarter < bindparam("before", type_=Whole),
        _P.since <= bindparam("at", type_=Whole),
        _P.until > bindparam("same", type_=Whole),
    )
    .group_by(_P.key),
    *("workspace", "source", "keys", "slots", "before", "at", "same"),
)


def _ends(
    access: Access, workspace: str, slots: list[int], places: set[Where], until: int, at: int
) -> dict[Where, int]:
    """When activities counted in some slots, if they did before a quarter hour."""
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in sorted(places):
        keys[source].append(key)
    return {
        (source, key): quarter
        for source, wanted in keys.items()
        for key, quarter in _ENDS.rows(
            access.connection, workspace, source, json.dumps(wanted), json.dumps(slots), until,
            at, at,
        )
    }  # fmt: skip
