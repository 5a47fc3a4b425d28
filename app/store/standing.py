"""Where a state stands: the tally cells it fills, whom it credits, whether something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.domain.activities import State
from app.domain.errors import Invalid
from app.domain.instants import QUARTER
from app.domain.metrics import Metric, Uncounted, UnitKind, contribution
from app.store.rules import Metrics

# (metric, currency, quarter, identity) and (number, total): as the domain's Cell and Movement,
# as plain tuples because thousands are made per commit.
CellKey = tuple[str, str, int, str]
Amount = tuple[int, int]


class Standing(NamedTuple):
    """`credits` has the earliest counted instant of every identity that is credited."""

    cells: Mapping[CellKey, Amount]
    credits: Mapping[str, int]
    uncounted: bool


NOWHERE = Standing({}, {}, uncounted=False)


def standing(state: State, metrics: Metrics, currency: str) -> Standing:
    """Where a state stands. Raises Invalid when an amount cannot be held exactly."""
    cells: dict[CellKey, Amount] = {}
    credited: dict[str, int] = {}
    uncounted = False
    for metric in metrics:
        added = contribution(metric, state, currency)
        if added is None:
            continue
        if isinstance(added, Uncounted):
            uncounted = uncounted or is_missing(metric, added)
            continue
        named, at, identity, number, total = added
        cells[metric.key, named, at // QUARTER, identity] = (number, total)
        if identity and at <= credited.get(identity, at):
            credited[identity] = at
    return Standing(cells, credited, uncounted)


def stored_standing(state: State, metrics: Metrics, currency: str) -> Standing:
    """Where a state that was taken in under other rules stands now.

    What no longer fits (a kind that was not counted when it came, another currency) counts
    nothing and is listed; it was acknowledged, so it cannot be refused any more.
    """
    try:
        return standing(state, metrics, currency)
    except Invalid:
        return NOWHERE._replace(uncounted=True)


def is_missing(metric: Metric, why: Uncounted) -> bool:
    """Whether an absent field is a fault to be listed.

    A time always is, and so is money. A call without talk time was simply not talked in.
    """
    return why.code == "no_time" or metric.unit is UnitKind.MONEY
