"""Cadence: how long a source is usually silent, learned from when it spoke before.

Of each working day the longest silence that was reached on it, in working time: a lunch hour or a
slow morning comes every day and is no alarm, while of all gaps between deliveries it is one in a
hundred. What is usual is the longest of these but for a tenth of the days, so that a day or two on
which the source was broken do not teach that this is how it is.

Only whole days before the one on which it last spoke are asked. So an expectation stays while one
waits, is the same whoever asks and whenever, and of an earlier knowing it is what was learned then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from app.domain.calendar import ONE_DAY, WorkCalendar
from app.domain.freshness import DAILY, Basis, Expectation, Within
from app.domain.instants import MINUTE

WINDOW = timedelta(days=28)
# Silence as long as is usual happens; twice as long, in 1 of 100 working days or fewer. Measured
# for senders of 1 to 1,000 a working day at random times, see docs/decisions.
MARGIN = 2
# Fewer days teach nothing.
FEWEST_DAYS = 5
LEFT_OUT = 10  # the longest of every ten days
SHORTEST = 30 * MINUTE
LONGEST_DAYS = 10  # working days: two weeks
# Silences no longer than this make no difference, so of when a source spoke no more need be known.
UNNOTICED = SHORTEST // MARGIN


def window(calendar: WorkCalendar, day: date) -> tuple[int, int]:
    """The instants between which a source taught what is expected of it on a day; half-open."""
    return calendar.midnight(day - WINDOW), calendar.midnight(day)


def expectation(spoke: Sequence[int], calendar: WorkCalendar, day: date) -> Expectation:
    """What is expected of a source that last spoke on a day.

    spoke: when it did inside the `window`, in order; any of it may be missing between two instants
    that lie `UNNOTICED` apart or closer. DAILY where fewer than five working days are known on
    which it spoke. In whole minutes, half an hour at least and ten working days at most.
    """
    reached = _longest(spoke, calendar, day) if spoke else {}
    seen = {calendar.local_day(at) for at in spoke} & reached.keys()
    length = (calendar.closes - calendar.opens) * MINUTE
    if len(seen) < FEWEST_DAYS:
        return DAILY
    longest_first = sorted(reached.values(), reverse=True)
    usual = longest_first[len(reached) // LEFT_OUT]
    limit = min(max(MARGIN * usual, SHORTEST), LONGEST_DAYS * length)
    days, time = divmod(-(-limit // MINUTE) * MINUTE, length)
    return Expectation(days, time, Within.WORKING_HOURS, Basis.LEARNED, len(reached))


def _longest(spoke: Sequence[int], calendar: WorkCalendar, day: date) -> dict[date, int]:
    """By working day the longest silence reached on it, in working time.

    From the day after the first delivery: of the time before nothing is known.
    """
    first = calendar.local_day(spoke[0])
    hours = dict(_hours(calendar, first, day))
    before: dict[date, int] = {}
    total = 0
    for one, (opens, closes) in hours.items():
        before[one] = total
        total += closes - opens
    found = dict.fromkeys((one for one in hours if one != first), 0)

    def clock(at: int, one: date) -> int:
        """The working time up to an instant of a day or of a night around it."""
        opens, closes = hours[one]
        return before[one] + min(max(at - opens, 0), closes - opens)

    for since, until in pairwise((*spoke, calendar.midnight(day))):
        touched = _days(calendar.local_day(since), calendar.local_day(until) + ONE_DAY)
        days = [one for one in touched if one in hours and hours[one][0] < until]
        for one in days:
            if one in found:
                found[one] = max(found[one], clock(until, one) - clock(since, days[0]))
    return found


def _hours(
    calendar: WorkCalendar, first: date, until: date
) -> Iterator[tuple[date, tuple[int, int]]]:
    """The working days of a range, and when they begin and end; not those of no length."""
    for one in _days(first, until):
        opens, closes = calendar.hours(one)
        if calendar.day(one).working and opens < closes:
            yield one, (opens, closes)


def _days(first: date, until: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((until - first).days))
