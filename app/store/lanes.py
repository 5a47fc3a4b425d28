"""A lane: one thread, one queue, one transaction at a time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import NotFound, TasseiError, Unavailable
from app.store.breaking import fault_of
from app.store.deliveries import Placed
from app.store.recording import Done, Recorder
from app.store.strays import Work

# Of a transaction: how many deliveries it made durable, and in how many seconds.
Told = Callable[[int, float], None]

BATCH_ITEMS = 2_000
# Whether a lost connection lost the commit with it is unknown: the same batch is run again, and
# what was committed is then a duplicate. Later the sender is told to come again.
RETRIED = frozenset({"database_is_away", "database_is_contended", "recorder_is_away"})
RETRY_SECONDS = (0.05, 0.2, 0.8)

_log = logging.getLogger(__name__)


class Answer(Protocol):
    """Who waits for results, as the lane's thread sees it; a `concurrent.futures.Future` is one."""

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits; asked once, before the work is begun."""

    def done(self) -> bool:
        """Whether it has its results or its reason."""

    def set_result(self, result: list[ItemResult], /) -> None:
        """The results, by index: they are on disk."""

    def set_exception(self, exception: BaseException | None, /) -> None:
        """Why there are none."""


class Waiting(NamedTuple):
    """A delivery in a queue, and who waits for its results."""

    delivery: Delivery
    works: list[Work]
    size: int
    answer: Answer


class Room:
    """What all queues together may hold. One delivery larger than that passes when alone."""

    def __init__(self, items: int, octets: int) -> None:
        self._limits = (items, octets)
        self._deliveries = self._items = self._octets = 0
        self._changing = threading.Lock()

    def take(self, items: int, octets: int) -> bool:
        """Whether there was room for one more delivery, which is now taken."""
        with self._changing:
            all_items, all_octets = self._items + items, self._octets + octets
            if self._deliveries and (all_items > self._limits[0] or all_octets > self._limits[1]):
                return False
            self._deliveries += 1
            self._items, self._octets = all_items, all_octets
            return True

    def leave(self, deliveries: int, items: int, octets: int) -> None:
        """Give back what was taken for some."""
        with self._changing:
            self._deliveries -= deliveries
            self._items -= items
            self._octets -= octets


class Lane:
    """Takes deliveries in their order. `apart`: each workspace in a transaction of its own."""

    def __init__(self, recorder: Recorder, room: Room, *, apart: bool) -> None:
        self._recorder = recorder
        self._room = room
        self._apart = apart
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._open = False
        self.told: Told = nobody
        self.ended = unheeded
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def open(self) -> None:
        """Take deliveries; they wait until `start`."""
        self._open = True

    def start(self) -> None:
        """Commit what comes."""
        self._open = True
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def join(self) -> None:
        """Wait until what is queued is committed."""
        if self._thread.is_alive():
            self._thread.join()

    @property
    def depth(self) -> int:
        """How many deliveries wait."""
        return len(self._waiting)

    def put(self, waiting: Waiting) -> None:
        """Queue a delivery for which there is room. Raises Unavailable `stopping`."""
        with self._changed:
            if not self._open:
                self._room.leave(1, len(waiting.works), waiting.size)
                raise Unavailable("stopping")
            self._waiting.append(waiting)
            self._changed.notify()

    def _run(self) -> None:
        while taken := self._next():
            self.commit(taken)

    def commit(self, taken: Sequence[Waiting]) -> None:
        """Commit a batch in the caller's thread, and tell those who wait for it."""
        try:
            self._take(taken)
        except MemoryError:
            # Whoever waits must hear of it, and whoever comes next must find the lane going.
            for waiting in taken:
                if not waiting.answer.done():
                    waiting.answer.set_exception(Unavailable("memory_is_full"))
            self.ended()

    def _take(self, taken: Sequence[Waiting]) -> None:
        # Whoever went away meanwhile is not counted, and has no answer to be given.
        batch = [w for w in taken if w.answer.set_running_or_notify_cancel()]
        for share in _by_workspace(batch) if self._apart else [batch]:
            if share:
                self._commit(share)
                self.ended()

    def _next(self) -> list[Waiting]:
        """What waits, up to a batch; nothing once stopped and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._open)
            batch = cut(self._waiting)
        self._room.leave(
            len(batch), sum(len(one.works) for one in batch), sum(one.size for one in batch)
        )
        return batch

    def _commit(self, batch: Sequence[Waiting]) -> None:
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
        self.told(len(batch), time.perf_counter() - began)
        for waiting in batch:
            _answer(waiting.answer, [next(done) for _ in waiting.works])

    def _settled(
        self, works: Sequence[Work], empty: Sequence[Delivery], placed: Placed
    ) -> list[Done]:
        """Record works; where one of them breaks the transaction, find it by halving."""
        try:
            return self._retried(works, empty, placed)
        except (Unavailable, OSError):
            raise  # what the system lacks or refuses is no item's fault
        except Exception as error:
            if not works:
                raise
            if len(works) == 1 and not empty:
                _log.warning("an item was set aside", exc_info=error)
                return [self._recorder.set_aside(works[0], fault_of(error), placed)]
        if empty:
            # What has no items cannot be to blame.
            return self._settled([], empty, placed) + self._settled(works, [], placed)
        half = len(works) // 2
        return self._settled(works[:half], [], placed) + self._settled(works[half:], [], placed)

    def _retried(
        self, works: Sequence[Work], empty: Sequence[Delivery], placed: Placed
    ) -> list[Done]:
        for seconds in RETRY_SECONDS:
            try:
                return self._recorder.record(works, empty, placed)
            except Unavailable as error:
                if error.code not in RETRIED:
                    raise
                # Not all replicas at once, when the server is back.
                time.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - no secret
        return self._recorder.record(works, empty, placed)


def cut(waiting: deque[Waiting]) -> list[Waiting]:
    """Take as many as make a batch from the front."""
    batch: list[Waiting] = []
    room = BATCH_ITEMS
    while waiting and (not batch or len(waiting[0].works) <= room):
        one = waiting.popleft()
        batch.append(one)
        room -= max(len(one.works), 1)
    return batch


def _by_workspace(batch: Iterable[Waiting]) -> list[list[Waiting]]:
    shares: dict[str, list[Waiting]] = defaultdict(list)
    for waiting in batch:
        shares[waiting.delivery.workspace].append(waiting)
    return list(shares.values())


def nobody(_deliveries: int, _seconds: float) -> None:
    """Who is told while nobody asked."""


def unheeded() -> None:
    """What is done at the end of a transaction where nothing is."""


def _answer(answer: Answer, done: list[Done]) -> None:
    if len(done) == 1 and isinstance(done[0], ItemResult):
        answer.set_result([done[0]])
        return
    missing = next((result for result in done if isinstance(result, NotFound)), None)
    if missing is not None:
        answer.set_exception(missing)
        return
    results = [result for result in done if isinstance(result, ItemResult)]
    answer.set_result(sorted(results, key=lambda result: result.index))
