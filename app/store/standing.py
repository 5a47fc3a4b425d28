"""Where a state stands: the tally cells it fills, whom it credits, whether something is missing."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from app.domain.activities import State, Story
from app.domain.errors import Invalid
from app.domain.instants import QUARTER
from app.domain.metrics import Metric, Uncounted, UnitKind, contributions
from app.domain.presets import PRESETS
from app.store.generations import key_of
from app.store.rules import Metrics, Rules
from app.store.states import Where

# (metric, currency, quarter, identity) and (number, total): as the domain's Cell and Movement,
# as plain tuples because thousands are made per commit.
CellKey = tuple[str, str, int, str]
Amount = tuple[int, int]


Occurs = tuple[str, str, int, str, str]  # the same place, and the value
Credit = tuple[str, int]  # identity and instant


class Standing(NamedTuple):
    """`credits` has every instant at which the state is counted, with who is credited then.

    Nobody ("") is credited as well: what is nobody's is found by its instant like all the rest.
    """

    cells: Mapping[CellKey, Amount]
    credits: AbstractSet[Credit]
    uncounted: bool
    values: tuple[Occurs, ...] = ()


NOWHERE = Standing({}, frozenset(), uncounted=False)


def standing(state: State, metrics: Metrics, currency: str) -> Standing:
    """Where a state that comes in stands.

    Raises Invalid when a preset cannot hold an amount exactly. A metric of one's own that cannot
    lists the activity instead: what was acknowledged yesterday must not depend on what somebody
    defines today.
    """
    return _standing(state, metrics, currency, (), refused=PRESETS)


def stored_standing(
    state: State, metrics: Metrics, currency: str, earlier: Sequence[State] = ()
) -> Standing:
    """Where a state that was taken in under other rules stands now.

    earlier: what the activity was before, as its `story` has it

    A metric that it no longer fits (a kind that was not counted when it came, another currency)
    does not count it, and it is listed; it was acknowledged, so it cannot be refused any more.
    """
    return _standing(state, metrics, currency, earlier, refused=())


def stood(where: Where, story: Story, by: Rules) -> Standing:
    """Where an activity stands by some rules."""
    metrics = by.tallied(where, story.state.kind)
    return stored_standing(story.state, metrics, by.currency, story.earlier)


def _standing(
    state: State,
    metrics: Metrics,
    currency: str,
    earlier: Sequence[State],
    *,
    refused: Container[str],
) -> Standing:
    cells: dict[CellKey, Amount] = {}
    credited: set[Credit] = set()
    values: tuple[Occurs, ...] = ()
    uncounted = False
    for metric in metrics:
        try:
            added = contributions(metric, state, currency, earlier)
        except Invalid:
            if key_of(metric.key) in refused:
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
            credited.add((identity, at))
    return Standing(cells, credited, uncounted, values)


def is_missing(metric: Metric, why: Uncounted) -> bool:
    """Whether an absent field is a fault to be listed.

    A time always is, and so is money. A call without talk time was simply not talked in.
    """
    return why.code == "no_time" or metric.unit is UnitKind.MONEY
