"""The line to the committer's process: begins it, talks with it on the event loop, ends it."""

from __future__ import annotations

import asyncio
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from app.store.frames import Frames, Told

LAST_WORDS_SECONDS = 30
_CHUNK = 2**18


class Line:
    """One process and its socket. For the event loop's thread alone.

    heard: called with each message; lost: called once when the process is gone
    """

    def __init__(self, heard: Callable[[Told], None], lost: Callable[[], None]) -> None:
        self._heard = heard
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        # Cut off at its front as it is taken: what waits may be megabytes while a commit is long.
        self._unsent = bytearray()
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "app.store.remote_main", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603 - ourselves
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._read)

    def send(self, message: bytes) -> None:
        """Say something, now or as soon as the other end takes it."""
        waits = bool(self._unsent)
        self._unsent += message
        if not waits:
            self._write()

    def finish(self, message: bytes, until: Callable[[], bool]) -> None:
        """Say the last thing and listen until nothing is awaited, without the loop: it ends."""
        self._leave_loop()
        self._unsent += message
        # Both at once: who only spoke could wait for room that the other end makes once it is
        # heard.
        with suppress(OSError), selectors.DefaultSelector() as ready:  # gone, and not begun anew
            ready.register(self._socket, selectors.EVENT_READ)
            while not until():
                wanted = selectors.EVENT_WRITE if self._unsent else 0
                ready.modify(self._socket, selectors.EVENT_READ | wanted)
                found = ready.select(LAST_WORDS_SECONDS)
                if not found or not self._exchange(found[0][1]):
                    return

    def _exchange(self, events: int) -> bool:
        """Speak and listen, whichever is possible; False once the other end is gone."""
        if events & selectors.EVENT_WRITE:
            with suppress(BlockingIOError):
                del self._unsent[: self._socket.send(self._unsent)]
        if events & selectors.EVENT_READ:
            received = self._socket.recv(_CHUNK)
            self._take(received)
            return bool(received)
        return True

    def close(self) -> int:
        """End the process here and now; its exit code, its own where it had ended by itself."""
        self._leave_loop()
        self._socket.close()
        self._process.kill()
        return self._process.wait()

    def _leave_loop(self) -> None:
        if self._socket.fileno() >= 0 and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # whoever reads notices
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            received = self._socket.recv(_CHUNK)
            self._take(received)
        except BlockingIOError:
            return
        except (OSError, MemoryError):
            # A message that could not be read is lost: what it told of is to be sent again.
            received = b""
        if not received:
            self._lost()

    def _take(self, received: bytes) -> None:
        for told in self._frames.add(received):
            assert isinstance(told, Told)  # noqa: S101 - the one thing that it says
            self._heard(told)
