"""Deliveries are let go of once they are older than their workspace keeps them; states stay."""

from __future__ import annotations

import threading

from app.domain.errors import Unavailable
from app.domain.instants import DAY
from app.domain.workspace import deliveries_days
from app.store import deliveries, heads
from app.store.transactions import Reading
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.organisation import SETTINGS
from app.usecases.saving import standing

INTERVAL_SECONDS = 86_400
# One transaction's worth: senders wait for it no longer than for a commit of their own.
CHUNK = 500


def expire(context: Context, ended: threading.Event) -> int:
    """Let go of what every workspace keeps no longer, a chunk a transaction; how many it was.

    Stops between two chunks once it is `ended`: nobody waits for a long past to be cleared.
    """
    with context.read() as reading:
        workspaces = heads.workspaces(reading)
    return sum(_expire_in(context, workspace, ended) for workspace in workspaces)


def _expire_in(context: Context, workspace: str, ended: threading.Event) -> int:
    gone = 0
    while not ended.is_set():
        with context.read() as reading:
            before = context.clock() - _days(reading, workspace) * DAY
            if not deliveries.has_before(reading, workspace, before):
                return gone
        with context.write(workspace) as writing:
            gone += deliveries.expire(writing, before, CHUNK)
    return gone


def _days(reading: Reading, workspace: str) -> int:
    document = standing(reading, workspace, SETTINGS, SETTINGS)
    return deliveries_days(document.body if document else {})


class Retention:
    """Expires at the start and once a day, beside everything else."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a chunk that has begun is finished."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                expire(self._context, self._ended)
            except Unavailable:
                logger(__name__).warning("deliveries could not be expired; tomorrow again")
            except Exception:  # noqa: BLE001 - without the thread they would be kept for ever
                logger(__name__).exception("deliveries could not be expired")
            if self._ended.wait(INTERVAL_SECONDS):
                return
