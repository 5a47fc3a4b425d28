"""One CloudEvent 1.0 becomes one report.

`type` is the kind, `subject` (else `id`) the key, `data` the fields. Extension attributes say how
the report stands to others: `revision`, `actor`, `retracted`, `merge`. Unknown attributes are
ignored, as the specification wants, so that a tracing header never costs a sale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.activities import KIND, RETRACTED, JsonValue, Report, make_report
from app.domain.deliveries import About, Item, Refused
from app.domain.errors import Fault, Invalid
from app.domain.instants import instant
from app.domain.kinds import RawValue, canonical_fields, identity, kind_of, name
from app.domain.revisions import of_instant, sortable
from app.intake.reading import written

# An event of 64 KiB always fits: reading lengthens nothing but decimals, which gain two quotes.
MAX_CONTENT = 2 * 64 * 1024
# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
_REQUIRED = frozenset({"specversion", "id", "source", "type"})


def read_event(
    event: RawValue, index: int, now: int, *, source: str | None = None, mapping: int = MAPPING
) -> Item | Refused:
    """The item that an event means, or every reason why it means none.

    `now` is the instant of receipt; a given `source` stands for the event's own; `mapping` is the
    version of what made the event.
    """
    if not isinstance(event, dict):
        return Refused(index, None, source, Invalid("not_an_object"), written(event))
    attributes, faults = _attributes(event)
    if source is not None:
        attributes["source"] = source
    try:
        fields = _fields(event.get("data"), attributes, now) if "type" in attributes else {}
        if not faults:
            report = _report(attributes, fields, event.get("data"), mapping)
            return Item(index, attributes["id"], report)
    except Invalid as error:
        faults += error.faults
    why = Invalid("invalid_event", *faults)
    about = _about(event, attributes)
    return Refused(
        index, attributes.get("id"), attributes.get("source"), why, written(event), about
    )


def _attributes(event: Mapping[str, RawValue]) -> tuple[dict[str, Any], list[Fault]]:
    """The attributes that mean something here, read; null is the same as absent."""
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for label, value in event.items():
        reader = _READERS.get(label)
        if reader is None or value is None:
            continue
        try:
            found[label] = reader(value)
        except Invalid as error:
            faults += [Fault(f"/{label}", fault.code, fault.params) for fault in error.faults]
    if not found.keys() >= _REQUIRED:
        missing = sorted(label for label in _REQUIRED if event.get(label) is None)
        faults += [Fault(f"/{label}", "required") for label in missing]
    return found, faults


def _fields(data: RawValue, attributes: Mapping[str, Any], now: int) -> dict[str, JsonValue]:
    kind = attributes["type"]
    if data is None and "retracted" in attributes:
        # Retraction alone: whatever else is known of the activity, before or after, stays known.
        return {KIND: kind.name, RETRACTED: attributes["retracted"]}
    if data is None:
        raise Invalid("invalid_event", Fault("/data", "required"))
    if not isinstance(data, dict):
        raise Invalid("invalid_event", Fault("/data", "not_an_object"))
    try:
        fields = canonical_fields(kind, data, actor=attributes.get("actor"), now=now)
    except Invalid as error:
        within = [Fault(f"/data{f.pointer}", f.code, f.params) for f in error.faults]
        raise Invalid("invalid_event", *within) from None
    if "retracted" in attributes:
        fields[RETRACTED] = attributes["retracted"]
    return fields


def _report(
    attributes: Mapping[str, Any], fields: Mapping[str, JsonValue], data: RawValue, mapping: int
) -> Report:
    about = About(attributes.get("subject") or attributes["id"], _revision_of(attributes))
    report = make_report(
        attributes["source"],
        *about,
        fields,
        full=data is not None and not attributes.get("merge", False),
        mapping=mapping,
    )
    if len(report.content) > MAX_CONTENT:
        raise Invalid("item_too_large", limit=MAX_CONTENT)
    return report


def _about(event: Mapping[str, RawValue], attributes: Mapping[str, Any]) -> About | None:
    """What a refused event is about; None where it says so in a way that cannot be read."""
    deciding = ("id", "subject", "revision", "time")
    if any(event.get(label) is not None and label not in attributes for label in deciding):
        return None
    key = attributes.get("subject") or attributes.get("id")
    return About(key, _revision_of(attributes)) if key else None


def _revision_of(attributes: Mapping[str, Any]) -> str:
    revision: str | None = attributes.get("revision")
    if revision is not None:
        return revision
    return of_instant(attributes["time"]) if "time" in attributes else ""


def _version(value: RawValue) -> str:
    if value != "1.0":
        raise Invalid("unsupported_version", supported="1.0")
    return "1.0"


def _time(value: RawValue) -> int:
    if not isinstance(value, str):
        raise Invalid("not_a_time")
    return instant(value)


def _revision(value: RawValue) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Invalid("not_a_revision")
    try:
        return sortable(value, None)
    except Invalid as error:
        raise Invalid("not_a_revision" if error.code == "not_a_time" else error.code) from None


def _boolean(value: RawValue) -> bool:
    if not isinstance(value, bool):
        raise Invalid("not_a_boolean")
    return value


def _json_type(value: RawValue) -> None:
    if not isinstance(value, str) or not is_json(value):
        raise Invalid("data_not_json")


def _no_binary(_value: RawValue) -> None:
    raise Invalid("data_not_json")


def is_json(media_type: str) -> bool:
    """Whether a media type is application/json or a format built on it."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


_READERS: Mapping[str, Callable[[RawValue], Any]] = {
    "specversion": _version,
    "id": name,
    "source": name,
    "type": kind_of,
    "subject": name,
    "time": _time,
    "revision": _revision,
    "actor": identity,
    "retracted": _boolean,
    "merge": _boolean,
    "datacontenttype": _json_type,
    "data_base64": _no_binary,
}
