"""RingCentral: the company's call log, page by page, the latest call first, and its notifications.

Calls are listed by their begin, and appear when they are over: each pass begins some hours earlier,
so that a call is found which began then and has ended since. What comes in between moves calls to
later pages, so one can be seen twice and none is passed over. Where the link to the next page
leads is not for an answer to say. The JWT credential never ends by itself; each access token that
it gives lasts an hour and is asked for anew, without the refresh token, which is good for once.

A subscription to notifications ends by itself. It is also suspended for good, without a word, when
too many of them were not taken: that is seen when it is renewed, so it is, every few hours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from app.domain.instants import MINUTE, SECOND, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import basic, bearer, ends_at, found_in, instant_of, mapping, token_asked
from app.outbound.api import (
    Api,
    Ask,
    Channel,
    Channels,
    Credentials,
    OAuth,
    Object,
    Page,
    Settings,
    Wish,
)
from app.outbound.rates import Rate

BASE = "https://platform.ringcentral.com"
CALLS = "call-log"
# A call that is longer is found by its events alone, or by reading the past.
LONGEST = 3 * 60 * MINUTE
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SUBSCRIPTIONS = "/restapi/v1.0/subscription"
# Parts of it would be a filter: a call is read from all of its events.
_EVENTS = "/restapi/v1.0/account/~/telephony/sessions"
# It might last for years; but whether it was suspended is seen at half of this.
_LASTS = 6 * 60 * MINUTE
_PATH = "/restapi/v1.0/account/~/call-log"
# Detailed records are some kilobytes each; more to a page would leave the bounds of an answer.
_PAGE = 100


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or BASE)


def _token(settings: Settings) -> str:
    return f"{_base(settings)}/restapi/oauth/token"


def _renew(credentials: Credentials, _refresh: str) -> Ask:
    return token_asked(_GRANT, assertion=credentials["jwt"])


def _proof(credentials: Credentials) -> Mapping[str, str]:
    return basic(credentials["client_id"], credentials["client_secret"])


def _one(_object: str, id_: str, _settings: Settings) -> Ask:
    return Ask("GET", f"{_PATH}/{quote(id_, safe='')}?view=Detailed")


def _page(_object: str, since: int, cursor: str | None, _settings: Settings) -> Ask:
    begun = max(since - LONGEST, 0)
    query = {
        "view": "Detailed",
        "dateFrom": written_instant(begun - begun % SECOND),
        "perPage": str(_PAGE),
        "page": str(_number(cursor)),
    }
    return Ask("GET", f"{_PATH}?{urlencode(query)}")


def _number(cursor: str | None) -> int:
    return 1 if cursor is None else int(cursor)


def _taken(_object: str, answer: RawValue) -> Object | None:
    return mapping(answer)


def _listed(_object: str, answer: RawValue, _since: int, cursor: str | None) -> Page:
    told = mapping(answer)
    records = told["records"]
    found = found_in(records)
    more = mapping(told["navigation"]).get("nextPage")
    return Page(found, str(_number(cursor) + 1) if found and more else None)


def _changed_at(_object: str, found: Object) -> int | None:
    return instant_of(found.get("lastModifiedTime"))


# Notifications.


def _opened(wish: Wish, _settings: Settings, credentials: Credentials) -> Ask:
    delivery = {
        "transportType": "WebHook",
        "address": wish.url,
        "verificationToken": credentials["verification_token"],
    }
    asked = {
        "eventFilters": [_EVENTS],
        "deliveryMode": delivery,
        "expiresIn": _LASTS // SECOND,
    }
    return Ask("POST", _SUBSCRIPTIONS, json.dumps(asked).encode())


def _renewed(_wish: Wish, channel: Channel, _settings: Settings, _credentials: Credentials) -> Ask:
    return Ask("POST", f"{_SUBSCRIPTIONS}/{quote(channel.id, safe='')}/renew")


def _told(_wish: Wish, answer: RawValue) -> Channel:
    told = mapping(answer)
    if told["status"] != "Active":
        raise ValueError("suspended")
    return Channel(str(told["id"]), ends_at(told["expirationTime"]))


def _closed(channel: Channel) -> Ask:
    return Ask("DELETE", f"{_SUBSCRIPTIONS}/{quote(channel.id, safe='')}")


API = Api(
    name="ringcentral",
    base=_base,
    required=("client_id", "client_secret", "jwt"),
    headers=bearer,
    listings=lambda _settings: (CALLS,),
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # The call log is of the group that may be asked ten times a minute: some of it is left.
    rate=Rate(0.1, 3),
    oauth=OAuth(_token, _renew, _proof),
    channels=Channels(
        names=lambda _settings: ("telephony",),
        lasts=_LASTS,
        opened=_opened,
        told=_told,
        renewed=_renewed,
        closed=_closed,
    ),
)
