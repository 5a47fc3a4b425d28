"""Where a state stands: the tally cells it fills, whom it credits, whether something is missing."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from app.domain.activities import State
from app.domain.errors import Invalid
from app.domain.instants import QUARTER
from app.domain.metrics import Metric, Uncounted, UnitKind, contributions
from app.domain.presets import PRESETS
from app.store.rules import Metrics

# (metric, currency, quarter, identity) and (number, total): as the domain's Cell and Movement,
# as plain tuples because thousands are made per commit.
CellKey = tuple[str, str, int, str]
Amount = tuple[int, int]


Occurs = tuple[str, str, int, str, str]  # the same place, and the value


class Standing(NamedTuple):
    """`credits` has the earliest counted instant of every identity that is credited."""

    cells: Mapping[CellKey, Amount]
    credits: Mapping[str, int]
    uncounted: bool
    values: tuple[Occurs, ...] = ()


NOWHERE = Standing({}, {}, uncounted=False)


def standing(state: State, metrics: Metrics, currency: str) -> Standing:
    """Where a state that comes in stands.

    Raises Invalid when a preset cannot hold an amount exactly. A metric of one's own that cannot
    lists the activity instead: what was acknowledged yesterday must not depend on what somebody
    defines today.
    """
    return _standing(state, metrics, currency, refused=PRESETS)


def stored_standing(state: State, metrics: Metrics, currency: str) -> Standing:
    """Where a state that was taken in under other rules stands now.

    A metric that it no longer fits (a kind that was not counted when it came, another currency)
    does not count it, and it is listed; it was acknowledged, so it cannot be refused any more.
    """
    return _standing(state, metrics, currency, refused=())


def _standing(
    state: State, metrics: Metrics, currency: str, *, refused: Container[str]
) -> Standing:
    cells: dict[CellKey, Amount] = {}
    credited: dict[str, int] = {}
    values: tuple[Occurs, ...] = ()
    uncounted = False
    for metric in metrics:
        try:
            added = contributions(metric, state, currency)
        except Invalid:
            if metric.key in refused:
                raise
            uncounted = True
            continue
        if added is None:
            continue
        if isinstance(added, Uncounted):
            uncounted = uncounted or is_missing(metric, added)
            continue
        for named, at, identity, number, total, value, until in added:
            place = (metric.key, named, at // QUARTER, identity)
            cells[place] = (number, total)
            if value is not None:
                values += ((*place, value),)
            if until is not None:
                # Gone in the quarter hour in which it came: never there.
                left = (metric.key, named, until // QUARTER, identity)
                cells[left] = (0, 0) if left == place else (-number, -total)
            if identity and at <= credited.get(identity, at):
                credited[identity] = at
    return Standing(cells, credited, uncounted, values)


def is_missing(metric: Metric, why: Uncounted) -> bool:
    """Whether an absent field is a fault to be listed.

    A time always is, and so is money. A call without talk time was simply not talked in.
    """
    return why.code == "no_time" or metric.unit is UnitKind.MONEY
