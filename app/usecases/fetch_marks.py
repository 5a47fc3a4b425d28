"""Up to where a source was read through: a mark for each of its listings, and a pass under way.

A pass reads, from the mark less an overlap, everything that changed since, page by page; its
cursor is kept after each page, so a crash costs one page. At its end the mark moves to the latest
change that was seen, by the provider's own clock. The overlap is for changes that become visible
late: replicas and clocks of a provider differ by less than it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from app.domain.instants import DAY, MINUTE

OVERLAP = 10 * MINUTE
# The past is for a backfill. This much of it is read at once, so that a clock of ours that is
# ahead of the provider's loses nothing.
FIRST = DAY


@dataclass(frozen=True, slots=True)
class Mark:
    """upto: the latest change that was seen. Of a pass: since when, where it is, what it saw.

    resume: the place that the provider itself keeps, where it keeps one
    """

    upto: int
    since: int | None = None
    cursor: str | None = None
    seen: int = 0
    resume: str | None = None

    def begun(self) -> Mark:
        """With a pass under way: the one that is, or a new one."""
        if self.since is not None:
            return self
        return replace(self.anew(self.upto - OVERLAP), cursor=self.resume, resume=self.resume)

    def anew(self, since: int) -> Mark:
        """With a pass from an instant; the mark falls back to it only if the pass saw as much."""
        return Mark(self.upto, max(since, 0))

    def moved(self, seen: int, cursor: str | None, resume: str | None = None) -> Mark:
        """After a page; without another one the pass is over."""
        seen = max(self.seen, seen)
        if cursor is None:
            return Mark(max(self.upto, seen), resume=resume)
        return replace(self, cursor=cursor, seen=seen)

    def without_cursor(self) -> Mark:
        """With the pass back at its begin: the provider does not know the place any more."""
        return replace(self, cursor=None, resume=None)


def read_marks(text: str, listings: tuple[str, ...], now: int) -> dict[str, Mark]:
    """The marks of every listing; one that was never read begins a day ago."""
    told: dict[str, Any] = json.loads(text)
    first = Mark(max(now - FIRST, 0))
    return {name: Mark(**told[name]) if name in told else first for name in listings}


def write_marks(marks: dict[str, Mark]) -> str:
    """The text that `read_marks` reads."""
    told = {
        name: {"upto": one.upto, "since": one.since, "cursor": one.cursor, "seen": one.seen}
        # Only where there is one: a replica of an older version reads the others meanwhile.
        | ({"resume": one.resume} if one.resume else {})
        for name, one in marks.items()
    }
    return json.dumps(told, sort_keys=True)
