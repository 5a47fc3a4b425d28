"""Calls that other threads hand to an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Handover:
    """Wakes an event loop once for all the calls that are handed over meanwhile.

    A waking for each makes the threads compete for the interpreter while the other one still has
    the next call to hand over.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()
        self._woken = False

    def call(self, what: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """From any thread: have it called on the loop, where it must not fail; in order.

        Raises RuntimeError when the loop has just ended, and MemoryError: then it is called
        together with what is handed over next.
        """
        self._calls.append(what)
        # Set before the loop empties the queue and unset before it begins: whatever is added in
        # between is either seen by it or calls it again.
        if self._woken or loop.is_closed():
            return
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._run)
        except BaseException:
            self._woken = False
            raise

    def _run(self) -> None:
        self._woken = False
        while self._calls:
            self._calls.popleft()()
