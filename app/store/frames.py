"""Messages between the service and its recorder's process: length, then a pickled value.

Both ends are this program, on a socket pair that nobody else can open, so a pickle is as good as
a format of our own and is written and read in C.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from app.domain.deliveries import Delivery, ItemResult
from app.store.heads import Head

_LENGTH = struct.Struct("!I")

Numbered = tuple[int, Delivery]


class Opening(NamedTuple):
    """The first thing said: which database, and in which form to log."""

    url: str
    log_format: str


class Told(NamedTuple):
    """What became of some numbered deliveries, and what else a transaction has to tell.

    moved: the heads it moved; commits: of each, how many deliveries and how many seconds
    """

    results: Sequence[tuple[int, list[ItemResult]]]
    errors: Sequence[tuple[int, BaseException]]
    moved: Mapping[str, Head]
    commits: Sequence[tuple[int, float]]
    refusing: str | None


def framed(value: Sequence[Numbered] | Told | Opening) -> bytes:
    """A value as bytes."""
    body = pickle.dumps(value, 5)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Bytes that come in pieces, back into values."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, received: bytes) -> Iterator[object]:
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
