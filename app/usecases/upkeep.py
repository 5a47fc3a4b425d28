"""The store's own housekeeping: its size is shown, its log is cut, its recovery is noticed."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import Unavailable
from app.store.engine import Store
from app.telemetry import logger
from app.usecases.background import Background

INTERVAL_SECONDS = 5.0
# A log this long is cut: twice what SQLite folds by itself.
LONG_LOG = 128 * 2**20

# Told the bytes of a part of the store.
Told = Callable[[str, int], None]


def _nothing() -> None:
    """What else there is to be looked at, where there is nothing."""


class Upkeep(Background):
    """Looks after the store every few seconds, beside everything else."""

    def __init__(
        self,
        store: Store,
        deliveries: Callable[[], int],
        told: Told,
        also: Callable[[], None] = _nothing,
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._told = told
        self._also = also
        self._held = False
        super().__init__("upkeep")

    def look(self) -> None:
        """One round. Raises Unavailable while the store cannot serve."""
        if self._store.refusing is not None:
            # Nobody may write for hours, and the service would go on to say that nobody can.
            self._store.try_writing()
        sizes = self._store.sizes()
        if (log := sizes.get("log", 0)) > LONG_LOG:
            self._cut(log)
            sizes = self._store.sizes()
        for part, size in (sizes | {"deliveries": self._deliveries()}).items():
            self._told(part, size)
        self._also()

    def _cut(self, size: int) -> None:
        held = not self._store.fold_log()
        if held and not self._held:
            # It ends with the reader; who it is, only the operator can find out.
            logger(__name__).warning("a reader keeps the log of the database long", bytes=size)
        self._held = held

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Unavailable as error:
                logger(__name__).warning("the store cannot be written to", why=error.code)
            except Exception:  # noqa: BLE001 - the next round may succeed
                logger(__name__).exception("the store could not be looked after")
            if self._ended.wait(INTERVAL_SECONDS):
                return
