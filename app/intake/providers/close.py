"""Close webhooks: opportunities, calls and meetings, each event with the whole object.

Close joins several edits into one event and keeps no order, so only the object's own time of change
says which state is newer; a deletion has the event's. Three traps: the signing key is hexadecimal
text of the key's bytes, values are in minor units, and times of the event itself have no offset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from app.domain.activities import KIND, RETRACTED, JsonValue, Report
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import DAY, instant
from app.domain.kinds import RawValue
from app.domain.quantities import minor_digits
from app.domain.revisions import of_instant
from app.intake.credentials import Secret, for_asking
from app.intake.proofs import header_bytes, require_recent, verify_hmac
from app.intake.reading import read_json, written
from app.intake.records import Record, no_later, record_of
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
from app.intake.source_settings import Settings, choice_setting, text_setting, zone_setting

Fields = dict[str, JsonValue]
Values = dict[str, RawValue]

# Raised with every change of what an event comes to.
MAPPING = 2
# It tries for three days, and whether it signs anew each time is not known.
_TOLERANCE = 4 * DAY
_KEY = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_CENTS = 2
_KINDS: Mapping[str, str] = {
    "opportunity": "deal",
    "activity.call": "call",
    "activity.meeting": "meeting",
}
_DEALS: Mapping[str, str] = {"active": "open", "won": "won", "lost": "lost"}
_DISPOSITIONS: Mapping[str, str] = {
    "answered": "connected",
    "no-answer": "no_answer",
    "vm-answer": "voicemail",
    "vm-left": "voicemail",
    "busy": "busy",
    "blocked": "failed",
    "error": "failed",
    "abandoned": "failed",  # answered, and nobody of ours was there to talk
}
_UNDERWAY = frozenset({"created", "in-progress"})
_MEETINGS: Mapping[str, str] = {
    "upcoming": "booked",
    "in-progress": "booked",
    "completed": "held",
    "canceled": "canceled",
    "declined-by-lead": "canceled",
    "declined-by-org": "canceled",
}
_MONTHS: Mapping[str, int] = {"monthly": 12}
SETTINGS = (
    text_setting("api_url", "Address of the API (https).", default="https://api.close.com"),
    zone_setting("time_zone", "The zone of the day on which an opportunity was won."),
    choice_setting(
        "recurring_values",
        "What a monthly value counts as: as it was entered, or twelve months of it.",
        ("as_entered", "annualized"),
        default="as_entered",
    ),
)
_DEAL = {
    "status": "status_type",
    "stage": "status_label",
    "amount": "value",
    "currency": "value_currency",
    "created_at": "date_created",
    "won_at": "date_won",
    "closed_at": "date_won",
    "expected_close_on": "date_won",
    "owner": "user_id",
}
_CALL = {
    "direction": "direction",
    "outcome": "disposition",
    "started_at": "date_created",
    "duration_seconds": "duration",
    "talk_seconds": "duration",
    "counterpart": "phone",
    "agent": "user_id",
}
_MEETING = {
    "status": "status",
    "booked_at": "date_created",
    "starts_at": "starts_at",
    "booked_by": "user_id",
    "organizer": "user_id",
}


def _key(text: str) -> bytes:
    if not _KEY.fullmatch(text):
        raise Invalid("not_a_close_key")
    return bytes.fromhex(text)


def _verify(request: HookRequest) -> None:
    stamp = request.headers.get("close-sig-timestamp")
    require_recent(stamp, request.received_at, tolerance=_TOLERANCE)
    given = request.credentials.get("signature_key", ())
    keys = [_key(text) for text in given if _KEY.fullmatch(text)]
    signed = header_bytes(stamp or "") + request.body
    verify_hmac(request.headers.get("close-sig-hash"), signed, keys)


def _read(request: HookRequest) -> Delivery:
    id_, about = None, None
    try:
        event = record_of(read_json(request.body)).record("event")
        id_ = usable_name(event.values.get("id"))
        kind = _KINDS.get(event.text("object_type") or "")
        if kind is None:
            return hook_delivery(request)
        about = _about(event)
        report = _report(event, kind, about, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_, about),))
    return hook_delivery(request, *([Item(0, id_ or report.key, report)] if report else []))


def _about(event: Record) -> About:
    """The object and its own time of change; of a deletion the event's, for the object is gone."""
    key = event.required_name("object_id")
    data = event.record("data")
    if event.text("action") != "deleted" and data.given("date_updated"):
        return About(key, of_instant(instant(_time(data, "date_updated") or "")))
    at = _time(event, "date_updated") or _time(event, "date_created")
    if at is None:
        raise event.fault("date_created", "required")
    return About(key, of_instant(instant(at)))


def _report(event: Record, kind: str, about: About, request: HookRequest) -> Report | None:
    """What an event says; None for a call that has not ended."""
    if event.required("action") == "deleted":
        fields: Fields = {KIND: kind, RETRACTED: True}
    else:
        data = event.record("data")
        if not data.values:
            raise event.fault("data", "required")
        read, origins = _READERS[kind]
        values = read(data, request.settings)
        if values is None:
            return None
        places = {label: f"{data.pointer}/{name}" for label, name in origins.items()}
        known = {label: value for label, value in values.items() if value is not None}
        fields = fields_of(kind, known, places, request.received_at)
    full = RETRACTED not in fields
    return hook_report(request, about.key, about.revision, fields, full=full, mapping=MAPPING)


def _time(record: Record, label: str) -> str | None:
    """RFC 3339 of a time; one without offset, as the event's own are, is UTC."""
    try:
        return record.time(label)
    except Invalid as error:
        if error.faults[0].code != "time_without_offset":
            raise
    return Record({label: f"{record.values[label]}Z"}, record.pointer).time(label)


def _deal(data: Record, settings: Settings) -> Values:
    status = _DEALS.get(data.text("status_type") or "")
    values: Values = {
        "status": status,
        "stage": data.text("status_label"),
        "amount": _amount(data, settings),
        "currency": data.text("value_currency"),
        "created_at": _time(data, "date_created"),
        "owner": data.text("user_id"),
    }
    if status == "won":
        won = no_later(
            data.day("date_won", settings.zone("time_zone")), _time(data, "date_updated")
        )
        return values | {"won_at": won, "closed_at": won}
    # Of an active one it is the day on which it is expected to be won.
    return values | (
        {"expected_close_on": data.calendar_day("date_won")} if status == "open" else {}
    )


def _amount(data: Record, settings: Settings) -> str | None:
    value = data.whole("value")
    if value is None:
        return None
    months = _MONTHS.get(data.text("value_period") or "", 1)
    annualized = settings.text("recurring_values") == "annualized"
    minor = Decimal(value * (months if annualized else 1))
    return format(minor.scaleb(-_digits(data, value)), "f")


def _digits(data: Record, value: int) -> int:
    """How many digits of a value are the minor unit's.

    Close documents cents. Of a currency that has none it is not known whether the value counts
    yen or hundredths of one, so the text that Close shows to people has to tell.
    """
    if minor_digits(data.text("value_currency") or "") == _CENTS or value == 0:
        return _CENTS
    shown = re.sub(r"[^0-9.]", "", data.required("value_formatted")).strip(".")
    for digits in (0, 2, 3):
        if shown in _shown(Decimal(value).scaleb(-digits)):
            return digits
    raise data.fault("value_formatted", "not_a_decimal")


def _shown(amount: Decimal) -> set[str]:
    """How an amount may be shown: with its fraction, or without one that is nothing."""
    text = format(amount, "f")
    return {text, text.rstrip("0").rstrip(".") if "." in text else text}


def _call(data: Record, _settings: Settings) -> Values | None:
    if data.text("status") in _UNDERWAY:
        return None
    outcome = _DISPOSITIONS.get(data.text("disposition") or "")
    seconds = data.whole("duration")
    return {
        "direction": data.text("direction"),
        "outcome": outcome,
        "started_at": _time(data, "activity_at") or _time(data, "date_created"),
        "duration_seconds": seconds,
        "talk_seconds": seconds if outcome == "connected" else None,
        "counterpart": data.text("remote_phone") or data.text("phone"),
        "agent": data.text("user_id"),
    }


def _meeting(data: Record, _settings: Settings) -> Values:
    owner = data.text("user_id")
    return {
        "status": _MEETINGS.get(data.text("status") or ""),
        "booked_at": _time(data, "date_created"),
        "starts_at": _time(data, "starts_at"),
        "booked_by": owner,
        "organizer": owner,
    }


_READERS: Mapping[str, tuple[Callable[[Record, Settings], Values | None], Mapping[str, str]]] = {
    "deal": (_deal, _DEAL),
    "call": (_call, _CALL),
    "meeting": (_meeting, _MEETING),
}


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What an entry of the event log comes to, or an object as it is listed: a full report.

    An entry is what was pushed, without its envelope; an object is as an entry's data.
    """
    kind, about = _KINDS.get(object_kind), None
    if kind is None:
        return None
    request = as_fetched(source, settings, now, changes)
    told = {"object_id": fetched.get("id"), "action": "updated", "data": dict(fetched)}
    event = Record(fetched if "object_id" in fetched else told)
    try:
        about = _about(event)
        report = _report(event, kind, about, request)
    except Invalid as error:
        id_ = usable_name(fetched.get("id"))
        return refusal(request, error, written(dict(fetched)), id_, about)
    return Item(0, report.key, report) if report else None


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    events = "opportunity, activity.call, activity.meeting"
    return (Step("create_close_webhook", {"url": connecting.hook_url, "events": events}),)


PROVIDER = Provider(
    name="close",
    counts=("call", "deal", "meeting"),
    secrets=(
        Secret(
            "signature_key",
            "The signature_key that Close answered when the subscription was created.",
            check=_key,
        ),
        for_asking(
            "api_key",
            "API key of an admin (Settings > Developer), to read through what events missed. Left "
            "out: nothing is asked.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
    settings=SETTINGS,
)
