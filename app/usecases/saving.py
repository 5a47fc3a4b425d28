"""Creating and replacing documents, so that nobody overwrites what they have not seen.

PUT creates or replaces the whole. An identical PUT changes nothing and keeps its version, so a
client may repeat it blindly; a different one must name the version it replaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domain.errors import NotFound, PreconditionFailed, PreconditionRequired
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access, Writing

ANY = "*"


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the caller has seen: the versions that If-Match names, or If-None-Match: *."""

    match: frozenset[str] | None = None
    create_only: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The document as it now stands, and whether this write made it or moved it."""

    document: Document
    created: bool
    changed: bool


def save(
    writing: Writing,
    collection: str,
    key: str,
    body: dict[str, Any],
    precondition: Precondition,
    *,
    author: str,
    reason: str | None = None,
) -> Saved:
    """Create or replace a document under the precondition.

    Raises PreconditionRequired when an existing document would change unseen, and
    PreconditionFailed when the caller's copy is older than what stands.
    """
    current = standing(writing, writing.workspace, collection, key)
    if current is not None and current.body == body and not precondition.create_only:
        return Saved(current, created=False, changed=False)
    check(current, precondition)
    document = documents.put(writing, collection, key, body, author=author, reason=reason)
    return Saved(document, created=current is None, changed=True)


def archive(
    writing: Writing, collection: str, key: str, precondition: Precondition, *, author: str
) -> None:
    """Take a document out of use; its history stays."""
    current = standing(writing, writing.workspace, collection, key)
    if current is None:
        raise NotFound("not_found")
    check(current, precondition)
    documents.archive(writing, collection, key, author=author)


def standing(access: Access, workspace: str, collection: str, key: str) -> Document | None:
    """The document in use under that key."""
    found = documents.get(access, workspace, collection, key)
    return None if found is None or found.archived else found


def check(current: Document | None, precondition: Precondition) -> None:
    """Whether a change may happen to what stands."""
    if precondition.create_only and current is not None:
        raise PreconditionFailed("exists_already")
    if current is None:
        if precondition.match is not None:
            raise PreconditionFailed("version_not_current")
        return
    if precondition.match is None:
        raise PreconditionRequired("if_match_required")
    if not precondition.match & {ANY, str(current.version)}:
        raise PreconditionFailed("version_not_current")
