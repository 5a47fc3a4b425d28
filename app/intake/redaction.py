"""What of a request may be kept: everything but secrets.

Some providers put a secret where data stand: Aircall and Zoho a token into the body, Salesforce
its session, others one into the query. A provider names those places, and the functions here take
the values out before anything is stored or read, so that a replay reads the same as the receipt.
Behind them a net: wherever one of our own credentials still stands, in whatever spelling, it is
taken out as well; what is left then is for looking at, and is never read again.

Every function takes time in proportion to the text, whatever is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote_plus
from xml.sax.saxutils import escape

from app.intake.credentials import Credentials

REDACTED = "[redacted]"
_SHORTEST_REDACTED = 8
# A literal that never ends is taken to the end: to fail there would mean to try again from each
# of its escaped quotes.
_LITERAL = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_COLON = re.compile(rb"\s*:\s*")
_TAG = re.compile(rb"<(?:[\w.-]++:)?([\w.-]++)[^<>]*+>")


def redacted(content: str, credentials: Credentials) -> str:
    """Content that may be kept: without credentials, and without NUL, which no text column holds.

    Texts shorter than eight characters stay: they would tear holes into ordinary words.
    """
    for value in _long_enough(credentials):
        content = content.replace(value, REDACTED)
    if any(mark in content for mark in "\\%&"):
        content = redacted_bytes(content.encode(errors="replace"), credentials).decode()
    return content.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def redacted_bytes(body: bytes, credentials: Credentials) -> bytes:
    """A whole body that may be kept: the same bytes but for credentials in it.

    They are found as they are, inside JSON however it escapes them, and as forms and XML write
    them.
    """
    for value in _long_enough(credentials):
        for spelling in _spellings(value):
            body = body.replace(spelling, REDACTED.encode())
        if b"\\" in body:
            body = _LITERAL.sub(lambda found, v=value: _unescaped(found[0], v), body)  # type: ignore[misc] # a default binds the value
    return body


def _long_enough(credentials: Credentials) -> Iterator[str]:
    for values in credentials.values():
        yield from (value for value in values if len(value) >= _SHORTEST_REDACTED)


@lru_cache(maxsize=1_000)  # of the few secrets that are in use, for every request
def _spellings(value: str) -> frozenset[bytes]:
    texts = {value, quote(value, safe=""), quote_plus(value), quote(value), escape(value)}
    texts |= {escape(value, {'"': "&quot;", "'": "&apos;"})}
    texts |= {re.sub("%..", lambda found: found[0].lower(), text) for text in texts}
    return frozenset(text.encode(errors="replace") for text in texts)


def _unescaped(literal: bytes, value: str) -> bytes:
    text = _decoded(literal) if b"\\" in literal else None
    if text is None or value not in text:
        return literal
    return json.dumps(text.replace(value, REDACTED)).encode()


def _decoded(literal: bytes) -> str | None:
    """The text of a JSON string literal; None for what is none."""
    try:
        text: str = json.loads(literal)
    except ValueError:
        return None
    return text


def json_without(body: bytes, *names: str) -> bytes:
    """A JSON text without the texts of the members with these names, at any depth.

    Only these literals change: everything else keeps its bytes, and JSON stays JSON.
    """
    pieces: list[bytes] = []
    plain = {f'"{name}"'.encode() for name in names}
    done, secret, behind = 0, False, 0
    for found in _LITERAL.finditer(body):
        between = body[behind : found.start()]
        if secret and _COLON.fullmatch(between):
            pieces += [body[done : found.start()], f'"{REDACTED}"'.encode()]
            done, secret = found.end(), False
        else:
            literal = found[0]
            secret = literal in plain or (b"\\" in literal and _decoded(literal) in names)
        behind = found.end()
    return b"".join([*pieces, body[done:]])


def form_without(text: str, *names: str) -> str:
    """A form or a query without the values of these parameters."""
    return "&".join(_pair_without(pair, names) for pair in text.split("&"))


def _pair_without(pair: str, names: tuple[str, ...]) -> str:
    name, equals, _ = pair.partition("=")
    secret = equals and unquote_plus(name) in names
    return f"{name}={quote_plus(REDACTED)}" if secret else pair


def xml_without(body: bytes, *names: str) -> bytes:
    """An XML text without the contents of the elements with these local names."""
    pieces: list[bytes] = []
    done = 0
    for found in _TAG.finditer(body):
        name = found[1]
        if found.start() < done or name.decode() not in names or found[0].endswith(b"/>"):
            continue
        ending = re.compile(rb"</(?:[\w.-]+:)?" + re.escape(name) + rb"\s*>").search(
            body, found.end()
        )
        end = ending.start() if ending else len(body)
        pieces += [body[done : found.end()], REDACTED.encode()]
        done = end
    return b"".join([*pieces, body[done:]])
