"""Zoho CRM notifications: records by id only, several in one request; what they are is fetched.

The token that was given when the channel was opened comes back in the body, and nothing else proves
the request. A deletion says all there is to say, be it notified or listed. What a fetched record is
to us depends on names that people change (stages, results of calls), so the source's settings say
what they mean.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace

from app.domain.activities import KIND, RETRACTED, JsonValue, Report
from app.domain.deliveries import Delivery, Item, Reference, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Secret, for_asking
from app.intake.proofs import verify_claimed
from app.intake.providers.zoho.records import (
    KINDS,
    READERS,
    SETTINGS,
    number_of,
)
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
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
from app.intake.source_settings import Settings

# Raised with every change of what a notification or a record comes to.
MAPPING = 2
MAX_TOKEN = 50  # Zoho's own limit


def _verify(request: HookRequest) -> None:
    verify_claimed(request.body, "token", request.credentials.get("token", ()))


def _kept(request: HookRequest) -> HookRequest:
    return replace(request, body=json_without(request.body, "token"))


def _read(request: HookRequest) -> Delivery:
    try:
        told = record_of(read_json(request.body))
        # What `resource_uri` names may be another module: this one is what the ids are of.
        module = told.required("module")
        if module not in KINDS:
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
        dict.fromkeys(number_of(Record({str(n): v}, place), str(n)) for n, v in enumerate(ids))
    )


def _gone(told: Record, module: str, numbers: list[str], request: HookRequest) -> list[Item]:
    at = told.required_time("server_time")
    fields: dict[str, JsonValue] = {KIND: KINDS[module], RETRACTED: True}
    items = []
    for index, number in enumerate(numbers):
        key, revision = _key(module, number), of_instant(instant(at))
        report = hook_report(request, key, revision, fields, full=False, mapping=MAPPING)
        items.append(Item(index, key, report))
    return items


def _key(module: str, number: str) -> str:
    return f"{KINDS[module]}:{number}"


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What a record of the API (v6 to v8) comes to: a full report, or that it is gone.

    object_kind: the module, as References name it: Deals, Calls, Events or Leads. A record that
    was deleted is known by its `deleted_time`.
    """
    request = as_fetched(source, settings, now, changes)
    if object_kind not in KINDS:
        return None
    record = Record(fetched)
    try:
        key = _key(object_kind, number_of(record, "id"))
        if record.given("deleted_time"):
            return Item(0, key, _deleted(record, object_kind, key, request))
        revision = of_instant(instant(record.required_time("Modified_Time")))
        read, origins = READERS[object_kind]
        values = read(record, settings)
        if values is None:
            return None
        known = {label: value for label, value in values.items() if value is not None}
        places = {label: f"/{name}" for label, name in origins.items()}
        fields = fields_of(KINDS[object_kind], known, places, now)
        report = hook_report(request, key, revision, fields, full=True, mapping=MAPPING)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), usable_name(fetched.get("id")))
    return Item(0, key, report)


def _deleted(record: Record, module: str, key: str, request: HookRequest) -> Report:
    """That a record is gone, after whatever was done to it within that second."""
    at = instant(record.required_time("deleted_time")) + SECOND - 1
    fields: dict[str, JsonValue] = {KIND: KINDS[module], RETRACTED: True}
    return hook_report(request, key, of_instant(at), fields, full=False, mapping=MAPPING)


def _token(text: str) -> None:
    if len(text) > MAX_TOKEN:
        raise Invalid("text_too_long", limit=MAX_TOKEN)


def _written_token(key: bytes) -> str:
    """43 characters, for hexadecimal digits would be more than Zoho takes."""
    return urlsafe_b64encode(key).decode().rstrip("=")


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    scopes = "ZohoCRM.modules.READ,ZohoCRM.notifications.ALL"
    return (
        Step("create_zoho_client", {"scopes": scopes}),
        Step("zoho_notifies_by_itself", {"url": connecting.hook_url}),
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
        for_asking("client_id", "Of the self client in Zoho's API console."),
        for_asking("client_secret", "Of the same."),
        for_asking(
            "refresh_token",
            "A refresh token of that client, with the scopes to read modules and to change "
            "notifications. Without it nothing that is named can be fetched, nothing counts, and "
            "no channel is opened.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, kept=_kept),
    settings=SETTINGS,
)
