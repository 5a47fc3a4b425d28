"""What the routes of resources share: the context, the version a caller has seen, the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from app.domain.instants import moment_of
from app.store.documents import Document
from app.store.pages import Page
from app.usecases.context import Context
from app.usecases.saving import ANY, Precondition, Saved
from app.views.messages import LANGUAGES
from app.web.etags import Condition, condition, tagged
from app.web.pagination import cursor_of

Item = TypeVar("Item")
# Made once: json.dumps with arguments makes an encoder anew at each call.
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# Between the version and the language in a tag.
_IN = "."


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
    match, none_match = condition(if_match), condition(if_none_match)
    # If-Match compares strongly: a weak tag keeps its W/ and so matches nothing (13.1.1).
    return Precondition(
        None if match is None else _versions(match, match.tags),
        None if none_match is None else _versions(none_match, none_match.plain),
    )


def _versions(named: Condition, tags: Iterable[str]) -> frozenset[str]:
    return frozenset({ANY} if named.any else map(_version, tags))


def _version(tag: str) -> str:
    version, _, language = tag.strip('"').partition(_IN)
    return version if language in LANGUAGES else tag.strip('"')


# The parts below the web.
Parts = Annotated[Context, Depends(_context)]
# What the caller has seen of the resource it writes.
Seen = Annotated[Precondition, Depends(_seen)]
Json = dict[str, Any]


def etag_of_version(version: int, language: str = "") -> str:
    """The tag of a stored document: its version says it all, but for the language of sentences.

    Either language's tag names the same version when the document is changed with it.
    """
    return f'"{version}{_IN}{language}"' if language else f'"{version}"'


def shown(document: Document) -> Json:
    """A document as it is answered."""
    return {"key": document.key} | document.body | {"version": document.version}


def encoded(body: Any) -> bytes:  # noqa: ANN401 - anything JSON holds
    """The bytes of an answer."""
    return _written(body).encode()


def found(request: Request, document: Document, body: Json | None = None) -> Response:
    """The answer to GET of a document that says all there is to say."""
    content = encoded(shown(document) if body is None else body)
    return tagged(request, etag_of_version(document.version), content)


def saved_answer(saved: Saved, body: Json | None = None) -> Response:
    """The answer to PUT: 201 for a new thing, else 200."""
    return put_answer(saved.document, created=saved.created, body=body)


def put_answer(
    document: Document, *, created: bool, body: Json | None = None, language: str = ""
) -> Response:
    """As `saved_answer`, for what is more than a document."""
    return Response(
        encoded(shown(document) if body is None else body),
        status_code=201 if created else 200,
        headers={"ETag": etag_of_version(document.version, language)},
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


def sealed_page(found: Page[Item], *collection: str, show: Callable[[Item], Json]) -> Json:
    """A page whose place the store knows; its cursor is bound to the collection like any other."""
    return {
        "items": [show(item) for item in found.items],
        "next": None if found.next is None else cursor_of(found.next, *collection),
    }
