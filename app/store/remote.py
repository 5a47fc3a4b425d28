"""The committer in a process of its own, behind the committer's own verbs.

Reading requests keeps one core busy and counting activities another, but one interpreter runs
only one of them at a time: in one process each waits for the other. So deliveries go over to a
second process, in which the committer's lanes work as they would here, and results come back once
they are on disk. It lives on the event loop: no other thread of this process is involved.

What has no answer yet is remembered here. When the process is lost (killed, out of memory),
whether a delivery was committed is unknown, exactly as with a lost connection to a server: it is
sent again to the next process, and what was committed is then a duplicate.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Unavailable
from app.store.committer import QUEUE_BYTES, QUEUE_ITEMS, answered_at_once, size_of
from app.store.engine import Store
from app.store.frames import Opening, Told, flattened, framed
from app.store.lanes import Answer, Room, nobody, unheeded
from app.store.lanes import Told as Commits
from app.store.line import Line
from app.store.recording import Moved

# How often a delivery is sent again when the process is lost with it.
TRIES = 3
AGAIN_SECONDS, AGAIN_AT_MOST = 0.1, 5.0
# A message wakes the other process, which costs more than reading one delivery: while that works
# on others, so many go together, or what came in so long a time.
TOGETHER, TOGETHER_SECONDS = 32, 0.001

_log = logging.getLogger(__name__)


class Pending(NamedTuple):
    """A delivery without an answer."""

    delivery: Delivery
    items: int
    size: int
    answer: Answer
    losses: int = 0


class RemoteCommitter:
    """As `Committer`. `start` and `stop` are for the event loop's thread, `post` for any."""

    def __init__(
        self,
        opening: Opening,
        store: Store,
        moved: Moved,
        queue_limit: int = QUEUE_ITEMS,
        byte_limit: int = QUEUE_BYTES,
    ) -> None:
        self._opening = opening
        self._store = store
        self._moved = moved
        self._told: Commits = nobody
        self._room = Room(queue_limit, byte_limit)
        self._pending: dict[int, Pending] = {}
        self._outbox: list[int] = []
        self._numbers = itertools.count()
        # Guards what threads other than the loop's touch: whether it is open, and what is posted.
        self._posting = threading.Lock()
        self._open = self._arranged = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._line: Line | None = None
        self._losses = 0
        self._told_losses: Callable[[], None] = unheeded
        self._timer: asyncio.TimerHandle | None = None
        self._again: asyncio.TimerHandle | None = None

    def tell(self, told: Commits) -> None:
        """Tell of each transaction from now on."""
        self._told = told

    def tell_losses(self, lost: Callable[[], None]) -> None:
        """Tell of each process that is lost from now on."""
        self._told_losses = lost

    def start(self) -> None:
        """Begin the process, and send it what comes."""
        self._open = True
        self._thread = threading.get_ident()
        self._loop = asyncio.get_running_loop()
        self._begin()

    def stop(self) -> None:
        """Take no more, wait until what was taken is committed, and end."""
        with self._posting:
            self._open = False
        for timer in (self._again, self._timer):
            if timer is not None:
                timer.cancel()
        line, self._line = self._line, None
        if line is not None:
            line.finish(self._posted(), lambda: not self._pending)
            # All is answered, so nothing is being written; it may not even be ready to begin.
            line.close()
        self._give_up(list(self._pending))

    @property
    def depth(self) -> int:
        """How many deliveries have no answer yet."""
        return len(self._pending)

    def submit(self, delivery: Delivery) -> Future[list[ItemResult]]:
        """Queue a delivery; the future has its results. As `post`."""
        answer: Future[list[ItemResult]] = Future()
        self.post(delivery, answer)
        return answer

    def post(self, delivery: Delivery, answer: Answer) -> None:
        """Queue a delivery; the answer gets its results. As `Committer.post`.

        It may also get Unavailable `recorder_is_away`, when the process was lost time and again.
        """
        if answered_at_once(delivery, answer):
            return
        items = len(delivery.items) + len(delivery.refused)
        pending = Pending(delivery, items, size_of(delivery), answer)
        if not self._room.take(items, pending.size):
            raise Unavailable("queue_full", retry_after=1)
        with self._posting:
            if not self._open:
                self._room.leave(1, items, pending.size)
                raise Unavailable("stopping")
            number = next(self._numbers)
            self._pending[number] = pending
            self._outbox.append(number)
            soon = not self._arranged and self._is_enough()
            self._arranged = self._arranged or soon
        try:
            self._arrange(soon=soon)
        except BaseException:
            # For want of memory: nobody would come for it, nor for whatever came after it.
            if self._withdrawn(number):
                raise

    def _withdrawn(self, number: int) -> bool:
        """Take a delivery back; False where somebody else's coming has sent it meanwhile."""
        with self._posting:
            self._arranged = False
            if number not in self._outbox:
                return False
            self._outbox.remove(number)
            pending = self._pending.pop(number)
        self._room.leave(1, pending.items, pending.size)
        return True

    def _is_enough(self) -> bool:
        """Whether to send at once: to who is idle, from another thread, or many together."""
        waiting = len(self._outbox)
        idle = waiting == len(self._pending)
        return idle or waiting >= TOGETHER or threading.get_ident() != self._thread

    def _arrange(self, *, soon: bool) -> None:
        if self._loop is None:
            return
        if soon and threading.get_ident() == self._thread:
            self._loop.call_soon(self._flush)
        elif soon:
            self._loop.call_soon_threadsafe(self._flush)
        elif self._timer is None and not self._arranged:
            self._timer = self._loop.call_later(TOGETHER_SECONDS, self._flush)

    def _flush(self) -> None:
        """Send what was posted, if somebody is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._line is not None and (message := self._posted()):
            self._line.send(message)

    def _posted(self) -> bytes:
        with self._posting:
            self._arranged = False
            numbers, self._outbox = self._outbox, []
        try:
            chosen = [flattened(number, self._pending[number].delivery) for number in numbers]
            return framed(chosen) if chosen else b""
        except MemoryError:
            self._give_up(numbers, "memory_is_full")
            return b""

    def _begin(self) -> None:
        self._line = Line(self._heard, self._lost)
        # Not in its arguments: the address may hold a password, and those are for all to see.
        self._line.send(framed(self._opening))
        self._flush()

    def _heard(self, told: Told) -> None:
        self._losses = 0
        self._store.refused(told.refusing)
        if told.moved:
            # Before those who wait are answered: who reads after the answer reads what it says.
            self._moved(told.moved)
        for deliveries, seconds in told.commits:
            self._told(deliveries, seconds)
        for word, numbers in told.plain.items():
            self._answer_plainly(Outcome(word), numbers)
        for number, results in told.results:
            if answer := self._settled(number):
                answer.set_result(results)
        for number, error in told.errors:
            if answer := self._settled(number):
                answer.set_exception(error)
        if self._outbox and len(self._outbox) == len(self._pending):
            # It has nothing left to do, and who is answered now will only post more later.
            self._flush()

    def _answer_plainly(self, outcome: Outcome, numbers: Iterable[int]) -> None:
        for number in numbers:
            item = self._pending[number].delivery.items[0]
            if answer := self._settled(number):
                answer.set_result([ItemResult(item.index, item.id, outcome)])

    def _settled(self, number: int) -> Answer | None:
        """Who waits for an answer, if anybody still does; it is awaited no more."""
        pending = self._pending.pop(number)
        self._room.leave(1, pending.items, pending.size)
        return pending.answer if pending.answer.set_running_or_notify_cancel() else None

    def _lost(self) -> None:
        """The process is gone: the next one gets whatever had no answer, some times."""
        assert self._loop is not None  # noqa: S101 - lines are of a loop
        line, self._line = self._line, None
        seconds = min(AGAIN_SECONDS * 2**self._losses, AGAIN_AT_MOST)
        self._losses += 1
        # First of all: it may be for want of memory, and what follows needs some.
        self._again = self._loop.call_later(seconds, self._begin_again)
        with suppress(MemoryError):
            code = line.close() if line is not None else None
            _log.error("the process that commits activities was lost, exit code %s", code)
            self._told_losses()
            with self._posting:
                for number, pending in self._pending.items():
                    self._pending[number] = pending._replace(losses=pending.losses + 1)
            self._give_up([n for n, one in self._pending.items() if one.losses > TRIES])

    def _begin_again(self) -> None:
        try:
            with self._posting:
                self._outbox = list(self._pending)
            self._begin()
        except (OSError, MemoryError):
            # No process or no memory left for it: as good as lost, and tried again later.
            _log.exception("the process that commits activities could not be begun")
            self._lost()

    def _give_up(self, numbers: Iterable[int], why: str = "recorder_is_away") -> None:
        gone = set(numbers)
        with self._posting:
            self._outbox = [number for number in self._outbox if number not in gone]
        for number in gone:
            if answer := self._settled(number):
                answer.set_exception(Unavailable(why, retry_after=1))
