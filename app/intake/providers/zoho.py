"""Zoho CRM notifications: records by id only, several in one request; what they are is fetched.

The token that was given when the channel was opened comes back in the body, and nothing else proves
the request. A deletion says all there is to say. What a fetched record is to us depends on names
that people change (stages, results of calls), so the source's settings say what they mean.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.deliveries import Delivery, Item, Reference, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Secret
from app.intake.proofs import verify_claimed
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, words_setting, zone_setting

Values = dict[str, RawValue]

# Raised with every change of what a notification or a record comes to.
MAPPING = 1
MAX_TOKEN = 50  # Zoho's own limit
_ID = re.compile(r"[0-9]{1,30}", re.ASCII)
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9])", re.ASCII)
_MINUTE = 60
_KINDS: Mapping[str, str] = {
    "Deals": "deal",
    "Calls": "call",
    "Events": "meeting",
    "Leads": "lead",
}
_DIRECTIONS: Mapping[str, str] = {
    "Outbound": "outbound",
    "Inbound": "inbound",
    "Missed": "inbound",
}
# Planned ones, and those that were never made.
_NOT_MADE = frozenset({"Scheduled", "Overdue", "Cancelled", "Canceled"})
SETTINGS = (
    words_setting(
        "stages",
        "What the stages of deals mean; one that is not named is open.",
        allowed=("open", "won", "lost"),
        default={"Closed Won": "won", "Closed Lost": "lost", "Closed-Lost to Competition": "lost"},
    ),
    words_setting(
        "call_results",
        "What the results of calls mean; one that is not named leaves the outcome unknown.",
        allowed=("connected", "no_answer", "busy", "voicemail", "failed", "canceled"),
    ),
    zone_setting("time_zone", "The zone of the day on which a deal was closed."),
)
_DEAL = {
    "status": "Stage",
    "stage": "Stage",
    "amount": "Amount",
    "currency": "Currency",
    "created_at": "Created_Time",
    "won_at": "Closing_Date",
    "closed_at": "Closing_Date",
    "expected_close_on": "Closing_Date",
    "owner": "Owner",
}
_CALL = {
    "direction": "Call_Type",
    "outcome": "Call_Result",
    "started_at": "Call_Start_Time",
    "duration_seconds": "Call_Duration",
    "talk_seconds": "Call_Duration",
    "agent": "Owner",
}
_MEETING = {
    "status": "Start_DateTime",
    "booked_at": "Created_Time",
    "starts_at": "Start_DateTime",
    "booked_by": "Created_By",
    "organizer": "Owner",
}
_LEAD = {"created_at": "Created_Time", "status": "Lead_Status", "owner": "Owner"}


def _verify(request: HookRequest) -> None:
    verify_claimed(request.body, "token", request.credentials.get("token", ()))


def _kept(request: HookRequest) -> HookRequest:
    return replace(request, body=json_without(request.body, "token"))


def _read(request: HookRequest) -> Delivery:
    try:
        told = record_of(read_json(request.body))
        # What `resource_uri` names may be another module: this one is what the ids are of.
        module = told.required("module")
        if module not in _KINDS:
            return hook_delivery(request)
        numbers = _numbers(told)
        if told.required("operation") == "delete":
            return hook_delivery(request, *_gone(told, module, numbers, request))
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))
    references = (Reference(n, module, number) for n, number in enumerate(numbers))
    return hook_delivery(request, references=tuple(references))


def _numbers(told: Record) -> list[str]:
    """The ids, each once, as text: they are beyond what other readers' numbers hold."""
    ids = told.values.get("ids")
    if not isinstance(ids, list):
        raise told.fault("ids", "not_a_list")
    place = f"{told.pointer}/ids"
    return list(
        dict.fromkeys(_number(Record({str(n): v}, place), str(n)) for n, v in enumerate(ids))
    )


def _number(record: Record, label: str) -> str:
    value = record.values.get(label)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text):
        raise record.fault(label, "required" if value is None else "not_an_integer")
    return text


def _gone(told: Record, module: str, numbers: list[str], request: HookRequest) -> list[Item]:
    at = told.time("server_time")
    if at is None:
        raise told.fault("server_time", "required")
    fields: dict[str, JsonValue] = {KIND: _KINDS[module], RETRACTED: True}
    items = []
    for index, number in enumerate(numbers):
        key, revision = _key(module, number), of_instant(instant(at))
        report = hook_report(request, key, revision, fields, full=False, mapping=MAPPING)
        items.append(Item(index, key, report))
    return items


def _key(module: str, number: str) -> str:
    return f"{_KINDS[module]}:{number}"


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What a record of the API (v6 to v8) comes to: a full report.

    object_kind: the module, as References name it: Deals, Calls, Events or Leads.
    """
    request = HookRequest("", source, "", "GET", {}, b"", {}, now, settings, changes)
    if object_kind not in _KINDS:
        return None
    record = Record(fetched)
    try:
        key = _key(object_kind, _number(record, "id"))
        revision = of_instant(instant(_modified(record)))
        read, origins = _READERS[object_kind]
        values = read(record, settings)
        if values is None:
            return None
        known = {label: value for label, value in values.items() if value is not None}
        places = {label: f"/{name}" for label, name in origins.items()}
        fields = fields_of(_KINDS[object_kind], known, places, now)
        report = hook_report(request, key, revision, fields, full=True, mapping=MAPPING)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), usable_name(fetched.get("id")))
    return Item(0, key, report)


def _modified(record: Record) -> str:
    at = record.time("Modified_Time")
    if at is None:
        raise record.fault("Modified_Time", "required")
    return at


def _person(record: Record, label: str) -> str | None:
    """The id of a user, who is written as an object."""
    user = record.record(label)
    return _number(user, "id") if user.given("id") else None


def _deal(record: Record, settings: Settings) -> Values:
    stage = record.text("Stage")
    status = None if stage is None else settings.words("stages").get(stage, "open")
    values: Values = {
        "status": status,
        "stage": stage,
        "amount": record.decimal("Amount"),
        "currency": record.text("Currency"),
        "created_at": record.time("Created_Time"),
        "owner": _person(record, "Owner"),
    }
    closed = record.day("Closing_Date", settings.zone("time_zone"))
    if status == "won":
        return values | {"won_at": closed, "closed_at": closed}
    if status == "lost":
        return values | {"closed_at": closed}
    return values | {"expected_close_on": record.calendar_day("Closing_Date")}


def _call(record: Record, settings: Settings) -> Values | None:
    """A call that is planned, or was never made, is none."""
    if record.text("Outgoing_Call_Status") in _NOT_MADE:
        return None
    kind = record.text("Call_Type") or ""
    said = settings.words("call_results").get(record.text("Call_Result") or "")
    outcome = "no_answer" if kind == "Missed" else said
    seconds = _duration(record)
    return {
        "direction": _DIRECTIONS.get(kind),
        "outcome": outcome,
        "started_at": record.time("Call_Start_Time"),
        "duration_seconds": seconds,
        "talk_seconds": seconds if outcome == "connected" else None,
        "agent": _person(record, "Owner"),
    }


def _duration(record: Record) -> int | None:
    """Seconds, of the field that counts them or else of minutes and seconds."""
    if record.given("Call_Duration_in_seconds"):
        return record.whole("Call_Duration_in_seconds")
    text = record.text("Call_Duration")
    if text is None:
        return None
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        raise record.fault("Call_Duration", "not_an_integer")
    return int(clock[1]) * _MINUTE + int(clock[2])


def _meeting(record: Record, _settings: Settings) -> Values:
    """Zoho does not know whether a meeting was held; one that is called off is deleted."""
    return {
        "status": "booked",
        "booked_at": record.time("Created_Time"),
        "starts_at": record.time("Start_DateTime"),
        "booked_by": _person(record, "Created_By"),
        "organizer": _person(record, "Owner"),
    }


def _lead(record: Record, _settings: Settings) -> Values:
    return {
        "created_at": record.time("Created_Time"),
        "status": record.text("Lead_Status"),
        "owner": _person(record, "Owner"),
    }


_READERS: Mapping[str, tuple[Callable[[Record, Settings], Values | None], Mapping[str, str]]] = {
    "Deals": (_deal, _DEAL),
    "Calls": (_call, _CALL),
    "Events": (_meeting, _MEETING),
    "Leads": (_lead, _LEAD),
}


def _token(text: str) -> None:
    if len(text) > MAX_TOKEN:
        raise Invalid("text_too_long", limit=MAX_TOKEN)


def _written_token(key: bytes) -> str:
    """43 characters, for hexadecimal digits would be more than Zoho takes."""
    return urlsafe_b64encode(key).decode().rstrip("=")


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    events = "Deals.all, Calls.all, Events.all, Leads.all"
    return (
        Step("enable_zoho_notifications", {"url": connecting.hook_url, "events": events}),
        Step("renew_zoho_channel", {}),
    )


PROVIDER = Provider(
    name="zoho",
    counts=("call", "deal", "lead", "meeting"),
    secrets=(
        Secret(
            "token",
            "The token of the notification channel, of up to 50 characters; made if not given.",
            absence=Absence.GENERATED,
            check=_token,
            written=_written_token,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, kept=_kept),
    settings=SETTINGS,
)
