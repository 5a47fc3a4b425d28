"""Which goal to mend first: the one whose shortfall costs the final goal most.

A shortfall is what a goal is behind of what the plan expects by now; its effect is that many
units taken up the chain through the assumed rates. Influences have no effect that anybody could
calculate and change no rank of the others: they come last, the weightiest that is behind first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import count
from typing import NamedTuple

from app.domain.progress import Edge, GoalProgress

ZERO, ONE = Fraction(0), Fraction(1)


class _Costs(NamedTuple):
    """How urgent a goal is, the greater the more. place: in the tree, the root 0."""

    calculated: bool
    effect: Fraction
    place: int
    key: str


def priorities(root: GoalProgress, given: Mapping[str, int]) -> dict[str, int]:
    """The rank of every goal by its key, 1 the first.

    Equal effects go from the bottom of the tree up: what is done, before what becomes of it. A
    rank that somebody gave stands, and the others take the ranks that nobody was given.
    """
    costs = sorted(_costs(root), reverse=True)
    taken = set(given.values())
    free = (rank for rank in count(1) if rank not in taken)
    return {one.key: given[one.key] if one.key in given else next(free) for one in costs}


def _costs(root: GoalProgress) -> Iterator[_Costs]:
    worth = _worth(root)
    for place, goal in enumerate(root.walk()):
        short = max(-goal.gap, ZERO)
        weight = (goal.weight or ONE) if short else ZERO
        effect = short * worth[goal.key] if goal.key in worth else weight
        yield _Costs(goal.key in worth, effect, place, goal.key)


def _worth(root: GoalProgress) -> dict[str, Fraction]:
    """What one unit of a goal is of the root, by key; none of influences and what is below them."""
    found = {root.key: ONE}
    for goal in root.walk():
        for child in goal.children:
            if goal.key in found and child.edge is not Edge.INFLUENCE:
                rate = goal.rate.assumed if child.edge is Edge.CONVERSION and goal.rate else ONE
                found[child.key] = found[goal.key] * rate
    return found
