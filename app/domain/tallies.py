"""Tallies: the rolling aggregates, a cache of the activities that can always be recomputed.

A cell is (metric, currency, quarter hour, actor). Days are derived from quarters, because every
zone's offset since 1980 is a multiple of a quarter hour, so a window in any zone is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from app.domain.activities import State
from app.domain.errors import Invalid
from app.domain.instants import QUARTER
from app.domain.metrics import Contribution, Metric, Uncounted, contributions


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


class Occurrence(NamedTuple):
    """A value in the multiset of a cell; `value` is written by `values`."""

    metric: str
    currency: str
    quarter: int
    identity: str
    value: str


def cells(
    state: State, metrics: Iterable[Metric], currency: str, earlier: Sequence[State] = ()
) -> dict[Cell, Movement]:
    """Where a state stands in the tallies. What cannot be counted exactly stands nowhere.

    earlier, here and below: what the activity was before, as its `story` has it
    """
    found: dict[Cell, Movement] = {}
    for metric, added in _contributions(state, metrics, currency, earlier):
        _step(found, metric, added, added.at, Movement(added.number, added.total))
        if added.until is not None:
            _step(found, metric, added, added.until, Movement(-added.number, -added.total))
    return found


def occurrences(
    state: State, metrics: Iterable[Metric], currency: str, earlier: Sequence[State] = ()
) -> tuple[Occurrence, ...]:
    """The values with which a state stands in multisets, at most one for each metric and person."""
    return tuple(
        Occurrence(metric.key, added.currency, added.at // QUARTER, added.identity, added.value)
        for metric, added in _contributions(state, metrics, currency, earlier)
        if added.value is not None
    )


def _contributions(
    state: State, metrics: Iterable[Metric], currency: str, earlier: Sequence[State]
) -> Iterator[tuple[Metric, Contribution]]:
    for metric in metrics:
        try:
            added = contributions(metric, state, currency, earlier)
        except Invalid:
            continue
        if added is not None and not isinstance(added, Uncounted):
            yield from ((metric, one) for one in added)


def _step(
    found: dict[Cell, Movement], metric: Metric, added: Contribution, at: int, by: Movement
) -> None:
    cell = Cell(metric.key, added.currency, at // QUARTER, added.identity)
    held = found.get(cell, Movement(0, 0))
    found[cell] = Movement(held.number + by.number, held.total + by.total)


def moved(before: Mapping[Cell, Movement], after: Mapping[Cell, Movement]) -> dict[Cell, Movement]:
    """The movement from one standing to the next; cells that do not move are left out."""
    deltas = dict(after)
    for cell, old in before.items():
        new = deltas.get(cell, Movement(0, 0))
        deltas[cell] = Movement(new.number - old.number, new.total - old.total)
    return {cell: delta for cell, delta in deltas.items() if delta != (0, 0)}
