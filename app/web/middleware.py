"""The two layers around everything: one observes, one guards.

Plain ASGI. Starlette's BaseHTTPMiddleware costs 150 us a layer, hides context variables and
buffers streams.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import Forbidden, TasseiError, Unavailable, Unreadable
from app.telemetry import METHODS, AccessLog, Answered, Counters, logger
from app.web.auth import PRINCIPAL
from app.web.body import CONNECTION, LIMITS, BodyLimits, has_body, header, received
from app.web.problems import REQUEST_ID, Crash, exhausted, response
from app.web.routes import Templates

# A client that went away before the answer; nginx's number, for nobody else will see it.
GONE = 499
_LINGER_SECONDS = 1.0
_ID_BYTES = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# In the scope of a GET that was a HEAD: whoever answers without an end has to end here.
HEAD_ONLY = "tassei.head_only"


# In the scope of a request that was answered past `send`: with which status.
ANSWERED = "tassei.answered"
# Of a request that was read before it came to the layers: when it came, and its results, or why
# there are none.
BEGAN, SETTLED = "tassei.began", "tassei.settled"


def at_once(scope: Scope, body: bytes) -> bool:
    """Answer 200 with JSON in one write, past all layers; False where that cannot be done.

    What the layers add to every answer is in it; nothing here comes from the request.
    """
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is None or REQUEST_ID not in scope:
        return False
    head = _HEAD % (len(body), scope[REQUEST_ID].encode())
    if not connection["protocol"].answer(scope["extensions"], head, body):
        return False
    scope[ANSWERED] = 200
    return True


_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\ncontent-type: application/json\r\n"
    b"x-content-type-options: nosniff\r\nx-request-id: %s\r\ncache-control: no-store\r\n"
)


class RequestIds:
    """Ids of 128 random bits, drawn many at a time: asking the kernel costs more than the rest."""

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def next(self) -> str:
        """One that was never given."""
        if not self._drawn:
            digits = secrets.token_hex(_ID_BYTES * 64)
            width = 2 * _ID_BYTES
            self._drawn = [digits[at : at + width] for at in range(0, len(digits), width)]
        return self._drawn.pop()


def _soon(call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(call)


class Told:
    """Where every answered request is told of: one line of log, two metrics."""

    def __init__(self, counters: Counters, templates: Callable[[], Templates]) -> None:
        self._counters = counters
        self._templates = templates
        self._log = AccessLog(_soon)

    def __call__(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        """Tell of one, by its own method: of a HEAD, the scope says GET."""
        route = self._templates().of(scope)
        self._counters.answered(method, route, status, seconds)
        principal = scope.get(PRINCIPAL)
        client = scope.get("client")
        self._log(
            Answered(
                method if method in METHODS else "other",
                # It may hold a hook's secret or anything else; the log hides and cuts it.
                scope["path"],
                route,
                status,
                round(seconds * 1000, 2),
                scope[REQUEST_ID],
                principal.key_id if principal else None,
                client[0] if client else None,
            )
        )


class Observed:
    """Tells what happened to each request, and gives every answer what every answer has.

    An id and the headers of safety; HEAD is answered as GET without its body.
    """

    def __init__(self, app: ASGIApp, told: Told, monotonic: Callable[[], float]) -> None:
        self.app = app
        self._told = told
        self._monotonic = monotonic
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = scope.get(BEGAN) or self._monotonic()
        method, status = scope["method"], GONE
        # A copy: the server goes on reading its own, and for it a HEAD stays a HEAD.
        scope = {**scope, REQUEST_ID: self._ids.next()}
        if method == "HEAD":
            scope |= {"method": "GET", HEAD_ONLY: True}

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message.get("headers", ()), scope[REQUEST_ID])
            elif method == "HEAD":
                message["body"] = b""
            await send(message)

        try:
            await self.app(scope, receive, observed_send)
        finally:
            self._told(scope, method, scope.get(ANSWERED, status), self._monotonic() - began)


def _completed(given: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [
        *given,
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", request_id.encode()),
    ]
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    return headers


class Guarded:
    """Receives the body within its limits before anything else runs, and lets no error out.

    The whole body is there before the route is: a route never waits for a slow sender, and a
    refusal is written in one place, in our words. At most one limit's worth is held per request.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits = LIMITS) -> None:
        self.app = app
        self._limits = limits
        self._log = logger("tassei.web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            if _CONTROL.search(scope["path"]):
                raise Unreadable("malformed_path")
            if SETTLED not in scope:
                receive = await self._received(scope, receive)
        except TasseiError as error:
            await _refuse(response(scope, error), scope, receive, send)
        except MemoryError:
            await _refuse(response(scope, Unavailable("memory_is_full")), scope, receive, send)
        except ClientDisconnect:
            return
        else:
            await self._run(scope, receive, send)

    async def _received(self, scope: Scope, receive: Receive) -> Receive:
        if not has_body(scope):
            return receive
        body = await received(scope, receive, self._limits)
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return waiting.pop() if waiting else await receive()

        return replayed

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except ClientDisconnect:
            return
        except Exception as error:
            self._log.exception("request failed", request_id=scope.get(REQUEST_ID))
            if started:  # half an answer is out: only a closed connection tells that it is half
                raise
            answer = response(scope, exhausted(error) or Crash("internal_error"))
            await answer(scope, receive, send)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers although the body has not been read, then closes.

    A socket that is closed with unread bytes is reset, and the reset overtakes the answer. So the
    answer goes out first, whatever still arrives in a second is thrown away, and then it ends.
    """
    headers = [*answer.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    if has_body(scope) and header(scope, b"expect").lower() != b"100-continue":
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Cors(CORSMiddleware):
    """Starlette's, with its one refusal in the form of all others."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """A preflight's answer; 403 as a problem for what is not allowed."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        return response({"headers": request_headers.raw}, Forbidden("origin_not_allowed"))
