"""Salesforce, in the three shapes in which it can send: which ones, a source's settings say.

- Outbound Message (SOAP): the fields chosen in it, as they are when it is sent. Nothing is signed;
  it proves itself by the unguessable address and the organization's id. Its answer is `Ack`: true
  for all of its records or for none.
- JSON of a flow or of Apex, in the shape that docs/senders/salesforce.md gives, with an API key.
- Change Data Capture through Amazon EventBridge, with the same API key.

All of them are reports about `<object>:<id of 18 characters>`, ordered by SystemModstamp or by the
moment of the commit. Each carries some fields only, so every field keeps its own revision.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from app.domain.activities import RETRACTED
from app.domain.deliveries import About, Delivery, Item, Reference, Refused
from app.domain.errors import Fault, Invalid, TasseiError, Unauthenticated, Unreadable
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Credentials, Secret
from app.intake.eventbridge import API_KEY_HEADER, destination_steps, verify_api_key
from app.intake.proofs import any_same
from app.intake.providers.salesforce.asking import API_URL, ASKING
from app.intake.providers.salesforce.changes import MAPPING, is_change, read_change
from app.intake.providers.salesforce.objects import (
    CURRENCY,
    FIELDS,
    KINDS,
    Reading,
    is_long_id,
    long_id,
    record_fields,
)
from app.intake.providers.salesforce.soap import (
    NOT_STORED,
    STORED,
    is_xml,
    read_message,
    without_session,
)
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.requests import (
    NO_CONTENT,
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    as_fetched,
    body_text,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import (
    Settings,
    choice_setting,
    flag_setting,
    text_setting,
    texts_setting,
    words_setting,
    zone_setting,
)

_MESSAGES, _FLOWS, _CHANGES = SHAPES = ("outbound_message", "flow", "change_data_capture")
_ORGANIZATION = re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?", re.ASCII)
_SHORT_ID = 15
_MAX_RECORDS = 200
_OUTCOMES = ("connected", "no_answer", "busy", "voicemail", "failed", "canceled")
_EVENTS = ("saved", "deleted")


def _verify(request: HookRequest) -> None:
    shapes = request.settings.texts("shapes")
    if not is_xml(request.body):
        if not {_FLOWS, _CHANGES} & set(shapes):
            raise Unauthenticated("credentials_mismatch")
        verify_api_key(request)
        return
    if _MESSAGES not in shapes:
        raise Unauthenticated("credentials_mismatch")
    try:
        message = read_message(request.body)
        without_session(request.body)
    except TasseiError:
        raise Unauthenticated("credentials_missing") from None
    # No proof by itself, and never the session: the address is the secret.
    _require_organization(message.organization, request.settings)


def _require_organization(given: str, settings: Settings) -> None:
    own = settings.text("organization_id")
    # The three characters behind an id of 15 say nothing more.
    if own is None or not any_same([given[:_SHORT_ID]], [own[:_SHORT_ID].encode()]):
        raise Unauthenticated("credentials_mismatch")


def _kept(request: HookRequest) -> HookRequest:
    if not is_xml(request.body):
        return request
    return replace(request, body=without_session(request.body))


def _answer(request: HookRequest) -> Answer:
    return STORED if is_xml(request.body) else NO_CONTENT


def _read(request: HookRequest) -> Delivery:
    try:
        return _read_xml(request) if is_xml(request.body) else _read_json(request)
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))


def _read_xml(request: HookRequest) -> Delivery:
    items: list[Item] = []
    refused: list[Refused] = []
    references: list[Reference] = []
    for n, told in enumerate(read_message(request.body).notifications):
        record = told.fields
        if told.object in KINDS and is_long_id(record.values.get("Id")) and len(record.values) == 1:
            # A record that is gone by the time of sending has no data any more.
            references.append(Reference(n, told.object, record.required("Id")))
            continue
        _sort(_item(n, told.id, told.object, record, request, full=False), items, refused)
    return hook_delivery(request, *items, refused=tuple(refused), references=tuple(references))


def _read_json(request: HookRequest) -> Delivery:
    event = record_of(read_json(request.body))
    shapes = request.settings.texts("shapes")
    if is_change(event):
        if _CHANGES not in shapes:
            raise event.fault("detail", "shape_not_accepted", setting=_CHANGES)
        items, references = read_change(event, request)
        return hook_delivery(request, *items, references=tuple(references))
    if _FLOWS not in shapes:
        raise event.fault("records", "shape_not_accepted", setting=_FLOWS)
    return _read_flow(event, request)


def _read_flow(event: Record, request: HookRequest) -> Delivery:
    if event.given("organization_id"):
        own = request.settings.text("organization_id") or ""
        if event.required("organization_id")[:_SHORT_ID] != own[:_SHORT_ID]:
            raise event.fault("organization_id", "unknown_value", allowed=own)
    kind = event.required("object")
    word = event.text("event") or "saved"
    if word not in _EVENTS:
        raise event.fault("event", "unknown_value", allowed=", ".join(_EVENTS))
    records = event.records("records")
    if not 0 < len(records) <= _MAX_RECORDS:
        raise event.fault("records", "not_a_list", low=1, high=_MAX_RECORDS)
    items: list[Item] = []
    refused: list[Refused] = []
    for n, told in enumerate(records):
        gone: Mapping[str, RawValue] = {"IsDeleted": True} if word == "deleted" else {}
        record = replace(told, values={**told.values, **gone})
        _sort(_item(n, None, kind, record, request, full=False), items, refused)
    return hook_delivery(request, *items, refused=tuple(refused))


def _sort(one: Item | Refused | None, items: list[Item], refused: list[Refused]) -> None:
    if isinstance(one, Item):
        items.append(one)
    elif one is not None:
        refused.append(one)


def _item(
    index: int, id_: str | None, kind: str, record: Record, request: HookRequest, *, full: bool
) -> Item | Refused | None:
    """What a record comes to; None where it counts as nothing."""
    if kind not in KINDS:
        return None
    id_, about = usable_name(id_), None
    try:
        key, revision = _named(kind, record)
        about = About(key, revision)
        fields = record_fields(kind, record, Reading(request.settings, request.received_at))
        if fields is None:
            return None
        whole = full and RETRACTED not in fields
        # It was there to be read, so it is not deleted: this also undoes a deletion.
        fields = {RETRACTED: False} | fields
        report = hook_report(request, key, revision, fields, full=whole, mapping=MAPPING)
    except Invalid as error:
        content = written(dict(record.values))
        return refusal(request, error, content, id_, about, index=index)
    return Item(index, id_ or key, report)


def _named(kind: str, record: Record) -> tuple[str, str]:
    """Key and revision of a record's state."""
    id_ = long_id(record.required("Id"), record.fault("Id", "not_a_salesforce_id"))
    at = record.required_time("SystemModstamp")
    return f"{kind}:{id_}", of_instant(instant(at))


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

    It has to be asked for with FIELDS of its object. None for what counts as nothing.
    now: the instant of the fetch; changes: how often the source's settings were changed
    """
    request = as_fetched(source, settings, now, changes)
    return _item(0, None, object_kind, Record(fetched), request, full=True)


def _check(settings: Settings, credentials: Credentials) -> None:
    if credentials.get("client_id") and settings.text("api_url") is None:
        raise _wrong("api_url", "required")
    if not _ORGANIZATION.fullmatch(settings.text("organization_id") or ""):
        raise _wrong("organization_id", "not_a_salesforce_id")
    shapes = settings.texts("shapes")
    for place, shape in enumerate(shapes):
        if shape not in SHAPES:
            raise _wrong(f"shapes/{place}", "unknown_value", allowed=", ".join(SHAPES))
    if not shapes:
        raise _wrong("shapes", "required")
    if _CHANGES in shapes and settings.text("won_at") != "stage_change":
        # A change of the stage does not carry the close date.
        raise _wrong("won_at", "unknown_value", allowed="stage_change")


def _wrong(place: str, code: str, **params: str | int) -> Invalid:
    return Invalid(code, Fault(f"/settings/{place}", code, params))


def _with_key(settings: Settings) -> bool:
    return bool({_FLOWS, _CHANGES} & set(settings.texts("shapes")))


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    shapes = connecting.settings.texts("shapes") or (_MESSAGES,)
    steps: list[Step] = []
    if _MESSAGES in shapes:
        steps.append(Step("add_salesforce_outbound_message", {"url": connecting.hook_url}))
        steps.append(Step("send_salesforce_message_by_flow", {}))
        steps += _field_steps(connecting.settings)
    if _FLOWS in shapes:
        steps.append(Step("call_out_of_salesforce", {"url": connecting.hook_url}))
        steps.append(Step("name_salesforce_credential", {"header": API_KEY_HEADER}))
    if _CHANGES in shapes:
        steps.append(Step("relay_salesforce_changes", {"objects": ", ".join(KINDS)}))
        steps += destination_steps(connecting)
    return tuple(steps)


def _field_steps(settings: Settings) -> list[Step]:
    several = settings.flag("several_currencies")
    own = {"Opportunity": (CURRENCY,)} if several else {}
    return [
        Step(
            "choose_salesforce_fields",
            {"object": kind, "fields": ", ".join((*fields, *own.get(kind, ())))},
        )
        for kind, fields in FIELDS.items()
    ]


_SETTINGS = (
    text_setting(
        "organization_id",
        "Id of the organization, 15 or 18 characters: Setup > Company Information.",
        required=True,
    ),
    texts_setting(
        "shapes",
        f"What this source takes: {', '.join(SHAPES)}.",
        default=(_MESSAGES,),
    ),
    words_setting(
        "stages",
        "What each stage name means, where a record does not say IsWon and IsClosed; others are "
        "open.",
        allowed=("open", "won", "lost"),
        default={"Closed Won": "won", "Closed Lost": "lost"},
    ),
    choice_setting(
        "won_at",
        "When a deal counts as won: on its close date, as Salesforce's own reports have it, or "
        "when its stage changed; with change_data_capture only the latter is known.",
        ("close_date", "stage_change"),
        default="close_date",
    ),
    words_setting(
        "deal_types",
        "What each value of Type means; without one a deal is new.",
        allowed=("new", "existing"),
        default={
            "Existing Business": "existing",
            "Existing Customer - Upgrade": "existing",
            "Existing Customer - Replacement": "existing",
            "Existing Customer - Downgrade": "existing",
        },
    ),
    text_setting("currency", "Currency of amounts in an organization with a single one (JPY)."),
    flag_setting(
        "several_currencies", "Whether it has several: then each record says its own, or waits."
    ),
    texts_setting("call_types", "TaskSubtype or Type of a task that is a call.", default=("Call",)),
    words_setting("call_outcomes", "What each CallDisposition means.", allowed=_OUTCOMES),
    texts_setting("done_statuses", "Status of a task that was done.", default=("Completed",)),
    text_setting(
        "meeting_status_field", "API name of your own field that says what became of an event."
    ),
    words_setting(
        "meeting_statuses",
        "What the values of that field mean; others are booked.",
        allowed=("booked", "held", "canceled", "no_show"),
    ),
    zone_setting("time_zone", "Zone of dates without time, such as CloseDate."),
    API_URL,
)

PROVIDER = Provider(
    name="salesforce",
    counts=("call", "deal", "lead", "meeting"),
    secrets=(
        Secret(
            "api_key",
            f"Value of the header {API_KEY_HEADER} of what comes as JSON; made if absent, shown "
            "once. An Outbound Message cannot carry one.",
            absence=Absence.GENERATED,
            wanted=_with_key,
        ),
        *ASKING,
    ),
    hook=Hook(_verify, _read, _next_steps, answer=_answer, failed=NOT_STORED, kept=_kept),
    settings=_SETTINGS,
    check=_check,
)
