"""A disk that loses its power: what it may hold then, from a record of what was written and synced.

What was synced is there. Of what came after, each sector is there or is not, whatever its order:
that is what a disk's cache and a file system's may do.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

_HEAD = struct.Struct("<cBQI")
_SECTOR = 512
_ENDS = ("", "-wal")


class Fate(Enum):
    """What becomes of what was not synced."""

    GONE = auto()
    KEPT = auto()
    SCATTERED = auto()


@dataclass
class _File:
    durable: bytearray
    pending: list[tuple[int, bytes, int, bytes]] = field(default_factory=list)

    def sync(self, began: int) -> None:
        """What was recorded before the sync began is on the disk for good."""
        while self.pending and self.pending[0][0] < began:
            _, kind, offset, data = self.pending.pop(0)
            _apply(self.durable, kind, offset, data)

    def after(self, fate: Fate, dice: random.Random) -> bytes:
        held = bytearray(self.durable)
        if fate is not Fate.GONE:
            for _, kind, offset, data in self.pending:
                for start in range(0, len(data), _SECTOR) if data else [0]:
                    if fate is Fate.KEPT or dice.random() < 0.5:
                        _apply(held, kind, offset + start, data[start : start + _SECTOR])
        return bytes(held)


def _apply(held: bytearray, kind: bytes, offset: int, data: bytes) -> None:
    end = offset if kind == b"T" else offset + len(data)
    held.extend(b"\0" * (end - len(held)))
    if kind == b"T":
        del held[offset:]
    else:
        held[offset:end] = data


@dataclass
class Disk:
    """As it is at one place of the record: the database and its log."""

    at: int
    files: tuple[_File, _File]

    def fails(self, folder: Path, fate: Fate, seed: int = 0) -> Path:
        """The power is gone; what is found in a folder afterwards. Its database."""
        folder.mkdir()
        database = folder / "tassei.sqlite3"
        for end, file in zip(_ENDS, self.files, strict=True):
            content = file.after(fate, random.Random(f"{seed}{end}"))
            Path(f"{database}{end}").write_bytes(content)
        return database


def copied(database: Path, record: Path) -> Disk:
    """The disk of a database that rests: all that was written is synced."""
    while True:
        at = record.stat().st_size
        database_, log = (_File(bytearray(Path(f"{database}{end}").read_bytes())) for end in _ENDS)
        time.sleep(0.1)
        if record.stat().st_size == at:
            return Disk(at, (database_, log))


def played(record: Path, disk: Disk, stops: Iterable[int]) -> Iterator[Disk]:
    """The disk as it was when the record was so long, for each of some lengths in their order."""
    told = record.read_bytes()
    for stop in stops:
        while disk.at < len(told):
            kind, file, offset, length = _HEAD.unpack_from(told, disk.at)
            data = told[disk.at + _HEAD.size : disk.at + _HEAD.size + length]
            if disk.at + _HEAD.size + length > stop:
                break
            if kind == b"S":
                disk.files[file].sync(offset)
            else:
                disk.files[file].pending.append((disk.at, kind, offset, data))
            disk.at += _HEAD.size + length
        yield disk
