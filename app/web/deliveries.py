"""Requests as they came: listed, shown, read again."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from fastapi import Query

from app.domain.activities import Outcome
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.instants import instant, written_instant
from app.domain.quantities import INT64
from app.store import deliveries
from app.store.deliveries import Filter, Stored
from app.usecases import replaying
from app.usecases.replaying import Window
from app.web.auth import Principal, requires
from app.web.pagination import Paged, cursor_of, key_of
from app.web.promises import answers
from app.web.resources import Json, Parts, sealed_page
from app.web.schemas.answers_deliveries import Delivery, DeliveryPage, ReplaySummary
from app.web.schemas.deliveries import ReplayBody, SourceName
from app.web.service import router

routes = router("/v1/deliveries", "events")
Admin = Annotated[Principal, requires("admin")]
_MOMENT = "RFC 3339 with offset (`+` travels as %2B)"


@routes.get("", responses=answers(DeliveryPage))
def list_deliveries(
    parts: Parts,
    who: Admin,
    query: Paged,
    source: Annotated[
        SourceName | None, Query(description="Only with items of this source.")
    ] = None,
    first: Annotated[
        str | None, Query(alias="from", max_length=40, description=f"Received since; {_MOMENT}.")
    ] = None,
    until: Annotated[
        str | None, Query(alias="to", max_length=40, description=f"Received before; {_MOMENT}.")
    ] = None,
) -> Json:
    """What was received, the newest first; without the bodies."""
    chosen = Filter(_parameter("from", first), _parameter("to", until), source)
    named = (who.workspace, "deliveries", str(chosen))
    with parts.read() as reading:
        cursor = query.after(*named)
        found = deliveries.page(reading, who.workspace, chosen, cursor, query.limit)
    return sealed_page(found, *named, show=_shown)


@routes.get("/{delivery_id}", responses=answers(Delivery))
def get_delivery(parts: Parts, who: Admin, delivery_id: str) -> Json:
    """One delivery with its body, as it came but for secrets."""
    with parts.read() as reading:
        found = deliveries.get(reading, who.workspace, number_of(delivery_id, "unknown_delivery"))
    if found is None:
        raise NotFound("unknown_delivery")
    raw = found.raw
    shown = _shown(found.stored) | {
        "method": raw.method,
        "query": raw.query,
        "headers": dict(raw.headers),
    }
    try:
        return shown | {"encoding": "text", "body": raw.body.decode()}
    except UnicodeDecodeError:
        return shown | {"encoding": "base64", "body": b64encode(raw.body).decode()}


@routes.post("/replay", responses=answers(ReplaySummary, "What became of the items."))
def replay_deliveries(parts: Parts, who: Admin, body: ReplayBody) -> Json:
    """Read what was received in a span again, by today's rules.

    Harmless to repeat: what is counted already is a duplicate and moves nothing. Where `next` is
    not null, send the same again with it as `cursor`.
    """
    window = Window(_member("/from", body.from_), _member("/to", body.to), body.source)
    if window.first >= window.until:
        raise Invalid("invalid_request", Fault("/to", "empty_span"))
    named = (who.workspace, "replay", str(window))
    cursor = None if body.cursor is None else key_of(body.cursor, *named)
    done = replaying.replay_window(parts, who.workspace, window, cursor, body.limit)
    return {
        "deliveries": done.deliveries,
        "skipped": done.skipped,
        "outcomes": {outcome.value: done.outcomes[outcome] for outcome in Outcome},
        "next": None if done.next is None else cursor_of(done.next, *named),
    }


def number_of(text: str, code: str) -> int:
    """The number that an id in a path is. Raises NotFound of that code."""
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > INT64:
        raise NotFound(code)
    return int(text)


def _parameter(name: str, text: str | None) -> int | None:
    try:
        return None if text is None else instant(text)
    except Invalid as error:
        fault = Fault("", error.code, {"parameter": name})
        raise Invalid("invalid_request", fault) from None


def _member(pointer: str, text: str) -> int:
    try:
        return instant(text)
    except Invalid as error:
        raise Invalid("invalid_request", Fault(pointer, error.code)) from None


def _shown(item: Stored) -> Json:
    return {
        "id": str(item.id),
        "received_at": written_instant(item.received_at),
        "door": item.door.value,
        "sources": list(item.sources),
        "media_type": item.media_type,
        "size": item.size,
        "redacted": item.altered,
        "outcomes": {outcome.value: item.outcomes.get(outcome.value, 0) for outcome in Outcome},
    }
