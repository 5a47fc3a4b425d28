"""The journal of the tallies: how every commit moved them, kept for ever.

What had been counted by a moment is what is counted now less all that came since. So a reader who
wants to know it all takes nothing back and pays nothing, and last Friday costs what has come since
Friday, however much history there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, bindparam, delete, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.domain.instants import QUARTER, day_of_number, micros, midnight
from app.store.dialect import AnyRow, AnySelect, Whole, Words, halves, joined, summed
from app.store.statements import inserting
from app.store.tables import journal, journal_values, workspace_commit
from app.store.transactions import Access, Writing

Place = tuple[int, int, int]  # slot, quarter, actor
ValuePlace = tuple[int, int, int, str]  # and the value
Amount = tuple[int, int]
Window = tuple[int, int]  # half-open
Columns = ReadOnlyColumnCollection[str, Column[Any]]

_J, _V, _C = journal.c, journal_values.c, workspace_commit.c
_WRITE = inserting(journal)
_WRITE_VALUES = inserting(journal_values)
_ADD = inserting(journal, "number", "total")
_ADD_VALUES = inserting(journal_values, "n")


class Knowing(NamedTuple):
    """All that had been received by a moment: every commit up to `seq` and no later one.

    zone: the workspace's, which says of which quarter hours a local day is made
    """

    seq: int
    zone: ZoneInfo

    def quarters(self, days: Window) -> Window:
        """The quarter hours of a range of local days."""
        first, end = (micros(midnight(day_of_number(day), self.zone)) // QUARTER for day in days)
        return first, end


class Moved(NamedTuple):
    """How tallies move: by number and sum, and in multisets by how often a value occurs."""

    amounts: Mapping[Place, Amount]
    values: Mapping[ValuePlace, int]


def seq_at(access: Access, workspace: str, at: int) -> int:
    """The last commit at or before an instant; 0 before the first one."""
    last = (
        select(_C.seq)
        .where(_C.workspace_id == workspace, _C.at <= at)
        .order_by(_C.at.desc())
        .limit(1)
    )
    return access.connection.execute(last).scalar_one_or_none() or 0


def write(writing: Writing, moved: Moved) -> None:
    """Note how this commit moves the tallies; once per commit."""
    _WRITE.many(writing.connection, _rows(writing.workspace, writing.seq, moved))
    _WRITE_VALUES.many(writing.connection, _value_rows(writing.workspace, writing.seq, moved))


def add(writing: Writing, past: Iterable[tuple[int, Moved]]) -> None:
    """Note how commits of the past moved them; one commit may come in several parts."""
    rows: list[tuple[object, ...]] = []
    values: list[tuple[object, ...]] = []
    for seq, moved in past:
        rows += _rows(writing.workspace, seq, moved)
        values += _value_rows(writing.workspace, seq, moved)
    _ADD.many(writing.connection, rows)
    _ADD_VALUES.many(writing.connection, values)


def clear(writing: Writing) -> None:
    """Forget it, to write it anew."""
    for table in (journal, journal_values):
        writing.connection.execute(delete(table).where(table.c.workspace_id == writing.workspace))


def since(
    access: Access, workspace: str, slots: Iterable[int], seq: int, quarters: Window
) -> list[tuple[int, int, int, int]]:
    """Slot, actor, number and sum of all that came after a commit, in some quarter hours."""
    found = access.connection.execute(_BY_SLOT, _bound(workspace, slots, seq, quarters)).all()
    return [_whole(row) for row in found]


def since_by_quarter(
    access: Access, workspace: str, slot: int, seq: int, quarters: Window
) -> list[tuple[int, int, int, int]]:
    """The same of one slot, with the quarter hour in the slot's place."""
    bound = _bound(workspace, [slot], seq, quarters)
    found = access.connection.execute(_BY_QUARTER, bound).all()
    return [_whole(row) for row in found]


def since_each(
    access: Access, workspace: str, slots: Iterable[int], seq: int, quarters: Window
) -> list[tuple[int, int, int, int, int]]:
    """Slot, quarter hour, actor, number and sum of all that came after a commit."""
    found = access.connection.execute(_EACH, _bound(workspace, slots, seq, quarters)).all()
    return [
        (slot, quarter, actor, number, joined(upper, lower))
        for slot, quarter, actor, number, upper, lower in found
    ]


def touched(
    access: Access, workspace: str, slots: Iterable[int], seq: int, quarters: Window
) -> bool:
    """Whether anything came after a commit into some quarter hours."""
    found = access.connection.execute(_TOUCHED, _bound(workspace, slots, seq, quarters))
    return found.first() is not None


def values_since(
    access: Access, workspace: str, slot: int, seq: int, quarters: Window
) -> list[tuple[int, int, str, int]]:
    """Quarter hour, actor, value, and how many more of it came after a commit than left."""
    bound = _bound(workspace, [slot], seq, quarters)
    found = access.connection.execute(_EACH_VALUE, bound).all()
    return [(quarter, actor, value, n) for quarter, actor, value, n in found]


def _after(of: Columns) -> tuple[ColumnElement[bool], ...]:
    return (
        of.workspace_id == bindparam("workspace", type_=Words),
        of.slot.in_(bindparam("slots", expanding=True, type_=Whole)),
        of.seq > bindparam("seq", type_=Whole),
        of.quarter >= bindparam("first", type_=Whole),
        of.quarter < bindparam("end", type_=Whole),
    )


def _bound(workspace: str, slots: Iterable[int], seq: int, quarters: Window) -> dict[str, object]:
    first, end = quarters
    named = {"workspace": workspace, "slots": sorted(slots)}
    return named | {"seq": seq, "first": first, "end": end}


def _sums(*by: Column[int]) -> AnySelect:
    return select(*by, summed(_J.number), *halves(_J.total)).where(*_after(_J)).group_by(*by)


# Made once: making one takes longer than asking it. All rows are taken at once: one by one, each
# goes through a dozen calls.
_BY_SLOT, _BY_QUARTER = _sums(_J.slot, _J.actor), _sums(_J.quarter, _J.actor)
_EACH = _sums(_J.slot, _J.quarter, _J.actor)
_TOUCHED = select(_J.seq).where(*_after(_J)).limit(1)
_EACH_VALUE = (
    select(_V.quarter, _V.actor, _V.value, summed(_V.n))
    .where(*_after(_V))
    .group_by(_V.quarter, _V.actor, _V.value)
)


def _whole(row: AnyRow) -> tuple[int, int, int, int]:
    by, actor, number, upper, lower = row
    return by, actor, number, joined(upper, lower)


def _rows(workspace: str, seq: int, moved: Moved) -> list[tuple[object, ...]]:
    return [
        (workspace, slot, seq, quarter, actor, *moved.amounts[slot, quarter, actor])
        for slot, quarter, actor in sorted(moved.amounts)
    ]


def _value_rows(workspace: str, seq: int, moved: Moved) -> list[tuple[object, ...]]:
    return [
        (workspace, slot, seq, quarter, actor, value, moved.values[slot, quarter, actor, value])
        for slot, quarter, actor, value in sorted(moved.values)
    ]
