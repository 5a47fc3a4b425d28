"""Tallies day by day: what a forecast learns from, and what evidence is weighed by.

Added up by the database over the actors that are asked for, so that half a year of a thousand
people is a few hundred rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select

from app.domain.instants import QUARTER, day_number, moment_of
from app.store import days as days_of
from app.store import journal, tallies
from app.store.journal import Knowing, Window
from app.store.tables import tally_quarter
from app.store.transactions import Access

_Q = tally_quarter.c


# Metric, currency, day, actor (0: of all asked for), number, and total: an integer at the metric's
# scale. Plain tuples, because of many people there are many.
DayTotal = tuple[str, str, int, int, int, int]


class Cell(NamedTuple):
    """A quarter hour of one actor."""

    quarter: int
    actor: int
    number: int
    total: int


def by_day(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    days: Window,
    of: Collection[int] | None,
    known: Knowing | None = None,
    *,
    by_actor: bool = False,
) -> Iterator[DayTotal]:
    """Per metric, currency and local day what some actors have; None: everybody together.

    In no order. known: None counts everything that stands
    """
    wanted = set(metrics)
    chosen = {
        number: slot
        for slot, number in tallies.serving(access, workspace).items()
        if slot[0] in wanted
    }
    sums = days_of.sums(access, workspace, chosen, days, of, by_day=True, by_actor=by_actor)
    if known is not None:
        sums = dict(sums)
        _take_back(sums, _came_since(access, workspace, chosen, days, of, known), by_actor=by_actor)
    return (
        (*chosen[slot], day, actor, number, total)
        for (slot, day, actor), (number, total) in sums.items()
    )


def _came_since(
    access: Access,
    workspace: str,
    slots: Iterable[int],
    days: Window,
    of: Collection[int] | None,
    known: Knowing,
) -> Iterable[tuple[int, int, int, int, int]]:
    asked = None if of is None else set(of)
    found = journal.since_each(access, workspace, slots, known.seq, known.quarters(days))
    for slot, quarter, actor, number, total in found:
        if asked is None or actor in asked:
            day = day_number(moment_of(quarter * QUARTER, known.zone).date())
            yield slot, day, actor, number, total


def _take_back(
    sums: dict[tuple[int, int, int], tuple[int, int]],
    since: Iterable[tuple[int, int, int, int, int]],
    *,
    by_actor: bool,
) -> None:
    for slot, day, actor, number, total in since:
        place = (slot, day, actor if by_actor else 0)
        before = sums.get(place, (0, 0))
        sums[place] = (before[0] - number, before[1] - total)


def cells_of(access: Access, workspace: str, slot: int, quarters: Window, most: int) -> list[Cell]:
    """The cells of a slot that are not empty, the newest first, and `most` of them at most."""
    query = (
        select(_Q.quarter, _Q.actor, _Q.number, _Q.total)
        .where(
            _Q.workspace_id == workspace,
            _Q.slot == slot,
            _Q.quarter >= quarters[0],
            _Q.quarter < quarters[1],
            _Q.number != 0,
        )
        .order_by(_Q.quarter.desc(), _Q.actor.desc())
        .limit(most)
    )
    return [Cell(*row) for row in access.connection.execute(query)]


def newest(
    access: Access,
    workspace: str,
    slot: tuple[str, str],
    days: Window,
    most: int,
    known: Knowing,
    *,
    then: bool,
) -> list[Cell]:
    """The quarter hours of a metric in a currency that are not empty, the newest first.

    `most` of them at most. then: as they were known, not as they stand
    """
    number = tallies.serving(access, workspace).get(slot)
    if number is None:
        return []
    quarters = known.quarters(days)
    standing = cells_of(access, workspace, number, quarters, most)
    cells = {(quarter, actor): (count, total) for quarter, actor, count, total in standing}
    if then:
        for _, quarter, actor, *came in journal.since_each(
            access, workspace, [number], known.seq, quarters
        ):
            stands = cells.get((quarter, actor), (0, 0))
            cells[quarter, actor] = (stands[0] - came[0], stands[1] - came[1])
    found = [Cell(*place, *cells[place]) for place in sorted(cells, reverse=True)]
    return [cell for cell in found if cell.number][:most]


def moved(
    access: Access, workspace: str, metrics: Iterable[str], since: Knowing, days: Window
) -> bool:
    """Whether anything of some metrics has come into some days since."""
    wanted = set(metrics)
    slots = [n for slot, n in tallies.serving(access, workspace).items() if slot[0] in wanted]
    return journal.touched(access, workspace, slots, since.seq, since.quarters(days))
