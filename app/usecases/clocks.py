"""How far this process's clock is from those of the others that serve the database.

No count depends on it: events count at their own time and commits are in the order of the head. But
signatures have a window, "now" in an answer is this clock's, and a sender's event of a moment ago
may seem to come from tomorrow. So it is shown, and told in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.domain.instants import SECOND
from app.store.engine import Store
from app.store.heads import Head
from app.telemetry import logger

# A fifth of what signatures tolerate.
TOLD_SECONDS = 60

# Told a reference, and by how many seconds this clock is ahead of it.
Told = Callable[[str, float], None]


class Clocks:
    """Compares `clock` with the newest commit and, where there is a server, with the server's."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        heads: Callable[[], Mapping[str, Head]],
        told: Told,
    ) -> None:
        self._store = store
        self._clock = clock
        self._heads = heads
        self._told = told
        self._wrong = False

    def look(self) -> None:
        """Compare now. Raises Unavailable while the server cannot be asked."""
        found = {"commits": self._behind_commits()}
        if (ahead := self._store.ahead_of_server(self._clock)) is not None:
            found["database"] = ahead / SECOND
        for reference, seconds in found.items():
            self._told(reference, seconds)
        worst = max(found.values(), key=abs)
        if (wrong := abs(worst) > TOLD_SECONDS) and not self._wrong:
            logger(__name__).warning("the clock differs from the others'", seconds=round(worst, 1))
        self._wrong = wrong

    def _behind_commits(self) -> float:
        """0, or less where a commit bears an instant that has not come yet by this clock.

        Whoever commits with a clock behind stays a microsecond after the last commit; so this is
        the distance to the clock that was furthest ahead when it last wrote.
        """
        newest = max((head.at for head in self._heads().values()), default=0)
        return min(0, self._clock() - newest) / SECOND
