"""Pages of a collection: a limit and an opaque cursor, stable under inserts.

The cursor is the last key that was seen, not an offset: what is inserted before it moves nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from app.domain.errors import Fault, Invalid

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
# A place may hold a name of 255 characters, of four bytes each, and keys and numbers beside it;
# Base64 makes a third more of them.
LONGEST_CURSOR = 2048
_SEAL = 6

Item = TypeVar("Item")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What the caller asked for: `limit` items after `cursor`."""

    limit: int
    cursor: str | None

    def after(self, *collection: str) -> str | None:
        """The key to go on after, or None for the first page."""
        return None if self.cursor is None else key_of(self.cursor, *collection)


def _asked(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before.")
    ] = None,
) -> PageQuery:
    return PageQuery(limit, cursor)


Paged = Annotated[PageQuery, Depends(_asked)]


def cursor_of(key: str, *collection: str) -> str:
    """The cursor after a key of a collection; `collection` names it, workspace and filters too."""
    raw = _seal(key, collection) + key.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def key_of(cursor: str, *collection: str) -> str:
    """The key inside a cursor; Invalid `invalid_cursor` unless `cursor_of` made it for this one."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = raw[_SEAL:].decode()
    except (binascii.Error, ValueError):
        key = ""
    # No name has a NUL, and PostgreSQL takes no text that does.
    if "\0" in key or cursor != cursor_of(key, *collection):
        raise Invalid("invalid_cursor", Fault("", "invalid_cursor", {"parameter": "cursor"}))
    return key


def _seal(key: str, collection: Sequence[str]) -> bytes:
    """Binds a cursor to its collection: one from elsewhere is a mistake worth telling."""
    return hashlib.sha256("\0".join((*collection, key)).encode()).digest()[:_SEAL]


def page(
    items: Sequence[Item],
    query: PageQuery,
    *collection: str,
    key: Callable[[Item], str],
    show: Callable[[Item], Shown],
) -> dict[str, object]:
    """`{"items", "next"}` of what was read: ask for `limit + 1` items, so that the end shows."""
    more = len(items) > query.limit
    shown = items[: query.limit]
    return {
        "items": [show(item) for item in shown],
        "next": cursor_of(key(shown[-1]), *collection) if more else None,
    }
