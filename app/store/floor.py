"""Who writes next: a fair queue for the writers of a database file, in all processes.

SQLite's own busy handler sleeps and looks again, and whoever commits without a pause is hardly
ever found pausing: a person who changes a plan would wait for seconds behind a stream of calls.
So writers queue for two locked files: who has the `turn` waits for the `floor`, and who leaves
the floor has to get the turn again behind him. Both locks end with their process. SQLite's lock
stays what keeps the file whole: where these files cannot be locked, it alone decides.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

try:
    import fcntl
except ImportError:  # elsewhere than on Unix one process serves a file anyway
    fcntl = None  # type: ignore[assignment] # a module, elsewhere

_LOOK_SECONDS = 0.0005


class Floor:
    """The right to write to one database file.

    path: the file's; None where it is not a plain one (SQLite's URIs). patience: in seconds.
    Whoever finds it taken for longer than that goes on without it, and SQLite says that the
    database is locked, if it is.
    """

    def __init__(self, path: str | None, patience: float) -> None:
        self._path = path
        self._patience = patience
        # Among the threads of this process; a lock of the system's is the process's.
        self.here = threading.Lock()
        self._files: tuple[int, int] | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Alone among the writers."""
        with self.here, ExitStack() as held:
            files = self._opened()
            if files is not None:
                turn, floor = files
                end = time.monotonic() + self._patience
                with ExitStack() as first:
                    if _lock(turn, end):
                        first.callback(_unlock, turn)
                    if _lock(floor, end):
                        held.callback(_unlock, floor)
            yield

    def close(self) -> None:
        """Give the files back."""
        with self.here:
            files, self._files = self._files, None
            for file in files or ():
                os.close(file)

    def _opened(self) -> tuple[int, int] | None:
        if self._files is None and self._path is not None and fcntl is not None:
            with suppress(OSError):  # the folder may not be ours to write to; SQLite will say so
                self._files = _file(f"{self._path}-turn"), _file(f"{self._path}-floor")
        return self._files


def _file(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(file: int, end: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(_LOOK_SECONDS)
        except OSError:
            return False
        else:
            return True


def _unlock(file: int) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)
