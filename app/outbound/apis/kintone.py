"""kintone REST API: the records of the source's app, by the time of their last change.

That time has whole minutes only, and its field a code of the app's own language. There is no
cursor that lasts: a page goes on behind the time and the number of the last record, which no
insertion can shift. Deleted records are gone without a trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from app.domain.errors import Invalid
from app.domain.instants import MINUTE, instant, written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import mapping
from app.outbound.api import Api, Ask, Credentials, Found, Object, Page, Settings
from app.outbound.rates import Rate

_PAGE = 100
_UPDATED = "UPDATED_TIME"
# As a new app in Japanese has it.
_FIELD = "更新日時"


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or "")


def _headers(credentials: Credentials, _access: str) -> Mapping[str, str]:
    return {"x-cybozu-api-token": credentials["api_token"]}


def _listings(settings: Settings) -> tuple[str, ...]:
    return (str(settings.get("app_id")),)


def _one(object_: str, id_: str, _settings: Settings) -> Ask:
    return Ask("GET", f"/k/v1/record.json?{urlencode({'app': object_, 'id': id_})}")


def _page(object_: str, since: int, cursor: str | None, settings: Settings) -> Ask:
    field = settings.get("updated_field") or _FIELD
    if cursor is None:
        later = f'{field} >= "{written_instant(since - since % MINUTE)}"'
    else:
        at, number = json.loads(cursor)
        later = f'({field} > "{at}" or ({field} = "{at}" and $id > {int(number)}))'
    query = f"{later} order by {field} asc, $id asc limit {_PAGE}"
    return Ask("GET", f"/k/v1/records.json?{urlencode({'app': object_, 'query': query})}")


def _taken(_object: str, answer: RawValue) -> Object | None:
    return mapping(mapping(answer)["record"])


def _listed(object_: str, answer: RawValue, _since: int, _cursor: str | None) -> Page:
    records = mapping(answer)["records"]
    if not isinstance(records, list):
        raise TypeError
    found = tuple(Found(str(_value(one, "$id")), mapping(one)) for one in records)
    if len(found) < _PAGE:
        return Page(found, None)
    last = found[-1]
    at = _changed_at(object_, last.value)
    if at is None:
        raise ValueError
    return Page(found, json.dumps([written_instant(at), last.id]))


def _changed_at(_object: str, found: Object) -> int | None:
    """By the type of the field: its code is the customer's."""
    for field in found.values():
        if isinstance(field, dict) and field.get("type") == _UPDATED:
            try:
                return instant(str(field.get("value")))
            except Invalid:
                return None
    return None


def _value(record: RawValue, code: str) -> RawValue:
    return mapping(mapping(record)[code])["value"]


API = Api(
    name="kintone",
    base=_base,
    required=("api_token",),
    headers=_headers,
    listings=_listings,
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    # 10,000 calls a day for each app: a call every five minutes leaves nearly all to others.
    rate=Rate(2, 5),
)
