"""Group commit: a few threads make many waiting deliveries one transaction each.

An fsync takes milliseconds however much it covers. So whoever waits shares one, and is answered
after it: an acknowledgement always means stored, counted and on disk.
"""

from __future__ import annotations

import zlib
from concurrent.futures import Future

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Unavailable
from app.store.engine import Store
from app.store.lanes import Answer, Lane, Recording, Room, Told, Waiting
from app.store.recorder_process import RecorderProcess, RemoteRecorder
from app.store.recording import Moved, Recorder, unheard
from app.store.strays import Work

QUEUE_ITEMS = 20_000
QUEUE_BYTES = 64 * 2**20


class Committer:
    """The only writer of activities. `submit` from any thread; `stop` finishes what waits.

    A workspace has one lane, so that its batches never wait for each other's lock. SQLite has one
    lane for all; PostgreSQL has several, which share the server's fsyncs. With a `process` the
    transactions happen there.
    """

    def __init__(
        self,
        store: Store,
        queue_limit: int = QUEUE_ITEMS,
        byte_limit: int = QUEUE_BYTES,
        moved: Moved = unheard,
        process: RecorderProcess | None = None,
    ) -> None:
        self._room = Room(queue_limit, byte_limit)
        self._process = process

        def recorder(lane: int) -> Recording:
            if process is None:
                return Recorder(store, moved)
            return RemoteRecorder(process, lane, store, moved)

        self._lanes = [
            Lane(recorder(lane), self._room, apart=not store.spans_workspaces)
            for lane in range(store.lanes)
        ]

    def tell(self, told: Told) -> None:
        """Tell of each transaction from now on."""
        for lane in self._lanes:
            lane.told = told

    def open(self) -> None:
        """Take deliveries; they wait until `start`."""
        for lane in self._lanes:
            lane.open()

    def start(self) -> None:
        """Commit what comes."""
        if self._process is not None:
            self._process.start()
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        """Take no more, commit what waits, and end."""
        for lane in self._lanes:
            lane.close()
        for lane in self._lanes:
            lane.join()
        if self._process is not None:
            self._process.stop()

    @property
    def depth(self) -> int:
        """How many deliveries wait."""
        return sum(lane.depth for lane in self._lanes)

    def submit(self, delivery: Delivery) -> Answer:
        """Queue a delivery; the future has its results, by index, once they are on disk.

        Raises Unavailable `queue_full` or `stopping`. The future raises NotFound for an unknown
        workspace, Unavailable when the database failed; the delivery can then be sent again,
        whether or not it was committed.
        """
        works = [Work(delivery, item) for item in delivery.items]
        if delivery.refused:
            works += [Work(delivery, refused) for refused in delivery.refused]
            # In the order of the request: what comes after an unusable item may make up for it.
            works.sort(key=lambda work: work.item.index)
        answer: Future[list[ItemResult]] = Future()
        if not works and delivery.raw is None and not _settles(delivery):
            answer.set_result([])
            return answer
        waiting = Waiting(delivery, works, _size(delivery), answer)
        if not self._room.take(waiting):
            raise Unavailable("queue_full", retry_after=1)
        self._lane(delivery.workspace).put(waiting)
        return answer

    def _lane(self, workspace: str) -> Lane:
        return self._lanes[zlib.crc32(workspace.encode()) % len(self._lanes)]


def _settles(delivery: Delivery) -> bool:
    """Whether quarantine entries may be settled by there being nothing left to count."""
    return delivery.replay is not None and delivery.quarantines


def _size(delivery: Delivery) -> int:
    items = sum(len(item.report.content) for item in delivery.items)
    raw = len(delivery.raw.body) if delivery.raw else 0
    return raw + items + sum(len(refused.content) for refused in delivery.refused)
