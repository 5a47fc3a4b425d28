"""Pipedrive webhooks v2: deals, and the activities that are calls or meetings.

Every event but a deletion carries the whole object, so it is a full report and a lost or late one
does no harm; `meta.timestamp` says which is newer. What Pipedrive does not know stays unknown: it
has no direction of calls (one that is logged was made: outbound) and not whether anybody answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from app.domain.activities import KIND, RETRACTED, JsonValue, Report
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Secret, for_asking
from app.intake.proofs import verify_basic
from app.intake.reading import read_json, written
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    as_fetched,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, text_setting

Object = Mapping[str, RawValue]
Fields = dict[str, JsonValue]

API_URL = text_setting(
    "api_url",
    "Address of the API (https), such as that of your company at Pipedrive.",
    default="https://api.pipedrive.com",
)

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
_ACTIVITIES = frozenset({"call", "meeting"})
# Tuples, because what is looked up may be a list, which no set can be asked for.
_ENTITIES = ("activity", "deal")
_ACTIONS = ("change", "create", "delete")
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_NAIVE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?", re.ASCII)
_DEAL = {
    "status": "/data/status",
    "stage": "/data/stage_id",
    "amount": "/data/value",
    "currency": "/data/currency",
    "created_at": "/data/add_time",
    "won_at": "/data/won_time",
    "closed_at": "/data/close_time",
    "expected_close_on": "/data/expected_close_date",
    "owner": "/data/owner_id",
}
_CALL = {"direction": "/data/type", "started_at": "/data/due_time", "agent": "/data/owner_id"}
_MEETING = {
    "status": "/data/done",
    "booked_at": "/data/add_time",
    "starts_at": "/data/due_time",
    "booked_by": "/data/owner_id",
    "organizer": "/data/owner_id",
}


def _verify(request: HookRequest) -> None:
    given = request.credentials
    verify_basic(request.headers, given.get("user", ()), given.get("password", ()))


def _read(request: HookRequest) -> Delivery:
    id_ = None
    meta: Object = {}
    try:
        event = _object(read_json(request.body), "")
        meta = _object(event.get("meta"), "/meta")
        id_ = usable_name(meta.get("id"))
        report = _report(event, meta, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(
            request, refused=(refusal(request, error, content, id_, _about(meta)),)
        )
    return hook_delivery(request, *([Item(0, id_ or report.key, report)] if report else []))


def _report(event: Object, meta: Object, request: HookRequest) -> Report | None:
    # Version 1 has other names, times and ids throughout: nothing in it means the same.
    if meta.get("version") != "2.0":
        raise _fault("/meta/version", "unsupported_version", supported="2.0")
    entity = meta.get("entity")
    if entity not in _ENTITIES:
        return None
    fields = _fields(event, meta, request.received_at)
    if fields is None:
        return None
    number = _number(meta, "entity_id", "/meta")
    at = _time(meta, "timestamp", "/meta")
    if number is None or at is None:
        raise _fault("/meta/timestamp" if number else "/meta/entity_id", "required")
    full = RETRACTED not in fields
    revision = of_instant(instant(at))
    key = f"{entity}:{number}"
    return hook_report(request, key, revision, fields, full=full, mapping=MAPPING)


def _about(meta: Object) -> About | None:
    """What a refused event is about, where it says that much."""
    try:
        number, at = _number(meta, "entity_id", "/meta"), _time(meta, "timestamp", "/meta")
        revision = None if at is None else of_instant(instant(at))
    except Invalid:
        return None
    if number is None or revision is None:
        return None
    return About(f"{meta.get('entity')}:{number}", revision)


def _fields(event: Object, meta: Object, now: int) -> Fields | None:
    """The fields that an event reports; None where it is of no interest."""
    action = meta.get("action")
    if action not in _ACTIONS:
        raise _fault("/meta/action", "unknown_value", allowed=", ".join(_ACTIONS))
    previous = _object(event.get("previous") or {}, "/previous")
    data = previous if action == "delete" else _object(event.get("data"), "/data")
    kind = "deal" if meta.get("entity") == "deal" else _activity_type(data)
    if kind not in _READERS:
        # What was a call and became a task is a call no longer.
        was = previous.get("type")
        return _retraction(was) if isinstance(was, str) and was in _ACTIVITIES else None
    if action == "delete" or data.get("is_deleted") is True:
        return _retraction(kind)
    return _READERS[kind](data, now)


def _activity_type(data: Object) -> str:
    kind = data.get("type")
    if not isinstance(kind, str):
        raise _fault("/data/type", "required")
    # Customers name their own types; one named like another kind of ours is still an activity.
    return kind if kind in _ACTIVITIES else ""


def _retraction(kind: str) -> Fields:
    """Only that it is gone: a late older event still fills in what it was."""
    return {KIND: kind, RETRACTED: True}


def _deal(data: Object, now: int) -> Fields:
    values: dict[str, RawValue] = {
        "status": data.get("status"),
        "stage": _number(data, "stage_id"),
        "amount": data.get("value"),
        "currency": data.get("currency"),
        "created_at": _time(data, "add_time"),
        "won_at": _time(data, "won_time"),
        "closed_at": _time(data, "close_time"),
        "expected_close_on": data.get("expected_close_date") or None,
        "owner": _number(data, "owner_id"),
    }
    return fields_of("deal", values, _DEAL, now)


def _call(data: Object, now: int) -> Fields:
    """A planned call is none yet: without a start it stands in the list and in no count."""
    values: dict[str, RawValue] = {
        "direction": "outbound",
        "started_at": _called_at(data) if _done(data) else None,
        "agent": _number(data, "owner_id"),
    }
    return fields_of("call", values, _CALL, now)


def _meeting(data: Object, now: int) -> Fields:
    owner = _number(data, "owner_id")
    done = _done(data)
    values: dict[str, RawValue] = {
        "status": "held" if done else "booked",
        "booked_at": _time(data, "add_time"),
        "starts_at": _due(data) or (_time(data, "marked_as_done_time") if done else None),
        "booked_by": owner,
        "organizer": owner,
    }
    return fields_of("meeting", values, _MEETING, now)


_READERS: Mapping[str, Callable[[Object, int], Fields]] = {
    "deal": _deal,
    "call": _call,
    "meeting": _meeting,
}


def _called_at(data: Object) -> str | None:
    """When it was planned, unless it was ticked off before that."""
    times = [t for t in (_due(data), _time(data, "marked_as_done_time")) if t is not None]
    return min(times, key=instant, default=None)


def _due(data: Object) -> str | None:
    """Due date and time, in UTC; None for a whole-day activity, whose moment nobody knows."""
    day, clock = data.get("due_date"), data.get("due_time")
    return _time({"due_time": f"{day} {clock}"}, "due_time") if day and clock else None


def _done(data: Object) -> bool:
    done = data.get("done")
    if done not in (None, 0, 1):
        raise _fault("/data/done", "not_a_boolean")
    return bool(done)


def _time(holder: Object, label: str, place: str = "/data") -> str | None:
    """RFC 3339 of a time that Pipedrive writes so, or without offset and then in UTC."""
    value = holder.get(label)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _fault(f"{place}/{label}", "not_a_time")
    naive = _NAIVE.fullmatch(value)
    text = f"{naive[1]}T{naive[2]}{naive[3] or ':00'}Z" if naive else value
    try:
        instant(text)
    except Invalid:
        raise _fault(f"{place}/{label}", "not_a_time") from None
    return text


def _number(holder: Object, label: str, place: str = "/data") -> str | None:
    """An id as text; it comes as a number or as digits."""
    value = holder.get(label)
    if value is None:
        return None
    text = "" if isinstance(value, bool) else str(value)
    if not _ID.fullmatch(text):
        raise _fault(f"{place}/{label}", "not_an_id")
    return text


def _object(value: RawValue, pointer: str) -> Object:
    if not isinstance(value, dict):
        raise _fault(pointer, "not_an_object")
    return value


def _fault(pointer: str, code: str, **params: str | int) -> Invalid:
    return Invalid("invalid_delivery", Fault(pointer, code, params))


def read_fetched(
    object_kind: str,
    fetched: Object,
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """A deal or an activity of the API, which writes them as events do; deleted ones as well."""
    request = as_fetched(source, settings, now, changes)
    gone = fetched.get("status") == "deleted"
    data = {**fetched, "is_deleted": True} if gone else dict(fetched)
    meta = {
        "version": "2.0",
        "action": "change",
        "entity": object_kind,
        "entity_id": fetched.get("id"),
        "timestamp": fetched.get("update_time"),
    }
    try:
        report = _report({"data": data}, meta, request)
    except Invalid as error:
        number = usable_name(meta["entity_id"])
        return refusal(request, error, written(dict(fetched)), number, _about(meta))
    return Item(0, report.key, report) if report else None


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("add_pipedrive_webhook", {"url": connecting.hook_url, "version": "2.0"}),
        Step("choose_pipedrive_events", {"objects": "deal, activity", "actions": "*"}),
        Step("create_pipedrive_webhook_as_admin", {}),
    )


def _no_colon(user: str) -> None:
    if ":" in user:  # Basic authentication ends the user there
        raise Invalid("colon_in_user")


PROVIDER = Provider(
    name="pipedrive",
    counts=("call", "deal", "meeting"),
    secrets=(
        Secret("user", "HTTP Auth username, chosen by you.", check=_no_colon),
        Secret("password", "HTTP Auth password, chosen by you."),
        for_asking(
            "api_token",
            "API token of an admin (Personal preferences > API), to read through what events "
            "missed. Left out: nothing is asked.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
    settings=(API_URL,),
)
