"""Close API v1: opportunities by the time of their change, and the event log of the last 30 days.

Calls and meetings can be listed by when they were created only, which says nothing of what became
of them, and nothing lists what was deleted: of these the log is read, whose entries are those that
are pushed. It is filtered by object and action together, as Close allows it, and tells the latest
first; behind a cursor it knows no time, so the pass ends here where it is older than it has to be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.errors import Invalid
from app.domain.instants import SECOND, instant, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import basic, found_in, mapping
from app.outbound.api import Api, Ask, Credentials, Found, Object, Page, Settings
from app.outbound.rates import Rate

BASE = "https://api.close.com"
_PAGE = 50
_DEAL = "opportunity"
# What may say of an object what it has come to. That a call was answered is said at its end again.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    _DEAL: ("deleted",),
    "activity.call": ("created", "updated", "completed", "deleted"),
    "activity.meeting": (
        "created",
        "updated",
        "scheduled",
        "started",
        "completed",
        "canceled",
        "deleted",
    ),
}
LISTINGS = (
    _DEAL,
    *(f"{object_}:{action}" for object_, actions in _ACTIONS.items() for action in actions),
)


def _base(settings: Settings) -> str:
    url = settings.get("api_url")
    return url if isinstance(url, str) else BASE


def _headers(credentials: Credentials, _access: str) -> Mapping[str, str]:
    """The key is the user, and there is no password."""
    return basic(credentials["api_key"], "")


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    return Ask("GET", f"/api/v1/{object_.replace('.', '/')}/{quote(id_, safe='')}/")


def _page(listing: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    object_, _, action = listing.partition(":")
    if action:
        chosen = {"object_type": object_, "action": action, "_limit": str(_PAGE)}
        chosen |= {"_cursor": cursor} if cursor else {"date_updated__gte": _written(since)}
        return Ask("GET", f"/api/v1/event/?{urlencode(chosen)}")
    begun, skipped = _place(since, cursor)
    query = {
        "date_updated__gte": _written(begun),
        "_order_by": "date_updated",
        "_skip": str(skipped),
        "_limit": str(_PAGE),
    }
    return Ask("GET", f"/api/v1/{object_}/?{urlencode(query)}")


def _written(at: int) -> str:
    return written_instant(at - at % SECOND)


def _place(since: int, cursor: str | None) -> tuple[int, int]:
    """Since when a page of opportunities asks, and how many it leaves out."""
    if cursor is None:
        return since, 0
    begun, skipped = json.loads(cursor)
    return int(begun), int(skipped)


def _taken(_object: str, answer: RawValue) -> Object | None:
    found = mapping(answer)
    return found if "id" in found else None


def _listed(listing: str, answer: RawValue, since: int, cursor: str | None) -> Page:
    told = mapping(answer)
    if ":" not in listing:
        found = found_in(told["data"])
        more = told["has_more"] is True and bool(found)
        return Page(found, _behind(listing, found, _place(since, cursor)) if more else None)
    # The oldest first, so that of one object the latest entry of the page is what stands.
    log = found_in(told["data"], "object_id")[::-1]
    onward = told["cursor_next"]
    oldest = _changed_at(listing, log[0].value) if log else None
    ended = oldest is not None and oldest < since - since % SECOND
    return Page(log, onward if isinstance(onward, str) and onward and not ended else None)


def _behind(listing: str, found: tuple[Found, ...], place: tuple[int, int]) -> str:
    """Where the next page begins: at the time of the last one, which then comes once more.

    By numbers alone a change in between would move the others up, and one of them out of sight.
    """
    begun, skipped = place
    at = _changed_at(listing, found[-1].value)
    if at is None:
        raise ValueError
    further = at - at % SECOND > begun - begun % SECOND
    return json.dumps([at, 0] if further else [begun, skipped + len(found)])


def _changed_at(_listing: str, found: Object) -> int | None:
    # Times of the log have no offset, and are UTC.
    text = str(found.get("date_updated"))
    for written in (text, f"{text}Z"):
        try:
            return instant(written)
        except Invalid:
            continue
    return None


API = Api(
    name="close",
    base=_base,
    required=("api_key",),
    headers=_headers,
    listings=lambda _settings: LISTINGS,
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # Each group of addresses says for itself how much a key may ask; the documentation speaks of
    # 20 calls a second.
    rate=Rate(10, 20),
)
