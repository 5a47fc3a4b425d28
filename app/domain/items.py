"""What is known of single items: which turned out and when, and what that has taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from app.domain.attribution import Place
from app.domain.survival import Learned

# Beside what is under way, what has had all its time in so many days tells how many turn out.
RIPENED = 56


class Turned(NamedTuple):
    """Items that turned out: when they began and whose they were, and when they did.

    number: as it is tallied; place: of the day on which they began
    """

    begun: date
    place: Place
    number: int
    became: date


class Yardstick(NamedTuple):
    """By what it is told whether a rate has fallen: the lag, and what part of it is seen at all.

    linked: the part of all that turned out that says what it grew from; a rate of items that are
    followed can be no more than that part of the plan's
    """

    lag: Learned
    linked: Fraction


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What is known of single items, by the goal that they are converted to.

    lags: those that were learned; turned: which turned out, of what began in the lag's days and
    RIPENED before them up to now, where nearly all that turned out says from what it grew
    yardsticks: by what it is told whether a rate has fallen in the period, of all in `turned`
    """

    lags: Mapping[str, Learned] = field(default_factory=dict)
    turned: Mapping[str, Sequence[Turned]] = field(default_factory=dict)
    yardsticks: Mapping[str, Yardstick] = field(default_factory=dict)


NO_COHORTS = Cohorts()
