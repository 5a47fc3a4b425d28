"""From a number to its activities: the tallies say where something is counted, credits what.

A tally cell names a quarter hour and an actor, and a credit's key begins with just these. So the
activities behind a number are read by ranges of that key, and of everything else that happened in
the same days nothing is looked at. Nothing is kept for it that was not kept before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Subquery,
    and_,
    bindparam,
    func,
    select,
    true,
    tuple_,
)

from app.domain.activities import Story
from app.domain.holders import Holder
from app.domain.instants import QUARTER
from app.domain.metrics import Metric
from app.store import daily, history, remembering, rules, states, tallies
from app.store.dialect import POSTGRESQL, AnySelect, Whole, Words, tabled, whole
from app.store.journal import Knowing
from app.store.states import Where
from app.store.tables import activity, credit, tally_quarter
from app.store.transactions import Access

_C, _A, _T = credit.c, activity.c, tally_quarter.c
_CELLS = 1_000
_MOST_AT_ONCE = 2_000
Place = tuple[int, int]  # quarter hour and actor


class Cell(NamedTuple):
    """Where something is counted, and how many activities are."""

    quarter: int
    actor: int
    number: int  # as it is tallied


class Range(NamedTuple):
    """The instants, half-open, at which an actor is looked at."""

    actor: int
    since: int
    until: int


class Behind(NamedTuple):
    """The place of an activity in the order of what is listed."""

    at: int
    source: str
    key: str
    actor: int  # where credit is shared, several have a part in one activity


START = Behind(-1, "", "", -1)


class Credited(NamedTuple):
    """An activity that is counted at an instant for an actor."""

    place: Behind
    story: Story


def ranges(
    access: Access,
    workspace: str,
    slots: Iterable[int],
    window: tuple[int, int],
    wanted: Callable[[int, int], bool],
    enough: int,
) -> Iterator[list[Range]]:
    """Where the wanted of some slots' activities stand, in order; each list about `enough` of them.

    window: first and end quarter hour; wanted: whether an actor's activities of a quarter hour are
    """
    held: list[Range] = []
    number = 0
    for cells in _by_quarter(access, workspace, sorted(slots), window):
        chosen = [cell for cell in cells if wanted(cell.actor, cell.quarter)]
        held += [
            Range(actor, quarter * QUARTER, (quarter + 1) * QUARTER) for quarter, actor, _ in chosen
        ]
        number += sum(cell.number for cell in chosen)
        if number >= enough:
            yield held
            held, number = [], 0
    if held:
        yield held


def newest(
    access: Access, workspace: str, slot: int, window: tuple[int, int], most: int
) -> list[Cell]:
    """The cells of a slot that are not empty, the newest first, and `most` of them at most.

    window: first and end quarter hour
    """
    found = daily.cells_of(access, workspace, slot, window, most)
    return [Cell(cell.quarter, cell.actor, cell.number) for cell in found]


def slots_of(
    access: Access, workspace: str, metric: str, counts: Callable[[str], bool]
) -> list[int]:
    """The numbers of a metric's slots in the currencies that count."""
    known = tallies.serving(access, workspace)
    return [number for (name, named), number in known.items() if name == metric and counts(named)]


def credited(
    access: Access,
    workspace: str,
    metric: Metric,
    within: Sequence[Range],
    behind: Behind,
    first: int,
    known: Knowing | None = None,
) -> Iterator[Credited]:
    """The activities of a metric's kind that are credited in some ranges, behind a place, in order.

    known: without those that have been told of since; see `corrected`
    first: how many are read at first; whoever takes more is read for in ever larger steps
    """
    bound = {"workspace": workspace, "kind": metric.kind}
    for_each = access.connection.dialect.name == POSTGRESQL
    asked = {metric.kind} if metric.holder is Holder.AT_TIME else frozenset[str]()
    while True:
        left = [
            (actor, max(since, behind.at), until)
            for actor, since, until in within
            if until > behind.at
        ]
        rows = access.connection.execute(
            _FOUND_FOR_EACH if for_each else _FOUND,
            bound | {"ranges": json.dumps(left), "most": first} | behind._asdict(),
        ).all()
        places = [Behind(*row) for row in rows]
        wanted = {(place.source, place.key) for place in places}
        if known is not None:
            wanted -= history.told_since(access, workspace, wanted, known.seq)
        held = states.load_all(access, workspace, wanted)
        stories = remembering.stories(access, workspace, asked, held)
        for place in places:
            if (place.source, place.key) in wanted:
                yield Credited(place, stories[place.source, place.key])
        if len(rows) < first:
            return
        behind, first = places[-1], min(2 * first, _MOST_AT_ONCE)


def corrected(
    access: Access, workspace: str, metric: str, known: Knowing
) -> Iterator[tuple[Where, Story]]:
    """What the activities were then that a metric may have counted and that came to more since.

    As many as were corrected since, whatever they are now: nothing says where they counted then.
    """
    counting = rules.load(access, workspace)
    for some in history.corrected(access, workspace, known.seq):
        for where, told in history.of(access, workspace, some, known.seq).items():
            story = history.last(told)
            counted = counting.metrics_of(where[0], story.state.kind)
            if any(one.key == metric for one in counted):
                yield where, story


def _by_quarter(
    access: Access, workspace: str, slots: list[int], window: tuple[int, int]
) -> Iterator[list[Cell]]:
    """The cells that are not empty, quarter hour by quarter hour."""
    held: list[Cell] = []
    for cell in _cells(access, workspace, slots, window):
        if held and cell.quarter != held[0].quarter:
            yield held
            held = []
        held.append(cell)
    if held:
        yield held


def _cells(
    access: Access, workspace: str, slots: list[int], window: tuple[int, int]
) -> Iterator[Cell]:
    last: Place = (window[0], -1)
    while slots:
        query = _cells_query(workspace, slots, last, window[1])
        rows = access.connection.execute(query).all()
        numbers: dict[Place, int] = {}
        for quarter, actor, number in rows:
            numbers[quarter, actor] = numbers.get((quarter, actor), 0) + number
        yield from (Cell(*place, number) for place, number in numbers.items())
        if len(rows) < _CELLS:
            return
        last = (rows[-1][0], rows[-1][1])


def _cells_query(workspace: str, slots: list[int], last: Place, end: int) -> AnySelect:
    place = (_T.quarter, _T.actor)
    return (
        select(*place, _T.number)
        .where(
            _T.workspace_id == workspace,
            _T.slot.in_(slots),
            _T.quarter >= last[0],
            _T.quarter < end,
            tuple_(*place) > last,
            _T.number != 0,
        )
        .order_by(*place)
        .limit(_CELLS)
    )


def _found_query() -> AnySelect:
    within, behind = _within(), _behind()
    # Outer joins keep this order: a range of the credits for each actor, then their activities.
    # SQLite knows nothing of the array and might begin with every activity of the workspace; a
    # plain condition on what is joined would set it free to.
    found = within.outerjoin(
        credit, and_(*_in_range(within), tuple_(*_PLACE) > tuple_(*behind))
    ).outerjoin(activity, and_(*_IS_ITS))
    return (
        select(*_PLACE)
        .select_from(found)
        .where(func.coalesce(_A.kind, "") == bindparam("kind", type_=Words))
        .order_by(*_PLACE)
        .limit(bindparam("most", type_=Whole))
    )


def _found_for_each() -> AnySelect:
    """The same for PostgreSQL, which without statistics reads all credits there are and compares.

    What it has to do for each range, it does for each.
    """
    within, behind = _within(), _behind()
    most = bindparam("most", type_=Whole)
    found = (
        select(*_PLACE)
        .join(activity, and_(*_IS_ITS))
        .where(*_in_range(within), tuple_(*_PLACE) > tuple_(*behind))
        .where(_A.kind == bindparam("kind", type_=Words))
        .order_by(*_PLACE)
        .limit(most)
        .lateral("found")
    )
    place = [found.c[column.name] for column in _PLACE]
    return select(*place).select_from(within.join(found, true())).order_by(*place).limit(most)


def _within() -> Subquery:
    return tabled("ranges", whole, "actor", "since", "until").subquery("within")


def _behind() -> tuple[BindParameter[Any], ...]:
    return (
        bindparam("at", type_=Whole),
        bindparam("source", type_=Words),
        bindparam("key", type_=Words),
        bindparam("actor", type_=Whole),
    )


def _in_range(within: Subquery) -> tuple[ColumnElement[bool], ...]:
    return (
        _C.workspace_id == bindparam("workspace", type_=Words),
        _C.actor == within.c.actor,
        _C.at >= within.c.since,
        _C.at < within.c.until,
    )


_PLACE = (_C.at, _C.source, _C.key, _C.actor)
_IS_ITS = (_A.workspace_id == _C.workspace_id, _A.source == _C.source, _A.key == _C.key)
_FOUND, _FOUND_FOR_EACH = _found_query(), _found_for_each()
