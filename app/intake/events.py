"""The body of POST /v1/events becomes a delivery.

Media types: a CloudEvent in structured mode, a batch of them, a CloudEvent in binary mode (its
attributes in `ce-` headers), and NDJSON with one structured event per line. A body that cannot be
read is refused whole; an event that cannot be used is refused alone, and the others count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from app.domain.deliveries import Delivery, Door, Item, Raw, Refused
from app.domain.errors import Fault, Invalid, TooLarge, Unreadable, UnsupportedMedia
from app.domain.kinds import RawValue
from app.intake.cloudevents import is_json, read_event
from app.intake.reading import read_json, written

MAX_ITEMS = 10_000
_PREFIX = "ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
# Where the body says everything, attributes too.
_WHOLE = frozenset(
    {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
    }
)
_FLAGS: Mapping[str, RawValue] = {"true": True, "false": False}


def read_events(
    body: bytes,
    media_type: str,
    headers: Mapping[str, str],
    *,
    workspace: str,
    now: int,
    raw: Raw | None = None,
) -> Delivery:
    """The delivery that a request to the direct API brings; `raw` as it is to be kept.

    `media_type` is the Content-Type as received ("" where there is none); `now` the instant of
    receipt. Raises Unreadable, TooDeep, TooLarge (too_many_items) and UnsupportedMedia.
    """
    match essence_of(media_type):
        case "application/cloudevents+json":
            outcomes = [read_event(read_json(body), 0, now)]
        case "application/cloudevents-batch+json":
            outcomes = _each(_batch(body), now)
        case "application/x-ndjson":
            outcomes = _each(_lines(body), now)
        case essence:
            outcomes = [_binary(body, essence, headers, now)]
    return delivery(workspace, now, outcomes, quarantines=False, raw=raw)


def refuse_repeated(names: Iterable[str], media_type: str) -> None:
    """Refuse an attribute that a binary event has twice: which was meant is nobody's to guess.

    names: of all headers as received, in lower case. Elsewhere `ce-` headers mean nothing, and a
    proxy that repeats one costs no event. Raises Unreadable (repeated_header).
    """
    if essence_of(media_type) in _WHOLE:
        return
    attributes = [label for label in names if label.startswith(_PREFIX)]
    if len(attributes) != len(set(attributes)):
        raise Unreadable("repeated_header")


def raw_event(body: bytes, media_type: str, headers: Mapping[str, str]) -> Raw:
    """A request to the direct API as it is kept: of the headers, the attributes of an event."""
    own: dict[str, str] = {}
    for label, value in headers.items():
        if label.lower().startswith(_PREFIX):
            own[label.lower()] = value
    return Raw(Door.EVENTS, None, "POST", "", media_type, own, body)


def delivery(
    workspace: str,
    now: int,
    outcomes: Sequence[Item | Refused],
    *,
    quarantines: bool,
    raw: Raw | None = None,
) -> Delivery:
    """A delivery of what could be read and what could not."""
    items = tuple([one for one in outcomes if isinstance(one, Item)])
    refused: tuple[Refused, ...] = ()
    if len(items) < len(outcomes):
        refused = tuple([one for one in outcomes if isinstance(one, Refused)])
    return Delivery(workspace, now, quarantines, items, refused, raw)


def _each(events: Iterable[RawValue], now: int) -> list[Item | Refused]:
    return [read_event(event, index, now) for index, event in enumerate(events)]


def _batch(body: bytes) -> list[RawValue]:
    events = read_json(body)
    if not isinstance(events, list):
        raise Unreadable("not_an_array")
    if len(events) > MAX_ITEMS:
        raise TooLarge("too_many_items", limit=MAX_ITEMS)
    return events


def _lines(body: bytes) -> Iterable[RawValue]:
    lines = [(n, line) for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) > MAX_ITEMS:
        raise TooLarge("too_many_items", limit=MAX_ITEMS)
    return (read_json(line, line=number) for number, line in lines)


@lru_cache(maxsize=100)  # senders have few, and each says the same every time
def essence_of(media_type: str) -> str:
    """The media type without its parameters. UnsupportedMedia where they say other than UTF-8."""
    essence, *parameters = media_type.lower().split(";")
    for parameter in parameters:
        label, _, value = parameter.partition("=")
        if label.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8"}:
            raise UnsupportedMedia("unsupported_charset")
    return essence.strip()


def _binary(body: bytes, essence: str, headers: Mapping[str, str], now: int) -> Item | Refused:
    attributes = {
        label.lower().removeprefix(_PREFIX): _header_value(value)
        for label, value in headers.items()
        if label.lower().startswith(_PREFIX)
    }
    # Every other `application/cloudevents` is an event format that has no reader here, and a
    # body without attributes is no event at all.
    known = is_json(essence) or not (essence or body)
    if not known or not attributes or essence.startswith("application/cloudevents"):
        raise UnsupportedMedia("unsupported_media_type")
    event = _typed(attributes)
    if body:
        event["data"] = read_json(body)
    if "datacontenttype" in event:
        # Content-Type is the one place that may say it: two could disagree.
        fault = Fault("/datacontenttype", "forbidden_header")
        return Refused(0, None, None, Invalid("invalid_event", fault), written(event))
    return read_event(event, 0, now)


def _typed(attributes: Mapping[str, str]) -> dict[str, RawValue]:
    """Headers hold text only: the two flags become what they are in JSON, or stay a fault."""
    event: dict[str, RawValue] = {
        label: value for label, value in attributes.items() if label not in {"data", "data_base64"}
    }
    for flag in ("retracted", "merge"):
        text = attributes.get(flag)
        if text is not None:
            event[flag] = _FLAGS.get(text, text)
    return event


def _header_value(text: str) -> str:
    """A header's text: unquoted, percent-decoded once, UTF-8."""
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        text = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)
    try:
        # Servers hand header bytes over as Latin-1, so this restores the bytes that were sent.
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError:
        raise Unreadable("not_utf8") from None
