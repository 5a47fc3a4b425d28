"""What came and could not be counted: listed, never lost."""

from __future__ import annotations

from typing import Annotated

from app.domain.instants import written_instant
from app.store import quarantine
from app.store.quarantine import Quarantined
from app.views.messages import sentence
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.pagination import Paged
from app.web.promises import answers
from app.web.resources import Json, Parts, sealed_page
from app.web.schemas.answers_events import QuarantinePage
from app.web.service import router

routes = router("/v1/quarantine", "events")
Reader = Annotated[Principal, requires("read")]


@routes.get("", responses=answers(QuarantinePage))
def list_quarantine(parts: Parts, who: Reader, query: Paged, language: Language) -> Json:
    """Authentic items that could not be counted, the newest first, with what is wrong."""
    named = (who.workspace, "quarantine")
    with parts.read() as reading:
        found = quarantine.page(reading, who.workspace, query.after(*named), query.limit)
    return sealed_page(found, *named, show=lambda item: _shown(item, language))


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
    }
