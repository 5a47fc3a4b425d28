"""What arrived authentic and could not be counted: kept, listed, counted once per content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from app.domain.activities import DIGEST_BYTES, canonical_json
from app.domain.errors import Fault, Invalid
from app.store.dialect import AnyRow, greatest
from app.store.pages import Page, cut, place_of
from app.store.tables import quarantine
from app.store.transactions import Access, Writing

MAX_CONTENT = 16 * 1024
_Q = quarantine.c
_NEWEST = 2**63 - 1


class Stray(NamedTuple):
    """Something to be put in quarantine. `item` is the sender's id for it, if it had one."""

    source: str | None
    item: str | None
    error: Invalid
    content: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry: what was wrong with it, its content (cut at 16 KiB), how often it came."""

    id: int
    source: str | None
    item: str | None
    code: str
    faults: tuple[Fault, ...]
    content: str
    count: int
    first_at: int
    last_at: int


def keep(writing: Writing, stray: Stray, received_at: int) -> None:
    """Put something in quarantine, or count it once more when the same content is there."""
    content = stray.content.encode("utf-8", "replace")
    next_id = select(func.coalesce(func.max(_Q.id), 0) + 1).where(
        _Q.workspace_id == writing.workspace
    )
    statement = insert(quarantine).values(
        workspace_id=writing.workspace,
        id=next_id.scalar_subquery(),
        source=_storable(stray.source or ""),
        code=stray.error.code,
        digest=hashlib.sha256(content).digest()[:DIGEST_BYTES],
        item=None if stray.item is None else _storable(stray.item),
        faults=canonical_json([_written(fault) for fault in stray.error.faults]),
        content=content[:MAX_CONTENT].decode("utf-8", "ignore"),
        count=1,
        first_at=received_at,
        last_at=received_at,
    )
    again = {
        "count": _Q.count + 1,
        "last_at": greatest(_Q.last_at, statement.excluded.last_at),
    }
    writing.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "source", "code", "digest"], set_=again
        )
    )


def page(access: Access, workspace: str, cursor: str | None, limit: int) -> Page[Quarantined]:
    """Entries, the newest first."""
    (before,) = place_of(cursor, (_NEWEST,))
    query = (
        select(
            _Q.id, _Q.source, _Q.item, _Q.code, _Q.faults, _Q.content, _Q.count, _Q.first_at,
            _Q.last_at,
        )
        .where(_Q.workspace_id == workspace, _Q.id < before)
        .order_by(_Q.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows = access.connection.execute(query).all()
    return cut(rows, limit, _quarantined, lambda row: (row.id,))


def size(access: Access, workspace: str) -> int:
    """How many entries there are."""
    query = select(func.count()).where(_Q.workspace_id == workspace)
    return access.connection.execute(query).scalar_one()


def _storable(text: str) -> str:
    # A lone surrogate is valid in JSON and cannot be stored.
    return text.encode("utf-8", "replace").decode()


def _written(fault: Fault) -> Mapping[str, object]:
    return {"pointer": fault.pointer, "code": fault.code, "params": dict(fault.params)}


def _quarantined(row: AnyRow) -> Quarantined:
    entry = row._asdict()
    faults = tuple(Fault(**fault) for fault in json.loads(entry.pop("faults")))
    source = entry.pop("source") or None
    return Quarantined(**entry, source=source, faults=faults)
