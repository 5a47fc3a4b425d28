"""The shortest way of the one request that comes thousands of times a second.

A task, a dozen coroutines and the messages between them cost as much as reading an event. A
request that is whole when its head is, by a key that is known, with nothing unusual about it, is
therefore read where it arrives, and its answer is written once the committer has told it.

Nothing is decided here that is not decided on the usual way too, by the same functions. Whatever
is not so plain, and whatever is refused, goes there: it finds the same, and has the words for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, cast

from starlette.applications import Starlette
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.intake.tables import is_table
from app.usecases.recording import record_events
from app.web.arrivals import Settled
from app.web.events import DOOR, PATH, SCOPE, answer, count, described
from app.web.middleware import BEGAN, SETTLED, RequestIds, Told, at_once
from app.web.platform import Platform
from app.web.problems import REQUEST_ID
from app.web.request_heads import PLAIN, RequestHeads

# What the layers and the listener look at besides the body.
_UNUSUAL = frozenset(
    {
        b"content-encoding",
        b"transfer-encoding",
        b"expect",
        b"upgrade",
    }
)
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
# How the listener is told to go on as with every other request.
Usually = Callable[[], None]


class Direct:
    """POST /v1/events past all layers, where they would have nothing to do.

    told: what every request is reported to, however it was answered
    """

    def __init__(self, app: Starlette, platform: Platform, told: Told) -> None:
        self._app = app
        self._platform = platform
        self._told = told
        self._ids = RequestIds()
        self._proxies: ProxyHeadersMiddleware | None = None
        self.heads = RequestHeads()

    def believe(self, proxies: list[str] | str) -> None:
        """Who may say for whom a request came. Until it is told, such requests go the usual way."""
        self._proxies = ProxyHeadersMiddleware(_nothing, proxies)

    def serves(self, server: tuple[str, int | None] | None) -> bool:
        """Whether requests that come in at an address may go this way."""
        return server is None or server[1] != self._platform.metrics_port

    def concerns(self, scope: Scope) -> bool:
        """Whether a request may go this way, as far as its first line tells."""
        return scope["path"] == PATH and scope["method"] == "POST" and not scope["query_string"]

    def take(
        self,
        scope: Scope,
        body: bytes | bytearray,
        usually: Usually,
        loop: asyncio.AbstractEventLoop,
    ) -> bool:
        """Read it and see to its answer; False, and nothing is done, where it is not plain.

        To be called on the event loop, with the whole body.
        """
        try:
            return self._taken(scope, body, usually, loop)
        except Exception:  # noqa: BLE001 - the usual way meets it as well, and reports it
            return False

    def _taken(
        self,
        scope: Scope,
        body: bytes | bytearray,
        usually: Usually,
        loop: asyncio.AbstractEventLoop,
    ) -> bool:
        platform, state = self._platform, self._app.state
        if PLAIN not in scope:
            scope[PLAIN] = _plain(scope)
        if scope[PLAIN] is None or not body or len(body) > platform.limits.size:
            return False
        principal = platform.gate.known(scope) if platform.gate else None
        if principal is None or platform.cors_origins:
            return False
        plain: _Plain = scope[PLAIN]
        if plain.forwarded and not self._ascribed(scope):
            return False
        principal.require(SCOPE)
        scope[REQUEST_ID], scope[BEGAN] = self._ids.next(), platform.monotonic()
        scope["app"], scope["endpoint"] = self._app, DOOR
        arrival = state.arrivals.calling(partial(self._answer, scope, usually), loop)
        told = (plain.media_type, plain.attributes)
        record_events(state.context, principal.workspace, bytes(body), *told, arrival)
        return True

    def _ascribed(self, scope: Scope) -> bool:
        """Have uvicorn's own layer say whom it came from, as it would again on the usual way."""
        if self._proxies is None:
            return False
        nothing: Any = None  # it receives nothing and sends nothing
        with suppress(StopIteration):  # and waits for nothing: its first step is its last
            self._proxies(cast("Any", scope), nothing, nothing).send(None)
        return True

    def _answer(self, scope: Scope, usually: Usually, settled: Settled) -> None:
        try:
            if not isinstance(settled, BaseException) and at_once(scope, answer(settled, scope)):
                count(self._platform.counters, settled)
                self._told(scope, "POST", 200, self._platform.monotonic() - scope[BEGAN])
                return
        except Exception as error:  # noqa: BLE001 - others wait to be told by who called this
            settled = error
        scope[SETTLED] = settled
        usually()


class _Plain(NamedTuple):
    """What a head says of its body, and whether it says for whom it is sent."""

    media_type: str
    attributes: dict[str, str]
    forwarded: bool


def _plain(scope: Scope) -> _Plain | None:
    """What a head says; None where the layers have to look."""
    names = [name for name, _ in scope["headers"]]
    if not _UNUSUAL.isdisjoint(names):
        return None
    media_type, attributes = described(scope)
    if is_table(media_type):
        return None
    return _Plain(media_type, attributes, not _FORWARDED.isdisjoint(names))


async def _nothing(_scope: object, _receive: object, _send: object) -> None:
    """What is behind uvicorn's layer here."""
