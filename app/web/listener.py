"""The listener's protocol: uvicorn's, with a deadline and limits for all that is no body.

No setting of uvicorn's has them, and ASGI begins after the head.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import Any, cast

import httptools
from starlette.types import Scope
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.domain.errors import TasseiError, TooSlow, Unreadable
from app.views.messages import DEFAULT_LANGUAGE
from app.web.body import CONNECTION, WHOLE
from app.web.direct import Direct
from app.web.problems import (
    MEDIA_TYPE,
    HeadTooLarge,
    UriTooLong,
    exhausted,
    problem,
    status_of,
    told_by,
)
from app.web.request_heads import RequestHead

HEAD_SECONDS = 10.0
HEAD_BYTES = 16 * 1024
HEAD_LINES = 100
URL_BYTES = 8 * 1024
LASTING_BYTES = 64 * 1024
LASTING_SILENCE_MS = 30_000
LAST_WORDS_SECONDS = 0.3
_HOST = re.compile(rb"[A-Za-z0-9._~-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, refusing heads that are slow, too large or ambiguous.

    A head is awaited from the opening of the connection and, on a connection that is kept, from
    the first byte after an answer. What comes behind a body in chunks (trailers) is read and
    forgotten; it may be as large as a head.
    """

    head_seconds = HEAD_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _in_head = False
    # Whether what came last began with the first byte of a message.
    _begins = False
    _head_bytes = 0
    # Since the head or the latest piece of a body.
    _aside_bytes = 0
    _refusal: TasseiError | None = None
    _lasting = False
    # The request under way that may need no task, and what uvicorn would have one do.
    _held: tuple[RequestResponseCycle, Any] | None = None
    _reading = False

    def __init__(self, *args: Any, direct: Direct | None = None, **config: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **config)
        self._direct = direct

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        if self._direct is not None and not self._direct.serves(self.server):
            self._direct = None
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._begins = self._between()
        if self._begins and self._recalled(data):
            return
        if self._deadline is None and not self._answering():
            self._head_bytes = 0
        # A line reaches `on_header` when it is complete, and all are looked at when the head is.
        self._head_bytes += len(data)
        self._aside_bytes += len(data)
        self._reading = True
        try:
            super().data_received(data)
        finally:
            self._reading = False
        self._release(data if self._begins else b"")
        # Most heads are whole by now, and a clock set and stopped for each costs more than parsing.
        if self._deadline is None and (self._in_head or not self._answering()):
            self._await_head()
        if self._deadline is not None and self._head_bytes > HEAD_BYTES + URL_BYTES:
            self._refuse(HeadTooLarge("head_too_large"))
        if self._aside_bytes > HEAD_BYTES and self._in_body():
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"protocol": self}}
        self._in_head = True
        if not self._begins:
            # What came with its first bytes was another message's: counted from the next ones on.
            self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > URL_BYTES:
            self._stop(UriTooLong("address_too_long"))

    def on_headers_complete(self) -> None:
        self._head_arrived()
        size, hosts = 0, []
        for name, value in self.headers:
            size += len(name) + len(value)
            if name == b"host":
                hosts.append(value)
        if size > HEAD_BYTES or len(self.headers) > HEAD_LINES:
            self._stop(HeadTooLarge("head_too_large"))
        if len(hosts) == 1:
            named = _HOST.fullmatch(hosts[0]) is not None
        else:
            named = not hosts and self.parser.get_http_version() == "1.0"
        # The absolute form is for proxies; to us it is a second Host that may contradict.
        if not named or not self.url.startswith(b"/"):
            self._stop(Unreadable("malformed_host"))
        self._aside_bytes = 0
        super().on_headers_complete()
        # Trailers come here, and not to what decides who asks.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._aside_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.scope["extensions"][WHOLE] = {}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own name for an ASGI app
        """What uvicorn does at the end of a head; a request that is whole may need none of it."""
        if self._reading and self._direct is not None and self._direct.concerns(_of(cycle)):
            self._held = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def _release(self, data: bytes = b"") -> None:
        """Let a request that was held have its answer, without a task or with one.

        data: what came, where a message began with its first byte
        """
        if self._held is None or self._direct is None:
            return
        (cycle, app), self._held = self._held, None
        usually = partial(super()._start_asgi_task, cycle, app)
        if cycle.more_body or not self._direct.take(_of(cycle), cycle.body, usually, self.loop):
            usually()
            return
        # It was read. The connection keeps its last request, however long it is silent.
        length, cycle.body = len(cycle.body), bytearray()
        if cycle.keep_alive:
            with suppress(MemoryError):
                self._direct.heads.remember(data, _of(cycle), length)

    def _between(self) -> bool:
        """Whether what comes next is the first byte of a message, and nothing before it is open."""
        unfinished = self._answering() or (self.cycle is not None and self.cycle.more_body)
        return not self._in_head and not unfinished

    def _recalled(self, data: bytes) -> bool:
        """Begin a whole request whose head was parsed before as the parser's callbacks would."""
        direct = self._direct
        try:
            if direct is None or (found := direct.heads.find(data)) is None:
                return False
            head, body = found
            cycle = self._begun(head)
        except MemoryError:
            return False  # the parser meets it as well, and has the words for it
        self._unset_keepalive_if_required()
        self._head_arrived()
        self.cycle = cycle
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        usually = partial(super()._start_asgi_task, cycle, self.app)
        if not direct.take(_of(cycle), body, usually, self.loop):
            cycle.body += body
            usually()
        return True

    def _begun(self, head: RequestHead) -> RequestResponseCycle:
        cycle = RequestResponseCycle(
            scope=cast("HTTPScope", head.scope_on(self)),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.message_event.set()
        return cycle

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's name and signature
        """What uvicorn calls when the parser, or one of the callbacks above, objects."""
        error = sys.exception()
        full = exhausted(error.__context__) if error else None
        self._refuse(self._refusal or full or Unreadable("malformed_request"))

    def answer(self, extensions: object, head: bytes, body: bytes) -> bool:
        """A whole answer in one write: a status line, headers that are safe, and the body.

        Message by message, uvicorn examines each header again, which takes as long as reading an
        event. False, and nothing is written, where the answer is not a plain one on a connection
        that is kept.
        """
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope["extensions"] is not extensions
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join((head, _written(cycle.default_headers), b"\r\n", body)))
        cycle.message_event.set()
        cycle.on_response()
        return True

    def last(self) -> None:
        """An answer without an end begins: bound what waits for a reader, and how long.

        The kernel would hold megabytes of figures that are long outdated, and would try for a
        quarter of an hour to reach a reader whose power is gone.
        """
        self._lasting = True
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LASTING_BYTES)
        if timeout := getattr(socket, "TCP_USER_TIMEOUT", None):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, timeout, LASTING_SILENCE_MS)

    def push(self, part: bytes) -> bool:
        """A part of an answer without an end, in one write.

        False, and nothing is written, where its reader does not keep up or is not the last to ask.
        """
        cycle = self.cycle
        if (
            not cycle.response_started
            or cycle.response_complete
            or cycle.disconnected
            or not cycle.chunked_encoding
            or self.flow.write_paused
        ):
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
        return True

    def drop(self) -> None:
        """Close at once: what the reader has not taken by now, it will not take."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The server ends. An answer without an end has ended by now, if its reader takes it."""
        super().shutdown()
        if self._lasting:
            self.loop.call_later(LAST_WORDS_SECONDS, self.drop)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _in_body(self) -> bool:
        return not self._in_head and self.cycle is not None and self.cycle.more_body

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self.head_seconds, self._head_late)

    def _head_arrived(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_late(self) -> None:
        self._deadline = None
        if self._head_bytes or self._in_head:
            self._refuse(TooSlow("head_too_slow"))
        else:  # opened and never used, as browsers do: nobody awaits an answer
            self.transport.close()

    def _stop(self, refusal: TasseiError) -> None:
        """Ends the parsing from inside a callback; uvicorn then calls `send_400_response`."""
        self._refusal = refusal
        raise httptools.HttpParserError(refusal.code)

    def _refuse(self, refusal: TasseiError) -> None:
        # What came before is taken in, as it is where a task was begun at its head.
        self._release()
        # In the middle of another answer, a refusal would read as part of that answer.
        if not self.transport.is_closing() and not self._answering():
            body = json.dumps(problem(refusal, DEFAULT_LANGUAGE)).encode()
            head = (
                f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
                "cache-control: no-store\r\nconnection: close\r\n"
            ) + "".join(f"{name}: {value}\r\n" for name, value in told_by(refusal).items())
            self.transport.write(STATUS_LINE[status_of(refusal)] + head.encode() + b"\r\n" + body)
        self.transport.close()


# uvicorn has one list for all answers of a second, and then another one.
_latest: tuple[object, bytes] = (None, b"")


def _written(headers: list[tuple[bytes, bytes]]) -> bytes:
    global _latest  # noqa: PLW0603 - of all connections
    of, lines = _latest
    if of is not headers:
        lines = b"".join([b"%s: %s\r\n" % line for line in headers])
        _latest = (headers, lines)
    return lines


def _of(cycle: RequestResponseCycle) -> Scope:
    return cast("Scope", cycle.scope)  # a typed dictionary of uvicorn's, elsewhere a mapping
