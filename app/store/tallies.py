"""The tally tables: cells moved by a commit, kept by quarter hour and by local day.

A slot numbers (metric, currency) within a workspace: short keys, and one range scan per slot
whether or not money is meant. Rows that return to zero stay; they add to no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import delete, literal_column, select
from sqlalchemy.exc import IntegrityError

from app.domain.errors import Invalid
from app.store import actors, dating, generations, journal
from app.store.actors import Who
from app.store.generations import key_of
from app.store.journal import Moved, ValuePlace
from app.store.rules import Rules
from app.store.standing import Amount, CellKey, Occurs, Standing
from app.store.statements import columns, deleting, inserting
from app.store.tables import (
    LARGEST,
    credit,
    metric_slot,
    tally_day,
    tally_quarter,
    tally_values,
)
from app.store.transactions import Access, Writing, once_a_snapshot

Slot = tuple[str, str]  # a generation's name, or as read the metric's key; and currency
Row = tuple[int, int, int]  # slot, day or quarter, actor

_AT_ONCE = 10_000
_S = metric_slot.c
_NEW_SLOT = inserting(metric_slot)
_MOVE_DAYS = inserting(tally_day, "number", "total")
_MOVE_QUARTERS = inserting(tally_quarter, "number", "total")
_V = tally_values.c
_MOVE_VALUES = inserting(tally_values, "n")
_FORGET_VALUES = deleting(
    tally_values,
    *(name for name in columns(tally_values) if name != "n"),
    where=_V.n == literal_column("0"),
)
_CREDIT = inserting(credit)
_UNCREDIT = deleting(credit, *columns(credit))


class Change(NamedTuple):
    """One activity's step from where it stood before a commit to where it stands after it."""

    source: str
    key: str
    before: Standing
    after: Standing


@dataclass(slots=True)
class Numbers:
    """The numbers of slots and actors as far as they are known; both are only ever added to."""

    slots: dict[Slot, int] = field(default_factory=dict)
    actors: dict[Who, int] = field(default_factory=dict)


def slots(access: Access, workspace: str) -> dict[Slot, int]:
    """The number of every (generation's name, currency) that was ever counted."""
    query = select(_S.metric, _S.currency, _S.slot).where(_S.workspace_id == workspace)
    found = access.connection.execute(query)
    return {(metric, currency): slot for metric, currency, slot in found}


@once_a_snapshot
def serving(access: Access, workspace: str) -> Mapping[Slot, int]:
    """The numbers by the keys of the metrics: of each the generation that may be read."""
    names = generations.serving_names(access, workspace)
    return {
        (key, currency): number
        for (name, currency), number in slots(access, workspace).items()
        if names.get(key := key_of(name), key) == name
    }


def post(writing: Writing, rules: Rules, numbers: Numbers, changes: list[Change]) -> None:
    """Move the tallies and credits by some changes, and note it in the journal.

    Raises Invalid when a movement leaves 64 bits; where the sum with what is stored does, the
    table's own check refuses it.
    """
    by = moved(writing, numbers, changes)
    move(writing, rules, by)
    credit_anew(writing, numbers, changes)
    journal.write(writing, by)


def moved(writing: Writing, numbers: Numbers, changes: list[Change]) -> Moved:
    """How some changes move the tallies, netted; learns the numbers that it needs."""
    by_source = _netted(changes)
    _learn_actors(writing, numbers, by_source, changes)
    learn_slots(writing, numbers, {c[:2] for cells in by_source.values() for c in cells})
    amounts = {
        (numbers.slots[metric, currency], quarter, numbers.actors[source, identity]): amount
        for source, cells in by_source.items()
        for (metric, currency, quarter, identity), amount in cells.items()
        if amount != (0, 0)
    }
    return Moved(amounts, _occurring(numbers, changes))


def move(writing: Writing, rules: Rules, by: Moved) -> None:
    """Move the tallies alone. Raises as `post` does."""
    _MOVE_DAYS.many(writing.connection, _rows(writing.workspace, _by_day(rules, by.amounts)))
    _MOVE_QUARTERS.many(writing.connection, _rows(writing.workspace, by.amounts))
    rows = [(writing.workspace, *place, by.values[place]) for place in sorted(by.values)]
    _MOVE_VALUES.many(writing.connection, rows)
    _FORGET_VALUES.many(writing.connection, [row[:-1] for row in rows if row[-1] < 0])


def clear(writing: Writing) -> None:
    """Forget all tallies, credits and movements of the workspace, to count anew."""
    journal.clear(writing)
    for table in (tally_day, tally_quarter, tally_values, credit):
        writing.connection.execute(delete(table).where(table.c.workspace_id == writing.workspace))


def redate(writing: Writing, rules: Rules) -> None:
    """Sum the days up anew from their quarter hours, by the zone that now stands, and note it.

    Raises Invalid `tally_does_not_fit` when a day of that zone leaves 64 bits.
    """
    of = tally_quarter.c
    dating.note(writing, rules.zone, rules.offsets)
    writing.connection.execute(
        delete(tally_day).where(tally_day.c.workspace_id == writing.workspace)
    )
    rows = writing.connection.execute(
        select(of.slot, of.quarter, of.actor, of.number, of.total)
        .where(of.workspace_id == writing.workspace)
        .order_by(of.slot, of.quarter, of.actor)
        .execution_options(yield_per=_AT_ONCE)
    )
    try:
        for some in rows.partitions():
            amounts = {(slot, quarter, actor): (n, t) for slot, quarter, actor, n, t in some}
            days = _rows(writing.workspace, _by_day(rules, amounts))
            _MOVE_DAYS.many(writing.connection, days)
    except IntegrityError as error:
        raise Invalid("tally_does_not_fit") from error


def _by_day(rules: Rules, amounts: Mapping[Row, Amount]) -> dict[Row, Amount]:
    days: dict[Row, Amount] = {}
    for (slot, quarter, who), amount in amounts.items():
        day = (slot, rules.day_of(quarter), who)
        held = days.get(day)
        days[day] = amount if held is None else (held[0] + amount[0], held[1] + amount[1])
    return days


def _occurring(numbers: Numbers, changes: list[Change]) -> dict[ValuePlace, int]:
    found: dict[tuple[str, Occurs], int] = {}
    for source, _, before, after in changes:
        for values, step in ((before.values, -1), (after.values, 1)):
            for value in values:
                found[source, value] = found.get((source, value), 0) + step
    return {
        (numbers.slots[place[:2]], place[2], numbers.actors[source, place[3]], place[4]): step
        for (source, place), step in found.items()
        if step
    }


def _netted(changes: list[Change]) -> dict[str, dict[CellKey, Amount]]:
    by_source: dict[str, dict[CellKey, Amount]] = {}
    for source, _, before, after in changes:
        cells = by_source.setdefault(source, {})
        for cell, amount in after.cells.items():
            held = cells.get(cell)
            # Most cells come once: then the amount is as it is.
            cells[cell] = amount if held is None else (held[0] + amount[0], held[1] + amount[1])
        for cell, (number, total) in before.cells.items():
            held = cells.get(cell, (0, 0))
            cells[cell] = (held[0] - number, held[1] - total)
    return by_source


def _rows(workspace: str, moved: Mapping[Row, Amount]) -> list[tuple[str, int, int, int, int, int]]:
    # In key order: neighbours share a page.
    rows = [(workspace, *row, *moved[row]) for row in sorted(moved)]
    totals = [row[-1] for row in rows]
    if totals and (max(totals) > LARGEST or min(totals) < -LARGEST):
        raise Invalid("tally_does_not_fit")
    return rows


def _learn_actors(
    writing: Writing,
    numbers: Numbers,
    by_source: dict[str, dict[CellKey, Amount]],
    changes: list[Change],
) -> None:
    named = {(source, cell[3]) for source, cells in by_source.items() for cell in cells}
    # Where one metric is counted anew, its cells are cleared beforehand and only credits go.
    named |= {(one.source, identity) for one in changes for identity, _ in one.before.credits}
    numbers.actors.update(actors.numbers(writing, named - numbers.actors.keys()))


def learn_slots(writing: Writing, numbers: Numbers, wanted: AbstractSet[Slot]) -> None:
    """Have the numbers of some slots, given here and now where they have none."""
    if wanted <= numbers.slots.keys():
        return
    numbers.slots.update(slots(writing, writing.workspace))
    for slot in sorted(wanted - numbers.slots.keys()):
        numbers.slots[slot] = len(numbers.slots) + 1
        _NEW_SLOT.many(writing.connection, [(writing.workspace, numbers.slots[slot], *slot)])


def credit_anew(writing: Writing, numbers: Numbers, changes: Iterable[Change]) -> None:
    """Move the credits by some changes, whose people are among the numbers."""
    workspace, known = writing.workspace, numbers.actors
    gone: list[tuple[object, ...]] = []
    come: list[tuple[object, ...]] = []
    for source, key, before, after in changes:
        if before.credits == after.credits:
            continue
        new = after.credits - before.credits if before.credits else after.credits
        come += [(workspace, known[source, who], at, source, key) for who, at in new]
        old = before.credits - after.credits
        gone += [(workspace, known[source, who], at, source, key) for who, at in old]
    _UNCREDIT.many(writing.connection, gone)
    _CREDIT.many(writing.connection, come)
