"""The days of the week by name, and how much each of them is asked for in a plan.

Many teams book little on a Monday. A line that is straight over working days says every Monday that
they are behind; weights bend it, and the target stays.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

from app.domain.documents import Node, gathered

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Of each day of the week from Monday, as a multiple of what all have in common: only ratios count,
# and sums of integers are quick.
Weights = tuple[int, ...]
EVEN: Weights = (1,) * len(WEEKDAYS)
# Of a weight: more would be a slip of the pen.
_LARGEST, _DIGITS = 100, 4


def weekday(node: Node) -> int:
    """The day of the week that a name means, Monday = 0. Raises Invalid `unknown_weekday`."""
    if node.text() not in WEEKDAYS:
        raise node.refused("unknown_weekday", allowed=", ".join(WEEKDAYS))
    return WEEKDAYS.index(node.text())


def weights_of(node: Node) -> Weights:
    """The weights that a profile's `weekdays` give; a day that is left out weighs 1.

    EVEN where none are given, and where all are the same. Raises Invalid: weight_out_of_range for
    what is negative, above 100 or has more than four digits behind the point; weekdays_all_zero.
    """
    if not node.given:
        return EVEN
    weights = gathered((node.at(name) for name in WEEKDAYS), _weight)
    scale = lcm(*(weight.denominator for weight in weights))
    scaled = tuple(int(weight * scale) for weight in weights)
    if not any(scaled):
        raise node.refused("weekdays_all_zero")
    common = gcd(*scaled)
    return tuple(weight // common for weight in scaled)


def _weight(node: Node) -> Fraction:
    weight = node.decimal() if node.given else Fraction(1)
    if not 0 <= weight <= _LARGEST or (weight * 10**_DIGITS).denominator != 1:
        raise node.refused("weight_out_of_range", largest=_LARGEST, digits=_DIGITS)
    return weight
