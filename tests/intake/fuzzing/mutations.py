"""How an input is changed: where it is JSON, a form or XML it stays so, most of the time.

Bytes that are changed anywhere are no JSON any more, and a reader says so in its first line. So a
value is put where another stood, members go and come, texts lose a character; and now and then
bytes change anywhere as well.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

# Changes bytes anywhere.
Bytes = Callable[[bytes], bytes]
# Numbers that no writer of JSON would write for us: they are put in as they stand.
_NUMBERS = (
    "1e-400", "1e-999999999", "1e308", "1E400", "-0", "-0.0", "0.1", "1.50", "123456789012.3456789",
    "9" * 20, "9" * 400, "-1", "1e2", "0.0000000000001",
)  # fmt: skip
_TEXTS = (
    "", " ", "0", "-1", "1e9", "NaN", "\u0000", "\n", "\ufeff", "\u202e", "\U0001f4de", "あい",
    "ß@X.JP", "+81 3-1234-0000", "sip:sato@example.com", "client:sato", "anonymous", "x" * 256,
    "y" * 10_001, "2026-12-01T09:00:00Z", "2026-12-01T09:00:00+0900", "2026-12-01T09:00:00",
    "2026-12-01", "2026-02-30", "9999-12-31T23:59:59-12:00", "1979-12-31", "0001-01-01T00:00:00Z",
    "9999-12-31", "2026-12-01T09:00:00.999999999Z", "2026-12-01T24:00:00Z", "true", "false", "null",
    "[]", "{}", "9" * 20, "9" * 400, "0.1", "1,000", "JPY", "USD", "KWD", "call", "deal", "meeting",
    "won", "lost", "open", "completed", "deleted", "Inbound", "outbound",
)  # fmt: skip
# Each kind of value as often as the others.
_ODD: tuple[tuple[Any, ...], ...] = (
    _TEXTS,
    (None, True, False),
    (0, -1, 1, 59, 10**9 + 1, 10**12, 10**15, 2**53 + 1, 2**63, 1796709601000, 1796709601,
     253402300800000),
    ([], [None], [[]], [{}], [1, 2], [""], ["a", 1]),
    ({}, {"": ""}, {"id": None}, {"value": []}),
)  # fmt: skip
_LARGEST = 64 * 1024
_LEFT_OPEN = re.compile(rb">[^<>]*<")
_FORM = re.compile(rb"[^&={}\[\]<>\s]+=[^{}<>]*", re.DOTALL)


def mutated(data: bytes, dice: random.Random, anywhere: Bytes) -> bytes:
    """An input, changed one to four times."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        data = _changed(data, dice, anywhere)
    return data[:_LARGEST]


def scattered(data: bytes, dice: random.Random) -> bytes:
    """Bytes with some of them changed, gone, or there once more."""
    if not data:
        return dice.randbytes(1)
    place = dice.randrange(len(data))
    length = min(dice.choice((1, 1, 2, 8, 64)), len(data) - place)
    piece = data[place : place + length]
    match dice.randrange(4):
        case 0:
            piece = dice.randbytes(length)
        case 1:
            piece = b""
        case 2:
            piece *= _times(dice)
        case _:
            piece = bytes(byte ^ (1 << dice.randrange(8)) for byte in piece)
    return data[:place] + piece + data[place + length :]


def _times(dice: random.Random) -> int:
    """Seldom as often as it may be: what takes time beyond proportion shows then."""
    return dice.choice((2, 3, 20)) if dice.random() < 0.95 else 1_000


def _changed(data: bytes, dice: random.Random, anywhere: Bytes) -> bytes:
    head, between, body = data.partition(b"\n\n")
    chance = dice.random()
    if chance < 0.05 or not between:
        return anywhere(data)
    if chance < 0.1:
        # The same body to another sample: other settings, another method.
        return bytes([dice.randrange(32)]) + data[1:]
    if chance < 0.25:
        return _head(head, dice, anywhere) + between + body
    if chance < 0.35:
        return head + between + anywhere(body)
    return head + between + _body(body, dice, anywhere)


def _head(head: bytes, dice: random.Random, anywhere: Bytes) -> bytes:
    """The query or a header with another value, or without it."""
    first, *lines = head.split(b"\n")
    if not lines or dice.random() < 0.4:
        query = _form(first[1:], dice) if dice.random() < 0.7 else anywhere(first[1:])
        return b"\n".join([first[:1] + query.replace(b"\n", b""), *lines])
    place = dice.randrange(len(lines))
    label, _, value = lines[place].partition(b": ")
    match dice.randrange(4):
        case 0:
            lines.pop(place)
        case 1:
            lines[place] = label + b": " + _latin(dice.choice(_TEXTS))
        case _:
            lines[place] = label + b": " + anywhere(value).replace(b"\n", b"")
    return b"\n".join([first, *lines])


def _latin(text: str) -> bytes:
    return text.replace("\n", " ").encode("latin-1", "replace")


def _body(body: bytes, dice: random.Random, anywhere: Bytes) -> bytes:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        if _FORM.fullmatch(body):
            return _form(body, dice)
        return _markup(body, dice) if b"<" in body else anywhere(body)
    return _json(document, dice)


def _json(document: Any, dice: random.Random) -> bytes:
    root = [document]
    holders = list(_holders(root))
    holder, place = dice.choice(holders)
    value = holder[place]
    match dice.randrange(8):
        case 0 | 1:
            holder[place] = dice.choice(dice.choice(_ODD))
        case 2:
            holder[place] = f"@@{dice.choice(_NUMBERS)}@@"
        case 3 if isinstance(holder, dict):
            del holder[place]
        case 3 if isinstance(holder, list) and holder is not root:
            holder.insert(place, value)
        case 4:
            other, there = dice.choice(holders)
            holder[place] = other[there]
        case 5 if isinstance(holder, dict):
            holder[dice.choice(_TEXTS)] = value
        case 6:
            holder[place] = [value] * _times(dice) if dice.random() < 0.5 else {"": value}
        case _:
            holder[place] = _like(value, dice)
    text = _dumped(root[0], dice)
    return re.sub(r'"@@([-+.0-9eE]+)@@"', r"\1", text).encode(errors="replace")[:_LARGEST]


def _dumped(document: Any, dice: random.Random) -> str:
    try:
        return json.dumps(document, ensure_ascii=dice.random() < 0.5)
    except (ValueError, RecursionError):  # a value that was put into itself
        return "{}"


def _holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document that something can be put into."""
    places = node.items() if isinstance(node, dict) else enumerate(node)
    for place, value in list(places):
        yield node, place
        if isinstance(value, dict | list):
            yield from _holders(value)


def _like(value: Any, dice: random.Random) -> Any:
    """A value that is nearly the same."""
    if isinstance(value, str):
        return _text(value, dice)
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return dice.choice((value + 1, -value, str(value), value * 1000, f"@@{value}.5@@"))
    return _text(json.dumps(value), dice)


def _text(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text) + 1)
    match dice.randrange(5):
        case 0:
            return text[:place] + text[place + 1 :]
        case 1:
            return text[:place] + dice.choice("0 9-:.TZ+/\u0000あé\U0001f4de,@") + text[place:]
        case 2:
            return text.swapcase()
        case 3:
            return text * _times(dice)
        case _:
            return text[:place]


def _form(body: bytes, dice: random.Random) -> bytes:
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True) or [("", "")]
    place = dice.randrange(len(pairs))
    label, value = pairs[place]
    match dice.randrange(5):
        case 0:
            pairs[place] = (label, dice.choice(_TEXTS))
        case 1:
            pairs.pop(place)
        case 2:
            pairs.append((label, dice.choice(pairs)[1]))
        case 3:
            pairs.append((dice.choice(_TEXTS), value))
        case _:
            pairs[place] = (label, _text(value, dice))
    return urlencode(pairs, errors="replace").encode()


def _markup(body: bytes, dice: random.Random) -> bytes:
    """Another text in an element."""
    places = list(_LEFT_OPEN.finditer(body))
    if not places:
        return scattered(body, dice)
    found = dice.choice(places)
    text = (
        dice.choice(_TEXTS)
        if dice.random() < 0.5
        else _text(found[0].decode("latin-1")[1:-1], dice)
    )
    inside = text.encode(errors="replace")
    return body[: found.start() + 1] + inside + body[found.end() - 1 :]
