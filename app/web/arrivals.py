"""Results on their way from the committer's thread to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import TypeVar

from app.domain.deliveries import ItemResult

Result = TypeVar("Result")
Results = list[ItemResult]


class Arrival:
    """The answer of one delivery, to be awaited as `here`; filled in by another thread.

    A `concurrent.futures.Future` would do, at the price of a lock and a condition for each.
    """

    __slots__ = ("_arrivals", "_done", "_error", "_results", "here")

    def __init__(self, arrivals: Arrivals, here: asyncio.Future[Results]) -> None:
        self._arrivals = arrivals
        self._error: BaseException | None = None
        self._results: Results = []
        self._done = False
        self.here = here

    def done(self) -> bool:
        """Whether it was told, wherever its news may be by now."""
        return self._done

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits: who went away withdraws what was not begun."""
        return not self.here.cancelled()

    def set_result(self, results: Results) -> None:
        """It is on disk."""
        self._done = True
        self._results = results
        self._arrivals.arrived(self)

    def set_exception(self, error: BaseException) -> None:
        """It is not."""
        self._done = True
        self._error = error
        self._arrivals.arrived(self)

    def hand_out(self) -> None:
        """On the event loop: wake who waits."""
        if self.here.done():
            return
        if self._error is None:
            self.here.set_result(self._results)
        else:
            self.here.set_exception(self._error)


class Arrivals:
    """Wakes the event loop once for all the results of a commit.

    `asyncio.wrap_future` wakes it for each, and each waking makes the two threads compete for the
    interpreter while the committer still has the next result to hand over. One per event loop.
    """

    def __init__(self) -> None:
        self._arrived: deque[Arrival] = deque()
        self._called = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def expected(self) -> Arrival:
        """An answer to give to the committer and then to await."""
        loop = self._loop = asyncio.get_running_loop()
        return Arrival(self, loop.create_future())

    def arrived(self, arrival: Arrival) -> None:
        """From any thread: it has its result."""
        self._arrived.append(arrival)
        # Set before the loop empties the queue and unset before it begins: whatever is added in
        # between is either seen by it or calls it again.
        if not self._called and self._loop is not None and not self._loop.is_closed():
            self._called = True
            self._loop.call_soon_threadsafe(self._hand_out)

    async def of(self, waiting: Future[Results]) -> Results:
        """The result of a future, or its exception; who is cancelled withdraws it, if it can be."""
        arrival = self.expected()
        waiting.add_done_callback(lambda _done: self.arrived(arrival))
        try:
            await arrival.here
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        return waiting.result()

    def _hand_out(self) -> None:
        self._called = False
        while self._arrived:
            self._arrived.popleft().hand_out()
