"""The workspace, its calendar, its keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.calendar import Day, DayKind
from app.domain.documents import Node
from app.domain.errors import Fault, Invalid
from app.domain.instants import written_instant
from app.domain.spans import bounded_span_of
from app.store import keys as stored_keys
from app.store.documents import Document
from app.store.keys import ApiKey
from app.usecases import keys, workspaces
from app.usecases.organisation import SETTINGS
from app.usecases.saving import standing
from app.web.auth import Principal, requires
from app.web.pagination import Paged, page
from app.web.promises import answers, reads, removes, replaces
from app.web.resources import Json, Parts, Seen, answer, archived, found, saved_answer
from app.web.schemas import answers_organisation as organisation
from app.web.schemas.common import LocalDate
from app.web.schemas.workspace import KeyBody, WorkspaceBody
from app.web.service import router

workspace = router("/v1/workspace", "workspace")
api_keys = router("/v1/keys", "workspace")
Reader = Annotated[Principal, requires("read")]
Admin = Annotated[Principal, requires("admin")]
LONGEST_CALENDAR = 3_660


@workspace.get("", responses=reads(organisation.Workspace))
def get_workspace(request: Request, parts: Parts, who: Reader) -> Response:
    """The workspace of the key."""
    with parts.read() as reading:
        document = standing(reading, who.workspace, SETTINGS, SETTINGS)
    assert document is not None  # noqa: S101 - a key's workspace was created with its settings
    return found(request, document, _shown(who.workspace, document))


@workspace.put("", responses=replaces(organisation.Workspace))
def put_workspace(parts: Parts, who: Admin, seen: Seen, body: WorkspaceBody) -> Response:
    """Replace the settings. A new zone moves all activities to its days, exactly."""
    saved = workspaces.put_settings(parts, who.workspace, body.document(), seen, who.key_id)
    return saved_answer(saved, _shown(who.workspace, saved.document))


def _shown(key: str, document: Document) -> Json:
    return {"key": key} | document.body | {"version": document.version}


@workspace.get("/calendar", responses=answers(organisation.Calendar))
def get_calendar(
    parts: Parts,
    who: Reader,
    first: Annotated[LocalDate, Query(alias="from")],
    until: Annotated[LocalDate, Query(alias="to", description="Exclusive.")],
) -> Json:
    """Which days work, and why the others do not."""
    span = bounded_span_of(Node({"from": first, "to": until}))
    if (span.until - span.first).days > LONGEST_CALENDAR:
        raise Invalid("invalid_request", Fault("", "period_too_long", {"days": LONGEST_CALENDAR}))
    with parts.read() as reading:
        calendar = parts.organisations.at(reading, who.workspace).workspace.calendar
    days = calendar.days(span)
    return {
        "working_days": sum(day.working for day in days),
        "days": [_day(day) for day in days],
    }


def _day(day: Day) -> Json:
    shown: Json = {"date": day.date.isoformat(), "working": day.working}
    if day.kind is DayKind.WORKDAY:
        return shown
    return shown | {"reason": day.reason or day.kind.value}


@api_keys.get("", responses=answers(organisation.ApiKeyPage))
def list_keys(parts: Parts, who: Admin, query: Paged) -> Json:
    """The keys, the revoked among them; never their tokens."""
    named = (who.workspace, "keys")
    with parts.read() as reading:
        items = stored_keys.page(reading, who.workspace, query.after(*named), query.limit + 1)
    return page(items, query, *named, key=lambda item: item.id, show=_key)


@api_keys.post("", status_code=201, responses=answers(organisation.IssuedKey, "Issued.", 201))
def create_key(parts: Parts, who: Admin, body: KeyBody) -> Response:
    """Issue a key. Its token is in this answer and nowhere else."""
    issued = keys.create(parts, who.workspace, body.name, frozenset(body.scopes))
    return answer(_key(issued.key) | {"token": issued.token}, 201)


@api_keys.delete("/{key_id}", status_code=204, responses=removes("Revoked."))
def revoke_key(parts: Parts, who: Admin, key_id: str) -> Response:
    """Revoke a key: from the next request on it is unknown."""
    keys.revoke(parts, who.workspace, key_id)
    return archived()


def _key(key: ApiKey) -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": written_instant(key.created_at),
        "revoked_at": None if key.revoked_at is None else written_instant(key.revoked_at),
    }
