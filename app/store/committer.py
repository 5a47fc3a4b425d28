"""Group commit: one thread makes many waiting deliveries one transaction.

An fsync takes milliseconds however much it covers. So whoever waits shares one, and is answered
after it: an acknowledgement always means stored, counted and on disk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Invalid, NotFound, TasseiError, Unavailable
from app.store.deliveries import Placed
from app.store.engine import Store
from app.store.recording import Done, Moved, Recorder, unheard
from app.store.strays import Work

Answer = Future[list[ItemResult]]
# Of a transaction: how many deliveries it made durable, and in how many seconds.
Told = Callable[[int, float], None]

QUEUE_ITEMS = 20_000
QUEUE_BYTES = 64 * 2**20
BATCH_ITEMS = 2_000

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    delivery: Delivery
    works: list[Work]
    size: int
    answer: Answer


class Committer:
    """The only writer of activities. `submit` from any thread; `stop` finishes what waits."""

    def __init__(
        self,
        store: Store,
        queue_limit: int = QUEUE_ITEMS,
        byte_limit: int = QUEUE_BYTES,
        moved: Moved = unheard,
    ) -> None:
        self._recorder = Recorder(store, moved)
        self._queue_limit = queue_limit
        self._byte_limit = byte_limit
        self._waiting: deque[_Waiting] = deque()
        self._items = 0
        self._bytes = 0
        self._changed = threading.Condition()
        self._open = False
        self._told: Told = _nobody
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def tell(self, told: Told) -> None:
        """Tell of each transaction from now on."""
        self._told = told

    def start(self) -> None:
        """Begin to take deliveries."""
        self._open = True
        self._thread.start()

    def stop(self) -> None:
        """Take no more, commit what waits, and end."""
        with self._changed:
            self._open = False
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def depth(self) -> int:
        """How many deliveries wait."""
        return len(self._waiting)

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
        waiting = _Waiting(delivery, works, _size(delivery), Future())
        if not works and delivery.raw is None and not _settles(delivery):
            waiting.answer.set_result([])
            return waiting.answer
        with self._changed:
            if not self._open:
                raise Unavailable("stopping")
            # One delivery larger than the queue still passes, when it is alone.
            if self._waiting and self._is_full(waiting):
                raise Unavailable("queue_full", retry_after=1)
            self._waiting.append(waiting)
            self._items += len(works)
            self._bytes += waiting.size
            self._changed.notify()
        return waiting.answer

    def _is_full(self, more: _Waiting) -> bool:
        return (
            self._items + len(more.works) > self._queue_limit
            or self._bytes + more.size > self._byte_limit
        )

    def _run(self) -> None:
        while taken := self._next():
            # Whoever went away meanwhile is not counted, and has no answer to be given.
            if batch := [w for w in taken if w.answer.set_running_or_notify_cancel()]:
                self._commit(batch)

    def _next(self) -> list[_Waiting]:
        """What waits, up to a batch; nothing once stopped and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._open)
            batch: list[_Waiting] = []
            room = BATCH_ITEMS
            while self._waiting and (not batch or len(self._waiting[0].works) <= room):
                waiting = self._waiting.popleft()
                batch.append(waiting)
                room -= max(len(waiting.works), 1)
                self._items -= len(waiting.works)
                self._bytes -= waiting.size
            return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        works = [work for waiting in batch for work in waiting.works]
        empty = [waiting.delivery for waiting in batch if not waiting.works]
        began = time.perf_counter()
        try:
            done = iter(self._settled(works, empty, {}))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if not isinstance(error, TasseiError):
                _log.exception("the batch could not be committed")
                error = Unavailable("store_failed")
            for waiting in batch:
                waiting.answer.set_exception(error)
            return
        self._told(len(batch), time.perf_counter() - began)
        for waiting in batch:
            _answer(waiting.answer, [next(done) for _ in waiting.works])

    def _settled(
        self, works: Sequence[Work], empty: Sequence[Delivery], placed: Placed
    ) -> list[Done]:
        """Record works; where one of them breaks the transaction, find it by halving."""
        try:
            return self._recorder.record(works, empty, placed)
        except Unavailable:
            raise
        except Exception as error:
            if not works:
                raise
            if len(works) == 1 and not empty:
                _log.warning("an item was set aside", exc_info=error)
                return [self._recorder.set_aside(works[0], _fault(error), placed)]
        if empty:
            # What has no items cannot be to blame.
            return self._settled([], empty, placed) + self._settled(works, [], placed)
        half = len(works) // 2
        return self._settled(works[:half], [], placed) + self._settled(works[half:], [], placed)


def _settles(delivery: Delivery) -> bool:
    """Whether quarantine entries may be settled by there being nothing left to count."""
    return delivery.replay is not None and delivery.quarantines


def _nobody(_deliveries: int, _seconds: float) -> None:
    """Who is told while nobody asked."""


def _fault(error: Exception) -> Invalid:
    if isinstance(error, Invalid):
        return error
    # The one constraint that sound items can meet: a total beyond what a tally can hold.
    return Invalid("tally_does_not_fit" if isinstance(error, IntegrityError) else "not_storable")


def _answer(answer: Answer, done: list[Done]) -> None:
    missing = next((result for result in done if isinstance(result, NotFound)), None)
    if missing is not None:
        answer.set_exception(missing)
        return
    results = [result for result in done if isinstance(result, ItemResult)]
    answer.set_result(sorted(results, key=lambda result: result.index))


def _size(delivery: Delivery) -> int:
    items = sum(len(item.report.content) for item in delivery.items)
    raw = len(delivery.raw.body) if delivery.raw else 0
    return raw + items + sum(len(refused.content) for refused in delivery.refused)
