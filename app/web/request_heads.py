"""Heads of requests that were parsed before, byte for byte.

Whoever reports thousands of events sends the same head with each, but for the length of the body.
Parsing it takes longer than reading the event behind it, and what comes of it is always the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.web.body import CONNECTION, WHOLE

# In the scope of a request about which nothing is unusual: what its head says of its body.
PLAIN = "tassei.plain"
_END = b"\r\n\r\n"
# Some senders, each with lengths that differ by some hundred. What a head takes, some kilobytes at
# most, is mostly its headers, each of them an object or three.
MOST = 2_000
LONGEST, MOST_HEADERS = 1_024, 16
# What of a scope comes from the head alone. All else is of the connection, or of the one request.
_SAID = ("type", "asgi", "http_version", "method", "path", "raw_path", "query_string", PLAIN)


class RequestHead(NamedTuple):
    """What a head says, whoever sends it: the part of a scope that comes from it.

    length: of the body that it announces
    """

    said: Mapping[str, Any]
    headers: tuple[tuple[bytes, bytes], ...]
    length: int

    def scope_on(self, connection: HttpToolsProtocol) -> Scope:
        """The scope of a request that has this head, and came whole by a connection."""
        return {
            **self.said,
            "headers": [*self.headers],
            "server": connection.server,
            "client": connection.client,
            "scheme": connection.scheme,
            "root_path": connection.root_path,
            "state": connection.app_state.copy(),
            "extensions": {CONNECTION: {"protocol": connection}, WHOLE: {}},
        }


class RequestHeads:
    """Those that are remembered. For the event loop's thread alone.

    It keeps heads as they were sent, keys included, as whoever looks keys up does. It says nothing
    of whether a key still holds.
    """

    def __init__(self) -> None:
        # Those that came last at its end: who never sends a head twice drives out nobody who does.
        self._known: OrderedDict[bytes, RequestHead] = OrderedDict()

    def find(self, data: bytes) -> tuple[RequestHead, bytes] | None:
        """The head and the body of a request that is whole, where its head is known.

        data: what came since the end of the last message, so a head begins with it
        """
        end = data.find(_END) + len(_END)
        said = data[:end]
        head = self._known.get(said)
        if head is None or len(data) - end != head.length:
            return None
        self._known.move_to_end(said)
        return head, data[end:]

    def remember(self, data: bytes, scope: Scope, length: int) -> None:
        """Keep what a parser made of a head.

        data: what was parsed, from the first byte of a message; length: of the body that was found
        in it. Where that is not exactly what follows the first empty line, it is not kept.
        """
        end = data.find(_END) + len(_END)
        if end > LONGEST or len(scope["headers"]) > MOST_HEADERS or len(data) - end != length:
            return
        said = {name: scope[name] for name in _SAID}
        self._known[data[:end]] = RequestHead(said, tuple(scope["headers"]), length)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
