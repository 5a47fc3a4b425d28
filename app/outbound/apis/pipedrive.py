"""Pipedrive API v2: deals and activities, by cursor in the order of their changes.

Deleted deals are listed only where they are asked for. Notifications carry the time at which they
were made and the objects that of their change, in whole seconds: of the same change the former is
the later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.instants import SECOND, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import found_in, instant_of, mapping
from app.outbound.api import Api, Ask, Credentials, Object, Page, Settings
from app.outbound.rates import Rate

BASE = "https://api.pipedrive.com"
_PAGE = 100
# The second listing of deals has a mark of its own.
DELETED = "deal:deleted"
_PATHS = {"deal": "deals", DELETED: "deals", "activity": "activities"}


def _base(settings: Settings) -> str:
    url = settings.get("api_url")
    return url if isinstance(url, str) else BASE


def _headers(credentials: Credentials, _access: str) -> Mapping[str, str]:
    return {"x-api-token": credentials["api_token"]}


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    return Ask("GET", f"/api/v2/{_PATHS[object_]}/{quote(id_, safe='')}")


def _page(object_: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    query = {
        "updated_since": written_instant(since - since % SECOND),
        "sort_by": "update_time",
        "sort_direction": "asc",
        "limit": str(_PAGE),
    }
    query |= {"status": "deleted"} if object_ == DELETED else {}
    query |= {"cursor": cursor} if cursor else {}
    return Ask("GET", f"/api/v2/{_PATHS[object_]}?{urlencode(query)}")


def _taken(_object: str, answer: RawValue) -> Object | None:
    return mapping(mapping(answer)["data"])


def _listed(_object: str, answer: RawValue, _since: int, _cursor: str | None) -> Page:
    told = mapping(answer)
    data = told["data"]
    found = found_in(data)
    beside = told.get("additional_data")
    cursor = mapping(beside).get("next_cursor") if beside else None
    return Page(found, cursor if isinstance(cursor, str) and cursor else None)


def _changed_at(_object: str, found: Object) -> int | None:
    return instant_of(str(found.get("update_time")).replace(" ", "T"))


API = Api(
    name="pipedrive",
    base=_base,
    required=("api_token",),
    headers=_headers,
    listings=lambda _settings: ("deal", DELETED, "activity"),
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # The strictest plan allows 20 calls in two seconds.
    rate=Rate(5, 10),
    pushes_later=True,
)
