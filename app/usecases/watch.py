"""Where every workspace stands, known without asking the store at each request.

What this process writes is noted at once; what other processes write (the command line, later
other replicas) is found by looking at the heads a few times a second.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from app.domain.errors import Unavailable
from app.store import heads
from app.store.engine import Store
from app.store.heads import Head
from app.telemetry import logger

INTERVAL_SECONDS = 0.25


class Watch:
    """The heads of all workspaces, as of at most a quarter of a second ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heads: Mapping[str, Head] = {}
        self._looking = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Look once, then keep looking."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """End looking."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Read the heads now."""
        # One look at a time: an older one that ends later would bring back what was revoked.
        with self._looking, self._store.read() as reading:
            self._heads = heads.all_heads(reading)

    def config_version(self, workspace: str) -> int:
        """As cheap as a variable: asked at every request."""
        head = self._heads.get(workspace)
        return -1 if head is None else head.config_version

    def heads(self) -> Mapping[str, Head]:
        """All heads, by workspace."""
        return self._heads

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                self.look()
            except Unavailable:
                # A database that is away has moved nothing; whoever asks it is told so.
                continue
            except Exception:  # noqa: BLE001 - a thread that ended would let revoked keys pass
                logger(__name__).exception("the heads could not be read")
