"""How long items take to turn out, learned from those that did and those that have not yet.

An appointment of last week that is no deal is not a lost one: it tells only that a deal took
longer than a week, if one comes at all. So each item is looked at as long as it could be seen
open: from the age at which it came into view (0, or later where what it did before is unknown) to
the age it has now, or at which it turned out. Of all seen open at an age the part that turned out
at it is the hazard there, and the product of the complements is what stays open (Kaplan and Meier
1958; the life table where ages are days).

Not every item turns out. The lag is about those that do: F(a) = (1 - S(a)) / (1 - S(longest)).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

from app.domain.quantities import Quantity

# As many items must have turned out; of fewer a plan's own lag is as good.
ENOUGH = 50
# And as many that a lag holds for days that it was not learned of.
SETTLED = 200
# S is kept in this many parts of one: exact enough for ages in days, and the same everywhere.
_WHOLE = 10**12
_ALL_BUT = Fraction(49, 50)


class Cohort(NamedTuple):
    """The items that began on one day.

    number: how many there were; came: how many turned out, by age in days; until: the age up to
    which, and not at which, they have been seen; since: that from which on
    """

    number: int
    came: Mapping[int, int]
    until: int
    since: int = 0


class Age(NamedTuple):
    """Items that were seen open when they reached an age, and how many turned out at it."""

    opened: int
    converted: int


def life_table(cohorts: Iterable[Cohort]) -> list[Age]:
    """What was seen at each age, from 0 on.

    What turned out before the age from which on a cohort is seen, or after the one up to which it
    is, is no part of it; nor is what cannot be, more than there were.
    """
    # By how much the number of those seen open at an age differs from the one at the age before.
    change: Counter[int] = Counter()
    converted: Counter[int] = Counter()
    longest = 0
    for cohort in cohorts:
        if cohort.since >= cohort.until:
            continue
        longest = max(longest, cohort.until)
        before = sum(n for age, n in cohort.came.items() if age < cohort.since)
        left = max(cohort.number - before, 0)
        change[cohort.since] += left
        for age in sorted(age for age in cohort.came if cohort.since <= age < cohort.until):
            came = min(cohort.came[age], left)
            converted[age] += came
            change[age + 1] -= came
            left -= came
        change[cohort.until] -= left
    opened = accumulate(change[age] for age in range(longest))
    return [Age(number, converted[age]) for age, number in enumerate(opened)]


def survival(table: Sequence[Age]) -> list[Fraction]:
    """S: what part of all is still open behind each age. Where nobody was seen, nothing comes."""
    found: list[Fraction] = []
    left = _WHOLE
    for opened, converted in table:
        if opened:
            left = left * (opened - converted) // opened
        found.append(Fraction(left, _WHOLE))
    return found


@dataclass(frozen=True, slots=True)
class Learned:
    """A lag as it was seen: a `Lag` whose shares are those of the items that turned out.

    shares: what part of them has turned out by each age, 1 at the last; conversions: how many
    there were to learn from; rate: the part of all items that turns out by then
    """

    shares: tuple[Fraction, ...]
    conversions: int
    rate: Fraction

    @property
    def longest(self) -> int:
        """The age at which the last one turned out."""
        return len(self.shares) - 1

    @property
    def settled(self) -> int:
        """The age at which all but one in fifty of them have."""
        return bisect_left(self.shares, _ALL_BUT)

    @property
    def mean(self) -> Fraction:
        """How many days it takes on average, of what turns out."""
        return sum((1 - share for share in self.shares), Fraction(0))

    @property
    def steps(self) -> tuple[float, ...]:
        """The share of conversions at each age."""
        return tuple(
            float(after - before) for before, after in pairwise((Fraction(0), *self.shares))
        )

    def share(self, age: int) -> Fraction:
        """As `Lag` wants it."""
        if age < 0:
            return Fraction(0)
        return self.shares[age] if age < len(self.shares) else Fraction(1)


def learned(cohorts: Iterable[Cohort]) -> Learned | None:
    """The lag that some cohorts show; None where too few have turned out."""
    table = life_table(cohorts)
    conversions = sum(age.converted for age in table)
    if conversions < ENOUGH:
        return None
    left = survival(table)
    last = left[-1]
    came = [(1 - one) / (1 - last) for one in left]
    return Learned(tuple(came[: bisect_left(came, 1) + 1]), conversions, 1 - last)


def trusted(before: Learned | None, now: Learned) -> Learned:
    """The lag by which it is told whether a rate has fallen since a day.

    before, now: learned of the time before that day, and of the time before today

    What is learned of the days in question takes a part of a fall for a longer lag, and finds the
    less of it the longer they and the lag are. But what little was seen before them may be far
    off, and what is no fall is called one.
    """
    return now if before is None or before.conversions < SETTLED else before


class Matured(NamedTuple):
    """How many items turned out, of as many as could have by now: each counts F(its age).

    rate: between low and high in 80 of 100 cases; of nothing that could have there is none
    """

    converted: Quantity
    exposure: Fraction
    rate: Fraction | None
    low: Fraction | None = None
    high: Fraction | None = None


# How many items the plan's rate is worth beside those that were seen.
_PRIOR = 20


def matured(
    begun: Mapping[int, Quantity], converted: Quantity, lag: Learned, assumed: Fraction
) -> Matured:
    """The rate at which items turn out in the end, of those that began lately.

    begun: how many began so many days ago, by whole days that are over; converted: of these

    The interval is that of Beta(a + s, b + n - s), a and b from the plan's rate, n the exposure.
    It is a probability: of a rate assumed to be 1 or more there is none.
    """
    exposure = sum((n * lag.share(age - 1) for age, n in begun.items()), Fraction(0))
    if not exposure:
        return Matured(converted, exposure, None)
    rate = min(Fraction(converted) / exposure, Fraction(1))
    if not 0 < assumed < 1:
        return Matured(converted, exposure, rate)
    from scipy.special import betaincinv  # noqa: PLC0415 - loading it takes longer than a start may

    a = float(_PRIOR * assumed + converted)
    b = float(_PRIOR * (1 - assumed) + max(exposure - converted, Fraction(0)))
    low, high = (Fraction(float(betaincinv(a, b, part))) for part in (0.1, 0.9))
    return Matured(converted, exposure, rate, min(low, rate), max(high, rate))
