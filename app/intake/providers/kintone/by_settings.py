"""What a record is by the settings of its source: one activity, and which field is which."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from app.domain.activities import JsonValue
from app.domain.credits import CREDITS
from app.domain.errors import Fault, Invalid
from app.domain.kinds import KINDS, FieldType, Kind, RawValue, canonical_fields, field_type
from app.domain.origins import ORIGIN
from app.intake.credentials import Credentials
from app.intake.records import Record
from app.intake.requests import fields_of
from app.intake.source_settings import (
    Setting,
    Settings,
    choice_setting,
    text_setting,
    unless_mapped,
    words_setting,
    zone_setting,
)

Fields = dict[str, JsonValue]

COUNTS = ("call", "deal", "lead", "meeting")
# What an app of this kind has to tell for anything to be counted.
_NEEDED = {"call": ("started_at",), "deal": ("status", "won_at"), "meeting": ("starts_at",)}
# What is known without a field of the app's own.
_ASSUMED = {"call": {"direction": "outbound"}, "meeting": {"status": "booked"}}
_CREATED = {"deal": "created_at", "lead": "created_at", "meeting": "booked_at"}
_SECONDS = frozenset({"duration_seconds", "talk_seconds"})
# An app is one kind, so what its records grew from lies in another source: for a mapping to say.
_CODES_NEVER = frozenset({CREDITS, ORIGIN})
SETTINGS: tuple[Setting, ...] = tuple(
    map(
        unless_mapped,
        (
            choice_setting("kind", "What a record of this app is.", COUNTS),
            words_setting(
                "fields",
                "Field codes by the names of our fields: status, won_at, amount, owner... A deal "
                "needs status and won_at, a meeting starts_at, a call started_at.",
                required=True,
            ),
            words_setting(
                "values",
                "What the app's words for status, outcome, direction and type mean: won, held, "
                "connected... Words that are not ours and not named here are quarantined.",
            ),
            text_setting("currency", "Currency of amounts, where no field has it (JPY)."),
            zone_setting("time_zone", "Zone of dates without time.", default="Asia/Tokyo"),
        ),
    )
)


def kind_of_record(settings: Settings) -> Kind:
    kind = KINDS.get(settings.text("kind") or "")
    if kind is None:
        raise Invalid("required")
    return kind


def fields_by_settings(record: Record, settings: Settings, now: int) -> Fields:
    kind, codes = kind_of_record(settings), settings.words("fields")
    values: dict[str, RawValue] = dict(_ASSUMED.get(kind.name, {}))
    values |= _system_values(kind, record)
    origins = {label: f"{record.pointer}/{code}/value" for label, code in codes.items()}
    for label, code in codes.items():
        if not record.has(code):
            # A field whose code was changed in the app would else be unknown for ever, silently.
            raise record.fault(code, "no_such_field")
        values[label] = _value(kind, label, record.record(code), settings)
    if values.get("amount") is not None and values.get("currency") is None:
        values["currency"] = settings.text("currency")
    known = {label: value for label, value in values.items() if value is not None}
    places = {label: origins.get(label, record.pointer) for label in known}
    return fields_of(kind.name, known, places, now)


def _system_values(kind: Kind, record: Record) -> dict[str, RawValue]:
    """Who created the record and when, where no field says more."""
    values: dict[str, RawValue] = {}
    for code in record.values:
        field = record.record(code) if isinstance(record.values[code], dict) else Record({})
        if field.values.get("type") == "CREATOR":
            values |= dict.fromkeys(kind.actor_roles, _person(field))
        if field.values.get("type") == "CREATED_TIME" and kind.name in _CREATED:
            values[_CREATED[kind.name]] = field.time("value")
    return values


def _value(kind: Kind, label: str, field: Record, settings: Settings) -> RawValue:
    if label in _SECONDS:
        return field.whole("value")
    if label == "expected_close_on":
        return field.calendar_day("value")
    match field_type(kind, label):
        case FieldType.IDENTITY:
            value = _person(field)
        case FieldType.NUMBER:
            value = field.decimal("value")
        case FieldType.TIME:
            value = _moment(field, settings.zone("time_zone"))
        case FieldType.CHOICE:
            text = field.text("value") or ""
            value = settings.words("values").get(text, text) or None
        case _:
            value = field.text("value")
    return value


def _moment(field: Record, zone: ZoneInfo) -> str | None:
    """A date is the moment at which it begins."""
    value = field.values.get("value")
    if isinstance(value, str) and "T" not in value:
        return field.day("value", zone)
    return field.time("value")


def _person(field: Record) -> str | None:
    """The login name of a user; the first where a field has several; else the text as it is."""
    value = field.values.get("value")
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        return Record(first, f"{field.pointer}/value").text("code")
    return (
        None if isinstance(first, list) else Record({"value": first}, field.pointer).text("value")
    )


def check(settings: Settings, credentials: Credentials) -> None:
    """Rules between the settings, and what asking wants."""
    if credentials.get("api_token") and settings.text("api_url") is None:
        raise _wrong("api_url", "required")
    if settings.text("kind") is not None:  # else a mapping says what a record is
        _check_fields(kind_of_record(settings), settings)


def _check_fields(kind: Kind, settings: Settings) -> None:
    codes = settings.words("fields")
    wrong = [label for label in codes if label not in kind.readers or label in _CODES_NEVER]
    if wrong:
        allowed = ", ".join(sorted(set(kind.readers) - _CODES_NEVER))
        raise _wrong("fields", "unknown_field_of_kind", allowed=allowed)
    for label in _NEEDED.get(kind.name, ()):
        if label not in codes:
            raise _wrong(f"fields/{label}", "required")
    for text, word in settings.words("values").items():
        if not any(_is_word(kind, label, word) for label in kind.readers):
            place = text.replace("~", "~0").replace("/", "~1")
            raise _wrong(f"values/{place}", "no_word_of_kind")


def _is_word(kind: Kind, label: str, word: str) -> bool:
    """Whether a choice of this kind knows the word."""
    if field_type(kind, label) is not FieldType.CHOICE:
        return False
    try:
        canonical_fields(kind, {label: word}, actor=None, now=0)
    except Invalid:
        return False
    return True


def _wrong(place: str, code: str, **params: str | int) -> Invalid:
    return Invalid(code, Fault(f"/settings/{place}", code, params))
