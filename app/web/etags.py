"""Entity tags: which copy a caller has (RFC 9110 8.8 and 13)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import Unreadable

# A list may hold empty elements: senders join lists without looking.
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_MEMBER = re.compile(_TAG)


def etag_of(*parts: str | int | bytes) -> str:
    """A strong tag of everything that decides the representation, in the given order."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(raw).to_bytes(8) + raw)
    return f'"{digest.hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """The value of If-Match or If-None-Match."""

    tags: frozenset[str]
    any: bool = False

    @property
    def plain(self) -> frozenset[str]:
        """The tags without their weakness, as If-None-Match compares them."""
        return frozenset(tag.removeprefix("W/") for tag in self.tags)

    def matches_weakly(self, current: str | None) -> bool:
        """The comparison of If-None-Match: weak or strong is the same."""
        return current is not None and (self.any or current.removeprefix("W/") in self.plain)


def condition(value: str | None) -> Condition | None:
    """Reads a header's value; None when it is absent, Unreadable when it is neither form."""
    if value is None:
        return None
    if value.strip() == "*":
        return Condition(frozenset(), any=True)
    if len(value) > 4096 or not _LIST.fullmatch(value):
        raise Unreadable("malformed_etag")
    return Condition(frozenset(_MEMBER.findall(value)))


def not_modified(headers: Mapping[str, str], current: str) -> bool:
    """Whether a GET may be answered with 304."""
    none_match = condition(headers.get("if-none-match"))
    return none_match is not None and none_match.matches_weakly(current)


def tagged(
    request: Request,
    etag: str,
    body: bytes,
    *,
    media_type: str = "application/json",
    vary: str = "Authorization, Accept-Language",
) -> Response:
    """The answer to a conditional GET. A 304 carries the headers that the 200 would have had."""
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": vary}
    if not_modified(request.headers, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
