"""Salesforce REST API: opportunities, tasks, events, leads by SystemModstamp, also deleted ones.

A connected app proves itself by the client credentials flow, at the organization's own address. A
page goes on behind the stamp and the id of its last record: many records of one import have the
same stamp.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from app.domain.instants import written_instant
from app.domain.kinds import RawValue
from app.outbound.answers import bearer, instant_of, token_asked
from app.outbound.api import Api, Ask, Credentials, Found, OAuth, Object, Page, Settings
from app.outbound.rates import Rate

_VERSION = "v62.0"
_PAGE = 200
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$", re.ASCII)
_ALWAYS = "Id SystemModstamp IsDeleted OwnerId CreatedDate"
# The fields that the reader of the events wants of each object.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Opportunity": tuple(
        f"{_ALWAYS} StageName IsWon IsClosed Amount CloseDate LastStageChangeDate Type".split()
    ),
    "Task": tuple(
        f"{_ALWAYS} TaskSubtype Type Status CallType CallDisposition CallDurationInSeconds "
        "CompletedDateTime ActivityDate".split()
    ),
    "Event": tuple(
        f"{_ALWAYS} IsChild IsRecurrence IsAllDayEvent StartDateTime ActivityDate "
        "CreatedById".split()
    ),
    "Lead": tuple(f"{_ALWAYS} Status".split()),
}


def _base(settings: Settings) -> str:
    return str(settings.get("api_url") or "")


def _token(settings: Settings) -> str:
    return f"{_base(settings)}/services/oauth2/token"


def _renew(credentials: Credentials, _refresh: str) -> Ask:
    named = {name: credentials[name] for name in ("client_id", "client_secret")}
    return token_asked("client_credentials", **named)


def _one(object_: str, id_: str, settings: Settings) -> Ask:
    # Not by its address: that one does not show a record in the recycle bin.
    id_ = id_ if _ID.fullmatch(id_) else "0" * 15
    return _query(object_, f"Id = '{id_}'", settings)


def _page(object_: str, since: int, cursor: str | None, settings: Settings) -> Ask:
    if cursor is None:
        return _query(object_, f"SystemModstamp >= {_literal(since)}", settings)
    at, id_ = json.loads(cursor)
    stamp = _literal(int(at))
    behind = f"SystemModstamp = {stamp} AND Id > '{id_}'"
    return _query(object_, f"SystemModstamp > {stamp} OR ({behind})", settings)


def _query(object_: str, which: str, settings: Settings) -> Ask:
    fields = [*FIELDS[object_], *_own_fields(object_, settings)]
    query = (
        f"SELECT {', '.join(fields)} FROM {object_} WHERE {which} "  # noqa: S608 - all of it is ours
        f"ORDER BY SystemModstamp, Id LIMIT {_PAGE}"
    )
    return Ask("GET", f"/services/data/{_VERSION}/queryAll?{urlencode({'q': query})}")


def _own_fields(object_: str, settings: Settings) -> list[str]:
    """What not every organization has: its own word for a meeting's end, several currencies."""
    if object_ == "Opportunity":
        return ["CurrencyIsoCode"] if settings.get("several_currencies") is True else []
    field = str(settings.get("meeting_status_field") or "")
    return [field] if object_ == "Event" and _FIELD.fullmatch(field) else []


def _literal(at: int) -> str:
    """An instant as SOQL writes it, in milliseconds."""
    whole = written_instant(at - at % 1_000_000).removesuffix("Z")
    return f"{whole}.{at // 1000 % 1000:03d}Z"


def _taken(_object: str, answer: RawValue) -> Object | None:
    records = _records(answer)
    return records[0].value if records else None


def _listed(object_: str, answer: RawValue, _since: int, _cursor: str | None) -> Page:
    found = _records(answer)
    if len(found) < _PAGE:
        return Page(found, None)
    last = found[-1]
    at = _changed_at(object_, last.value)
    if at is None or not _ID.fullmatch(last.id):
        raise ValueError
    return Page(found, json.dumps([at, last.id]))


def _records(answer: RawValue) -> tuple[Found, ...]:
    records = answer["records"] if isinstance(answer, dict) else None
    if not isinstance(records, list):
        raise TypeError
    return tuple(Found(str(_record(one)["Id"]), _record(one)) for one in records)


def _record(value: RawValue) -> dict[str, RawValue]:
    if not isinstance(value, dict):
        raise TypeError
    return {label: one for label, one in value.items() if label != "attributes"}


def _changed_at(_object: str, found: Object) -> int | None:
    # Its offset has no colon, which everybody else's has.
    written = _OFFSET.sub(r"\1:\2", str(found.get("SystemModstamp")))
    return instant_of(written)


API = Api(
    name="salesforce",
    base=_base,
    required=("client_id", "client_secret"),
    headers=bearer,
    listings=lambda _settings: tuple(FIELDS),
    one=_one,
    page=_page,
    taken=_taken,
    listed=_listed,
    changed_at=_changed_at,
    rate=Rate(2, 5),
    oauth=OAuth(_token, _renew),
    # Change events bear the moment of the commit, which is later than the stamp.
    pushes_later=True,
)
