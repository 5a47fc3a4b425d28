"""The line to the committer's process: begins it, talks with it on the event loop, ends it."""

from __future__ import annotations

import asyncio
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress

from app.store.frames import Frames, Told

try:
    import fcntl
except ImportError:  # elsewhere than on Unix
    fcntl = None  # type: ignore[assignment] # a module, elsewhere

# Of silence; with what requests may take to drain, less than whoever stops the service waits.
LAST_WORDS_SECONDS = 8
_CHUNK = 2**18
# A thousand events in one message: what is on its way while the other end commits, it need not
# wait for afterwards. As much as anybody may have of a pipe on Linux.
_ROOM = 2**20


class Line:
    """One process and a pipe each way. For the event loop's thread alone.

    heard: called with each message; lost: called once when the process is gone
    """

    def __init__(self, heard: Callable[[Told], None], lost: Callable[[], None]) -> None:
        self._heard = heard
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        # Messages, and how much of the first one is sent: megabytes may wait while a commit is
        # long, and must not be copied to be shortened.
        self._unsent: deque[bytes] = deque()
        self._sent = 0
        self._open = True
        with ExitStack() as theirs, ExitStack() as ours:
            self._process, self._in, self._out = _begun(theirs, ours)
            self._ends = ours.pop_all()
        self._loop.add_reader(self._in, self._read)

    def send(self, message: bytes) -> None:
        """Say something, now or as soon as the other end takes it."""
        try:
            self._unsent.append(message)
        except MemoryError:
            self._lost()
            return
        if len(self._unsent) == 1:
            self._write()

    def finish(self, message: bytes, until: Callable[[], bool]) -> None:
        """Say the last thing and listen until nothing is awaited, without the loop: it ends."""
        self._leave_loop()
        if message:
            self._unsent.append(message)
        # Both at once: who only spoke could wait for room that the other end makes once it is
        # heard.
        # Once it is gone, nobody begins it anew.
        with suppress(OSError, MemoryError), selectors.DefaultSelector() as ready:
            ready.register(self._in, selectors.EVENT_READ)
            ready.register(self._out, selectors.EVENT_WRITE)
            while not until():
                if not self._unsent and self._out in ready.get_map():
                    ready.unregister(self._out)
                found = ready.select(LAST_WORDS_SECONDS)
                if not found or not all(self._exchange(key.fd) for key, _ in found):
                    return

    def _exchange(self, end: int) -> bool:
        """Speak or listen, whichever is possible; False once the other end is gone."""
        if end == self._out:
            self._push()
            return True
        received = os.read(self._in, _CHUNK)
        self._take(received)
        return bool(received)

    def close(self) -> int:
        """End the process here and now; its exit code, its own where it had ended by itself."""
        self._leave_loop()
        self._open = False
        self._ends.close()
        self._process.kill()
        return self._process.wait()

    def _leave_loop(self) -> None:
        if self._open and not self._loop.is_closed():
            self._loop.remove_reader(self._in)
            self._loop.remove_writer(self._out)

    def _push(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                first = self._unsent[0]
                self._sent += os.write(self._out, memoryview(first)[self._sent :])
                if self._sent == len(first):
                    self._unsent.popleft()
                    self._sent = 0

    def _write(self) -> None:
        try:
            self._push()
            if self._unsent:
                self._loop.add_writer(self._out, self._write)
            else:
                self._loop.remove_writer(self._out)
        except OSError:
            return  # whoever reads notices
        except MemoryError:
            # How much was taken is unknown. All of it goes to another process.
            self._lost()

    def _read(self) -> None:
        try:
            received = os.read(self._in, _CHUNK)
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


def _begun(theirs: ExitStack, ours: ExitStack) -> tuple[subprocess.Popen[bytes], int, int]:
    """A process, what it says, and where it listens. OSError where none can be begun."""
    incoming, out = _pipe(theirs, ours)
    in_, outgoing = _pipe(ours, theirs)
    _widen(out)
    command = [sys.executable, "-m", "app.store.remote_main", str(incoming), str(outgoing)]
    process = subprocess.Popen(command, pass_fds=(incoming, outgoing))  # noqa: S603 - ourselves
    os.set_blocking(in_, False)
    os.set_blocking(out, False)
    return process, in_, out


def _pipe(reads: ExitStack, writes: ExitStack) -> tuple[int, int]:
    """One, closed at each end by whose end it is."""
    ends = os.pipe()
    reads.callback(os.close, ends[0])
    writes.callback(os.close, ends[1])
    return ends


def _widen(pipe: int) -> None:
    command = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
    if command is not None:
        with suppress(OSError):  # whoever has many of them gets no more; it is slower, no more
            fcntl.fcntl(pipe, command, _ROOM)
