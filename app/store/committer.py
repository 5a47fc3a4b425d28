"""Group commit: a few threads make many waiting deliveries one transaction each.

An fsync takes milliseconds however much it covers. So whoever waits shares one, and is answered
after it: an acknowledgement always means stored, counted and on disk.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Protocol

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Unavailable
from app.store.engine import Store
from app.store.lanes import Answer, Lane, Room, Told, Waiting, cut, unheeded
from app.store.recording import Moved, Recorder, unheard
from app.store.strays import Work

QUEUE_ITEMS = 20_000
QUEUE_BYTES = 64 * 2**20


class Commits(Protocol):
    """A committer, wherever it works."""

    def tell(self, told: Told) -> None:
        """Tell of each transaction from now on."""

    def tell_losses(self, lost: Callable[[], None]) -> None:
        """Tell of each process of its own that is lost from now on."""

    def start(self) -> None:
        """Commit what comes."""

    def stop(self) -> None:
        """Take no more, commit what waits, and end."""

    @property
    def depth(self) -> int:
        """How many deliveries wait."""

    def submit(self, delivery: Delivery) -> Future[list[ItemResult]]:
        """Queue a delivery; the future has its results. As `post`."""

    def post(self, delivery: Delivery, answer: Answer) -> None:
        """Queue a delivery; the answer gets its results, by index, once they are on disk."""


class Committer:
    """The only writer of activities. `submit` from any thread; `stop` finishes what waits.

    A workspace has one lane, so that its batches never wait for each other's lock. SQLite has one
    lane for all; PostgreSQL has several, which share the server's fsyncs.
    `ended` is called by a lane after each transaction, once those who waited for it are answered.
    """

    def __init__(
        self,
        store: Store,
        queue_limit: int = QUEUE_ITEMS,
        byte_limit: int = QUEUE_BYTES,
        moved: Moved = unheard,
        ended: Callable[[], None] = unheeded,
    ) -> None:
        self._room = Room(queue_limit, byte_limit)
        self._lanes = [
            Lane(Recorder(store, moved), self._room, apart=not store.spans_workspaces)
            for _ in range(store.lanes)
        ]
        for lane in self._lanes:
            lane.ended = ended

    def tell(self, told: Told) -> None:
        """Tell of each transaction from now on."""
        for lane in self._lanes:
            lane.told = told

    def tell_losses(self, lost: Callable[[], None]) -> None:
        """Its threads are this process's: when they are lost, so is whoever would be told."""

    def open(self) -> None:
        """Take deliveries; they wait until `start`."""
        for lane in self._lanes:
            lane.open()

    def start(self) -> None:
        """Commit what comes."""
        for lane in self._lanes:
            lane.start()

    def commit(self, deliveries: Iterable[tuple[Delivery, Answer]]) -> None:
        """Commit some here and now, in the order they come and in as few transactions as they need.

        For whoever is alone with it: without a thread, and where there is one lane. The answers
        are those of `post`.
        """
        (lane,) = self._lanes
        waiting = deque(Waiting(one, works_of(one), 0, answer) for one, answer in deliveries)
        while batch := cut(waiting):
            lane.commit(batch)

    def stop(self) -> None:
        """Take no more, commit what waits, and end."""
        for lane in self._lanes:
            lane.close()
        for lane in self._lanes:
            lane.join()

    @property
    def depth(self) -> int:
        """How many deliveries wait."""
        return sum(lane.depth for lane in self._lanes)

    def submit(self, delivery: Delivery) -> Future[list[ItemResult]]:
        """Queue a delivery; the future has its results. As `post`."""
        answer: Future[list[ItemResult]] = Future()
        self.post(delivery, answer)
        return answer

    def post(self, delivery: Delivery, answer: Answer) -> None:
        """Queue a delivery; the answer gets its results, by index, once they are on disk.

        Raises Unavailable `queue_full` or `stopping`. The answer gets NotFound for an unknown
        workspace, Unavailable when the database failed; the delivery can then be sent again,
        whether or not it was committed.
        """
        if answered_at_once(delivery, answer):
            return
        works = works_of(delivery)
        waiting = Waiting(delivery, works, size_of(delivery), answer)
        if not self._room.take(len(works), waiting.size):
            raise Unavailable("queue_full", retry_after=1)
        self._lane(delivery.workspace).put(waiting)

    def _lane(self, workspace: str) -> Lane:
        if len(self._lanes) == 1:
            return self._lanes[0]
        return self._lanes[zlib.crc32(workspace.encode()) % len(self._lanes)]


def works_of(delivery: Delivery) -> list[Work]:
    """The items of a delivery, in the order of the request.

    What comes after an unusable item may make up for it.
    """
    works = [Work(delivery, item) for item in delivery.items]
    if delivery.refused:
        works += [Work(delivery, refused) for refused in delivery.refused]
        works.sort(key=lambda work: work.item.index)
    return works


def answered_at_once(delivery: Delivery, answer: Answer) -> bool:
    """Whether there is nothing to count, to keep or to settle; the answer then says so."""
    settles = delivery.fetched or (delivery.replay is not None and delivery.quarantines)
    if delivery.items or delivery.refused or delivery.raw is not None or settles:
        return False
    answer.set_result([])
    return True


def size_of(delivery: Delivery) -> int:
    """The bytes that a delivery holds while it waits."""
    size = len(delivery.raw.body) if delivery.raw else 0
    for item in delivery.items:
        size += len(item.report.content)
    for refused in delivery.refused:
        size += len(refused.content)
    return size
