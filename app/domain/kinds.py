"""The well-known kinds and their fields, and the one canonical spelling of every field.

Every sender's report is normalised onto these before anything else sees it, so that one preset
metric works whoever sends. A custom kind may have any fields; they are kept as they are.
Canonical means: times in UTC, decimals without superfluous zeros, e-mail identities case-folded.
Two reports with the same canonical fields say the same thing, however they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.activities import KIND, JsonValue
from app.domain.credits import CREDITS, canonical_credits
from app.domain.errors import Fault, Invalid
from app.domain.instants import DAY, FLOOR, canonical_instant
from app.domain.origins import ORIGIN, canonical_origin
from app.domain.quantities import canonical_decimal

MAX_AHEAD = DAY
MAX_FIELDS = 200
MAX_TEXT = 10_000
MAX_NAME = 255
_KIND_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# What JSON may hold after reading: jiter gives Decimal for every number with a point or exponent.
RawValue = str | int | bool | Decimal | None | list["RawValue"] | dict[str, "RawValue"]
Reader = Callable[[RawValue, int], JsonValue]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: its typed fields, and the roles that a bare `actor` fills.

    CREDITS is a field of every kind: whatever people do, they can do it together.
    """

    name: str
    readers: Mapping[str, Reader]
    actor_roles: tuple[str, ...]
    roles: tuple[str, ...] = field(default=())


def name(text: RawValue) -> str:
    """A key or identity exactly as sent: bytes compare, nothing is folded.

    Raises Invalid for emptiness, surrounding blanks, control characters, over 255 characters.
    """
    if not isinstance(text, str):
        raise Invalid("not_a_text")
    # Printable text has no control character: the search is for what is not, or not to everybody.
    odd = not text.isprintable() and _CONTROL.search(text)
    if odd or not text or len(text) > MAX_NAME or text != text.strip():
        raise Invalid("not_a_name")
    return text


def identity(text: RawValue) -> str:
    """An identity as senders write people: e-mails folded, telephone numbers without decoration."""
    value = name(text)
    if "@" in value and not value.startswith(("sip:", "client:")):
        return value.casefold()
    if value.startswith("+"):
        return re.sub(r"[\s().-]", "", value)
    return value


def _text(value: RawValue, _now: int) -> JsonValue:
    if not isinstance(value, str):
        raise Invalid("not_a_text")
    if len(value) > MAX_TEXT:
        raise Invalid("text_too_long", limit=MAX_TEXT)
    if "\x00" in value:
        raise Invalid("nul_in_text")
    return value


def _identity(value: RawValue, _now: int) -> JsonValue:
    return identity(value)


def _instant(value: RawValue) -> tuple[int, str]:
    if not isinstance(value, str):
        raise Invalid("not_a_time")
    at, text = canonical_instant(value)
    if at < FLOOR:
        raise Invalid("time_before_1980")
    return at, text


def _time(value: RawValue, _now: int) -> JsonValue:
    return _instant(value)[1]


def _past_time(value: RawValue, now: int) -> JsonValue:
    at, text = _instant(value)
    if at > now + MAX_AHEAD:
        raise Invalid("time_too_far_ahead", hours=24)
    return text


def _date(value: RawValue, _now: int) -> JsonValue:
    try:
        if isinstance(value, str) and len(value) == len("2026-12-01"):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise Invalid("not_a_date")


def _decimal(value: RawValue, _now: int) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Invalid("not_a_decimal")
    return canonical_decimal(str(value))


def _positive_decimal(value: RawValue, now: int) -> JsonValue:
    written = str(_decimal(value, now))
    if written.startswith("-"):
        raise Invalid("negative")
    return written


def _seconds(value: RawValue, _now: int) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("not_an_integer")
    if not 0 <= value <= 10**9:
        raise Invalid("out_of_range", low=0, high=10**9)
    return value


def _currency(value: RawValue, _now: int) -> JsonValue:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise Invalid("not_a_currency")
    return value


def _credits(value: RawValue, _now: int) -> JsonValue:
    return canonical_credits(value, identity)


def _origin(value: RawValue, _now: int) -> JsonValue:
    return canonical_origin(value, name)


def _one_of(*allowed: str) -> Reader:
    def read(value: RawValue, _now: int) -> JsonValue:
        if not isinstance(value, str) or value not in allowed:
            raise Invalid("unknown_value", allowed=", ".join(allowed))
        return value

    return read


_CALL = Kind(
    "call",
    {
        CREDITS: _credits,
        "direction": _one_of("inbound", "outbound"),
        "outcome": _one_of("connected", "no_answer", "busy", "voicemail", "failed", "canceled"),
        "started_at": _past_time,
        "ended_at": _past_time,
        "duration_seconds": _seconds,
        "talk_seconds": _seconds,
        "counterpart": _text,
        "agent": _identity,
    },
    actor_roles=("agent",),
    roles=("agent",),
)
_MEETING = Kind(
    "meeting",
    {
        CREDITS: _credits,
        "status": _one_of("booked", "held", "canceled", "no_show"),
        "booked_at": _past_time,
        "starts_at": _time,
        "counterpart": _text,
        "booked_by": _identity,
        "organizer": _identity,
        ORIGIN: _origin,
    },
    actor_roles=("booked_by", "organizer"),
    roles=("booked_by", "organizer"),
)
_DEAL = Kind(
    "deal",
    {
        CREDITS: _credits,
        "status": _one_of("open", "won", "lost", "deleted"),
        "type": _one_of("new", "existing"),
        "stage": _text,
        "amount": _decimal,
        "currency": _currency,
        "created_at": _past_time,
        "won_at": _past_time,
        "closed_at": _past_time,
        "expected_close_on": _date,
        "owner": _identity,
        "sourced_by": _identity,
        ORIGIN: _origin,
    },
    actor_roles=("owner",),
    roles=("owner", "sourced_by"),
)
_PAYMENT = Kind(
    "payment",
    {
        CREDITS: _credits,
        "amount": _decimal,
        "currency": _currency,
        "paid_at": _past_time,
        "refunded_amount": _positive_decimal,
        "owner": _identity,
        ORIGIN: _origin,
    },
    actor_roles=("owner",),
    roles=("owner",),
)
_LEAD = Kind(
    "lead",
    {CREDITS: _credits, "created_at": _past_time, "status": _text, "owner": _identity},
    actor_roles=("owner",),
    roles=("owner",),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (_CALL, _MEETING, _DEAL, _PAYMENT, _LEAD)}


class FieldType(StrEnum):
    """What a typed field holds."""

    TIME = "time"
    NUMBER = "number"
    IDENTITY = "identity"
    CHOICE = "choice"
    TEXT = "text"
    CREDITS = "credits"
    ORIGIN = "origin"


_TYPES: Mapping[Reader, FieldType] = {
    _time: FieldType.TIME,
    _past_time: FieldType.TIME,
    _decimal: FieldType.NUMBER,
    _positive_decimal: FieldType.NUMBER,
    _seconds: FieldType.NUMBER,
    _identity: FieldType.IDENTITY,
    _text: FieldType.TEXT,
    _date: FieldType.TEXT,
    _currency: FieldType.TEXT,
    _credits: FieldType.CREDITS,
    _origin: FieldType.ORIGIN,
}


def field_type(kind: Kind, label: str) -> FieldType | None:
    """What a kind's field holds; None for one that the kind does not type."""
    reader = kind.readers.get(label)
    return None if reader is None else _TYPES.get(reader, FieldType.CHOICE)


def kind_of(text: RawValue) -> Kind:
    """The kind of that name; an unknown name is a custom kind whose only role is `actor`."""
    if not isinstance(text, str):
        raise Invalid("not_a_kind")
    if (known := KINDS.get(text)) is not None:
        return known
    if not _KIND_NAME.fullmatch(text):
        raise Invalid("not_a_kind")
    return Kind(
        text, {CREDITS: _credits, "actor": _identity}, actor_roles=("actor",), roles=("actor",)
    )


def canonical_fields(
    kind: Kind, data: Mapping[str, RawValue], *, actor: RawValue, now: int
) -> dict[str, JsonValue]:
    """The canonical fields of a report, KIND among them; `now` is the instant of receipt.

    A bare `actor` fills the kind's default roles where the data leave them open.
    Raises Invalid with one fault per field (pointers relative to the data).
    """
    if len(data) > MAX_FIELDS:
        raise Invalid("too_many_fields", limit=MAX_FIELDS)
    fields: dict[str, JsonValue] = {KIND: kind.name}
    faults: list[Fault] = []
    readers = kind.readers
    for label, value in data.items():
        reader = readers.get(label)
        try:
            if reader is not None:
                fields[label] = None if value is None else reader(value, now)
            else:
                fields[_label(label)] = _kept(value)
        except Invalid as error:
            faults += error.below(f"/{_escaped(label)}").faults
    if faults:
        raise Invalid("invalid_fields", *faults)
    if actor is not None:
        who = identity(actor)
        fields |= {role: who for role in kind.actor_roles if role not in data}
    return fields


def _label(text: str) -> str:
    if not text or len(text) > MAX_NAME or text.startswith("@") or _CONTROL.search(text):
        raise Invalid("not_a_field_name")
    return text


def _escaped(label: str) -> str:
    return label[:MAX_NAME].replace("~", "~0").replace("/", "~1")


def _kept(value: RawValue) -> JsonValue:
    """A custom field: as it is, with decimals as exact text."""
    match value:
        case str():
            return _text(value, 0)
        case Decimal():
            return canonical_decimal(str(value))
        case list():
            return [_kept(item) for item in value]
        case dict():
            return {_label(label): _kept(item) for label, item in value.items()}
        case _:
            return value
