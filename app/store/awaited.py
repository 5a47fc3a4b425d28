"""What open quarantine entries are about, so that they settle whoever brings it in the end.

An entry is settled by a report that was taken in after it and says as much or more: a full one
of the same activity whose revision is not older, or the same event once more, which the sender's
own id and the revision tell. An older or a partial report settles nothing: what the entry holds
would be lost behind it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from app.domain.activities import Report
from app.domain.deliveries import About
from app.domain.revisions import clock_of
from app.store.dialect import Words, among, listed
from app.store.statements import Prepared, inserting
from app.store.tables import awaited, quarantine
from app.store.transactions import Writing

_W, _Q = awaited.c, quarantine.c


def _of_source() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        _W.workspace_id == bindparam("workspace", type_=Words),
        _W.source == bindparam("source", type_=Words),
    )


# The least key: of an index that is in order, the first entry.
_ANY = Prepared(select(func.min(_W.key)).where(*_of_source()), "workspace", "source")
_FIND = Prepared(
    select(_W.entry, _W.key, _W.revision, _Q.item)
    .join(quarantine, and_(_Q.workspace_id == _W.workspace_id, _Q.id == _W.entry))
    .where(*_of_source(), among(_W.key, listed("keys"))),
    "workspace",
    "source",
    "keys",
)
_WAIT = inserting(awaited, replace=("source", "key", "revision"))


class Taken(NamedTuple):
    """A report that was not known before, and its sender's id for what brought it."""

    report: Report
    item: str


def wait(writing: Writing, entry: int, source: str, about: About) -> None:
    """Say what an entry is about."""
    _WAIT.many(writing.connection, [(writing.workspace, entry, source, *about)])


def is_awaited(writing: Writing, entry: int) -> bool:
    """Whether what an entry is about is still to be taken in."""
    query = select(exists().where(_W.workspace_id == writing.workspace, _W.entry == entry))
    return bool(writing.connection.execute(query).scalar_one())


def forget(writing: Writing, entries: Iterable[int]) -> None:
    """What these entries are about was taken in."""
    for entry in entries:
        gone = delete(awaited).where(_W.workspace_id == writing.workspace, _W.entry == entry)
        writing.connection.execute(gone)


def settle(writing: Writing, taken: Sequence[Taken], unawaited: set[str]) -> None:
    """Settle the entries that some reports make up for.

    unawaited: sources of which no entry is known to wait; those of which none is found join them
    """
    for source in {one.report.source for one in taken} - unawaited:
        if _ANY.rows(writing.connection, writing.workspace, source) == [(None,)]:
            unawaited.add(source)
        else:
            _settle(writing, source, [one for one in taken if one.report.source == source])


def _settle(writing: Writing, source: str, taken: Iterable[Taken]) -> None:
    brought: dict[str, list[Taken]] = defaultdict(list)
    for one in taken:
        brought[one.report.key].append(one)
    keys = json.dumps(list(brought))
    waiting = _FIND.rows(writing.connection, writing.workspace, source, keys)
    settled = [
        entry
        for entry, key, revision, item in waiting
        if any(_makes_up(one, revision, item) for one in brought[key])
    ]
    for entry in settled:
        writing.connection.execute(
            update(quarantine)
            .where(_Q.workspace_id == writing.workspace, _Q.id == entry, _Q.resolved_at.is_(None))
            .values(resolved_at=writing.at)
        )
    forget(writing, settled)


def _makes_up(taken: Taken, revision: str, item: str | None) -> bool:
    """Whether a report leaves nothing to be wished of an item of that revision."""
    brought = taken.report.stamp.revision
    if brought == revision:
        return taken.report.full or taken.item == item
    # Two clocks cannot be compared; without any revision an item is older than all that have one.
    comparable = not revision or clock_of(brought) is clock_of(revision)
    return taken.report.full and comparable and brought > revision
