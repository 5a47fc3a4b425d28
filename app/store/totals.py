"""Sums of tallies: what progress is computed from, never the activities themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Table, select

from app.store import journal, tallies
from app.store.dialect import halves, joined, summed
from app.store.journal import Knowing, Window
from app.store.tables import tally_day, tally_quarter
from app.store.transactions import Access


class Total(NamedTuple):
    """What one actor has of a metric. `total` is an integer at the metric's scale."""

    metric: str
    currency: str
    actor: int
    number: int
    total: int


def totals(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    first_day: int,
    end_day: int,
    known: Knowing | None = None,
) -> list[Total]:
    """Per metric, currency and actor over the local days from `first_day` up to `end_day`.

    known: None counts everything that stands, here and below
    """
    days = (first_day, end_day)
    quarters = known.quarters(days) if known else days
    return _known(access, workspace, metrics, (tally_day, days), quarters, known)


def quarter_totals(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    first_quarter: int,
    end_quarter: int,
    known: Knowing | None = None,
) -> list[Total]:
    """Per metric, currency and actor over quarter hours (instant // QUARTER), end excluded."""
    quarters = (first_quarter, end_quarter)
    return _known(access, workspace, metrics, (tally_quarter, quarters), quarters, known)


def _known(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    within: tuple[Table, Window],
    quarters: Window,
    known: Knowing | None,
) -> list[Total]:
    """What stands in a window, less what has come into its quarter hours since."""
    wanted = set(metrics)
    chosen = {
        number: slot
        for slot, number in tallies.serving(access, workspace).items()
        if slot[0] in wanted
    }
    sums = {row[:2]: row[2:] for row in _summed(access, workspace, *within, chosen)}
    if known is not None:
        for slot, actor, *came in journal.since(access, workspace, chosen, known.seq, quarters):
            number, total = sums.get((slot, actor), (0, 0))
            sums[slot, actor] = (number - came[0], total - came[1])
    return [Total(*chosen[slot], actor, *sums[slot, actor]) for slot, actor in sorted(sums)]


def _summed(
    access: Access, workspace: str, table: Table, window: Window, slots: Iterable[int]
) -> list[tuple[int, int, int, int]]:
    bucket = table.c.day if table is tally_day else table.c.quarter
    query = (
        select(table.c.slot, table.c.actor, summed(table.c.number), *halves(table.c.total))
        .where(
            table.c.workspace_id == workspace,
            table.c.slot.in_(sorted(slots)),
            bucket >= window[0],
            bucket < window[1],
        )
        .group_by(table.c.slot, table.c.actor)
    )
    return [
        (slot, actor, number, joined(upper, lower))
        for slot, actor, number, upper, lower in access.connection.execute(query)
    ]
