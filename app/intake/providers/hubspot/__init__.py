"""HubSpot webhooks: what changed, by id only; what it became has to be fetched.

A batch names objects, each of them once or many times (a record saved once brings a creation and
a change of every property, in any order): one Reference for each object. A deletion says all there
is to say and needs no fetch, which would find nothing: it is a partial report. A merge retires the
records that went into another. Notifications of other portals are not ours, though one app signs
for all of them: ids are unique within a portal only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.deliveries import Delivery, Item, Reference, Refused
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.instants import FLOOR, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Secret, for_asking
from app.intake.proofs import Encoding, header_bytes, require_recent, verify_hmac
from app.intake.providers.hubspot.objects import KINDS, SETTINGS, object_fields
from app.intake.reading import read_json, written
from app.intake.records import Record
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    SignedUrl,
    Step,
    as_fetched,
    body_text,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, text_setting

# Raised with every change of what an event or an object comes to.
MAPPING = 2
_MILLISECOND = 1_000
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
# The generic form has numbers for the objects, the older form words.
_OBJECTS: Mapping[str, str] = {
    "0-1": "contacts",
    "0-3": "deals",
    "0-47": "meetings",
    "0-48": "calls",
    "contact": "contacts",
    "deal": "deals",
}
_GONE = frozenset({"deletion", "privacyDeletion"})
# Which records belong together changes no record.
_OF_NO_INTEREST = frozenset({"associationChange"})
_SIGNED_ESCAPES = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)

PORTAL = text_setting(
    "portal_id",
    "The id of the HubSpot account (Hub ID): notifications of other accounts that installed the "
    "same app are left out. Without it those of every account are taken.",
)

API_URL = text_setting("api_url", "Address of the API.", default="https://api.hubapi.com")


class _Change(NamedTuple):
    """What one notification says: objects to be fetched, and objects that are gone or back."""

    object: str
    named: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    at: str = ""


_NOTHING = _Change("")


def _verify(request: HookRequest) -> None:
    """Version 3 only: the older ones cover neither the time nor, one of them, the address."""
    stamp = request.headers.get("x-hubspot-request-timestamp")
    require_recent(stamp, request.received_at, milliseconds=True)
    keys = [secret.encode() for secret in request.credentials.get("client_secret", ())]
    tail = request.body + header_bytes(stamp or "")
    signed = f"{request.method}{_signed_address(request.url)}".encode(errors="replace") + tail
    given = request.headers.get("x-hubspot-signature-v3")
    verify_hmac(given, signed, keys, encoding=Encoding.BASE64)


def _signed_address(url: str) -> str:
    """The address as HubSpot signs it: a stated list of escapes stands for the characters."""
    return _SIGNED_ESCAPES.sub(lambda found: chr(int(found[1], 16)), url)


def _read(request: HookRequest) -> Delivery:
    try:
        events = _events(request.body)
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))
    items: list[Item] = []
    refused: list[Refused] = []
    references: dict[tuple[str, str], Reference] = {}
    for index, event in enumerate(events):
        told = _told(index, event, request)
        if isinstance(told, Refused):
            refused.append(told)
            continue
        change, gone = told
        items += gone
        for about in ((change.object, number) for number in change.named):
            references.setdefault(about, Reference(index, *about))
    return hook_delivery(
        request, *items, refused=tuple(refused), references=tuple(references.values())
    )


def _events(body: bytes) -> list[RawValue]:
    events = read_json(body)
    if not isinstance(events, list):
        raise Invalid("invalid_delivery", Fault("", "not_a_list"))
    return events


def _told(
    index: int, event: RawValue, request: HookRequest
) -> tuple[_Change, list[Item]] | Refused:
    """What one notification says; a bad one does not take the others of its batch with it."""
    id_ = None
    try:
        record = _event(event, index)
        id_ = _delivery_id(record)
        change = _change(record, request.settings) or _NOTHING
        return change, _items(index, id_, change, request)
    except Invalid as error:
        return refusal(request, error, written(event), id_, index=index)


def _event(event: RawValue, index: int) -> Record:
    if not isinstance(event, dict):
        raise Invalid("invalid_delivery", Fault(f"/{index}", "not_an_object"))
    return Record(event, f"/{index}")


def _delivery_id(record: Record) -> str | None:
    """To be shown only: HubSpot says itself that it is not unique."""
    number = record.values.get("eventId")
    return usable_name(str(number)) if isinstance(number, str | int) else None


def _change(record: Record, settings: Settings) -> _Change | None:
    """What a notification says; None where it is of no interest."""
    portal = settings.text("portal_id")
    if portal is not None and _number(record, "portalId") != portal:
        return None
    word, _, action = record.required("subscriptionType").partition(".")
    label = record.text("objectTypeId") if word == "object" else word
    kind = _OBJECTS.get(label or "")
    if kind is None or action in _OF_NO_INTEREST:
        return None
    if action == "merge":
        return _merge(record, kind)
    number = _required_number(record, "objectId")
    if action in _GONE:
        return _Change(kind, gone=(number,), at=_occurred(record))
    if action == "restore":
        return _Change(kind, named=(number,), back=(number,), at=_occurred(record))
    return _Change(kind, named=(number,))


def _merge(record: Record, kind: str) -> _Change:
    """The record that is left may be a new one; then the first of them is gone as well."""
    primary = _required_number(record, "primaryObjectId")
    left = _number(record, "newObjectId") or primary
    merged = record.values.get("mergedObjectIds")
    if not isinstance(merged, list):
        raise record.fault("mergedObjectIds", "not_a_list")
    gone = [
        _required_number(Record({str(n): value}, f"{record.pointer}/mergedObjectIds"), str(n))
        for n, value in enumerate(merged)
    ]
    # Each once, in their order: two reports of one activity would be equal anyway.
    retired = dict.fromkeys(number for number in [primary, *gone] if number != left)
    return _Change(kind, named=(left,), gone=tuple(retired), at=_occurred(record))


def _items(index: int, id_: str | None, change: _Change, request: HookRequest) -> list[Item]:
    """The reports of what is gone or back: nothing else is known here."""
    told = [(number, True) for number in change.gone] + [(n, False) for n in change.back]
    items = []
    for number, retracted in told:
        fields: dict[str, JsonValue] = {KIND: KINDS[change.object], RETRACTED: retracted}
        key = _key(change.object, number)
        report = hook_report(request, key, change.at, fields, full=False, mapping=MAPPING)
        items.append(Item(index, id_ or key, report))
    return items


def _key(object_kind: str, number: str) -> str:
    return f"{object_kind.removesuffix('s')}:{number}"


def _number(record: Record, label: str) -> str | None:
    """An id as text; it comes as a number or as digits."""
    value = record.values.get(label)
    if value is None or value == "":
        return None
    text = "" if isinstance(value, bool) else str(value)
    if not _ID.fullmatch(text):
        raise record.fault(label, "not_an_integer")
    return text


def _required_number(record: Record, label: str) -> str:
    number = _number(record, label)
    if number is None:
        raise record.fault(label, "required")
    return number


def _occurred(record: Record) -> str:
    """The revision of a notification: the moment of the change, in milliseconds since 1970."""
    value = record.whole("occurredAt")
    if value is None:
        raise record.fault("occurredAt", "required")
    if not FLOOR <= value * _MILLISECOND < instant("9999-01-01T00:00:00Z"):
        raise record.fault("occurredAt", "not_a_time")
    return of_instant(value * _MILLISECOND)


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What an object of the CRM API v3 comes to: a full report, or that it is gone.

    object_kind: contacts, deals, meetings or calls, as References name them. `PROPERTIES` of
    `objects` is what has to be asked for.
    """
    request = as_fetched(source, settings, now, changes)
    if object_kind not in KINDS:
        return None
    record = Record(fetched)
    try:
        number = _required_number(record, "id")
        label = "archivedAt" if record.given("archivedAt") else "updatedAt"
        at = record.time(label)
        if at is None:
            raise record.fault("updatedAt", "required")
        fields = object_fields(object_kind, record, settings, now)
        if fields is None:
            return None
        key, revision = _key(object_kind, number), of_instant(instant(at))
        full = RETRACTED not in fields
        report = hook_report(request, key, revision, fields, full=full, mapping=MAPPING)
    except Invalid as error:
        id_ = fetched.get("id")
        return refusal(request, error, written(dict(fetched)), usable_name(id_))
    return Item(0, key, report)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_hubspot_target", {"url": connecting.hook_url}),
        Step("subscribe_hubspot_events", {"objects": "deals, calls, meetings, contacts"}),
    )


PROVIDER = Provider(
    name="hubspot",
    counts=("call", "deal", "lead", "meeting"),
    secrets=(
        Secret("client_secret", "The app's client secret (Auth tab of the app)."),
        for_asking(
            "access_token",
            "The app's access token, with the scopes to read deals, contacts, calls and meetings. "
            "Without it nothing that is named can be fetched, and so nothing counts.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, signed_url=SignedUrl.YES),
    settings=(PORTAL, API_URL, *SETTINGS),
)
