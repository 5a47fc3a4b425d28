"""The open streams of a process: how many there may be, and who wakes them."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from app.domain.errors import TooMany, Unavailable
from app.usecases.stream import Hub
from app.web.handover import Handover
from app.web.health import Drain

HEARTBEAT_SECONDS = 15.0
# How long a reader may take over one frame.
PATIENCE_SECONDS = 20.0
STREAMS = 1_000


class Streams:
    """The open streams of this process, and how many there may be.

    Each is an open file, and files are needed for more than streams: half of what the process may
    have is the most. One key has half of that at the most, so that no script shuts others out.
    """

    def __init__(
        self,
        hub: Hub,
        drain: Drain,
        *,
        limit: int = STREAMS,
        heartbeat: float = HEARTBEAT_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.hub = hub
        self.drain = drain
        self.heartbeat = heartbeat
        self.patience = patience
        self._limit = min(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._open: set[Callable[[], None]] = set()
        self._of_key: Counter[str] = Counter()
        self._opened = 0
        self._handover = Handover()
        drain.listen(self._wake_all)

    def number(self) -> int:
        """How many are open."""
        return len(self._open)

    def enter(self, key: str, wake: Callable[[], None]) -> int:
        """A place for one more; its number. Raises Unavailable, TooMany when there is none."""
        if self.drain.begun:
            raise Unavailable("draining")
        if len(self._open) >= self._limit:
            raise Unavailable("too_many_streams", retry_after=5, limit=self._limit)
        if self._of_key[key] >= max(self._limit // 2, 1):
            raise TooMany("too_many_streams_of_key", 5, limit=self._limit // 2)
        self._open.add(wake)
        self._of_key[key] += 1
        self._opened += 1
        return self._opened

    def leave(self, key: str, wake: Callable[[], None]) -> None:
        """The place is free again."""
        self._open.discard(wake)
        self._of_key[key] -= 1
        self._of_key += Counter()  # forgets the keys that have none

    def woken(self, look: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """From any thread: have a stream look for news, together with others that were woken."""
        # The loop has ended, and its streams with it; or whoever is woken next wakes all.
        with suppress(RuntimeError, MemoryError):
            self._handover.call(look, loop)

    def _wake_all(self) -> None:
        for wake in list(self._open):
            wake()
