"""Deliveries go once they are older, or more, than their workspace keeps; states stay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from app.domain.errors import Unavailable
from app.domain.instants import DAY
from app.domain.workspace import deliveries_bytes, deliveries_days
from app.store import deliveries, heads
from app.store.deliveries import Gone
from app.telemetry import logger
from app.usecases.background import Background
from app.usecases.context import Context
from app.usecases.organisation import SETTINGS
from app.usecases.saving import standing

INTERVAL_SECONDS = 60
# One transaction's worth: senders wait for it no longer than for a commit of their own.
CHUNK = 500
_MEASURED_AT_ONCE = 20_000
# After so many rounds everything is measured anew: what other processes let go of is not told here.
_ROUNDS = 24 * 60


class Why(StrEnum):
    """What a delivery had to go for."""

    AGE = "age"
    SIZE = "size"


# Told how many deliveries went, and why.
Told = Callable[[Why, int], None]


def untold(_why: Why, _number: int) -> None:
    """Who is told where nobody asked."""


class Shelves:
    """How much the deliveries of each workspace take; only what is new has to be measured."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, deliveries.Measured] = {}

    @property
    def size(self) -> int:
        """Bytes on disk of all bodies, when last measured."""
        return sum(known.size for known in list(self._known.values()))

    def forget(self) -> None:
        """Measure everything anew."""
        self._known = {}

    def measure(self, workspace: str) -> int:
        """Bytes on disk of a workspace's bodies."""
        known = self._known.get(workspace, deliveries.Measured(0, -1))
        while True:
            with self._context.read() as reading:
                more = deliveries.measure(reading, workspace, known.last, _MEASURED_AT_ONCE)
            if more.last == known.last:
                return known.size
            known = deliveries.Measured(known.size + more.size, more.last)
            self._known[workspace] = known

    def less(self, workspace: str, size: int) -> None:
        """Some of what was measured is gone."""
        known = self._known.get(workspace)
        if known is not None:
            self._known[workspace] = known._replace(size=max(known.size - size, 0))


def expire(
    context: Context,
    ended: threading.Event,
    shelves: Shelves | None = None,
    told: Told = untold,
) -> int:
    """Let go of what every workspace keeps no longer, a chunk a transaction; how many it was.

    Stops between two chunks once it is `ended`: nobody waits for a long past to be cleared.
    """
    with context.read() as reading:
        workspaces = heads.workspaces(reading)
    keeper = _Keeper(context, ended, shelves or Shelves(context), told)
    return sum(keeper.by_age(workspace) + keeper.by_size(workspace) for workspace in workspaces)


class _Keeper:
    def __init__(
        self, context: Context, ended: threading.Event, shelves: Shelves, told: Told
    ) -> None:
        self._context = context
        self._ended = ended
        self._shelves = shelves
        self._told = told

    def by_age(self, workspace: str) -> int:
        number = 0
        while not self._ended.is_set():
            with self._context.read() as reading:
                document = standing(reading, workspace, SETTINGS, SETTINGS)
                days = deliveries_days(document.body if document else {})
                before = self._context.clock() - days * DAY
                if not deliveries.has_before(reading, workspace, before):
                    break
            number += self._let_go(workspace, before=before).number
        self._say(workspace, Why.AGE, number)
        return number

    def by_size(self, workspace: str) -> int:
        size = self._shelves.measure(workspace)
        with self._context.read() as reading:
            document = standing(reading, workspace, SETTINGS, SETTINGS)
        most = deliveries_bytes(document.body if document else {})
        number = 0
        while most is not None and size > most and not self._ended.is_set():
            gone = self._let_go(workspace, enough=size - most)
            if not gone.number:
                self._shelves.forget()
                break
            number += gone.number
            size -= gone.size
        self._say(workspace, Why.SIZE, number)
        return number

    def _let_go(
        self, workspace: str, *, before: int | None = None, enough: int | None = None
    ) -> Gone:
        with self._context.write(workspace) as writing:
            gone = deliveries.expire(writing, CHUNK, before=before, enough=enough)
        self._shelves.less(workspace, gone.size)
        return gone

    def _say(self, workspace: str, why: Why, number: int) -> None:
        if number:
            self._told(why, number)
            log = logger(__name__)
            log.info("deliveries let go", workspace=workspace, why=why.value, number=number)


class Retention(Background):
    """Lets go at the start and once a minute, beside everything else."""

    def __init__(self, context: Context, told: Told = untold) -> None:
        self._context = context
        self._told = told
        self._shelves = Shelves(context)
        super().__init__("retention")

    @property
    def size(self) -> int:
        """Bytes on disk of the bodies that are kept."""
        return self._shelves.size

    def _run(self) -> None:
        rounds = 0
        while True:
            try:
                if rounds % _ROUNDS == 0:
                    self._shelves.forget()
                expire(self._context, self._ended, self._shelves, self._told)
            except Unavailable:
                logger(__name__).warning("deliveries could not be let go; tried again in a minute")
            except Exception:  # noqa: BLE001 - without the thread they would be kept for ever
                logger(__name__).exception("deliveries could not be let go")
            rounds += 1
            if self._ended.wait(INTERVAL_SECONDS):
                return
