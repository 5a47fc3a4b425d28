"""Pages of a collection: items, and an opaque text that says where the next page begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.domain.errors import Invalid
from app.domain.quantities import INT64

Item = TypeVar("Item")
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`next` is None on the last page."""

    items: list[Item]
    next: str | None


def place_of(cursor: str | None, start: Place) -> Place:
    """Where a cursor points; `start` without one. Raises Invalid for a text not made by `cut`."""
    if cursor is None:
        return start
    try:
        place = json.loads(cursor)
    except (ValueError, RecursionError):
        raise Invalid("invalid_cursor") from None
    if not isinstance(place, list) or [type(v) for v in place] != [type(v) for v in start]:
        raise Invalid("invalid_cursor")
    if not all(map(_comparable, place)):
        raise Invalid("invalid_cursor")
    return tuple(place)


def _comparable(value: str | int) -> bool:
    """Whether the engine can take it: JSON also writes what no column holds."""
    if isinstance(value, int):
        return abs(value) <= INT64
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)


def cut(
    rows: Sequence[Any], limit: int, item: Callable[[Any], Item], place: Callable[[Any], Place]
) -> Page[Item]:
    """A page of `limit` items from one row more than that, which tells whether there is a next."""
    kept = rows[:limit]
    more = len(rows) > limit
    return Page(
        [item(row) for row in kept],
        json.dumps(place(kept[-1]), ensure_ascii=False) if more else None,
    )
