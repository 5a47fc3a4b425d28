"""What came and could not be counted: listed, never lost, read again once it can be counted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.domain.instants import written_instant
from app.store import quarantine
from app.store.quarantine import Quarantined
from app.usecases import replaying
from app.views.messages import sentence
from app.web.auth import Principal, requires
from app.web.deliveries import number_of
from app.web.dependencies import Language
from app.web.events import summary
from app.web.pagination import Paged
from app.web.promises import answers, refuses
from app.web.resources import Json, Parts, sealed_page
from app.web.schemas.answers_events import EventsAnswer, QuarantinePage
from app.web.service import router

routes = router("/v1/quarantine", "events")
Reader = Annotated[Principal, requires("read")]
Admin = Annotated[Principal, requires("admin")]


@routes.get("", responses=answers(QuarantinePage))
def list_quarantine(
    parts: Parts,
    who: Reader,
    query: Paged,
    language: Language,
    resolved: Annotated[
        bool | None, Query(description="`true`: those that were settled instead.")
    ] = None,
) -> Json:
    """Authentic items that could not be counted, the newest first, with what is wrong."""
    named = (who.workspace, "quarantine", *(["resolved"] if resolved else []))
    with parts.read() as reading:
        cursor = query.after(*named)
        found = quarantine.page(
            reading, who.workspace, cursor, query.limit, resolved=bool(resolved)
        )
    return sealed_page(found, *named, show=lambda item: _shown(item, language))


@routes.post(
    "/{entry_id}/replay",
    responses=answers(EventsAnswer, "What became of the items.") | refuses(409),
)
def replay_quarantined(parts: Parts, who: Admin, entry_id: str, language: Language) -> Json:
    """Read the delivery that brought an item again, by today's rules, and count what it holds.

    An entry whose item is refused no longer is settled: kept, and out of the list.
    """
    entry = number_of(entry_id, "unknown_quarantined")
    return summary(replaying.replay_entry(parts, who.workspace, entry), language)


def _shown(item: Quarantined, language: str) -> Json:
    return {
        "id": str(item.id),
        "source": item.source,
        "item": item.item,
        "code": item.code,
        "message": sentence(item.code, {}, language),
        "errors": [
            {
                "pointer": fault.pointer,
                "code": fault.code,
                "params": dict(fault.params),
                "message": sentence(fault.code, fault.params, language),
            }
            for fault in item.faults
        ],
        "content": item.content,
        "count": item.count,
        "first_at": written_instant(item.first_at),
        "last_at": written_instant(item.last_at),
        "delivery": None if item.delivery is None else str(item.delivery),
        "resolved_at": None if item.resolved_at is None else written_instant(item.resolved_at),
    }
