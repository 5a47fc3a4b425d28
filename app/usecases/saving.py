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
    """The versions that If-Match and If-None-Match name; None where the header is absent."""

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def check(self, current: Document | None) -> None:
        """Whether a change may happen to what stands (RFC 9110 13.2.2: If-Match comes first).

        Raises PreconditionRequired when an existing document would change unseen, and
        PreconditionFailed when the caller's copy is older than what stands.
        """
        if self.match is not None and not _named(self.match, current):
            raise PreconditionFailed("changed_meanwhile" if current else "does_not_exist")
        self.check_none_match(current)
        if self.match is None and current is not None:
            raise PreconditionRequired("if_match_required")

    def check_none_match(self, current: Document | None) -> None:
        """Whether the caller insists that what stands is not there."""
        if self.none_match is not None and _named(self.none_match, current):
            raise PreconditionFailed("exists_already")


def _named(versions: frozenset[str], current: Document | None) -> bool:
    return current is not None and bool(versions & {ANY, str(current.version)})


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
    """Create or replace a document under the precondition; raises what its check raises.

    An identical body passes with an old If-Match as well: whoever lost our answer repeats
    itself (RFC 9110 13.1.1 allows it).
    """
    current = standing(writing, writing.workspace, collection, key)
    if current is not None and current.body == body:
        precondition.check_none_match(current)
        return Saved(current, created=False, changed=False)
    precondition.check(current)
    document = documents.put(writing, collection, key, body, author=author, reason=reason)
    return Saved(document, created=current is None, changed=True)


def archive(
    writing: Writing, collection: str, key: str, precondition: Precondition, *, author: str
) -> None:
    """Take a document out of use; its history stays."""
    current = standing(writing, writing.workspace, collection, key)
    if current is None:
        raise NotFound(f"unknown_{collection}", **{collection: key})
    precondition.check(current)
    documents.archive(writing, collection, key, author=author)


def standing(access: Access, workspace: str, collection: str, key: str) -> Document | None:
    """The document in use under that key."""
    found = documents.get(access, workspace, collection, key)
    return None if found is None or found.archived else found
