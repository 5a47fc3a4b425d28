"""Aircall Public API: calls, page by page in the order in which they began.

Calls are listed by their begin and have no time of change: each pass begins some hours earlier, so
that a call is found which began then and has ended since. Of one listing no more than 10,000 calls
can be had, so a long pass begins it anew at the latest call it has seen. The link to the next page
only says that there is one: where it leads is not for an answer to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.instants import FLOOR, MINUTE, SECOND, instant
from app.domain.kinds import RawValue
from app.outbound.answers import basic, mapping
from app.outbound.api import Api, Ask, Credentials, Found, Object, Page, Settings
from app.outbound.rates import Rate

BASE = "https://api.aircall.io"
# A call that is longer is found by its events alone, or by reading the past.
LONGEST = 3 * 60 * MINUTE
_PAGE = 50
_PAGES = 10_000 // _PAGE
_LATEST = instant("9999-01-01T00:00:00Z") // SECOND
# Each of them lets whoever has the address hear the call; that there is one is all that counts.
_MEDIA = ("asset", "recording", "recording_short_url", "voicemail", "voicemail_short_url")


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or BASE)


def _headers(credentials: Credentials, _access: str) -> Mapping[str, str]:
    return basic(credentials["api_id"], credentials["api_token"])


def _one(_object: str, id_: str, _settings: Settings) -> Ask:
    return Ask("GET", f"/v1/calls/{quote(id_, safe='')}")


def _page(_object: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    number, begun = _place(since, cursor)
    query = {"from": str(begun), "order": "asc", "per_page": str(_PAGE), "page": str(number)}
    return Ask("GET", f"/v1/calls?{urlencode(query)}")


def _place(since: int, cursor: str | None) -> tuple[int, int]:
    """The page of a listing, and since when that one lists, in seconds."""
    if cursor is None:
        return 1, max(since - LONGEST, 0) // SECOND
    number, begun = json.loads(cursor)
    return int(number), int(begun)


def _taken(_object: str, answer: RawValue) -> Object | None:
    return _call(mapping(answer)["call"])


def _listed(_object: str, answer: RawValue, since: int, cursor: str | None) -> Page:
    told = mapping(answer)
    calls = told["calls"]
    if not isinstance(calls, list):
        raise TypeError
    found = tuple(Found(str(one["id"]), one) for one in map(_call, calls))
    if not found or not mapping(told["meta"]).get("next_page_link"):
        return Page(found, None)
    number, begun = _place(since, cursor)
    if number < _PAGES:
        return Page(found, json.dumps([number + 1, begun]))
    # What began in the very second of the last one comes once more, and is known then.
    later = _seconds(found[-1].value, "started_at")
    if later is None or later <= begun:
        raise ValueError("too many at once")
    return Page(found, json.dumps([1, later]))


def _changed_at(_object: str, found: Object) -> int | None:
    seconds = _seconds(found, "ended_at") or _seconds(found, "started_at")
    return None if seconds is None else seconds * SECOND


def _seconds(call: Object, label: str) -> int | None:
    value = call.get(label)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if FLOOR // SECOND <= value < _LATEST else None


def _call(value: RawValue) -> dict[str, RawValue]:
    call = mapping(value)
    return call | {label: "[redacted]" for label in _MEDIA if call.get(label)}


API = Api(
    name="aircall",
    base=_base,
    required=("api_id", "api_token"),
    headers=_headers,
    listings=lambda _settings: ("call",),
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # A company may ask 60 times a minute: half of it is left to others.
    rate=Rate(0.5, 10),
    # An event bears the moment at which it was made, and a call that of its end.
    pushes_later=True,
)
