"""API keys. Only the digest of a secret is stored; the workspace stands in the key's own text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlmodel import col

from app.domain.errors import NotFound
from app.store import heads
from app.store.dialect import AnyRow, AnySelect
from app.store.tables import ApiKeyRow
from app.store.transactions import Access, Writing


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a key may do, and since when it exists or no longer counts."""

    id: str
    workspace: str
    name: str
    scopes: frozenset[str]
    created_at: int
    revoked_at: int | None


def add(
    writing: Writing, key_id: str, *, name: str, scopes: Iterable[str], digest: bytes
) -> ApiKey:
    """Store a key by its digest."""
    added = ApiKey(key_id, writing.workspace, name, frozenset(scopes), writing.at, None)
    writing.connection.execute(
        insert(ApiKeyRow).values(
            workspace_id=added.workspace,
            id=added.id,
            name=added.name,
            digest=digest,
            scopes=" ".join(sorted(added.scopes)),
            created_at=added.created_at,
        )
    )
    heads.reconfigure(writing)
    return added


def find(access: Access, workspace: str, digest: bytes) -> ApiKey | None:
    """The key of that digest in that workspace, unless it is revoked."""
    query = _of(workspace).where(
        col(ApiKeyRow.digest) == digest, col(ApiKeyRow.revoked_at).is_(None)
    )
    row = access.connection.execute(query).one_or_none()
    return None if row is None else _api_key(row)


def page(access: Access, workspace: str, after: str | None, limit: int) -> list[ApiKey]:
    """Up to `limit` keys by id behind `after`, the revoked among them."""
    query = _of(workspace).where(col(ApiKeyRow.id) > (after or "")).order_by(col(ApiKeyRow.id))
    return [_api_key(row) for row in access.connection.execute(query.limit(limit))]


def in_service(access: Access, workspace: str, scope: str) -> list[str]:
    """The ids of the keys with a scope that are not revoked."""
    query = _of(workspace).where(col(ApiKeyRow.revoked_at).is_(None))
    return [
        key.id for key in map(_api_key, access.connection.execute(query)) if scope in key.scopes
    ]


def revoke(writing: Writing, key_id: str) -> None:
    """End a key. Raises NotFound when there is no such key in service."""
    done = writing.connection.execute(
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.workspace_id) == writing.workspace,
            col(ApiKeyRow.id) == key_id,
            col(ApiKeyRow.revoked_at).is_(None),
        )
        .values(revoked_at=writing.at)
    )
    if done.rowcount == 0:
        raise NotFound("no_such_key")
    heads.reconfigure(writing)


def _of(workspace: str) -> AnySelect:
    return select(
        col(ApiKeyRow.id),
        col(ApiKeyRow.workspace_id),
        col(ApiKeyRow.name),
        col(ApiKeyRow.scopes),
        col(ApiKeyRow.created_at),
        col(ApiKeyRow.revoked_at),
    ).where(col(ApiKeyRow.workspace_id) == workspace)


def _api_key(row: AnyRow) -> ApiKey:
    key_id, workspace, name, scopes, created_at, revoked_at = row
    return ApiKey(key_id, workspace, name, frozenset(scopes.split()), created_at, revoked_at)
