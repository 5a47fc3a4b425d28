"""How long work in the background rests, by what the thread that serves requests leaves."""

from __future__ import annotations

import time
from collections.abc import Callable

# From one begin to the next: a burst of commits is one change to a reader. Shorter ones cost those
# who write more than readers gain (decision 13).
SHORTEST_SECONDS = 0.15
LONGEST_SECONDS = 0.5
# A round's processor time is so many times the cube of what the event loop leaves until the next,
# between those two: changes are quick while few write. At least the second, of all the time.
SHARE, LEAST_SHARE = 5, 0.04


class Leisure:
    """How much of its time a thread leaves to others while those rest.

    What it leaves while they work says nothing: it may be waiting for the interpreter that they
    hold. One rest is short, so what the rests before it left counts half.
    """

    def __init__(self, thread: int, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        # Not on every system; then it is taken for busy.
        clock = getattr(time, "pthread_getcpuclockid", None)
        self._clock: int | None = clock(thread) if clock else None
        self.begin()

    def begin(self, before: float = 1.0) -> None:
        """A rest begins; what the rests before it left."""
        self._before = before
        self._began = (self._now(), self._spent())

    def part(self) -> float:
        """Of the time of this rest and of those before, 0 to 1."""
        now = (self._now(), self._spent())
        took, spent = (after - began for after, began in zip(now, self._began, strict=True))
        if self._clock is None or took <= 0:
            return 0.0
        return (self._before + min(max(1 - spent / took, 0.0), 1.0)) / 2

    def _spent(self) -> float:
        return 0.0 if self._clock is None else time.clock_gettime(self._clock)


def rest(spent: float, took: float, leisure: float) -> float:
    """How long to rest after a round of so much processor time, and so long by the clock.

    leisure: the part of the time that the event loop leaves

    From one begin to the next its share stays small as long as a change still reaches readers
    soon; and a round never takes more than half of the time.
    """
    # Cubed: of what a busy loop leaves, most is needed by who commits and by who writes to it. At
    # half of the rate that is possible it leaves half as much again as at all of it, or less.
    share = max(SHARE * leisure**3, LEAST_SHARE)
    between = min(max(spent / share, SHORTEST_SECONDS), LONGEST_SECONDS)
    return max(between - took, spent)
