"""Messages between the service and its recorder's process: length, then a pickled value.

Both ends are this program, on a socket pair that nobody else can open, so a pickle is as good as
a format of our own and is written and read in C.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.domain.activities import Report, Stamp
from app.domain.deliveries import Delivery, Item, ItemResult, Raw
from app.store.heads import Head

_LENGTH = struct.Struct("!I")

Numbered = tuple[int, Delivery]
Plain = tuple[Any, ...]


class Opening(NamedTuple):
    """The first thing said: which database, and in which form to log."""

    url: str
    log_format: str


class Told(NamedTuple):
    """What became of some numbered deliveries, and what else a transaction has to tell.

    plain: by outcome, those with one item of which nothing more is to be said; results: the others
    moved: the heads it moved; commits: of each, how many deliveries and how many seconds
    """

    plain: Mapping[str, Sequence[int]]
    results: Sequence[tuple[int, list[ItemResult]]]
    errors: Sequence[tuple[int, BaseException]]
    moved: Mapping[str, Head]
    commits: Sequence[tuple[int, float]]
    refusing: str | None


def flattened(number: int, delivery: Delivery) -> Plain:
    """A delivery as plain tuples, which are pickled in half the time."""
    items = [
        (*item[:2], *item.report[:2], *item.report[2], *item.report[3:]) for item in delivery.items
    ]
    raw = None if delivery.raw is None else tuple(delivery.raw)
    return (number, *delivery[:3], items, delivery.refused, raw, *delivery[6:])


def raised(plain: Plain) -> Numbered:
    """The inverse of `flattened`."""
    number, workspace, received_at, quarantines, items, refused, raw, *rest = plain
    read = tuple(
        Item(index, id_, Report(source, key, Stamp(revision, mapping, digest), *said))
        for index, id_, source, key, revision, mapping, digest, *said in items
    )
    kept = None if raw is None else Raw(*raw)
    return number, Delivery(workspace, received_at, quarantines, read, refused, kept, *rest)


def framed(value: Sequence[Plain] | Told | Opening) -> bytes:
    """A value as bytes."""
    body = pickle.dumps(value, 5)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Bytes that come in pieces, back into values."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, received: bytes | memoryview) -> Iterator[object]:
        """The values that are whole now."""
        self._buffer += received
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = self._buffer[_LENGTH.size : end]
            del self._buffer[:end]
            yield pickle.loads(body)  # noqa: S301 - by our own other half
