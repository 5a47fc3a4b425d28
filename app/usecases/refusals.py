"""What senders are refused for, remembered so that whoever connects one sees the mistake.

Whoever knows the address of a hook can be refused as often as they like, and must not be able to
make us write or compute by that: counts are kept in memory and written every few seconds, one row
for each reason, and what lies behind a reason is looked into now and then only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.domain.errors import Unavailable
from app.domain.instants import DAY, SECOND
from app.intake.requests import Step
from app.store import refusals
from app.store.engine import Store
from app.store.refusals import Refusal
from app.telemetry import logger
from app.usecases.background import Background

INTERVAL_SECONDS = 2.0
# A reason is looked into so often at most; in between it is taken to be what it was.
LOOKED_INTO = 5 * SECOND
KEPT = 30 * DAY

_Place = tuple[str, str]  # workspace and source


class Refusals(Background):
    """Counts of refusals by source and reason, and who writes them down."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._noting = threading.Lock()
        self._held: dict[_Place, dict[str, Refusal]] = {}
        # By source and what the proof said: what that was found to be, and until when that holds.
        self._found: dict[tuple[str, str, str], tuple[int, Step]] = {}
        super().__init__("refusals")

    def note(self, workspace: str, source: str, code: str, look: Callable[[], Step]) -> None:
        """One more refusal.

        look: finds out what is behind the code; that costs something, so it is not always asked
        """
        now = self._clock()
        until, step = self._found.get((workspace, source, code), (0, Step(code, {})))
        if now >= until or now < until - LOOKED_INTO:
            step = look()
            self._found[workspace, source, code] = (now + LOOKED_INTO, step)
        with self._noting:
            by_code = self._held.setdefault((workspace, source), {})
            before = by_code.get(step.code)
            number, first = (before.number, before.first_at) if before else (0, now)
            by_code[step.code] = Refusal(step.code, step.params, number + 1, first, now)

    def flush(self) -> None:
        """Write down what was noted since the last time; nothing where nothing was."""
        with self._noting:
            held, self._held = self._held, {}
        try:
            self._write(held)
        except Unavailable as error:
            self._take_back(held)
            logger(__name__).warning("refusals could not be written", why=error.code)
        except Exception:
            self._take_back(held)
            raise

    def stop(self) -> None:
        """End, with what was noted written down."""
        super().stop()
        self._flush_or_tell()

    def _write(self, held: Mapping[_Place, Mapping[str, Refusal]]) -> None:
        if not held:
            return
        with self._store.transaction() as connection:
            # In one order, so that two replicas never wait for each other.
            for (workspace, source), by_code in sorted(held.items()):
                found = [by_code[code] for code in sorted(by_code)]
                refusals.add(connection, workspace, source, found)
            for workspace in sorted({workspace for workspace, _ in held}):
                refusals.forget(connection, workspace, self._clock() - KEPT)

    def _take_back(self, held: Mapping[_Place, Mapping[str, Refusal]]) -> None:
        with self._noting:
            for place, by_code in held.items():
                now = self._held.setdefault(place, {})
                for code, before in by_code.items():
                    later = now.get(code)
                    now[code] = (
                        replace(
                            later, number=later.number + before.number, first_at=before.first_at
                        )
                        if later
                        else before
                    )

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            self._flush_or_tell()

    def _flush_or_tell(self) -> None:
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - the next round may succeed, and an end has to end
            logger(__name__).exception("refusals could not be written")
