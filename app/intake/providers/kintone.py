"""kintone (Cybozu): the records of one app, whose fields the source's settings name.

kintone signs nothing and sends no header of ours: the unguessable address is the only proof.
Every notification but that of a deletion has the whole record with its `$revision`, so it is a
full report. Field codes are the customer's own, in any language; the system's fields are found by
their types, because their codes are localised too. kintone never sends twice and drops what is
above its limits: only a comparison by its API finds what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.credits import CREDITS
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.kinds import KINDS, FieldType, Kind, RawValue, canonical_fields, field_type
from app.domain.revisions import MAX_DIGITS, of_number
from app.intake.credentials import Credentials
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
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
from app.intake.source_settings import (
    Settings,
    choice_setting,
    text_setting,
    words_setting,
    zone_setting,
)

Fields = dict[str, JsonValue]

# Raised with every change of what a record comes to: only then does a replay supersede.
MAPPING = 1
_KINDS = ("call", "deal", "lead", "meeting")
_SAVED = frozenset({"ADD_RECORD", "UPDATE_RECORD", "UPDATE_STATUS"})
_DELETED = "DELETE_RECORD"
# A deleted record never comes back under its id, and its notification has no revision.
_LAST = of_number("9" * MAX_DIGITS)
# What an app of this kind has to tell for anything to be counted.
_NEEDED = {"call": ("started_at",), "deal": ("status", "won_at"), "meeting": ("starts_at",)}
# What is known without a field of the app's own.
_ASSUMED = {"call": {"direction": "outbound"}, "meeting": {"status": "booked"}}
_CREATED = {"deal": "created_at", "lead": "created_at", "meeting": "booked_at"}
_SECONDS = frozenset({"duration_seconds", "talk_seconds"})
_CODES_NEVER = frozenset({CREDITS})


def _the_address_is_the_proof(_request: HookRequest) -> None:
    """There is no other proof: whoever knows the hook's address is believed."""


def _read(request: HookRequest) -> Delivery:
    id_ = None
    about: About | None = None
    try:
        event = record_of(read_json(request.body))
        id_ = usable_name(event.values.get("id"))
        kind = event.text("type")
        if kind != _DELETED and kind not in _SAVED:
            return hook_delivery(request)
        app = _own_app(event, request.settings)
        if kind == _DELETED:
            return hook_delivery(request, _deletion(app, event, id_, request))
        record = event.record("record")
        about = _about(app, record)
        item = _item(about, record, id_, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_, about),))
    return hook_delivery(request, item)


def _own_app(event: Record, settings: Settings) -> str:
    app, own = event.record("app"), settings.text("app_id")
    given = app.values.get("id")
    if str(given) != own:
        # Another app has other fields; a number is as good as its text.
        raise app.fault("id", "unknown_value", allowed=own or "")
    return own


def _deletion(app: str, event: Record, id_: str | None, request: HookRequest) -> Item:
    number = event.whole("recordId")
    if number is None:
        raise event.fault("recordId", "required")
    fields: Fields = {KIND: _kind(request.settings).name, RETRACTED: True}
    key = f"{app}:{number}"
    report = hook_report(request, key, _LAST, fields, full=False, mapping=MAPPING)
    return Item(0, id_ or key, report)


def _about(app: str, record: Record) -> About:
    """Key and revision of a record."""
    number, revision = record.record("$id"), record.record("$revision")
    for one in (number, revision):
        if one.whole("value") is None:
            raise one.fault("value", "required")
    return About(f"{app}:{number.whole('value')}", of_number(str(revision.whole("value"))))


def _item(about: About, record: Record, id_: str | None, request: HookRequest) -> Item:
    fields = _fields(record, request.settings, request.received_at)
    report = hook_report(request, about.key, about.revision, fields, full=True, mapping=MAPPING)
    return Item(0, id_ or about.key, report)


def _kind(settings: Settings) -> Kind:
    kind = KINDS.get(settings.text("kind") or "")
    if kind is None:
        raise Invalid("required")
    return kind


def _fields(record: Record, settings: Settings, now: int) -> Fields:
    kind, codes = _kind(settings), settings.words("fields")
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


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What a record that was fetched by the REST API comes to: a full report.

    object_kind: the id of its app; None for another app than the source's
    now: the instant of the fetch; changes: how often the source's settings were changed
    """
    if object_kind != settings.text("app_id"):
        return None
    request = HookRequest("", source, "", "GET", {}, b"", {}, now, settings, changes)
    about: About | None = None
    try:
        record = Record(fetched)
        about = _about(object_kind, record)
        return _item(about, record, None, request)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), about=about)


def _check(settings: Settings, _credentials: Credentials) -> None:
    kind, codes = _kind(settings), settings.words("fields")
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


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    app = connecting.settings.text("app_id") or "-"
    return (
        Step("add_kintone_webhook", {"url": connecting.hook_url, "app": app}),
        Step("choose_kintone_notifications", {}),
        Step("keep_kintone_address_secret", {}),
    )


PROVIDER = Provider(
    name="kintone",
    counts=_KINDS,
    hook=Hook(_the_address_is_the_proof, _read, _next_steps),
    settings=(
        text_setting("app_id", "Number of the app: the one in its address, /k/12/.", required=True),
        choice_setting("kind", "What a record of this app is.", _KINDS),
        words_setting(
            "fields",
            "Field codes by the names of our fields: status, won_at, amount, owner... A deal needs "
            "status and won_at, a meeting starts_at, a call started_at.",
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
    check=_check,
)
