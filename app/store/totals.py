"""Sums of tallies: what progress is computed from, never the activities themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Table, select

from app.store import tallies
from app.store.dialect import halves, joined, summed
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
    access: Access, workspace: str, metrics: Iterable[str], first_day: int, end_day: int
) -> list[Total]:
    """Per metric, currency and actor over the local days from `first_day` up to `end_day`."""
    return _summed(access, workspace, tally_day, metrics, (first_day, end_day))


def quarter_totals(
    access: Access, workspace: str, metrics: Iterable[str], first_quarter: int, end_quarter: int
) -> list[Total]:
    """Per metric, currency and actor over quarter hours (instant // QUARTER), end excluded."""
    return _summed(access, workspace, tally_quarter, metrics, (first_quarter, end_quarter))


def has_amounts(access: Access, workspace: str) -> bool:
    """Whether money was ever counted, in whatever currency."""
    return any(currency for _, currency in tallies.slots(access, workspace))


def _summed(
    access: Access, workspace: str, table: Table, metrics: Iterable[str], window: tuple[int, int]
) -> list[Total]:
    wanted = set(metrics)
    known = tallies.slots(access, workspace)
    chosen = {number: slot for slot, number in known.items() if slot[0] in wanted}
    bucket = table.c.day if table is tally_day else table.c.quarter
    query = (
        select(table.c.slot, table.c.actor, summed(table.c.number), *halves(table.c.total))
        .where(
            table.c.workspace_id == workspace,
            table.c.slot.in_(sorted(chosen)),
            bucket >= window[0],
            bucket < window[1],
        )
        .group_by(table.c.slot, table.c.actor)
        .order_by(table.c.slot, table.c.actor)
    )
    return [
        Total(*chosen[slot], actor, number, joined(upper, lower))
        for slot, actor, number, upper, lower in access.connection.execute(query)
    ]
