"""Heads of requests that were parsed before, byte for byte.

Whoever reports thousands of events sends the same head with each, but for the length of the body.
Parsing it takes longer than reading the event behind it, and what comes of it is always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.types import Scope

# In the scope of a request about which nothing is unusual: what its head says of its body.
PLAIN = "tassei.plain"
_END = b"\r\n\r\n"
# A few senders, each with lengths that differ by some hundred; two megabytes at most.
MOST = 1_000
LONGEST = 2 * 1024
# What of a scope comes from the head alone. All else is of the connection, or of the one request.
_SAID = ("type", "asgi", "http_version", "method", "path", "raw_path", "query_string", PLAIN)


class Head(NamedTuple):
    """What a head says, whoever sends it: the part of a scope that comes from it.

    length: of the body that it announces
    """

    scope: Mapping[str, Any]
    headers: tuple[tuple[bytes, bytes], ...]
    length: int


class Heads:
    """Those that are remembered. For the event loop's thread alone.

    It keeps heads as they were sent, keys included, as whoever looks keys up does. It says nothing
    of whether a key still holds.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of a request that is whole, where its head is known.

        data: what came since the end of the last message, so a head begins with it
        """
        end = data.find(_END) + len(_END)
        head = self._known.get(data[:end])
        if head is None or len(data) - end != head.length:
            return None
        return head, data[end:]

    def remember(self, data: bytes, scope: Scope, length: int) -> None:
        """Keep what a parser made of a head.

        data: what was parsed, from the first byte of a message; length: of the body that was found
        in it. Where that is not exactly what follows the first empty line, it is not kept.
        """
        end = data.find(_END) + len(_END)
        if end > LONGEST or len(data) - end != length:
            return
        if len(self._known) >= MOST:
            # Somebody's heads are never the same twice, and everybody else's are parsed once more.
            self._known.clear()
        said = {name: scope[name] for name in _SAID}
        self._known[data[:end]] = Head(said, tuple(scope["headers"]), length)
