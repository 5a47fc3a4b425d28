"""What a process keeps of what it has read, up to a number; the oldest goes first."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(kept: dict[K, V], place: K, value: V, most: int) -> V:
    """Keep a value beside no more than `most` with it; the value.

    Several threads may keep and drop at once, so nobody relies on finding what was just put in.
    """
    for old in list(kept)[: max(len(kept) - most + 1, 0)]:
        kept.pop(old, None)
    kept[place] = value
    return value
