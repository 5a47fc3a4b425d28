"""Logs: one form for ours and the libraries', bounded and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TextIO

import structlog

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


class Answered(NamedTuple):
    """A request of which an answer was given, in the order in which its line tells of it.

    path: the request's own, which may hold anything; the rest is ours. ms: in milliseconds
    """

    method: str
    path: str
    route: str
    status: int
    ms: float
    request_id: str
    key: str | None
    client: str | None


class AccessLog:
    """One line per request, past structlog: its processors would take longer than an ingest does.

    What the caller can choose is the path and, behind a proxy that passes on anything, the client:
    these are cleaned. The requests that end together, as those of one commit do, are written
    together, once `soon` calls back.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._logger = logging.getLogger("tassei.access")
        self._soon = soon
        self._ended: list[Answered] = []

    def __call__(self, request: Answered) -> None:
        """Write the line."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        self._ended.append(request)
        if len(self._ended) == 1:
            self._soon(self._write)

    def _write(self) -> None:
        record = logging.LogRecord("tassei.access", logging.INFO, "", 0, "request", None, None)
        record.requests, self._ended = self._ended, []
        self._logger.handle(record)


@lru_cache(maxsize=1_000)
def _shown(path: str) -> str:
    return safe(path, 200)


@lru_cache(maxsize=1_000)  # the same few routes, keys and clients
def _quoted(text: str | None) -> str:
    return _encoded(text if text is None else safe(text, 200))


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
        return "\n".join([line(stamp, request) for request in requests])

    def _words(self, stamp: str, of: Answered) -> str:
        # One text, for this is written thousands of times a second.
        return (
            f"{stamp} request method={of.method} path={_shown(of.path)} route={of.route} "
            f"status={of.status} ms={of.ms} request_id={of.request_id} key={of.key} "
            f"client={of.client and _shown(of.client)}"
        )

    def _entry(self, stamp: str, of: Answered) -> str:
        # What is not quoted is ours and needs no escape: an encoder takes five times as long.
        method, path, route, status, ms, request_id, key, client = of
        return (
            '{"event": "request", "level": "info", "logger": "tassei.access", '
            f'"timestamp": "{stamp}", "method": "{method}", "path": {_quoted(path)}, '
            f'"route": {_quoted(route)}, "status": {status}, "ms": {ms}, '
            f'"request_id": "{request_id}", "key": {_quoted(key)}, "client": {_quoted(client)}}}'
        )
