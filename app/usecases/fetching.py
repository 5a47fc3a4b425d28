"""Sources are asked: what they only named, and what their notifications missed.

A thread looks each second whose turn it is; a few others do the asking, so that one provider that
is slow keeps nobody else waiting. A source is asked by one process at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from app.domain.errors import TasseiError
from app.outbound.errors import CallError
from app.store import fetchers, fetches
from app.store.fetchers import UNTRIED
from app.telemetry import logger
from app.usecases import fetch_lease
from app.usecases.background import Background
from app.usecases.context import Context
from app.usecases.fetch_channels import are_due
from app.usecases.fetch_subjects import Subject, subjects_of
from app.usecases.fetch_visit import Told, Visit, note

SECONDS_BETWEEN = 1.0
AT_ONCE = 4
# Calls under way are not waited for longer: they are bounded, and nothing depends on them.
LEAVING_SECONDS = 5.0

Place = tuple[str, str]


def untold(_source: str, _found: str) -> None:
    """Who is told where nobody asked."""


class Fetching(Background):
    """Asks sources whenever one of them has its turn, beside everything else."""

    def __init__(self, context: Context, told: Told = untold) -> None:
        self._context, self._told = context, told
        self._subjects: dict[str, tuple[int, list[Subject]]] = {}
        self._busy: dict[Place, threading.Thread] = {}
        super().__init__("fetching")

    def stop(self) -> None:
        """End; a call that is still under way ends with the process."""
        super().stop()
        for thread in list(self._busy.values()):
            thread.join(LEAVING_SECONDS)

    def _run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            try:
                for subject in self._due():
                    if len(self._busy) < AT_ONCE:
                        self._visit(subject)
            except Exception:  # noqa: BLE001 - without the thread nothing would be fetched any more
                logger(__name__).exception("whose turn it is could not be seen")

    def _due(self) -> list[Subject]:
        """Whose turn it is; who was visited longest ago is first, so that nobody is passed over."""
        found = [
            pair for workspace in self._context.watch.heads() for pair in self._due_in(workspace)
        ]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]

    def _due_in(self, workspace: str) -> Iterator[tuple[int, Subject]]:
        """The same of a workspace, each with when it was visited last."""
        subjects = self._of(workspace)
        if not subjects:
            return
        now = self._context.clock()
        with self._context.read() as reading:
            stand = fetchers.states(reading, workspace)
            turns = fetches.next_due(reading, workspace)
        for one in subjects:
            state = stand.get(one.source, UNTRIED)
            wanted = turns.get(one.source, now + 1) <= now
            pulled = one.configured and (
                state.pull_at <= now
                or state.backfill_from is not None
                or are_due(one, state.channels, now)
            )
            free = state.lease_until <= now and state.retry_at <= now
            if free and (wanted or pulled) and (workspace, one.source) not in self._busy:
                yield state.tried_at or 0, one

    def _of(self, workspace: str) -> list[Subject]:
        version = self._context.watch.config_version(workspace)
        known = self._subjects.get(workspace)
        if known is None or known[0] != version:
            with self._context.read() as reading:
                known = version, subjects_of(self._context, reading, workspace)
            self._subjects[workspace] = known
        return known[1]

    def _visit(self, subject: Subject) -> None:
        place = (subject.workspace, subject.source)
        thread = threading.Thread(
            target=self._visited, args=(subject,), name=f"fetching {subject.source}", daemon=True
        )
        self._busy[place] = thread
        thread.start()

    def _visited(self, subject: Subject) -> None:
        try:
            visit(self._context, subject, self._told, self._ended)
        except TasseiError as error:
            log = logger(__name__)
            log.warning("fetching was interrupted", source=subject.source, code=error.code)
        except Exception:  # noqa: BLE001 - it is tried again when the lease has ended
            logger(__name__).exception("fetching failed", source=subject.source)
        finally:
            self._busy.pop((subject.workspace, subject.source), None)


def visit(
    context: Context, subject: Subject, told: Told = untold, ended: threading.Event | None = None
) -> bool:
    """Ask a source all there is to ask; whether nobody else does and its provider answered."""
    taken = _taken(context, subject, told, ended)
    return taken is not None and _noted(subject, taken, taken.run())


def check(context: Context, subject: Subject) -> bool:
    """Make one call, to see whether the provider answers; the same."""
    taken = _taken(context, subject, untold, None)
    return taken is not None and _noted(subject, taken, taken.check())


def _taken(
    context: Context, subject: Subject, told: Told, ended: threading.Event | None
) -> Visit | None:
    now = context.clock()
    until = now + fetch_lease.LEASE
    with context.store.transaction() as connection:
        stands = fetchers.take(connection, subject.workspace, subject.source, now, until)
    if stands is None:
        return None
    return Visit(context, subject, stands, told, ended or threading.Event())


def _noted(subject: Subject, taken: Visit, failed: CallError | None) -> bool:
    # Of failures in a row the first is said; the state of the source tells of the others.
    if failed is not None and not taken.failed_before:
        note(subject, failed)
    return failed is None
