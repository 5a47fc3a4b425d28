"""Zoho CRM API v8: the records that notifications name, what changed, what was deleted.

Access ends after an hour and is renewed at the accounts server of the data center. Records are
read in the order of their change, whose time has whole seconds: a page goes on behind the time of
its last record, so that a record that moves to the end meanwhile pushes no other out of sight, and
by Zoho's own cursor only within one second. Deleted records are listed apart, for as long as Zoho
remembers them. Notifications of a channel end within a day unless it is renewed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.instants import MINUTE, SECOND, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import ends_at, found_in, instant_of, mapping, refreshed
from app.outbound.api import (
    Api,
    Ask,
    Channel,
    Channels,
    Credentials,
    Found,
    OAuth,
    Object,
    Page,
    Settings,
    Wish,
)
from app.outbound.rates import Rate

_VERSION = "/crm/v8"
_PAGE = 200
_DELETED = "deleted"
# Zoho's documents name a day as the most in some places, and a week in others.
_LASTS = 23 * 60 * MINUTE
# Where the records of an account are, and who gives access to them.
DATA_CENTERS: Mapping[str, tuple[str, str]] = {
    "us": ("https://www.zohoapis.com", "https://accounts.zoho.com"),
    "eu": ("https://www.zohoapis.eu", "https://accounts.zoho.eu"),
    "in": ("https://www.zohoapis.in", "https://accounts.zoho.in"),
    "au": ("https://www.zohoapis.com.au", "https://accounts.zoho.com.au"),
    "jp": ("https://www.zohoapis.jp", "https://accounts.zoho.jp"),
    "ca": ("https://www.zohoapis.ca", "https://accounts.zohocloud.ca"),
    "cn": ("https://www.zohoapis.com.cn", "https://accounts.zoho.com.cn"),
    "sa": ("https://www.zohoapis.sa", "https://accounts.zoho.sa"),
}
_ALWAYS = "Created_Time Modified_Time Owner"
# The fields that the reader of records wants of each module.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Deals": tuple(f"{_ALWAYS} Stage Amount Currency Closing_Date".split()),
    "Calls": tuple(
        f"{_ALWAYS} Call_Type Call_Result Call_Start_Time Call_Duration Call_Duration_in_seconds "
        "Outgoing_Call_Status".split()
    ),
    "Events": tuple(f"{_ALWAYS} Start_DateTime Created_By".split()),
    "Leads": tuple(f"{_ALWAYS} Lead_Status".split()),
}


def _center(settings: Settings) -> tuple[str, str]:
    return DATA_CENTERS.get(str(settings.get("data_center")), DATA_CENTERS["us"])


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or _center(settings)[0])


def _token(settings: Settings) -> str:
    return f"{settings.get('accounts_url') or _center(settings)[1]}/oauth/v2/token"


def _headers(_credentials: Credentials, access: str) -> Mapping[str, str]:
    return {"authorization": f"Zoho-oauthtoken {access}"}


def _listings(_settings: Settings) -> tuple[str, ...]:
    return (*FIELDS, *(f"{module}:{_DELETED}" for module in FIELDS))


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    query = urlencode(_fields(object_))
    return Ask("GET", f"{_VERSION}/{quote(object_, safe='')}/{quote(id_, safe='')}?{query}")


def _archived(object_: str, _id: str, _settings: Settings) -> Ask:
    """The records that were deleted last, for none of them can be had by its id."""
    query = urlencode({"type": "all", "per_page": str(_PAGE)})
    return Ask("GET", f"{_VERSION}/{quote(object_, safe='')}/{_DELETED}?{query}")


def _fields(module: str) -> dict[str, str]:
    asked = {"fields": ",".join(FIELDS.get(module, ()))}
    # A lead that was converted is left out unless it is asked for.
    return asked | ({"converted": "both"} if module == "Leads" else {})


def _place(since: int, cursor: str | None) -> tuple[int, str | None]:
    """Since when a page is asked for, and where it is among what there is since then.

    A second earlier than asked: whether that very second is included, Zoho does not say.
    """
    if cursor is None:
        return since - since % SECOND - SECOND, None
    begun, token = json.loads(cursor)
    return int(begun), token


def _page(object_: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    module, _, deleted = object_.partition(":")
    begun, token = _place(since, cursor)
    query = {"per_page": str(_PAGE)}
    if deleted:
        query |= {"type": "all", "page": token or "1"}
        place = f"{_VERSION}/{module}/{_DELETED}"
    else:
        query |= _fields(module) | {"sort_by": "Modified_Time", "sort_order": "asc"}
        query |= {"page_token": token} if token else {}
        place = f"{_VERSION}/{module}"
    headers = {"if-modified-since": _written(begun)}
    return Ask("GET", f"{place}?{urlencode(query)}", headers=headers)


def _written(at: int) -> str:
    """An instant as Zoho writes it, in whole seconds and with an offset."""
    return written_instant(at - at % SECOND).removesuffix("Z") + "+00:00"


def _taken(_object: str, answer: RawValue) -> Object | None:
    records = _records(answer)
    return records[0].value if records else None


def _archived_taken(_object: str, id_: str, answer: RawValue) -> Object | None:
    return next((one.value for one in _records(answer) if one.id == id_), None)


def _listed(object_: str, answer: RawValue, since: int, cursor: str | None) -> Page:
    if answer is None:
        return Page((), None)
    found, info = _records(answer), mapping(mapping(answer)["info"])
    if info.get("more_records") is not True or not found:
        return Page(found, None)
    begun, token = _place(since, cursor)
    if object_.endswith(f":{_DELETED}"):
        return Page(found, json.dumps([begun, str(int(token or "1") + 1)]))
    later = _behind(object_, found)
    if later is not None and later > begun:
        return Page(found, json.dumps([later, None]))
    following = info["next_page_token"]
    if not isinstance(following, str):
        raise TypeError
    return Page(found, json.dumps([begun, following]))


def _behind(object_: str, found: tuple[Found, ...]) -> int | None:
    """Since when the rest of a listing changed; None where it is not in the order of changes."""
    times = [_changed_at(object_, one.value) for one in found]
    known = [at for at in times if at is not None]
    ordered = len(known) == len(times) and known == sorted(known)
    return known[-1] - SECOND if ordered else None


def _records(answer: RawValue) -> tuple[Found, ...]:
    return found_in(mapping(answer)["data"])


def _changed_at(_object: str, found: Object) -> int | None:
    return instant_of(found.get("deleted_time") or found.get("Modified_Time"))


# Notifications.


def _opened(wish: Wish, _settings: Settings, credentials: Credentials) -> Ask:
    # Zoho has its channels named by whoever opens them, with a number.
    number = int(hashlib.sha256(wish.fresh.encode()).hexdigest()[:12], 16)
    return _watch("POST", str(number), wish, credentials)


def _renewed(wish: Wish, channel: Channel, _settings: Settings, credentials: Credentials) -> Ask:
    return _watch("PATCH", channel.id, wish, credentials)


def _watch(method: str, id_: str, wish: Wish, credentials: Credentials) -> Ask:
    channel = {
        "channel_id": id_,
        "events": [f"{module}.all" for module in FIELDS],
        "channel_expiry": _written(wish.until),
        "token": credentials["token"],
        "notify_url": wish.url,
    }
    return Ask(method, f"{_VERSION}/actions/watch", json.dumps({"watch": [channel]}).encode())


def _told(wish: Wish, answer: RawValue) -> Channel:
    watch = mapping(answer)["watch"]
    told = mapping(watch[0]) if isinstance(watch, list) else {}
    events = mapping(told["details"])["events"]
    if told["status"] != "success" or not isinstance(events, list):
        raise ValueError
    open_ = [mapping(one) for one in events]
    # Where it does not say when one ends, it ends as it was asked to.
    said = [one.get("channel_expiry") for one in open_]
    ends = [wish.until if end is None else ends_at(end) for end in said]
    return Channel(str(open_[0]["channel_id"]), min(ends))


def _closed(channel: Channel) -> Ask:
    query = urlencode({"channel_ids": channel.id})
    return Ask("DELETE", f"{_VERSION}/actions/watch?{query}")


API = Api(
    name="zoho",
    base=_base,
    required=("client_id", "client_secret", "refresh_token"),
    headers=_headers,
    listings=_listings,
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # What is limited is calls at once, and calls a day: of the 5,000 of the smallest edition,
    # reading through takes less than half.
    rate=Rate(5, 10),
    oauth=OAuth(_token, refreshed),
    # Of a deletion the notification bears the moment at which it was sent.
    pushes_later=True,
    archived=_archived,
    archived_taken=_archived_taken,
    nothing=frozenset({204, 304}),
    channels=Channels(
        lambda _settings: ("notifications",), _LASTS, _opened, _told, _renewed, _closed
    ),
)
