"""Carrying on with the builds of metrics: whoever put one for a while, then a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from app.domain.errors import Unavailable
from app.store import building, generations
from app.store.generations import Generation
from app.telemetry import logger
from app.usecases.background import Background
from app.usecases.context import Context

# How long whoever puts a metric waits for its numbers.
PATIENCE_SECONDS = 3.0
# What has not moved for so long, nobody carries on with.
INTERVAL_SECONDS = 1.0
# Between two steps, so that whoever waits for the head's lock gets it: a share of the time that
# the step took, at least.
PAUSE_SHARE = 0.25
LEAST_PAUSE_SECONDS = 0.005

Places = Mapping[str, tuple[Generation, ...]]


def carry_on(context: Context, workspace: str, number: int | None = None) -> None:
    """Take the steps of a workspace until none is left or patience ends.

    Raises Invalid when the generation of that number cannot be counted.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    _steps(context, workspace, number, lambda: time.monotonic() < until)


def _steps(
    context: Context, workspace: str, number: int | None, patient: Callable[[], bool]
) -> None:
    left = True
    while left and patient():
        began = time.monotonic()
        stepped = building.step(context.store, workspace, context.clock())
        context.watch.look()
        if stepped.refused is not None and stepped.refused[0].number == number:
            raise stepped.refused[1]
        left = stepped.left
        if left:
            time.sleep(max(LEAST_PAUSE_SECONDS, PAUSE_SHARE * (time.monotonic() - began)))


class Builder(Background):
    """Takes over what stands still: a long build, or one whose process is gone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: Places = {}
        super().__init__("builder")

    def look(self) -> None:
        """Carry on with everything that has not moved since the last look."""
        with self._context.read() as reading:
            found = {
                workspace: tuple(generations.moving(reading, workspace))
                for workspace in generations.workspaces(reading)
            }
        still = [
            workspace for workspace, moving in found.items() if self._seen.get(workspace) == moving
        ]
        for workspace in still:
            _steps(self._context, workspace, None, lambda: not self._ended.is_set())
        self._seen = found

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                self.look()
            except Unavailable as error:
                logger(__name__).warning("a metric cannot be counted now", why=error.code)
            except Exception:  # noqa: BLE001 - the next round may succeed
                logger(__name__).exception("a metric could not be counted")
