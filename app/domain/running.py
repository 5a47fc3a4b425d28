"""Evidence that runs over days: what it is at the end of each one, and the word for it.

What crosses a threshold once stays evidence, since a sound plan hardly ever does so on any day
(Ville's inequality is about the highest value, not the last).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from app.domain.drift import (
    ACT,
    ASSUMED_DISPERSION,
    CHANGED,
    LOOK,
    TOLERATED,
    dispersion,
    log_changed,
    log_e_apart,
    log_e_rate,
    tempered,
)
from app.domain.progress import NO_DRIFT, Drift, DriftState
from app.domain.ripening import allotted, log_e_hazard

# With a lag, what is still open at the start is known of a past of so many lags, half of which at
# least must have something in it: of an unknown past the first days look like a fall.
PAST = 6

_WEEK = 7

# By day.
Tallies = Sequence[float | Fraction]


def settled(lag: int) -> int:
    """The days after which what began is all but decided."""
    return PAST // 2 * lag


class Course(NamedTuple):
    """Evidence at the end of each day: that a rate is another, and that it fell on some day."""

    apart: list[float]
    changed: list[float]


def running(
    begun: Tallies, became: Tallies, assumed: float, spread: float = ASSUMED_DISPERSION
) -> Course:
    """The evidence that a rate is not within a tenth of what is assumed.

    begun, became: what began on each day and what was converted on it, without a lag between them
    """
    import numpy as np  # noqa: PLC0415 - loading it is a part of a start that may never need it

    trials = np.cumsum(np.asarray(begun, float))
    # What came without a basis is no trial; for a day or two there is more of it than of all.
    successes = np.minimum(np.cumsum(np.asarray(became, float)), trials)
    low, high = TOLERATED * assumed, (2 - TOLERATED) * assumed
    logs = (
        log_e_apart(successes, trials, low, high)
        if high < 1
        else log_e_rate(successes, trials, low)
    )
    daily = (np.diff(successes, prepend=0), np.diff(trials, prepend=0))
    changed = log_changed(*daily, low, spread)
    return Course(
        [tempered(one, spread) for one in logs.tolist()],
        [tempered(one, 1) for one in changed.tolist()],
    )


def running_late(
    begun: Tallies,
    became: Tallies,
    assumed: float,
    days: tuple[Sequence[float], int, int],
    spread: float = ASSUMED_DISPERSION,
) -> Course:
    """The same where conversions come later: that the rate is lower than nine tenths of it.

    days: the share of conversions at each age, the age at which all but all have come, and how
        many of the first days lie before the period; those only tell what is open when it begins
    Nothing where nothing began so long before it: then whatever comes first looks like a fall. Of
    a change within the period there is no telling.
    """
    import numpy as np  # noqa: PLC0415 - as above

    ripe, decided, past = days
    if past < len(ripe) or not any(begun[: past - decided]):
        return Course([], [])
    low = TOLERATED * assumed
    parts = allotted(np.asarray(begun, float), np.asarray(became, float), low, ripe)
    converted, opened = (np.cumsum(part[past:], axis=0) for part in parts)
    logs = log_e_hazard(converted, opened, low, ripe).tolist()
    return Course([tempered(one, spread) for one in logs], [])


def running_items(
    begun: Tallies,
    ends: Sequence[tuple[int, int, float]],
    assumed: float,
    days: tuple[Sequence[float], int],
    spread: float = ASSUMED_DISPERSION,
) -> Course:
    """The same where it is known of every item whether and when it turned out: nothing is divided.

    begun: how many began on each day that is over; ends: on which of them, at what age, how many
    turned out; days: the share of conversions at each age, and how many days lie before the period
    """
    import numpy as np  # noqa: PLC0415 - as above

    ripe, past = days
    length, ages = len(begun), len(ripe)
    if past >= length or not any(begun):
        return Course([], [])
    came = np.zeros((length, ages))
    for start, late, number in ends:
        if start < length and late < ages:
            came[start, late] += number
    left = np.maximum(np.asarray(begun, float)[:, None] - np.cumsum(came, axis=1) + came, 0)
    # By the day on which they are looked at: what is so old began so long before it.
    day, age = np.arange(length)[:, None], np.arange(ages)[None, :]
    there, since = day >= age, np.maximum(day - age, 0)
    opened = np.cumsum(np.where(there, left[since, age], 0)[past:], axis=0)
    converted = np.cumsum(np.where(there, np.minimum(came, left)[since, age], 0)[past:], axis=0)
    logs = log_e_hazard(converted, opened, TOLERATED * assumed, ripe).tolist()
    return Course([tempered(one, spread) for one in logs], [])


def uneven(
    begun: Sequence[float], became: Sequence[float], ripe: Sequence[float], decided: int
) -> float:
    """By how much weeks differ from what was due in them; what is assumed where they are too few.

    begun, became: by day; ripe: the share of conversions at each age; decided: the age at which all
    but all have come: before so many days are over it is not known what was due
    """
    import numpy as np  # noqa: PLC0415 - as above

    # With a lag what is due is spread over the days behind those on which it began.
    due = np.convolve(begun, ripe).tolist() if begun else []
    weeks = (slice(day, day + _WEEK) for day in range(decided, len(begun) - _WEEK + 1, _WEEK))
    return dispersion((sum(became[week]), sum(due[week])) for week in weeks) or ASSUMED_DISPERSION


def judged(course: Course, first: date, most: DriftState, spread: float) -> Drift:
    """What evidence that runs from a day on comes to; `most`: no more than this is said.

    It is proven by the evidence against the whole period alone, and suspected by either.
    """
    highest = [*accumulate(course.apart, max)]
    if not highest:
        return NO_DRIFT
    proven = _since(course.apart, ACT, first) if most is DriftState.PROVEN else None
    looked = (_since(course.apart, LOOK, first), _since(course.changed, CHANGED, first))
    suspected = min((day for day in looked if day is not None), default=None)
    state = DriftState.UNPROVEN if suspected is None else DriftState.SUSPECTED
    return Drift(
        state if proven is None else DriftState.PROVEN,
        proven or suspected,
        course.apart[-1],
        highest[-1],
        max(course.changed, default=None),
        spread,
    )


def _since(evidence: Sequence[float], threshold: float, first: date) -> date | None:
    """The first day at whose end there was so much of it."""
    reached = (day for day, value in enumerate(evidence) if value >= threshold)
    after = next(reached, None)
    return None if after is None else first + timedelta(days=after)
