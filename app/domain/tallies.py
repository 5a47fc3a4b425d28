"""Tallies: the rolling aggregates, a cache of the activities that can always be recomputed.

A cell is (metric, currency, quarter hour, actor). Days are derived from quarters, because every
zone's offset since 1980 is a multiple of a quarter hour, so a window in any zone is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.domain.activities import State
from app.domain.instants import QUARTER
from app.domain.metrics import Contribution, Metric, contribution


class Cell(NamedTuple):
    """Where something is counted. `quarter` = instant // 15 minutes; "" identity = nobody."""

    metric: str
    currency: str
    quarter: int
    identity: str


class Movement(NamedTuple):
    """How a cell moves."""

    number: int
    total: int


def cells(state: State, metrics: Iterable[Metric], currency: str) -> dict[Cell, Movement]:
    """Where a state stands in the tallies. Raises Invalid when an amount cannot be held."""
    found = ((metric, contribution(metric, state, currency)) for metric in metrics)
    return {
        Cell(metric.key, added.currency, added.at // QUARTER, added.identity): Movement(
            added.number, added.total
        )
        for metric, added in found
        if isinstance(added, Contribution)
    }


def moved(before: Mapping[Cell, Movement], after: Mapping[Cell, Movement]) -> dict[Cell, Movement]:
    """The movement from one standing to the next; cells that do not move are left out."""
    deltas = dict(after)
    for cell, old in before.items():
        new = deltas.get(cell, Movement(0, 0))
        deltas[cell] = Movement(new.number - old.number, new.total - old.total)
    return {cell: delta for cell, delta in deltas.items() if delta != (0, 0)}
