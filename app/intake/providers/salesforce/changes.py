"""Change Data Capture, as it comes through Amazon EventBridge.

A change event has only what changed, for one record or for several. Event Relay wraps it into
`payload`, AppFlow does not. Fields that did not change may be there as null: they are not news.
An update of a task or an event does not say whether it is a call or somebody's copy: what those
are now has to be fetched. Gap events say only that something happened.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.activities import RETRACTED
from app.domain.deliveries import Item, Reference
from app.domain.errors import Invalid
from app.domain.instants import FLOOR, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.providers.salesforce.objects import (
    KINDS,
    Fields,
    Reading,
    long_id,
    record_fields,
    retraction,
)
from app.intake.records import Record
from app.intake.requests import HookRequest, hook_report, usable_name

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 2
HEADER = "ChangeEventHeader"
_MAX_RECORDS = 500
_GONE = frozenset({"DELETE", "GAP_DELETE"})
_WHOLE = frozenset({"CREATE", "UNDELETE"})
_GAPS = frozenset({"GAP_CREATE", "GAP_UPDATE", "GAP_UNDELETE"})
# Of these an update says too little.
_UNTOLD = frozenset({"Task", "Event"})
_MICROSECONDS = 1_000

Told = tuple[list[Item], list[Reference]]


def is_change(envelope: Record) -> bool:
    """Whether an event of EventBridge is one of Change Data Capture."""
    detail = envelope.values.get("detail")
    return isinstance(detail, dict) and (HEADER in detail or "payload" in detail)


def read_change(envelope: Record, request: HookRequest) -> Told:
    """The items and references of a change event. Raises Invalid."""
    detail = envelope.record("detail")
    payload = detail.record("payload") if detail.has("payload") else detail
    header = payload.record(HEADER)
    kind = header.required("entityName")
    if kind not in KINDS:
        return [], []
    change = header.required("changeType")
    if change == "GAP_OVERFLOW":
        # Too many at once to name them: only a comparison with Salesforce finds them.
        raise header.fault("changeType", "changes_not_listed")
    ids = _ids(header)
    if change in _GAPS or (change == "UPDATE" and kind in _UNTOLD):
        return [], [Reference(n, kind, id_) for n, id_ in enumerate(ids)]
    fields = _fields(change, kind, payload, header, request)
    if fields is None:
        return [], []
    return _items(kind, ids, _revision(header), fields, envelope, request), []


def _items(
    kind: str,
    ids: list[str],
    revision: str,
    fields: Fields,
    envelope: Record,
    request: HookRequest,
) -> list[Item]:
    event = usable_name(envelope.values.get("id"))
    reports = (
        hook_report(request, f"{kind}:{id_}", revision, fields, full=False, mapping=MAPPING)
        for id_ in ids
    )
    return [Item(n, event or report.key, report) for n, report in enumerate(reports)]


def _fields(
    change: str, kind: str, payload: Record, header: Record, request: HookRequest
) -> Fields | None:
    if change in _GONE:
        return retraction(kind)
    if change not in {*_WHOLE, "UPDATE"}:
        raise header.fault(
            "changeType", "unknown_value", allowed="CREATE, UPDATE, DELETE, UNDELETE"
        )
    update = change == "UPDATE"
    moved = not update or _changed(header, "StageName") is not False
    reading = Reading(
        request.settings,
        request.received_at,
        stage_changed_at=written_instant(_committed(header)) if moved else None,
        partial=update,
    )
    record = Record(_told(payload, header, update=update), payload.pointer)
    fields = record_fields(kind, record, reading)
    if fields is None or update or RETRACTED in fields:
        return fields
    return fields | {RETRACTED: False}


def _told(payload: Record, header: Record, *, update: bool) -> Mapping[str, RawValue]:
    """The fields that a change speaks of."""
    return {
        label: value
        for label, value in payload.values.items()
        if label != HEADER and (value is not None or not update or _changed(header, label))
    }


def _changed(header: Record, label: str) -> bool | None:
    """Whether a field is among the changed ones; None where they are not listed by name.

    The Pub/Sub API packs them into bit maps, which only its schema can read.
    """
    names: list[RawValue] = []
    for place in ("changedFields", "nulledFields"):
        listed = header.values.get(place)
        names += listed if isinstance(listed, list) else []
    if label in names:
        return True
    packed = any(isinstance(name, str) and name.startswith("0x") for name in names)
    return None if packed or not names else False


def _ids(header: Record) -> list[str]:
    listed = header.values.get("recordIds")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_RECORDS:
        raise header.fault("recordIds", "not_a_list", low=1, high=_MAX_RECORDS)
    wrong: Invalid = header.fault("recordIds", "not_a_salesforce_id")
    texts = (one if isinstance(one, str) else "" for one in listed)
    return list(dict.fromkeys(long_id(text, wrong) for text in texts))


def _committed(header: Record) -> int:
    """The instant of the commit."""
    milliseconds = header.whole("commitTimestamp")
    at = (milliseconds or 0) * _MICROSECONDS
    if at < FLOOR or milliseconds is None or milliseconds >= 10**14:
        raise header.fault("commitTimestamp", "required" if not milliseconds else "not_a_time")
    return at


def _revision(header: Record) -> str:
    """The commit, and within it the order of its changes: they share its millisecond."""
    sequence = min(header.whole("sequenceNumber") or 0, _MICROSECONDS - 1)
    return of_instant(_committed(header) + sequence)
