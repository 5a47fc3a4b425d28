"""What arrived authentic and could not be counted: kept, listed, counted once per content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select, update

from app.domain.activities import DIGEST_BYTES, canonical_json
from app.domain.deliveries import About
from app.domain.errors import Fault, Invalid
from app.store import awaited
from app.store.dialect import AnyRow, greatest
from app.store.pages import Page, cut, place_of
from app.store.statements import inserted
from app.store.tables import quarantine
from app.store.transactions import Access, Writing

MAX_CONTENT = 16 * 1024
_Q = quarantine.c
_NEWEST = 2**63 - 1


class Stray(NamedTuple):
    """Something to be put in quarantine. `item` is the sender's id for it, if it had one.

    `about` is the activity that it would have said something of, where it is known.
    """

    source: str | None
    item: str | None
    error: Invalid
    content: str
    about: About | None = None

    @property
    def digest(self) -> bytes:
        """What makes the content one and the same; of two activities it never is."""
        whole = canonical_json([*self.about, self.content]) if self.about else self.content
        return hashlib.sha256(whole.encode("utf-8", "replace")).digest()[:DIGEST_BYTES]


class Origin(NamedTuple):
    """Which delivery brought an item, None where none was kept, and its place in there."""

    delivery: int | None
    position: int


class Mark(NamedTuple):
    """What makes an entry one and the same."""

    source: str
    code: str
    digest: bytes


class Reread(NamedTuple):
    """What a replay found in a delivery: all places with items, and which are refused again.

    every: the places of all items, also of those that another transaction takes in
    refused: of the items of this transaction, whether they are refused again
    """

    every: frozenset[int]
    refused: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry: what was wrong with it, its content (cut at 16 KiB), how often it came.

    `delivery` is the latest that brought it; `resolved_at` when a replay found it usable, or when
    something that makes up for it was taken in.
    """

    id: int
    source: str | None
    item: str | None
    code: str
    faults: tuple[Fault, ...]
    content: str
    count: int
    first_at: int
    last_at: int
    delivery: int | None
    resolved_at: int | None


_COLUMNS = (
    _Q.id, _Q.source, _Q.item, _Q.code, _Q.faults, _Q.content, _Q.count, _Q.first_at, _Q.last_at,
    _Q.delivery, _Q.resolved_at,
)  # fmt: skip


def keep(
    writing: Writing, stray: Stray, received_at: int, origin: Origin, *, again: bool = False
) -> Mark:
    """Put something in quarantine, or count it once more when the same content is there.

    `again` says that it did not come anew but was read anew, which is not counted, and opens no
    entry again that was made up for.
    """
    content = stray.content.encode("utf-8", "replace")
    next_id = select(func.coalesce(func.max(_Q.id), 0) + 1).where(
        _Q.workspace_id == writing.workspace
    )
    mark = Mark(_storable(stray.source or ""), stray.error.code, stray.digest)
    if again and _is_made_up_for(writing, mark, stray):
        return mark
    statement = inserted(quarantine).values(
        **mark._asdict(),
        workspace_id=writing.workspace,
        id=next_id.scalar_subquery(),
        item=None if stray.item is None else _storable(stray.item),
        faults=canonical_json([_written(fault) for fault in stray.error.faults]),
        content=_storable(content[:MAX_CONTENT].decode("utf-8", "ignore")),
        count=1,
        first_at=received_at,
        last_at=received_at,
        delivery=origin.delivery,
        position=origin.position,
    )
    new = statement.excluded
    later = func.coalesce(new.delivery, 0) >= func.coalesce(_Q.delivery, 0)
    changes = {
        "count": _Q.count + (0 if again else 1),
        "last_at": greatest(_Q.last_at, new.last_at),
        "delivery": case((later, new.delivery), else_=_Q.delivery),
        "position": case((later, new.position), else_=_Q.position),
        "resolved_at": None,
    }
    writing.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "source", "code", "digest"], set_=changes
        )
    )
    if stray.about is not None:
        about = About(*map(_storable, stray.about))
        awaited.wait(writing, _entry(writing, mark), mark.source, about)
    return mark


def _entry(writing: Writing, mark: Mark) -> int:
    found = _marked(writing, mark)
    assert found is not None  # noqa: S101 - it was written just now
    number: int = found.id
    return number


def _is_made_up_for(writing: Writing, mark: Mark, stray: Stray) -> bool:
    known = _marked(writing, mark)
    if known is None or known.resolved_at is None or stray.about is None:
        return False
    return not awaited.is_awaited(writing, known.id)


def _marked(writing: Writing, mark: Mark) -> AnyRow | None:
    query = select(_Q.id, _Q.resolved_at).where(
        _Q.workspace_id == writing.workspace,
        _Q.source == mark.source,
        _Q.code == mark.code,
        _Q.digest == mark.digest,
    )
    return writing.connection.execute(query).one_or_none()


def resolve(writing: Writing, delivery: int, found: Reread, still: set[Mark]) -> None:
    """Mark the entries of a replayed delivery as resolved, but for those still refused.

    An item that is nothing to be counted any more is settled as well. One that is refused for
    another reason now has an entry of its own for that, and the old one is not made up for: should
    its reason come back, so does the entry.
    """
    query = select(_Q.id, _Q.position, _Q.source, _Q.code, _Q.digest).where(
        _Q.workspace_id == writing.workspace, _Q.delivery == delivery, _Q.resolved_at.is_(None)
    )
    rows = writing.connection.execute(query).all()
    done = {
        id_: found.refused.get(place, False)
        for id_, place, *mark in rows
        if (place in found.refused or place not in found.every) and Mark(*mark) not in still
    }
    awaited.forget(writing, [id_ for id_, refused in done.items() if not refused])
    for id_ in done:
        writing.connection.execute(
            update(quarantine)
            .where(_Q.workspace_id == writing.workspace, _Q.id == id_)
            .values(resolved_at=writing.at)
        )


def get(access: Access, workspace: str, id_: int) -> Quarantined | None:
    """One entry."""
    query = select(*_COLUMNS).where(_Q.workspace_id == workspace, _Q.id == id_)
    row = access.connection.execute(query).one_or_none()
    return None if row is None else _quarantined(row)


def of_delivery(access: Access, workspace: str, delivery: int, limit: int) -> list[Quarantined]:
    """Some open entries that a delivery was the latest to bring."""
    query = select(*_COLUMNS).where(
        _Q.workspace_id == workspace, _Q.delivery == delivery, _is(resolved=False)
    )
    return [_quarantined(row) for row in access.connection.execute(query.limit(limit))]


def page(
    access: Access, workspace: str, cursor: str | None, limit: int, *, resolved: bool = False
) -> Page[Quarantined]:
    """The open entries, or the resolved ones, the newest first."""
    (before,) = place_of(cursor, (_NEWEST,))
    query = (
        select(*_COLUMNS)
        .where(_Q.workspace_id == workspace, _Q.id < before, _is(resolved=resolved))
        .order_by(_Q.id.desc())
        .limit(limit + 1)
    )
    rows = access.connection.execute(query).all()
    return cut(rows, limit, _quarantined, lambda row: (row.id,))


def size(access: Access, workspace: str) -> int:
    """How many open entries there are."""
    query = select(func.count()).where(_Q.workspace_id == workspace, _is(resolved=False))
    return access.connection.execute(query).scalar_one()


def _is(*, resolved: bool) -> ColumnElement[bool]:
    return _Q.resolved_at.is_not(None) if resolved else _Q.resolved_at.is_(None)


def _storable(text: str) -> str:
    # A lone surrogate and a zero are valid in JSON; what cannot be stored is shown as such.
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _written(fault: Fault) -> Mapping[str, object]:
    return {"pointer": fault.pointer, "code": fault.code, "params": dict(fault.params)}


def _quarantined(row: AnyRow) -> Quarantined:
    entry = row._asdict()
    faults = tuple(Fault(**fault) for fault in json.loads(entry.pop("faults")))
    source = entry.pop("source") or None
    return Quarantined(**entry, source=source, faults=faults)
