"""What the service tells about itself: logs and its own counters.

Both leave the house, so both are bounded: a log line has an end, no control characters and no
secrets; a label has a fixed set of values, whatever comes in.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import structlog
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

Entry = MutableMapping[str, Any]

_LONGEST = 2000
_SECRET_NAMES = re.compile(
    r"authorization|cookie|password|passwd|secret|token|credential|api_?key|signature",
    re.IGNORECASE,
)
# Keys and hook addresses carry the workspace in front; the part behind the last underscore is the
# secret. `whsec_` is the form of Standard Webhooks.
_SECRET_SHAPES = re.compile(
    r"\b(tsk_|h_)[a-z0-9][a-z0-9_.-]*_[A-Za-z0-9]{16,}|\b(whsec_)[A-Za-z0-9+/=_-]{8,}"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HIDDEN = "[hidden]"


def safe(text: str, longest: int = _LONGEST) -> str:
    """A text fit for a log: no secret of a known shape, no control character, an end."""
    hidden = _SECRET_SHAPES.sub(lambda m: f"{m[1] or m[2]}{_HIDDEN}", text[: 2 * longest])
    plain = _CONTROL.sub(lambda m: ascii(m[0])[1:-1], hidden)
    return plain if len(plain) <= longest else plain[:longest] + "..."


def _cleaned(value: object, depth: int = 4) -> object:
    match value:
        case str():
            return safe(value)
        case bool() | int() | float() | None:
            return value
        case Mapping() if depth:
            return {str(k): _told(str(k), v, depth - 1) for k, v in list(value.items())[:50]}
        case list() | tuple() | set() | frozenset() if depth:
            return [_cleaned(part, depth - 1) for part in list(value)[:50]]
    return safe(str(value))


def _told(name: str, value: object, depth: int = 4) -> object:
    return _HIDDEN if _SECRET_NAMES.search(name) else _cleaned(value, depth)


def _clean(_logger: object, _method: str, entry: Entry) -> Entry:
    """Every value of an entry made safe. A traceback keeps its lines: those are ours."""
    entry.pop("color_message", None)  # uvicorn's message once more, with its terminal colours
    trace = entry.pop("exception", None)
    cleaned = {name: _told(name, value) for name, value in entry.items()}
    if isinstance(trace, str):
        lines = (safe(line) for line in trace[-20 * _LONGEST :].splitlines())
        cleaned["exception"] = "\n".join(lines)
    return cleaned


def configure_logs(form: str, stream: TextIO | None = None) -> None:
    """Sends everything that is logged, ours and the libraries', through one form to one stream."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _clean,
        _renderer(form),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(form, foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # It tells of every migration context; what a start has to say fits one line.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            *(p for p in shared if not isinstance(p, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _renderer(form: str) -> structlog.typing.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)


def logger(name: str = "tassei") -> structlog.stdlib.BoundLogger:
    """A logger. Say facts as keywords: `logger().info("committed", deliveries=3)`."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


# json.dumps with an argument makes an encoder anew at each call.
_encoded = json.JSONEncoder(ensure_ascii=False).encode


class AccessLog:
    """One line per request, past structlog: its processors would take longer than an ingest does.

    What the caller can choose is the path alone, so that alone is cleaned. The requests that end
    together, as those of one commit do, are written together, once `soon` calls back.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._logger = logging.getLogger("tassei.access")
        self._soon = soon
        self._ended: list[dict[str, object]] = []

    def __call__(self, fields: dict[str, object]) -> None:
        """Writes the line; `path` is the request's own, the other fields are ours."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        fields["path"] = _shown(str(fields["path"]))
        self._ended.append(fields)
        if len(self._ended) == 1:
            self._soon(self._write)

    def _write(self) -> None:
        record = logging.LogRecord("tassei.access", logging.INFO, "", 0, "request", None, None)
        record.requests, self._ended = self._ended, []
        self._logger.handle(record)


@lru_cache(maxsize=1_000)
def _shown(path: str) -> str:
    return safe(path, 200)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """structlog's, with a short way for the access log."""

    def __init__(self, form: str, **arguments: Any) -> None:  # noqa: ANN401 - structlog's
        super().__init__(**arguments)
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        requests = getattr(record, "requests", None)
        if requests is None:
            return super().format(record)
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line = self._entry if self._json else self._words
        return "\n".join(line(stamp, fields) for fields in requests)

    def _words(self, stamp: str, fields: dict[str, object]) -> str:
        return f"{stamp} request " + " ".join(f"{k}={v}" for k, v in fields.items())

    def _entry(self, stamp: str, fields: dict[str, object]) -> str:
        own = {"event": "request", "level": "info", "logger": "tassei.access", "timestamp": stamp}
        return _encoded(own | fields)


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
        about = "Deliveries that wait for a transaction."
        self._queue = Gauge("tassei_committer_queue_deliveries", about, registry=registry)
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

        self._losses = Counter(
            "tassei_committer_losses",
            "Processes that commit activities and were lost; each was begun anew.",
            registry=registry,
        )
        about = "Readers that progress is streamed to."
        self._streams = Gauge("tassei_streams_open", about, registry=registry)
        self._of_store()

    def _of_store(self) -> None:
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
