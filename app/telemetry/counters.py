"""The service's own metrics: each label has a fixed set of values, whatever comes in."""

from __future__ import annotations

import sys
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from app.domain.activities import Outcome

METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Counters:
    """The service's own metrics, in a registry of its own: two apps in one process do not mix."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library's
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        Info("tassei_build", "The build that answers.", registry=registry).info(
            {"version": version, "python": ".".join(map(str, sys.version_info[:3]))}
        )
        # Looking a metric up by its labels takes longer than moving it.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "tassei_http_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "tassei_http_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._items = Counter(
            "tassei_events",
            "Received events by what became of them.",
            ("outcome",),
            registry=registry,
        )
        # Named at once: a rate needs its zero before the first event.
        self._counts = {outcome: self._items.labels(outcome.value) for outcome in Outcome}
        self._queue = Gauge(
            "tassei_committer_queue_deliveries",
            "Deliveries that wait for a transaction.",
            registry=registry,
        )
        self._batch = Histogram(
            "tassei_commit_batch_deliveries",
            "Deliveries per transaction.",
            buckets=_BATCH,
            registry=registry,
        )
        self._commit = Histogram(
            "tassei_commit_duration_seconds",
            "From the begin of a transaction to its sync.",
            buckets=_SECONDS,
            registry=registry,
        )

        self._streams = Gauge(
            "tassei_streams_open",
            "Readers that progress is streamed to.",
            registry=registry,
        )
        self._of_store()

    def _of_store(self) -> None:
        self._losses = Counter(
            "tassei_committer_losses",
            "Processes that commit activities and were lost; each was begun anew.",
            registry=self.registry,
        )
        self._stored = Gauge(
            "tassei_store_bytes",
            "Bytes on disk: the database, what of it is free for reuse, its log, the bodies of "
            "deliveries.",
            ("part",),
            registry=self.registry,
        )
        self._writable = Gauge(
            "tassei_store_writable",
            "0 from a write that the database refused until the next that it took.",
            registry=self.registry,
        )
        self._skew = Gauge(
            "tassei_clock_skew_seconds",
            "By how much this clock is ahead of the database server's, and, below 0, behind the "
            "newest commit of any replica.",
            ("against",),
            registry=self.registry,
        )
        self._let_go = Counter(
            "tassei_deliveries_let_go",
            "Deliveries that are kept no longer, by what they had to go for.",
            ("why",),
            registry=self.registry,
        )
        for why in ("age", "size"):
            self._let_go.labels(why)
        self._reconciled = Counter(
            "tassei_reconciled_activities",
            "Activities that a source did not report and that asking it brought, by what they were "
            "here before: missing, or known as they no longer are.",
            ("source", "found"),
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. `route` is a template of ours or "unmatched", never a path."""
        method = method if method in METHODS else "other"
        known = self._known.get((method, route, status))
        if known is None:
            known = self._known[method, route, status] = self._answers(method, route, status)
        number, duration = known
        number.inc()
        duration.observe(seconds)

    def _answers(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(method, route, str(status)), self._seconds.labels(
            method, route
        )

    def counted(self, outcome: Outcome, items: int = 1) -> None:
        """What became of events."""
        self._counts[outcome].inc(items)

    def committed(self, deliveries: int, seconds: float) -> None:
        """One transaction of the committer."""
        self._batch.observe(deliveries)
        self._commit.observe(seconds)

    def lost(self) -> None:
        """A process that commits was lost."""
        self._losses.inc()

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Asks `depth` at each scrape how many deliveries wait."""
        self._queue.set_function(depth)

    def watch_streams(self, number: Callable[[], int]) -> None:
        """Asks `number` at each scrape how many streams are open."""
        self._streams.set_function(number)

    def stored(self, part: str, size: int) -> None:
        """How much of the disk a part of the store takes."""
        self._stored.labels(part).set(size)

    def skewed(self, against: str, seconds: float) -> None:
        """By how much this process's clock is ahead of another one."""
        self._skew.labels(against).set(seconds)

    def let_go(self, why: str, number: int) -> None:
        """Deliveries that are kept no longer."""
        self._let_go.labels(why).inc(number)

    def reconciled(self, source: str, found: str) -> None:
        """An activity that a source was asked for and had not reported. found: missing or newer."""
        self._reconciled.labels(source, found).inc()

    def watch_writing(self, writable: Callable[[], bool]) -> None:
        """Asks `writable` at each scrape whether the store takes writes."""
        self._writable.set_function(writable)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The text of a scrape, in the format the scraper accepts, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type
