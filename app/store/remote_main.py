"""`python -m app.store.remote_main IN OUT`: the committer's own process, on a pipe each way.

It commits what comes by the line until that ends, and then ends itself. Signals are for the
service: it drains, and closes the line.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from app.domain.deliveries import ItemResult
from app.domain.errors import TasseiError, Unavailable
from app.store.committer import Committer
from app.store.engine import Store
from app.store.frames import Frames, Opening, Told, framed, raised
from app.store.heads import Head
from app.telemetry import configure_logs

# What a batch makes is free of cycles and gone with it; at Python's own 700 objects the collector
# would run some times in each batch, and find nothing.
_COLLECT_AFTER = (50_000, 20, 20)
_CHUNK = 2**20
# The service holds what waits within its bounds; it must never be refused here.
_NO_LIMIT = 2**62


class Reply:
    """Who waits for the results of one delivery, by its number at the other end."""

    __slots__ = ("_desk", "_done", "_number")

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk = desk
        self._number = number
        self._done = False

    def done(self) -> bool:
        """Whether it was told."""
        return self._done

    def set_running_or_notify_cancel(self) -> bool:
        """Somebody waits, as far as can be known here."""
        return True

    def set_result(self, result: list[ItemResult], /) -> None:
        """It is on disk."""
        self._done = True
        self._desk.done(self._number, result)

    def set_exception(self, exception: BaseException | None, /) -> None:
        """It is not."""
        self._done = True
        known = isinstance(exception, TasseiError)
        error = exception if known and exception else Unavailable("store_failed")
        self._desk.errors.append((self._number, error))


class Desk:
    """What is to be told to the service, told when a lane is done with a transaction."""

    def __init__(self, line: int, store: Store) -> None:
        self._line = line
        self._store = store
        self._telling = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._plain: dict[str, list[int]] = {}
        self._results: list[tuple[int, list[ItemResult]]] = []
        self.errors: list[tuple[int, BaseException]] = []
        self._heads: dict[str, Head] = {}
        self._commits: list[tuple[int, float]] = []

    def done(self, number: int, result: list[ItemResult]) -> None:
        """What became of a delivery."""
        if len(result) == 1 and result[0].error is None:
            self._plain.setdefault(result[0].outcome.value, []).append(number)
        else:
            self._results.append((number, result))

    def moved(self, heads: Mapping[str, Head]) -> None:
        """Heads that a transaction moved."""
        with self._telling:
            self._heads |= heads

    def committed(self, deliveries: int, seconds: float) -> None:
        """A transaction."""
        with self._telling:
            self._commits.append((deliveries, seconds))

    def tell(self) -> None:
        """Say it all. Of another lane it may be a part: its heads, and its results later."""
        with self._telling:
            told = Told(
                self._plain,
                self._results,
                self.errors,
                self._heads,
                self._commits,
                self._store.refusing,
            )
            self._clear()
            try:
                _write(self._line, framed(told))
            except OSError:
                os._exit(1)  # nobody is there to be told; what was committed is on disk


def main(incoming: int, outgoing: int) -> None:
    """Commit what comes until the line ends."""
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)
    heard = _heard(incoming)
    opening, *early = next(heard)
    store = _opened(opening)
    desk = Desk(outgoing, store)
    committer = Committer(store, _NO_LIMIT, _NO_LIMIT, moved=desk.moved, ended=desk.tell)
    committer.tell(desk.committed)
    # Of two threads one would keep the other from the interpreter, and what comes meanwhile waits
    # as well on the line. Several lanes wait for a server, each in a thread.
    alone = store.lanes == 1
    if not alone:
        committer.start()
    _settle_memory()
    for messages in chain((early,), heard):
        numbered = map(raised, chain.from_iterable(messages))
        deliveries = [(delivery, Reply(desk, number)) for number, delivery in numbered]
        if alone:
            committer.commit(deliveries)
            continue
        for delivery, reply in deliveries:
            committer.post(delivery, reply)
    committer.stop()
    # All that is left is the end of the process: nothing is worth taking apart for it.
    sys.stderr.flush()
    os._exit(0)


def _write(line: int, message: bytes) -> None:
    left = memoryview(message)
    while left:
        left = left[os.write(line, left) :]


def _heard(line: int) -> Iterator[list[Any]]:
    """The messages that are there, whenever some are."""
    frames = Frames()
    # One place for all: `os.read` would have so much memory mapped and unmapped each time.
    place = memoryview(bytearray(_CHUNK))
    while length := os.readv(line, [place]):
        if messages := list(frames.add(place[:length])):
            yield messages


def _opened(opening: Opening) -> Store:
    configure_logs(opening.log_format)
    return Store(opening.url)


def _settle_memory() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
