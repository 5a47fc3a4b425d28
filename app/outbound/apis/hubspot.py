"""HubSpot CRM API v3: the objects that notifications name, and a search by their last change.

A search pages by numbers and reaches 10,000 objects at most: each page begins it anew at the latest
change that was seen, so that an object that moves to the end meanwhile pushes no other out of
sight, and only within one millisecond goes on by HubSpot's own number. It does not find archived
objects: of those the notifications tell, and an object that was named is looked for among them too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.kinds import RawValue
from app.outbound.answers import found_in, instant_of, mapping
from app.outbound.api import Api, Ask, Credentials, Object, Page, Settings
from app.outbound.rates import Rate

BASE = "https://api.hubapi.com"
_PAGE = 100
_MOST = 9_900
_MILLISECOND = 1_000
# The properties that the reader of the notifications wants of each object.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "contacts": ("createdate", "hs_lead_status", "hubspot_owner_id"),
    "deals": tuple(
        "amount closedate createdate deal_currency_code dealstage dealtype hs_is_closed "
        "hs_is_closed_won hubspot_owner_id".split()
    ),
    "meetings": tuple(
        "hs_createdate hs_meeting_outcome hs_meeting_start_time hs_timestamp "
        "hubspot_owner_id".split()
    ),
    "calls": tuple(
        "hs_call_direction hs_call_disposition hs_call_duration hs_call_from_number "
        "hs_call_status hs_call_to_number hs_timestamp hubspot_owner_id".split()
    ),
}


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or BASE)


def _headers(credentials: Credentials, _access: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {credentials['access_token']}"}


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    return _read(object_, id_, archived="false")


def _archived(object_: str, id_: str, _settings: Settings) -> Ask:
    return _read(object_, id_, archived="true")


def _read(object_: str, id_: str, *, archived: str) -> Ask:
    query = {"properties": ",".join(PROPERTIES.get(object_, ())), "archived": archived}
    place = f"/crm/v3/objects/{quote(object_, safe='')}/{quote(id_, safe='')}"
    return Ask("GET", f"{place}?{urlencode(query)}")


def _page(object_: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    after, begun = _place(since, cursor)
    changed = _changed(object_)
    later = {"propertyName": changed, "operator": "GTE", "value": str(begun)}
    asked = {
        "filterGroups": [{"filters": [later]}],
        "sorts": [{"propertyName": changed, "direction": "ASCENDING"}],
        "properties": [*PROPERTIES[object_], changed],
        "limit": _PAGE,
    }
    asked |= {"after": after} if after else {}
    return Ask("POST", f"/crm/v3/objects/{object_}/search", json.dumps(asked).encode())


def _taken(_object: str, answer: RawValue) -> Object | None:
    found = mapping(answer)
    return found if "id" in found else None


def _place(since: int, cursor: str | None) -> tuple[str | None, int]:
    """How far into a search a page is, and since when that one searches, in milliseconds."""
    if cursor is None:
        return None, since // _MILLISECOND
    after, begun = json.loads(cursor)
    return after, int(begun)


def _listed(object_: str, answer: RawValue, since: int, cursor: str | None) -> Page:
    told = mapping(answer)
    results = told["results"]
    found = found_in(results)
    paging = told.get("paging")
    after = str(mapping(mapping(paging)["next"])["after"]) if paging else None
    if after is None or not found:
        return Page(found, None)
    begun = _place(since, cursor)[1]
    # What has the very time of the last one comes once more, and is known then.
    at = _changed_at(object_, found[-1].value)
    later = begun if at is None else at // _MILLISECOND
    if later > begun:
        return Page(found, json.dumps([None, later]))
    if int(after) >= _MOST:
        raise ValueError("too many at once")
    return Page(found, json.dumps([after, begun]))


def _changed(object_: str) -> str:
    """The property by which a search knows the last change of an object."""
    return "lastmodifieddate" if object_ == "contacts" else "hs_lastmodifieddate"


def _changed_at(object_: str, found: Object) -> int | None:
    """By what a search is sorted by: `updatedAt` beside it need not be the same time."""
    properties = found.get("properties")
    searched = properties.get(_changed(object_)) if isinstance(properties, dict) else None
    return instant_of(searched or found.get("updatedAt"))


API = Api(
    name="hubspot",
    base=_base,
    required=("access_token",),
    headers=_headers,
    listings=lambda _settings: tuple(PROPERTIES),
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # A search may be made five times a second in an account.
    rate=Rate(4, 4),
    archived=_archived,
)
