"""Sums of days that were read once, kept by a process; each as of a commit, and bounded together.

Nothing here asks the database. Who takes something out is told of which commit it is, and has to
see that this commit is one of those before the snapshot that asks (`days`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

# Of all that is kept, and of one of them. Some 300 bytes each, so 60 MiB at most. A thousand people
# have ten thousand sums of ten goals; what is more than the second number is every day of each.
MOST_ROWS = 200_000
MOST_OF_ONE = 60_000
# How many moves one may be behind: who asks may have a snapshot from before the latest.
_STATES = 2

Place = tuple[int, int, int]  # slot, day, actor; 0 where they are added up over
Rows = Mapping[Place, tuple[int, int]]  # number and sum


class Commit(NamedTuple):
    """A commit. Its instant tells it from one of the same number after a database went back."""

    seq: int
    at: int


class Asked(NamedTuple):
    """Which days' tallies are added up, and over what.

    config_version: with another one, slots may mean other counts and days may be cut elsewhere
    of: of which actors; None: of all
    """

    workspace: str
    config_version: int
    slots: frozenset[int]
    of: frozenset[int] | None
    first: int
    until: int
    by_day: bool
    by_actor: bool

    def is_part_of(self, other: Asked) -> bool:
        """Whether the other one is this, of more days at the end or of more actors."""
        return (
            self._replace(of=other.of, until=other.until) == other
            and self.until <= other.until
            and (self.of is None or other.of is None or self.of <= other.of)
            and (self.of is None) == (other.of is None)
        )


class State(NamedTuple):
    """The sums as of a commit."""

    commit: Commit
    rows: Rows


class Kept:
    """What is kept of all workspaces; of what was not asked for longest the first to go."""

    def __init__(self, most_rows: int = MOST_ROWS, most_of_one: int = MOST_OF_ONE) -> None:
        self._most_rows = most_rows
        self._most_of_one = most_of_one
        self._states: OrderedDict[Asked, tuple[State, ...]] = OrderedDict()
        self._rows = 0
        self._changing = threading.Lock()

    @property
    def rows(self) -> int:
        """How many are kept."""
        return self._rows

    def of(self, asked: Asked) -> tuple[State, ...]:
        """What is kept of it, the latest first."""
        with self._changing:
            if asked not in self._states:
                return ()
            self._states.move_to_end(asked)
            return self._states[asked]

    def parts_of(self, asked: Asked) -> list[Asked]:
        """What else is kept that it could be completed from, the most complete first."""
        with self._changing:
            found = [one for one in self._states if one != asked and one.is_part_of(asked)]
        return sorted(found, key=lambda one: (one.until, len(one.of or ())), reverse=True)

    def put(self, asked: Asked, state: State) -> None:
        """Keep it beside what is kept of it, unless it is too much or not the latest."""
        if len(state.rows) > self._most_of_one:
            return
        with self._changing:
            before = self._states.get(asked, ())
            if before and before[0].commit >= state.commit:
                return
            if not before:
                self._drop_outdated(asked)
            self._put(asked, (state, *before)[:_STATES])
            while self._rows > self._most_rows:
                self._drop(next(iter(self._states)))

    def forget(self, workspace: str) -> None:
        """Keep nothing of a workspace any more."""
        with self._changing:
            for asked in [one for one in self._states if one.workspace == workspace]:
                self._drop(asked)

    def _drop_outdated(self, by: Asked) -> None:
        outdated = [
            one
            for one in self._states
            if one.workspace == by.workspace and one.config_version < by.config_version
        ]
        for asked in outdated:
            self._drop(asked)

    def _put(self, asked: Asked, states: tuple[State, ...]) -> None:
        self._drop(asked)
        self._states[asked] = states
        self._rows += _size(states)

    def _drop(self, asked: Asked) -> None:
        self._rows -= _size(self._states.pop(asked, ()))


def _size(states: tuple[State, ...]) -> int:
    return sum(len(state.rows) + 1 for state in states)
