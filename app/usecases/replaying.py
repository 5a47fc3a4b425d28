"""Deliveries are read again, under today's code and configuration.

A replay is the same path as the receipt: read purely, joined by stamp, counted once. So what was
counted already comes out as a duplicate, and a repaired mapping, whose version is greater,
supersedes. Times are judged by the instant of receipt: what was too far ahead then stays so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import sleep
from typing import NamedTuple

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, Door, Item, ItemResult, Raw, Refused, Replay
from app.domain.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable, Unreadable
from app.intake.events import read_events
from app.intake.receiving import ADDRESS, read_again, read_object
from app.intake.requests import HookRequest, hook_delivery
from app.intake.source_settings import Settings
from app.intake.tables import read_table
from app.store import deliveries, documents, quarantine
from app.store.deliveries import Filter, Whole
from app.store.transactions import Reading
from app.usecases.context import Context
from app.usecases.fetch_subjects import object_of, subject_of
from app.usecases.organisation import SOURCE
from app.usecases.receiving import broken, connection_of
from app.usecases.recording import Results
from app.usecases.source_mapping import row_mapping_in

# So many are held in memory at once, and so many one request may take.
CHUNK = 50
MOST = 5_000
_QUEUE_FULL_SECONDS = 0.2


def replay_entry(context: Context, workspace: str, entry: int) -> list[ItemResult]:
    """Replay the delivery that last brought a quarantined item; a result for each of its items.

    Raises NotFound `unknown_quarantined`; Conflict `delivery_gone` where it is kept no longer,
    `delivery_altered` where secrets were taken out of it; and what reading it raises.
    """
    with context.read() as reading:
        found = quarantine.get(reading, workspace, entry)
        if found is None:
            raise NotFound("unknown_quarantined")
        whole = None
        if found.delivery is not None:
            whole = deliveries.get(reading, workspace, found.delivery)
        if whole is None:
            raise Conflict("delivery_gone")
        delivery = _read_again(context, reading, workspace, whole)
    named = [ItemResult(one.index, one.id, Outcome.PENDING) for one in delivery.references]
    return _submitted(context, delivery).result() + named


class Window(NamedTuple):
    """What to replay: deliveries received in a span, all items or those of one source."""

    first: int
    until: int
    source: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a replay came to.

    deliveries: how many were read; skipped: how many could not be, because they were altered,
    their source or its mapping is gone, or their body is readable no longer; next: where to go on,
    None at the end
    """

    deliveries: int
    skipped: int
    outcomes: Counter[Outcome]
    next: str | None


def replay_window(
    context: Context, workspace: str, window: Window, cursor: str | None, limit: int
) -> Summary:
    """Replay up to `limit` deliveries of a span, the oldest first, a chunk at a time."""
    outcomes: Counter[Outcome] = Counter()
    read = skipped = 0
    while True:
        size = min(CHUNK, limit - read - skipped)
        chunk, cursor, missed = _chunk(context, workspace, window, cursor, size)
        for waiting in [_submitted(context, delivery) for delivery in chunk]:
            outcomes.update(result.outcome for result in waiting.result())
        outcomes[Outcome.PENDING] += sum(len(delivery.references) for delivery in chunk)
        read += len(chunk)
        skipped += missed
        if cursor is None or read + skipped >= limit:
            return Summary(read, skipped, outcomes, cursor)


def _chunk(
    context: Context, workspace: str, window: Window, cursor: str | None, size: int
) -> tuple[list[Delivery], str | None, int]:
    chosen = Filter(window.first, window.until, window.source)
    found: list[Delivery] = []
    with context.read() as reading:
        page = deliveries.onward(reading, workspace, chosen, cursor, size)
        for whole in page.items:
            try:
                delivery = _read_again(context, reading, workspace, whole)
            except (Conflict, Invalid, TooLarge, Unreadable):
                continue
            found.append(_only(delivery, window.source))
    return found, page.next, len(page.items) - len(found)


def _only(delivery: Delivery, source: str | None) -> Delivery:
    if source is None:
        return delivery
    items = tuple(item for item in delivery.items if _source(item) == source)
    refused = tuple(item for item in delivery.refused if _source(item) == source)
    return delivery._replace(items=items, refused=refused)


def _source(item: Item | Refused) -> str | None:
    return item.report.source if isinstance(item, Item) else item.source


def _read_again(context: Context, reading: Reading, workspace: str, whole: Whole) -> Delivery:
    """The delivery as it reads today."""
    stored, raw = whole
    if raw.altered:
        raise Conflict("delivery_altered")
    now = stored.received_at
    if raw.door is Door.HOOK:
        delivery = _read_hook(context, reading, workspace, raw, now)
    elif raw.door is Door.FETCH:
        delivery = _read_object(context, reading, workspace, raw, now)
    elif raw.source is not None:
        delivery = _read_table(reading, workspace, raw, now)
    else:
        delivery = read_events(raw.body, raw.media_type, raw.headers, workspace=workspace, now=now)
    return delivery._replace(replay=Replay(stored.id, context.clock()))


def read_kept(
    context: Context, reading: Reading, workspace: str, whole: Whole, settings: Settings
) -> Delivery:
    """What a hook's delivery would mean by other settings; nothing comes of it.

    Raises Conflict where it cannot be read.
    """
    stored, raw = whole
    if raw.altered or raw.door is not Door.HOOK:
        raise Conflict("delivery_altered")
    return _read_hook(context, reading, workspace, raw, stored.received_at, settings)


def _read_table(reading: Reading, workspace: str, raw: Raw, received_at: int) -> Delivery:
    document = documents.get(reading, workspace, SOURCE, str(raw.source))
    mapping = row_mapping_in(document) if document else None
    if mapping is None:
        raise Conflict("no_mapping_any_more")
    return read_table(raw.body, raw.media_type, mapping, workspace=workspace, now=received_at)


def _read_hook(
    context: Context,
    reading: Reading,
    workspace: str,
    raw: Raw,
    received_at: int,
    settings: Settings | None = None,
) -> Delivery:
    # It was proved on receipt, and what proved it is not kept.
    source = str(raw.source)
    document = documents.get(reading, workspace, SOURCE, source)
    found = connection_of(context, reading, workspace, document) if document else None
    if found is None:
        raise Conflict("no_hook_any_more")
    kept = HookRequest(
        workspace,
        source,
        f"{ADDRESS}?{raw.query}",
        raw.method,
        {**({"content-type": raw.media_type} if raw.media_type else {}), **raw.headers},
        raw.body,
        {},
        received_at,
        found.settings if settings is None else settings,
        found.changes,
        found.mapping,
    )
    return read_again(found.hook, kept, found.credentials(context.clock()), broken(source))


def _read_object(
    context: Context, reading: Reading, workspace: str, raw: Raw, received_at: int
) -> Delivery:
    document = documents.get(reading, workspace, SOURCE, str(raw.source))
    found = subject_of(context, reading, workspace, document) if document else None
    if found is None:
        raise Conflict("no_hook_any_more")
    object_, value = object_of(raw)
    request = found.request(object_, value, received_at)
    told = read_object(found.read, object_, value, request, broken(found.source))
    refused = tuple(one for one in told if isinstance(one, Refused))
    return hook_delivery(request, *(one for one in told if isinstance(one, Item)), refused=refused)


def _submitted(context: Context, delivery: Delivery) -> Results:
    """Queue it behind what senders wait for; a full queue is theirs first."""
    while True:
        try:
            return context.committer.submit(delivery)
        except Unavailable as error:
            if error.code != "queue_full":
                raise
            sleep(_QUEUE_FULL_SECONDS)
