"""Objects that were named and are still to be fetched: a queue that outlives the process.

An object is in it once, however often it is named, from the transaction that stored the delivery
which named it to the transaction that counted what was fetched, or set it aside. So a crash
between any two of its steps leaves it waiting, and fetching again is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from app.domain.deliveries import CHANGES, Fetched, Reference
from app.domain.freshness import Pending
from app.domain.revisions import clock_of
from app.store.dialect import AnyRow, Words
from app.store.statements import Prepared, inserted
from app.store.tables import pending_fetch
from app.store.transactions import Access, Writing

_P = pending_fetch.c


class Named(NamedTuple):
    """An object that a delivery named: when, and which delivery it was, None where none is kept."""

    reference: Reference
    at: int
    delivery: int | None


class Waiting(NamedTuple):
    """An object that waits. revision: the least that is asked for; attempts: those that failed."""

    source: str
    object: str
    id: str
    revision: str
    named: int
    since: int
    attempts: int
    delivery: int | None
    position: int

    def fetched(self, revision: str = "", *, final: bool = False) -> Fetched:
        """That it was fetched as it stood here, in a state of that revision."""
        return Fetched(
            self.source, self.object, self.id, self.named, revision, self.delivery, self.position,
            final,
        )  # fmt: skip


_COLUMNS = (
    _P.source, _P.object, _P.id, _P.revision, _P.named, _P.since, _P.attempts, _P.delivery,
    _P.position,
)  # fmt: skip


def _naming() -> Executable:
    statement = inserted(pending_fetch)
    new = statement.excluded
    changes = {
        "named": _P.named + 1,
        "revision": case((new.revision > _P.revision, new.revision), else_=_P.revision),
        "delivery": func.coalesce(new.delivery, _P.delivery),
        "position": new.position,
    }
    key = pending_fetch.primary_key.columns
    return statement.on_conflict_do_update(index_elements=key, set_=changes)


_NAME = _naming()


def enqueue(writing: Writing, found: Iterable[Named]) -> None:
    """Let objects wait; one that waits already is named once more, and its turn stays."""
    rows = [_row(writing.workspace, one) for one in _by_object(found)]
    if rows:
        writing.connection.execute(_NAME, rows)


def _row(workspace: str, one: Named) -> dict[str, object]:
    reference = one.reference
    return {
        "workspace_id": workspace,
        "source": reference.source,
        "object": reference.object,
        "id": reference.id,
        "revision": reference.revision,
        "named": 1,
        "since": one.at,
        "attempts": 0,
        "next_at": one.at,
        "delivery": one.delivery,
        "position": reference.index,
    }


def _by_object(found: Iterable[Named]) -> Iterable[Named]:
    """Each object once, asked for as new as any says, from the last delivery that named it."""
    merged: dict[tuple[str, str, str], Named] = {}
    for one in found:
        reference = one.reference
        key = (reference.source, reference.object, reference.id)
        known = merged.get(key)
        newest = max(reference.revision, known.reference.revision if known else "")
        merged[key] = one._replace(reference=replace(reference, revision=newest))
    return merged.values()


def settle(writing: Writing, fetched: Iterable[Fetched]) -> None:
    """Let go of what was fetched, but for what is asked for anew or newer: that has its turn now.

    What was named while it was being fetched may have changed after the provider read it.
    """
    for one in fetched:
        this = _this(writing.workspace, one)
        row = writing.connection.execute(select(_P.revision, _P.named).where(this)).one_or_none()
        if row is None:
            continue
        if _is_answered(row, one):
            writing.connection.execute(delete(pending_fetch).where(this))
        elif row.named != one.named:
            again = {"attempts": 0, "next_at": writing.at}
            writing.connection.execute(update(pending_fetch).where(this).values(again))


def _is_answered(row: AnyRow, fetched: Fetched) -> bool:
    if fetched.final or not row.revision:
        return bool(row.named == fetched.named)
    if clock_of(row.revision) is not clock_of(fetched.revision):
        # A state without a comparable revision answers what was asked before it was read.
        return bool(row.named == fetched.named)
    return bool(fetched.revision >= row.revision)


def postpone(writing: Writing, waiting: Waiting, next_at: int) -> None:
    """Try an object again later, not before an instant."""
    change = update(pending_fetch).where(_this(writing.workspace, waiting))
    writing.connection.execute(change.values(attempts=_P.attempts + 1, next_at=next_at))


def due(access: Access, workspace: str, source: str, now: int, limit: int) -> list[Waiting]:
    """The objects of a source whose turn it is, the longest waiting first."""
    query = _turn(workspace, source, now).where(_P.object != CHANGES).limit(limit)
    return [Waiting(*row) for row in access.connection.execute(query)]


def changes(access: Access, workspace: str, source: str, now: int) -> list[Waiting]:
    """The listings of a source in which something changed, as it said."""
    query = _turn(workspace, source, now).where(_P.object == CHANGES)
    return [Waiting(*row) for row in access.connection.execute(query)]


def _turn(workspace: str, source: str, now: int) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .where(_P.workspace_id == workspace, _P.source == source, _P.next_at <= now)
        .order_by(_P.next_at, _P.object, _P.id)
    )


_PENDING = Prepared(
    select(_P.source, func.count(), func.min(_P.since))
    .where(_P.workspace_id == bindparam("workspace", type_=Words))
    .group_by(_P.source),
    "workspace",
)


def pending(access: Access, workspace: str) -> dict[str, Pending]:
    """How many objects of each source wait, where any do, and since when."""
    found = _PENDING.rows(access.connection, workspace)
    return {source: Pending(*rest) for source, *rest in found}


def _this(workspace: str, one: Fetched | Waiting) -> ColumnElement[bool]:
    return and_(
        _P.workspace_id == workspace,
        _P.source == one.source,
        _P.object == one.object,
        _P.id == one.id,
    )


def next_due(access: Access, workspace: str) -> dict[str, int]:
    """When the next object of each source has its turn, where any waits."""
    query = (
        select(_P.source, func.min(_P.next_at))
        .where(_P.workspace_id == workspace)
        .group_by(_P.source)
    )
    return {source: int(at) for source, at in access.connection.execute(query)}
