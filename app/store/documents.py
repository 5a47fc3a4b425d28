"""Config resources as versioned documents: what stands, and everything that ever stood.

A document is archived, never deleted: what happened while it stood keeps its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, exists, insert, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.activities import canonical_json
from app.domain.errors import NotFound
from app.store import heads
from app.store.dialect import AnyRow, AnySelect, Words
from app.store.statements import upsert
from app.store.tables import DocumentRow, DocumentVersionRow, table_of
from app.store.transactions import Access, Writing


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a config resource; `changed_at` is the commit that wrote it."""

    collection: str
    key: str
    version: int
    body: dict[str, Any]
    archived: bool
    changed_at: int
    author: str
    reason: str | None


Text = str | BindParameter[str]

_PUT = upsert(table_of(DocumentRow), replace=("version", "body", "archived", "seq"))
_VERSION = (
    col(DocumentVersionRow.collection),
    col(DocumentVersionRow.key),
    col(DocumentVersionRow.version),
    col(DocumentVersionRow.body),
    col(DocumentVersionRow.archived),
    col(DocumentVersionRow.at),
    col(DocumentVersionRow.author),
    col(DocumentVersionRow.reason),
)


def get(
    access: Access, workspace: str, collection: str, key: str, upto: int | None = None
) -> Document | None:
    """The document as it stands, archived or not; None when there never was one.

    upto: as it stood after that commit
    """
    if upto is None:
        bound = {"workspace": workspace, "collection": collection, "key": key}
        row = access.connection.execute(_one(), bound).one_or_none()
    else:
        query = _stood(workspace, collection, upto).where(col(DocumentVersionRow.key) == key)
        row = access.connection.execute(query).one_or_none()
    return None if row is None else _document(row)


@cache
def _one() -> AnySelect:
    """What stands under a name; made once, as making it takes longer than asking it."""
    workspace, collection, key = (
        bindparam(name, type_=Words) for name in ("workspace", "collection", "key")
    )
    return _standing(workspace, collection).where(col(DocumentRow.key) == key)


def page(
    access: Access, workspace: str, collection: str, after: str | None, limit: int
) -> list[Document]:
    """Up to `limit` documents that are not archived, by key, behind `after`."""
    query = _standing(workspace, collection).where(
        col(DocumentRow.archived) == 0, col(DocumentRow.key) > (after or "")
    )
    return [_document(row) for row in access.connection.execute(query.limit(limit))]


def all_of(
    access: Access, workspace: str, collection: str, upto: int | None = None
) -> list[Document]:
    """Every document by key, the archived among them: they still explain the past.

    upto: as they stood after that commit
    """
    query = (
        _standing(workspace, collection) if upto is None else _stood(workspace, collection, upto)
    )
    return [_document(row) for row in access.connection.execute(query)]


def versions(access: Access, workspace: str, collection: str, key: str) -> list[Document]:
    """Every version of one document, the first one first."""
    query = _history(workspace, collection, key)
    return [_document(row) for row in access.connection.execute(query)]


def page_of_versions(
    access: Access, workspace: str, collection: str, key: str, *, after: int, limit: int
) -> list[Document]:
    """Up to `limit` versions behind number `after`, the first one first."""
    query = _history(workspace, collection, key).where(col(DocumentVersionRow.version) > after)
    return [_document(row) for row in access.connection.execute(query.limit(limit))]


def version(
    access: Access, workspace: str, collection: str, key: str, number: int
) -> Document | None:
    """One version of a document; None when it never had one of that number."""
    query = _history(workspace, collection, key).where(col(DocumentVersionRow.version) == number)
    row = access.connection.execute(query).one_or_none()
    return None if row is None else _document(row)


def put(
    writing: Writing,
    collection: str,
    key: str,
    body: Mapping[str, Any],
    *,
    author: str,
    reason: str | None = None,
) -> Document:
    """Write the next version; an archived document stands again."""
    before = get(writing, writing.workspace, collection, key)
    version = before.version + 1 if before else 1
    document = Document(
        collection, key, version, _as_stored(body), archived=False, changed_at=writing.at,
        author=author, reason=reason,
    )  # fmt: skip
    return _written(writing, document)


def _as_stored(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as reading it gives it back, so that both are answered in the same bytes."""
    stored: dict[str, Any] = json.loads(canonical_json(dict(body)))
    return stored


def archive(writing: Writing, collection: str, key: str, *, author: str) -> Document:
    """Take a document out of service and keep it. Raises NotFound when it does not stand."""
    before = get(writing, writing.workspace, collection, key)
    if before is None or before.archived:
        raise NotFound("unknown_document", collection=collection)
    document = Document(
        collection, key, before.version + 1, before.body, archived=True, changed_at=writing.at,
        author=author, reason=None,
    )  # fmt: skip
    return _written(writing, document)


def _written(writing: Writing, document: Document) -> Document:
    stands = {
        "workspace_id": writing.workspace,
        "collection": document.collection,
        "key": document.key,
        "version": document.version,
        "body": canonical_json(document.body),
        "archived": int(document.archived),
        "seq": writing.seq,
    }
    history = {"author": document.author, "reason": document.reason, "at": writing.at}
    writing.connection.execute(_PUT, stands)
    writing.connection.execute(insert(DocumentVersionRow).values(stands | history))
    heads.reconfigure(writing)
    return document


def _history(workspace: str, collection: str, key: str) -> AnySelect:
    return (
        select(*_VERSION)
        .where(
            col(DocumentVersionRow.workspace_id) == workspace,
            col(DocumentVersionRow.collection) == collection,
            col(DocumentVersionRow.key) == key,
        )
        .order_by(col(DocumentVersionRow.version))
    )


def _standing(workspace: Text, collection: Text) -> AnySelect:
    same = ("workspace_id", "collection", "key", "version")
    return (
        select(*_VERSION)
        .join_from(
            DocumentRow,
            DocumentVersionRow,
            and_(*(getattr(DocumentRow, n) == getattr(DocumentVersionRow, n) for n in same)),
        )
        .where(
            col(DocumentRow.workspace_id) == workspace,
            col(DocumentRow.collection) == collection,
        )
        .order_by(col(DocumentRow.key))
    )


def _stood(workspace: str, collection: str, upto: int) -> AnySelect:
    """Of every document the last version that a commit, or one before it, has written."""
    later = aliased(DocumentVersionRow)
    same = ("workspace_id", "collection", "key")
    superseded = exists().where(
        *(getattr(later, n) == getattr(DocumentVersionRow, n) for n in same),
        col(later.version) > col(DocumentVersionRow.version),
        col(later.seq) <= upto,
    )
    return (
        select(*_VERSION)
        .where(
            col(DocumentVersionRow.workspace_id) == workspace,
            col(DocumentVersionRow.collection) == collection,
            col(DocumentVersionRow.seq) <= upto,
            ~superseded,
        )
        .order_by(col(DocumentVersionRow.key))
    )


def _document(row: AnyRow) -> Document:
    collection, key, version, body, archived, at, author, reason = row
    return Document(collection, key, version, json.loads(body), bool(archived), at, author, reason)
