"""Results on their way from the committer's thread to the event loop."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from app.domain.deliveries import ItemResult
from app.web.handover import Handover

Result = TypeVar("Result")
Results = list[ItemResult]
Settled = Results | BaseException


class _Arrival(ABC):
    """The answer of one delivery on its way, filled in by whichever thread has it.

    A `concurrent.futures.Future` would do, at the price of a lock and a condition for each.
    """

    __slots__ = ("_arrivals", "_done", "_settled")

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._settled: Settled = []
        self._done = False

    def done(self) -> bool:
        """Whether it was told, wherever its news may be by now."""
        return self._done

    def set_result(self, results: Results) -> None:
        """It is on disk."""
        self._arrive(results)

    def set_exception(self, error: BaseException) -> None:
        """It is not."""
        self._arrive(error)

    def _arrive(self, settled: Settled) -> None:
        self._done = True
        self._settled = settled
        self._arrivals.arrived(self)

    @abstractmethod
    def hand_out(self) -> None:
        """On the event loop: tell who waits."""


class Arrival(_Arrival):
    """One to be awaited, as `here`."""

    __slots__ = ("here",)

    def __init__(self, arrivals: Arrivals, here: asyncio.Future[Results]) -> None:
        super().__init__(arrivals)
        self.here = here

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits: who went away withdraws what was not begun."""
        return not self.here.cancelled()

    def hand_out(self) -> None:
        """Wake who waits."""
        if self.here.done():
            return
        if isinstance(self._settled, BaseException):
            self.here.set_exception(self._settled)
        else:
            self.here.set_result(self._settled)


class Call(_Arrival):
    """One that calls, with its results or with why there are none."""

    __slots__ = ("_told",)

    def __init__(self, arrivals: Arrivals, told: Callable[[Settled], None]) -> None:
        super().__init__(arrivals)
        self._told = told

    def set_running_or_notify_cancel(self) -> bool:
        """Nothing is held for it that could go away."""
        return True

    def hand_out(self) -> None:
        """Call."""
        self._told(self._settled)


class Arrivals:
    """Wakes the event loop once for all the results of a commit; `asyncio.wrap_future` for each.

    One per event loop.
    """

    def __init__(self) -> None:
        self._handover = Handover()
        self._loop: asyncio.AbstractEventLoop | None = None

    def expected(self) -> Arrival:
        """An answer to give to the committer and then to await."""
        loop = self._loop = asyncio.get_running_loop()
        return Arrival(self, loop.create_future())

    def calling(self, told: Callable[[Settled], None], loop: asyncio.AbstractEventLoop) -> Call:
        """An answer to give to the committer that calls, on a loop; it must not fail there."""
        # Whoever knows the loop need not ask for it: that is a call of the system's each time.
        self._loop = loop
        return Call(self, told)

    def arrived(self, arrival: _Arrival) -> None:
        """From any thread: it has its result."""
        if self._loop is not None:
            self._handover.call(arrival.hand_out, self._loop)

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
