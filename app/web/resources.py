"""What the routes of resources share: the context, the version a caller has seen, the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated, Any

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from app.domain.instants import moment_of
from app.store.documents import Document
from app.usecases.context import Context
from app.usecases.saving import ANY, Precondition, Saved
from app.web.etags import condition, tagged


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _seen(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="The ETag of the version to change.")
    ] = None,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="`*` insists on creating.")
    ] = None,
) -> Precondition:
    matching, missing = condition(if_match), condition(if_none_match)
    versions = None
    if matching is not None:
        # A weak tag matches nothing here (RFC 9110 13.1.1), so only plain quotes are taken off.
        versions = frozenset({ANY} if matching.any else {tag.strip('"') for tag in matching.tags})
    return Precondition(versions, create_only=missing is not None and missing.any)


# The parts below the web.
Parts = Annotated[Context, Depends(_context)]
# What the caller has seen of the resource it writes.
Seen = Annotated[Precondition, Depends(_seen)]
Json = dict[str, Any]


def etag_of_version(version: int) -> str:
    """The tag of a stored document: its version says it all."""
    return f'"{version}"'


def shown(document: Document) -> Json:
    """A document as it is answered."""
    return {"key": document.key} | document.body | {"version": document.version}


def encoded(body: Any) -> bytes:  # noqa: ANN401 - anything JSON holds
    """The bytes of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def found(request: Request, document: Document, body: Json | None = None) -> Response:
    """The answer to GET."""
    content = encoded(shown(document) if body is None else body)
    return tagged(request, etag_of_version(document.version), content)


def saved_answer(saved: Saved, body: Json | None = None) -> Response:
    """The answer to PUT: 201 for a new thing, else 200."""
    return put_answer(saved.document, created=saved.created, body=body)


def put_answer(document: Document, *, created: bool, body: Json | None = None) -> Response:
    """As `saved_answer`, for what is more than a document."""
    return Response(
        encoded(shown(document) if body is None else body),
        status_code=201 if created else 200,
        headers={"ETag": etag_of_version(document.version)},
        media_type="application/json",
    )


def archived() -> Response:
    """The answer to DELETE."""
    return Response(status_code=204)


def answer(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any other answer."""
    return Response(encoded(body), status, dict(headers or {}), "application/json")


def written_moment(at: int | None, zone: tzinfo) -> str | None:
    """An instant in the workspace's zone, as RFC 3339."""
    return None if at is None else moment_of(at, zone).isoformat()
