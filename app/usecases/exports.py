"""What Prometheus is shown: every running plan, every source, every workspace, at one moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime

from app.domain.evaluation import Question
from app.domain.freshness import is_stale
from app.domain.instants import MINUTE, moment_of
from app.domain.progress import Progress
from app.domain.scopes import Breakdown
from app.store import actors, fetchers, fetches, ledger, quarantine, sources
from app.store.heads import Head
from app.store.transactions import Access
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.fetch_channels import Standing, read_channels
from app.usecases.organisation import Organisation
from app.usecases.people import strangers
from app.usecases.plans import current_plans
from app.usecases.progress import evaluated, moment_asked
from app.views.prometheus import Snapshot, SourceReading, WorkspaceReading, families

# From one snapshot to the next while heads move. Whoever is scraped each fifteen seconds gains
# nothing by ten in between, and they hold the interpreter up for whoever takes events in.
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 10.0
# A snapshot's processor time is this part of the time until the next, between those two.
SHARE = 0.02


class Gauges:
    """The goal gauges as bytes, made anew in the background when a head moved and each minute.

    A scrape hands the bytes out and never touches the store: ten scrapers cost what one costs.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rendered = b""
        self._failing = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gauges", daemon=True)

    def start(self) -> None:
        """Begin to make snapshots; the first one before anything is served."""
        self._refreshed()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def families(self) -> bytes:
        """The families of the last snapshot, in the text both formats share."""
        return self._rendered

    def refresh(self) -> None:
        """Make a snapshot now."""
        self._rendered = families(snapshot(self._context))

    def _run(self) -> None:
        shown: tuple[Mapping[str, Head], int] | None = None
        rest = SHORTEST_SECONDS
        while not self._ended.wait(rest):
            rest = SHORTEST_SECONDS
            current = (self._context.watch.heads(), self._context.clock() // MINUTE)
            if current != shown:
                began = time.thread_time()
                if self._refreshed():
                    shown = current
                rest = between(time.thread_time() - began)

    def _refreshed(self) -> bool:
        """Whether it could be made; where not, the last one stays, and its age is exported.

        Goals that cannot be shown must not keep events from being counted. Tried again each
        second, so only the first failure in a row is logged.
        """
        try:
            self.refresh()
        except Exception:  # noqa: BLE001 - the next one may succeed
            if not self._failing:
                logger(__name__).exception("the gauges could not be made")
            self._failing = True
        else:
            self._failing = False
        return not self._failing


def between(spent: float) -> float:
    """How long to rest after a snapshot of so much processor time, in seconds."""
    return min(max(spent / SHARE, SHORTEST_SECONDS), LONGEST_SECONDS)


def snapshot(context: Context) -> Snapshot:
    """Everything that is exported. Snapshots hold inside a workspace, not across."""
    now = context.clock()
    progress: list[Progress] = []
    spoken: list[SourceReading] = []
    needs: list[WorkspaceReading] = []
    for workspace in sorted(context.watch.heads()):
        with context.read() as reading:
            found = context.organisations.at(reading, workspace)
            progress += _running(reading, found, now)
            spoken += _sources(reading, found, now)
            needs.append(_workspace(reading, found))
    return Snapshot(moment_of(now), tuple(progress), tuple(spoken), tuple(needs))


def _running(access: Access, found: Organisation, now: int) -> list[Progress]:
    at = moment_asked(None, now)
    return [
        evaluated(
            access,
            found,
            base,
            Question(
                at.as_of,
                now,
                now,
                breakdown=Breakdown.TEAM if base.plan.assignments else Breakdown.NONE,
            ),
            at.until,
        ).progress
        for _, base in current_plans(access, found, now)
    ]


def _sources(access: Access, found: Organisation, now: int) -> list[SourceReading]:
    states = sources.states(access, found.workspace.key)
    last = {key: state.last_received_at for key, state in states.items()}
    pending = fetches.pending(access, found.workspace.key)
    channels = {
        key: tuple(read_channels(state.channels).values())
        for key, state in fetchers.states(access, found.workspace.key).items()
    }
    return [
        SourceReading(
            found.workspace.key,
            source.key,
            source.key in last
            and is_stale(source, last[source.key], found.workspace.calendar, now),
            moment_of(last[source.key]) if source.key in last else None,
            pending[source.key].count if source.key in pending else 0,
            _end_of(channels.get(source.key, ())),
            max((one.failures for one in channels.get(source.key, ())), default=None),
        )
        for source in found.cadences.expected(access, found.workspace.key, found.sources, last)
    ]


def _end_of(channels: Iterable[Standing]) -> datetime | None:
    first = min((one.expires_at for one in channels if one.id), default=None)
    return None if first is None else moment_of(first)


def _workspace(access: Access, found: Organisation) -> WorkspaceReading:
    key = found.workspace.key
    unknown = strangers(actors.all_actors(access, key), found)
    return WorkspaceReading(
        key,
        quarantine.size(access, key),
        actors.count_within(access, key, unknown),
        ledger.last_verified(access, key),
    )
