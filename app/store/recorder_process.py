"""The recorder in a process of its own, behind the recorder's own two verbs.

Reading requests keeps one core busy and counting activities another, but one interpreter runs
only one of them at a time: in one process each waits for the other. So a batch goes over to a
second process as one message, and its results come back once they are on disk. Lanes do not know
where their recorder runs; everything that is remembered between batches is a cache there.

A process that dies in the middle of a batch is a lost connection: nobody knows whether it
committed. The lane runs the batch again with the next process, and what was committed is then a
duplicate.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import NamedTuple

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Invalid, TasseiError, Unavailable
from app.store.breaking import Broken
from app.store.deliveries import Placed
from app.store.engine import Store
from app.store.heads import Head
from app.store.recording import Done, Moved
from app.store.strays import Work

LOST = "recorder_is_away"
_LAST_WORDS_SECONDS = 10

Places = Mapping[int, int]  # ids already given, by the place of the delivery in its errand


class Batch(NamedTuple):
    """An errand: record these works, in one transaction."""

    works: Sequence[Work]
    empty: Sequence[Delivery]
    placed: Places


class Aside(NamedTuple):
    """An errand: put one work that breaks its transaction into quarantine."""

    work: Work
    error: Invalid
    placed: Places


Errand = Batch | Aside


class Kept(NamedTuple):
    """What came of an errand that is on disk now."""

    done: Sequence[Done]
    placed: Places
    moved: Mapping[str, Head]


class Failed(NamedTuple):
    """Why nothing of an errand is there. `error` where it has a name of ours, else `fault`."""

    error: TasseiError | None
    fault: Invalid
    trace: str


class RecorderProcess:
    """The process, with a line to it for each lane; begun anew by whoever finds it gone."""

    def __init__(self, url: str, lanes: int) -> None:
        self._url = url
        self._lanes = lanes
        self._lines: list[Connection[Errand, Kept | Failed]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()

    def start(self) -> None:
        """Begin it, if it is not there. It gets ready while its first errand waits."""
        with self._changing:
            if self._process is None:
                self._begin()

    def stop(self) -> None:
        """Let it finish and end."""
        with self._changing:
            self._end()

    def ask(self, lane: int, errand: Errand) -> Kept | Failed:
        """What came of an errand. Raises Unavailable when the process is lost on the way."""
        self.start()
        line = self._lines[lane]
        try:
            line.send(errand)
            return line.recv()
        except (EOFError, OSError) as error:
            self._lost(line)
            raise Unavailable(LOST, retry_after=1) from error

    def _lost(self, line: Connection[Errand, Kept | Failed]) -> None:
        with self._changing:
            # Another lane may have begun the next one already.
            if line in self._lines:
                self._end()

    def _begin(self) -> None:
        pairs = [Pipe() for _ in range(self._lanes)]
        theirs = [end.fileno() for _, end in pairs]
        command = [sys.executable, "-m", "app.store.recorder_main", *map(str, theirs)]
        self._process = subprocess.Popen(command, pass_fds=theirs)  # noqa: S603 - ourselves
        self._lines = [own for own, _ in pairs]
        for own, end in pairs:
            end.close()
            # The address may hold a password: not for the list of processes to show.
            own.send_bytes(self._url.encode())

    def _end(self) -> None:
        process, self._process = self._process, None
        for line in self._lines:
            line.close()
        self._lines = []
        if process is None:
            return
        try:
            # It ends by itself when its lines do, after what it is writing.
            process.wait(_LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class RemoteRecorder:
    """One lane's recorder, over there. Not for two threads at once."""

    def __init__(self, process: RecorderProcess, lane: int, store: Store, moved: Moved) -> None:
        self._process = process
        self._lane = lane
        self._store = store
        self._moved = moved

    def record(
        self, works: Sequence[Work], empty: Sequence[Delivery] = (), placed: Placed | None = None
    ) -> list[Done]:
        """As `Recorder.record`. Raises Broken where that raises what is no TasseiError."""
        placed = {} if placed is None else placed
        brought = deliveries_of(works, empty)
        return list(self._kept(Batch(works, empty, places(brought, placed)), brought, placed))

    def set_aside(self, work: Work, error: Invalid, placed: Placed) -> ItemResult:
        """As `Recorder.set_aside`."""
        brought = deliveries_of([work], ())
        (done,) = self._kept(Aside(work, error, places(brought, placed)), brought, placed)
        assert isinstance(done, ItemResult)  # noqa: S101 - its workspace is there: it was moved
        return done

    def _kept(self, errand: Errand, brought: list[Delivery], placed: Placed) -> Sequence[Done]:
        answer = self._process.ask(self._lane, errand)
        if isinstance(answer, Failed):
            if isinstance(answer.error, Unavailable):
                self._store.refused(answer.error.code)
            raise answer.error or Broken(answer.fault, answer.trace)
        self._store.refused(None)
        placed |= {id(brought[place]): number for place, number in answer.placed.items()}
        self._moved(answer.moved)
        return answer.done


def deliveries_of(works: Iterable[Work], empty: Iterable[Delivery]) -> list[Delivery]:
    """The deliveries of an errand, each once: their places in it mean the same on both sides."""
    found = (*(work.delivery for work in works), *empty)
    return list({id(delivery): delivery for delivery in found}.values())


def places(brought: Sequence[Delivery], placed: Placed) -> Places:
    """What is known of some deliveries by identity, by their places instead."""
    if not placed:
        return {}
    known = ((place, placed.get(id(delivery))) for place, delivery in enumerate(brought))
    return {place: number for place, number in known if number is not None}
