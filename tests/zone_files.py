"""Time zone files with rules of a test's own making (TZif, RFC 8536)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path


def write_zone(folder: Path, name: str, first: int, *changes: tuple[int, int]) -> Path:
    """A zone that is `first` seconds east of UTC, and from each instant on so many.

    The folder is one that PYTHONTZPATH may name.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        _block(first, changes, wide=False) + _block(first, changes, wide=True) + b"\n\n"
    )
    return folder


def _block(first: int, changes: Sequence[tuple[int, int]], *, wide: bool) -> bytes:
    offsets = sorted(
        {first, *(east for _, east in changes)}, key=lambda east: (east != first, east)
    )
    counts = (0, 0, 0, len(changes), len(offsets), 4)
    return (
        struct.pack(">4s1s15x6I", b"TZif", b"2", *counts)
        + b"".join(struct.pack(">q" if wide else ">i", at) for at, _ in changes)
        + bytes(offsets.index(east) for _, east in changes)
        + b"".join(struct.pack(">iBB", east, 0, 0) for east in offsets)
        + b"TST\0"
    )


def transitions(path: Path) -> tuple[list[tuple[int, int]], bytes]:
    """What a file says: (instant, seconds east from then on) in order, and its rule for later."""
    told = path.read_bytes()
    offset, wide = _size(told, 0, 4), struct.Struct(">6I")
    _, _, _, times, types, _ = wide.unpack_from(told, offset + 20)
    at = offset + 44
    instants = struct.unpack_from(f">{times}q", told, at)
    kinds = told[at + 8 * times : at + 9 * times]
    easts = [struct.unpack_from(">i", told, at + 9 * times + 6 * n)[0] for n in range(types)]
    footer = told[_size(told, offset, 8) :].strip(b"\n")
    return [(when, easts[kind]) for when, kind in zip(instants, kinds, strict=True)], footer


def _size(told: bytes, offset: int, width: int) -> int:
    """Where the block that begins at `offset` ends."""
    utc, std, leap, times, types, letters = struct.unpack_from(">6I", told, offset + 20)
    body: int = times * (width + 1) + types * 6 + letters + leap * (width + 4) + std + utc
    return offset + 44 + body
