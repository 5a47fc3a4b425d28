"""The body of a request: received within limits of size and time, and unpacked."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from app.domain.errors import TooLarge, TooSlow, Unreadable, UnsupportedMedia


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much (after unpacking), for how long."""

    size: int = 1024 * 1024
    seconds: int = 15


LIMITS = BodyLimits()
# In the extensions of a scope whose body was there before anything ran: a deadline costs more
# than reading it.
WHOLE = "tassei.whole"
# Likewise, the listener's protocol: what an answer may ask of its connection.
CONNECTION = "tassei.connection"


def header(scope: Scope, name: bytes) -> bytes:
    """A header's values as one list; empty when it is absent."""
    found = b""
    for key, value in scope["headers"]:
        if key == name:
            found = found + b", " + value if found else value
    return found


async def received(scope: Scope, receive: Receive, limits: BodyLimits = LIMITS) -> bytes:
    """The whole body, unpacked. TooLarge before it is read where its length says so."""
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > limits.size:
        raise TooLarge("body_too_large", limit=limits.size)
    encoding = header(scope, b"content-encoding").strip().lower()
    if encoding not in (b"", b"identity", b"gzip", b"x-gzip"):
        raise UnsupportedMedia("unsupported_encoding")
    body = await (_collected if is_whole(scope) else _timely)(receive, limits)
    if not encoding:
        return body
    _describe_as_plain(scope)
    body = inflated(body, limits.size) if encoding.endswith(b"gzip") else body
    scope["headers"].append((b"content-length", str(len(body)).encode()))
    return body


def _describe_as_plain(scope: Scope) -> None:
    """What follows reads the unpacked body, and headers that say so."""
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in gone]


def has_body(scope: Scope) -> bool:
    """Whether the head announces a body (RFC 9112 6.3)."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" and value:
            return True
        if name == b"content-length" and value not in (b"", b"0"):
            return True
    return False


def is_whole(scope: Scope) -> bool:
    """Whether the listener already has the whole body, so that nothing is to be waited for."""
    return WHOLE in scope.get("extensions", ())


async def _timely(receive: Receive, limits: BodyLimits) -> bytes:
    try:
        async with asyncio.timeout(limits.seconds):
            return await _collected(receive, limits)
    except TimeoutError:
        raise TooSlow("body_too_slow", seconds=limits.seconds) from None


async def _collected(receive: Receive, limits: BodyLimits) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        total += len(chunks[-1])
        if total > limits.size:
            raise TooLarge("body_too_large", limit=limits.size)
        if not message.get("more_body", False):
            return b"".join(chunks)


def inflated(packed: bytes, size: int) -> bytes:
    """Unpacks gzip of one or more members; what counts is the size that comes out."""
    plain = b""
    while packed:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            plain += member.decompress(packed, size + 1 - len(plain))
        except zlib.error:
            raise Unreadable("not_gzip") from None
        if len(plain) > size:
            raise TooLarge("body_too_large", limit=size)
        if not member.eof:
            raise Unreadable("not_gzip")
        packed = member.unused_data
    return plain
