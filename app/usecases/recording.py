"""Deliveries come in: read purely, then committed together with others."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

from app.domain.deliveries import ItemResult
from app.intake.events import raw_event, read_events
from app.intake.tables import raw_table, read_table
from app.store.lanes import Answer as Waiting
from app.usecases.context import Context
from app.usecases.source_mapping import mapping_for

Results = Future[list[ItemResult]]


def record_events(
    context: Context,
    workspace: str,
    body: bytes,
    media_type: str,
    headers: Mapping[str, str],
    answer: Waiting,
) -> None:
    """Queue the events of a direct request; the answer gets a result an item, once on disk."""
    raw = raw_event(body, media_type, headers)
    now = context.clock()
    context.committer.post(
        read_events(body, media_type, headers, workspace=workspace, now=now, raw=raw), answer
    )


def record_table(
    context: Context, workspace: str, source: str, body: bytes, media_type: str
) -> Results:
    """The same for the rows of a table, read by the mapping of their source.

    Reads the store, so it is not for the event loop. Raises what `mapping_for` and `read_table` do.
    """
    with context.read() as reading:
        mapping = mapping_for(reading, workspace, source)
    delivery = read_table(body, media_type, mapping, workspace=workspace, now=context.clock())
    return context.committer.submit(delivery._replace(raw=raw_table(body, media_type, source)))
