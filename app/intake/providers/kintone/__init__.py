"""kintone (Cybozu): the records of one app, whose fields the source's settings or mapping name.

kintone signs nothing and sends no header of ours: the unguessable address is the only proof.
Every notification but that of a deletion has the whole record with its `$revision`, so it is a
full report. Field codes are the customer's own, in any language; the system's fields are found by
their types, because their codes are localised too. kintone never sends twice and drops what is
above its limits: only a comparison by its API finds what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.activities import KIND, RETRACTED
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.kinds import RawValue
from app.domain.revisions import MAX_DIGITS, of_number
from app.intake.credentials import for_asking
from app.intake.mapping import BodyMapping
from app.intake.providers.kintone.by_mapping import activities_of, gone
from app.intake.providers.kintone.by_settings import (
    COUNTS,
    SETTINGS,
    Fields,
    check,
    fields_by_settings,
    kind_of_record,
)
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Maps,
    Provider,
    Step,
    as_fetched,
    body_text,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, text_setting

# Raised with every change of what a record comes to: only then does a replay supersede.
MAPPING = 1
_SAVED = frozenset({"ADD_RECORD", "UPDATE_RECORD", "UPDATE_STATUS"})
_DELETED = "DELETE_RECORD"
# A deleted record never comes back under its id, and its notification has no revision.
_LAST = of_number("9" * MAX_DIGITS)


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
            return hook_delivery(request, *_deletion(app, event, id_, request))
        record = event.record("record")
        about = _about(app, record)
        told = _activities(about, record, id_, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_, about),))
    refused = tuple(one for one in told if isinstance(one, Refused))
    return hook_delivery(request, *(one for one in told if isinstance(one, Item)), refused=refused)


def _activities(
    about: About, record: Record, id_: str | None, request: HookRequest
) -> Sequence[Item | Refused]:
    if request.mapping is not None:
        return activities_of(record.values, about, request.mapping, request, MAPPING)
    if request.settings.text("kind") is None:
        # Its mapping is valid no longer; kept, the record counts once there is a better one.
        raise Invalid("source_without_mapping", source=request.source)
    return (_item(about, record, id_, request),)


def _own_app(event: Record, settings: Settings) -> str:
    app, own = event.record("app"), settings.text("app_id")
    given = app.values.get("id")
    if str(given) != own:
        # Another app has other fields; a number is as good as its text.
        raise app.fault("id", "unknown_value", allowed=own or "")
    return own


def _deletion(app: str, event: Record, id_: str | None, request: HookRequest) -> Sequence[Item]:
    number = event.whole("recordId")
    if number is None:
        raise event.fault("recordId", "required")
    about = About(f"{app}:{number}", _LAST)
    if request.mapping is not None:
        return gone(about, request.mapping, request, MAPPING)
    fields: Fields = {KIND: kind_of_record(request.settings).name, RETRACTED: True}
    report = hook_report(request, about.key, _LAST, fields, full=False, mapping=MAPPING)
    return (Item(0, id_ or about.key, report),)


def _about(app: str, record: Record) -> About:
    """Key and revision of a record."""
    number, revision = record.record("$id"), record.record("$revision")
    for one in (number, revision):
        if one.whole("value") is None:
            raise one.fault("value", "required")
    return About(f"{app}:{number.whole('value')}", of_number(str(revision.whole("value"))))


def _item(about: About, record: Record, id_: str | None, request: HookRequest) -> Item:
    fields = fields_by_settings(record, request.settings, request.received_at)
    report = hook_report(request, about.key, about.revision, fields, full=True, mapping=MAPPING)
    return Item(0, id_ or about.key, report)


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
    request = as_fetched(source, settings, now, changes)
    about: About | None = None
    try:
        record = Record(fetched)
        about = _about(object_kind, record)
        return _item(about, record, None, request)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), about=about)


def read_mapped(
    mapping: BodyMapping,
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Sequence[Item | Refused]:
    """The same by the mapping of the source."""
    if object_kind != settings.text("app_id"):
        return ()
    request = as_fetched(source, settings, now, changes, mapping)
    try:
        about = _about(object_kind, Record(fetched))
    except Invalid as error:
        return (refusal(request, error, written(dict(fetched))),)
    return activities_of(fetched, about, mapping, request, MAPPING)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    app = connecting.settings.text("app_id") or "-"
    return (
        Step("add_kintone_webhook", {"url": connecting.hook_url, "app": app}),
        Step("choose_kintone_notifications", {}),
        Step("keep_kintone_address_secret", {}),
    )


PROVIDER = Provider(
    name="kintone",
    counts=COUNTS,
    hook=Hook(_the_address_is_the_proof, _read, _next_steps),
    settings=(
        text_setting("app_id", "Number of the app: the one in its address, /k/12/.", required=True),
        *SETTINGS,
        text_setting(
            "api_url", "Address of the domain (https://example.cybozu.com), to ask it for records."
        ),
        text_setting("updated_field", "Code of the field of the last change.", default="更新日時"),
    ),
    check=check,
    maps=Maps.RECORDS,
    secrets=(
        for_asking(
            "api_token",
            "API token of the app that may read its records, to read through what notifications "
            "missed; wants `api_url`. Left out: nothing is asked.",
        ),
    ),
)
