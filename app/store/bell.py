"""The bell between replicas: who commits rings it, and the others look at the heads at once.

It only wakes, and says nothing that a look would not find. Looking a few times a second goes on
beside it, because a LISTEN ends with its connection, and behind a pooler that lends connections
by the transaction it never begins.

It has a connection of its own. Inside the transaction of a commit a NOTIFY takes a lock that all
commits of the database share.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from app.store.sessions import is_lent

# What is rung within this time is heard as one: hundreds of commits a second wake ten times less
# often, and nobody waits noticeably longer.
GAP_SECONDS = 0.01
RETRY_SECONDS = 1.0
# There is nothing to be durable about: the transaction must not wait for the disk.
_RING = "BEGIN; SET LOCAL synchronous_commit = off; NOTIFY tassei; COMMIT"

Line = psycopg.Connection[Any]

_log = logging.getLogger(__name__)


class Bell:
    """Rings, and hears the others ring. `connect` opens a connection of its own, autocommitting."""

    def __init__(self, connect: Callable[[], Line]) -> None:
        self._connect = connect
        self._heard: Callable[[], None] = _nobody
        self._ended = threading.Event()
        self._rope: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self, heard: Callable[[], None]) -> None:
        """Tell of every ring of another process, from the bell's own thread."""
        self._heard = heard
        self._rope, pulled = socket.socketpair()
        self._rope.setblocking(False)
        self._thread = threading.Thread(target=self._run, args=(pulled,), name="bell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        if self._thread is None or self._rope is None:
            return
        self._ended.set()
        self.ring()
        self._thread.join()
        self._rope.close()

    def ring(self) -> None:
        """Wake the others. It costs whoever rings a byte to the bell's thread, and no wait."""
        # Full: more than enough was rung already. Closed, or the other end: nobody listens.
        if self._rope is not None:
            with suppress(OSError):
                self._rope.send(b".")

    def _run(self, pulled: socket.socket) -> None:
        lost = False
        with pulled:
            while not self._ended.is_set():
                try:
                    with self._connect() as line:
                        if is_lent(line):
                            _log.info(
                                "behind a pooler, other replicas' commits are found by looking"
                            )
                            return
                        if lost:
                            _log.info("the bell is heard again")
                        lost = False
                        self._attend(line, pulled)
                except (psycopg.Error, OSError) as error:
                    if not lost:
                        _log.warning("the bell is not heard: %s", str(error).partition("\n")[0])
                    lost = True
                    self._ended.wait(RETRY_SECONDS)

    def _attend(self, line: Line, pulled: socket.socket) -> None:
        line.execute("LISTEN tassei")
        # What was rung while nobody listened.
        self._heard()
        with selectors.DefaultSelector() as waiting:
            waiting.register(line, selectors.EVENT_READ)
            waiting.register(pulled, selectors.EVENT_READ)
            while not self._ended.is_set():
                ready = [key.fileobj for key, _ in waiting.select()]
                if pulled in ready:
                    pulled.recv(65536)
                    line.execute(_RING)
                # Also those that came with the answer to our own statement.
                rung = {note.pid for note in line.notifies(timeout=0)}
                if rung - {line.info.backend_pid}:
                    self._heard()
                self._ended.wait(GAP_SECONDS)


def _nobody() -> None:
    """Who is told before the start."""
