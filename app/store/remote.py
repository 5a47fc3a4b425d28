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
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import NamedTuple

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Unavailable
from app.store.committer import QUEUE_BYTES, QUEUE_ITEMS, answered_at_once, size_of
from app.store.engine import Store
from app.store.frames import Frames, Opening, Told, framed
from app.store.lanes import Answer, Room, nobody
from app.store.lanes import Told as Commits
from app.store.recording import Moved, unheard

LOST = "recorder_is_away"
# How often a delivery is sent again when the process is lost with it.
TRIES = 3
AGAIN_SECONDS = 0.1
TOGETHER = 16
TOGETHER_SECONDS = 0.001
_LAST_WORDS_SECONDS = 30
_CHUNK = 2**18


class Pending(NamedTuple):
    """A delivery without an answer."""

    delivery: Delivery
    items: int
    size: int
    answer: Answer
    tries: int = 0


class RemoteCommitter:
    """As `Committer`. `start` and `stop` are for the event loop's thread, `post` for any."""

    def __init__(
        self,
        opening: Opening,
        store: Store,
        moved: Moved = unheard,
        queue_limit: int = QUEUE_ITEMS,
        byte_limit: int = QUEUE_BYTES,
    ) -> None:
        self._opening = opening
        self._store = store
        self._moved = moved
        self._told: Commits = nobody
        self._room = Room(queue_limit, byte_limit)
        self._pending: dict[int, Pending] = {}
        self._numbers = iter(range(2**63)).__next__
        self._outbox: list[int] = []
        self._posting = threading.Lock()
        self._flushing = self._open = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._frames = Frames()
        self._unsent = b""
        self._timer: asyncio.TimerHandle | None = None
        self._thread = 0

    def tell(self, told: Commits) -> None:
        """Tell of each transaction from now on."""
        self._told = told

    def open(self) -> None:
        """Take deliveries; they wait until `start`."""
        self._open = True

    def start(self) -> None:
        """Begin the process, and send it what comes."""
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._begin()

    def stop(self) -> None:
        """Take no more, wait until what was taken is committed, and end."""
        with self._posting:
            self._open = False
        if self._line is not None and self._loop is not None:
            self._loop.remove_reader(self._line)
            self._loop.remove_writer(self._line)
            self._line.settimeout(_LAST_WORDS_SECONDS)
            self._finish(self._line)
        self._end()

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
        """Queue a delivery; the answer gets its results. As `Committer.post`."""
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
            number = self._numbers()
            self._pending[number] = pending
            self._outbox.append(number)
        self._arrange()

    def _arrange(self) -> None:
        """Have what was posted sent: at once to who is idle, else some together.

        Each message wakes the other process, which costs more than reading one delivery.
        """
        if self._flushing or self._loop is None:
            return
        waiting = len(self._outbox)
        enough = waiting >= TOGETHER or waiting == len(self._pending)
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self._flush)
        elif enough:
            self._loop.call_soon(self._flush)
        elif self._timer is None:
            self._timer = self._loop.call_later(TOGETHER_SECONDS, self._flush)
            return
        else:
            return
        self._flushing = True

    def _flush(self) -> None:
        """Send what was posted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with self._posting:
            numbers, self._outbox = self._outbox, []
            self._flushing = False
        if self._line is None:
            with self._posting:
                self._outbox = numbers + self._outbox
            return
        chosen = [(number, self._pending[number].delivery) for number in numbers]
        if chosen:
            self._send(framed(chosen))

    def _send(self, more: bytes) -> None:
        assert self._line is not None and self._loop is not None  # noqa: S101, PT018 - see _flush
        waits = bool(self._unsent)
        self._unsent += more
        if waits:
            return
        self._write()

    def _write(self) -> None:
        line, loop = self._line, self._loop
        if line is None or loop is None:
            return
        try:
            sent = line.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the reader notices, and it is sent again
        self._unsent = self._unsent[sent:]
        if self._unsent:
            loop.add_writer(line, self._write)
        else:
            loop.remove_writer(line)

    def _read(self) -> None:
        assert self._line is not None  # noqa: S101 - it is what is read
        try:
            received = self._line.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lost()
            return
        self._take(received)

    def _take(self, received: bytes) -> None:
        for told in self._frames.add(received):
            assert isinstance(told, Told)  # noqa: S101 - the only thing that it says
            self._store.refused(told.refusing)
            if told.moved:
                # Before those who wait are answered: who reads after the answer reads what it says.
                self._moved(told.moved)
            for deliveries, seconds in told.commits:
                self._told(deliveries, seconds)
            for number, results in told.results:
                if (done := self._settled(number)) is not None:
                    done.set_result(results)
            for number, error in told.errors:
                if (done := self._settled(number)) is not None:
                    done.set_exception(error)

    def _settled(self, number: int) -> Answer | None:
        pending = self._pending.pop(number)
        self._room.leave(1, pending.items, pending.size)
        return pending.answer if pending.answer.set_running_or_notify_cancel() else None

    def _lost(self) -> None:
        """Whatever had no answer is sent to the next process, some times."""
        self._end()
        with self._posting:
            for number, pending in list(self._pending.items()):
                again = pending._replace(tries=pending.tries + 1)
                self._pending[number] = again
            self._outbox = list(self._pending)
            given_up = [n for n, pending in self._pending.items() if pending.tries > TRIES]
            self._outbox = [n for n in self._pending if n not in set(given_up)]
        for number in given_up:
            if (done := self._settled(number)) is not None:
                done.set_exception(Unavailable(LOST, retry_after=1))
        if self._loop is not None:
            self._loop.call_later(AGAIN_SECONDS, self._begin)

    def _begin(self) -> None:
        own, theirs = socket.socketpair()
        command = [sys.executable, "-m", "app.store.remote_main", str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603 - ourselves
        theirs.close()
        own.setblocking(False)
        self._frames, self._unsent, self._line = Frames(), b"", own
        assert self._loop is not None  # noqa: S101 - begun by start
        self._loop.add_reader(own, self._read)
        # The address may hold a password: not for the list of processes to show.
        self._send(framed(self._opening))
        self._flush()

    def _finish(self, line: socket.socket) -> None:
        """Without the loop, which is about to end: what is left is said, and heard."""
        with self._posting:
            numbers, self._outbox = self._outbox, []
        rest = [(number, self._pending[number].delivery) for number in numbers]
        try:
            line.sendall(self._unsent + (framed(rest) if rest else b""))
            while self._pending and (received := line.recv(_CHUNK)):
                self._take(received)
        except OSError:
            pass  # it is gone, and so is whoever would begin it anew
        for number in list(self._pending):
            if (done := self._settled(number)) is not None:
                done.set_exception(Unavailable(LOST, retry_after=1))

    def _end(self) -> None:
        line, self._line = self._line, None
        process, self._process = self._process, None
        if line is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(line)
                self._loop.remove_writer(line)
            line.close()
        if process is None:
            return
        try:
            # It ends by itself when its line does, after what it is writing.
            process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
