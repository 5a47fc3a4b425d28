"""Results on their way from the committer's thread to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


class Arrivals:
    """Wakes the event loop once for all the results of a commit.

    `asyncio.wrap_future` wakes it for each, and each waking makes the two threads compete for the
    interpreter while the committer still has the next result to hand over. One per event loop.
    """

    def __init__(self) -> None:
        self._arrived: deque[asyncio.Future[None]] = deque()
        self._called = False

    async def of(self, waiting: Future[Result]) -> Result:
        """The result, or the exception; who is cancelled withdraws what was not begun."""
        loop = asyncio.get_running_loop()
        here: asyncio.Future[None] = loop.create_future()

        def arrive(_done: Future[Result]) -> None:
            self._arrived.append(here)
            # Set before the loop empties the queue and unset before it begins: whatever is added
            # in between is either seen by it or calls it again.
            if not self._called and not loop.is_closed():
                self._called = True
                loop.call_soon_threadsafe(self._hand_out)

        waiting.add_done_callback(arrive)
        try:
            await here
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        return waiting.result()

    def _hand_out(self) -> None:
        self._called = False
        while self._arrived:
            here = self._arrived.popleft()
            if not here.done():
                here.set_result(None)
