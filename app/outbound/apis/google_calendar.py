"""Google Calendar API v3: the events of the calendars that a source names, by sync token.

A notification says that something changed in a calendar, and nothing else. Google keeps the place
up to which a calendar was read; where it has forgotten it (410), the calendar is read again, and of
that what did not change since the last time is left out. Instances of a series come one by one.
A channel ends after a week at most and cannot be renewed: another takes its place.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from app.domain.instants import DAY, SECOND, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import bearer, instant_of, mapping, refreshed
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

BASE = "https://www.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
KIND = "events"
# In which calendar an event was read: a copy of it is in everybody's.
CALENDAR = "calendar"
_PAGE = 250
_MILLISECOND = 1_000
# What ended before that is not followed.
_PAST = 31 * DAY
# Neither descriptions nor places nor documents: what is not needed is not asked for.
EVENT_FIELDS = (
    "id status created updated etag summary eventType organizer creator start originalStartTime "
    "recurringEventId"
).split()
_ATTENDEE_FIELDS = "attendees(email,organizer,resource,responseStatus)"
_EVENT = f"{','.join(EVENT_FIELDS)},{_ATTENDEE_FIELDS}"


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or BASE)


def _token(settings: Settings) -> str:
    return str(settings.get("token_url") or TOKEN_URL)


def _calendars(settings: Settings) -> tuple[str, ...]:
    calendars = settings.get("calendars")
    return calendars if isinstance(calendars, tuple) else ()


def _listings(settings: Settings) -> tuple[str, ...]:
    return tuple(f"{KIND}:{calendar}" for calendar in dict.fromkeys(_calendars(settings)))


def _events(calendar: str) -> str:
    return f"/calendar/v3/calendars/{quote(calendar, safe='')}/events"


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    query = urlencode({"fields": _EVENT})
    return Ask("GET", f"{_events(_calendar(object_))}/{quote(id_, safe='')}?{query}")


def _calendar(listing: str) -> str:
    return listing.partition(":")[2]


def _place(cursor: str | None) -> tuple[str | None, str | None]:
    """The sync token that a pass began with, and the page."""
    if cursor is None:
        return None, None
    sync, page = json.loads(cursor)
    return sync, page


def _page(object_: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    sync, page = _place(cursor)
    query = {
        "singleEvents": "true",
        "showDeleted": "true",
        "maxResults": str(_PAGE),
        "fields": f"items({_EVENT}),nextPageToken,nextSyncToken",
    }
    # A sync token stands for what it was given for; to say that again is an error.
    oldest = max(since - _PAST, 0)
    query |= {"syncToken": sync} if sync else {"timeMin": _written(oldest)}
    query |= {"pageToken": page} if page else {}
    return Ask("GET", f"{_events(_calendar(object_))}?{urlencode(query)}")


def _written(at: int) -> str:
    return written_instant(at - at % SECOND)


def _taken(object_: str, answer: RawValue) -> Object | None:
    return _found(object_, answer).value


def _listed(object_: str, answer: RawValue, since: int, cursor: str | None) -> Page:
    told, (sync, _) = mapping(answer), _place(cursor)
    events = told.get("items", [])
    if not isinstance(events, list):
        raise TypeError
    found = tuple(_found(object_, one) for one in events)
    if sync is None:
        found = tuple(one for one in found if _is_news(object_, one, since))
    page, following = told.get("nextPageToken"), told.get("nextSyncToken")
    if isinstance(page, str) and page:
        return Page(found, json.dumps([sync, page]))
    if not isinstance(following, str) or not following:
        raise TypeError
    return Page(found, None, json.dumps([following, None]))


def _is_news(object_: str, one: Found, since: int) -> bool:
    at = _changed_at(object_, one.value)
    return at is None or at >= since


def _found(object_: str, event: RawValue) -> Found:
    told = mapping(event)
    return Found(str(told["id"]), told | {CALENDAR: _calendar(object_)})


def _changed_at(_object: str, found: Object) -> int | None:
    return instant_of(found.get("updated"))


# Notifications.


def _opened(wish: Wish, _settings: Settings, credentials: Credentials) -> Ask:
    channel = {
        "id": wish.fresh,
        "type": "web_hook",
        "address": wish.url,
        "token": credentials["token"],
        "expiration": wish.until // _MILLISECOND,
    }
    return Ask("POST", f"{_events(wish.name)}/watch", json.dumps(channel).encode())


def _told(_wish: Wish, answer: RawValue) -> Channel:
    told = mapping(answer)
    ends = int(str(told["expiration"])) * _MILLISECOND
    return Channel(str(told["id"]), ends, str(told["resourceId"]))


def _closed(channel: Channel) -> Ask:
    told = {"id": channel.id, "resourceId": channel.resource}
    return Ask("POST", "/calendar/v3/channels/stop", json.dumps(told).encode())


API = Api(
    name="google_calendar",
    base=_base,
    required=("client_id", "client_secret", "refresh_token"),
    headers=bearer,
    listings=_listings,
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # 600 calls a minute for each user of a project.
    rate=Rate(8, 10),
    oauth=OAuth(_token, refreshed),
    channels=Channels(_calendars, 7 * DAY, _opened, _told, closed=_closed),
    # Google says with 403 as well as with 429 that it was asked too often.
    too_fast=(b"ateLimitExceeded", b"quotaExceeded"),
    names_only=True,
)
