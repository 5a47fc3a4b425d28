"""What arrived between two commits, each activity once: where its last report of them came."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import exists, select, tuple_
from sqlalchemy.orm import aliased

from app.store.tables import activity_revision, workspace_commit
from app.store.transactions import Access

Place = tuple[int, str, str]  # commit, source, key
START: Place = (0, "", "")

_R, _C = activity_revision.c, workspace_commit.c


class Arrival(NamedTuple):
    """An activity that was told of; `at` is the instant of the commit."""

    seq: int
    source: str
    key: str
    at: int

    @property
    def place(self) -> Place:
        """By which arrivals are ordered."""
        return self.seq, self.source, self.key


def between(
    access: Access, workspace: str, after: int, upto: int, behind: Place, limit: int
) -> list[Arrival]:
    """Up to `limit` activities told of after one commit and up to another, behind a place."""
    later = aliased(activity_revision)
    again = exists().where(
        later.c.workspace_id == _R.workspace_id,
        later.c.source == _R.source,
        later.c.key == _R.key,
        later.c.seq > _R.seq,
        later.c.seq <= upto,
    )
    place = (_R.seq, _R.source, _R.key)
    query = (
        select(*place, _C.at)
        .join(workspace_commit, (_C.workspace_id == _R.workspace_id) & (_C.seq == _R.seq))
        .where(
            _R.workspace_id == workspace,
            # Said apart from the place: the range is what the index is entered by.
            _R.seq >= max(after + 1, behind[0]),
            _R.seq <= upto,
            tuple_(*place) > behind,
            ~again,
        )
        .distinct()
        .order_by(*place)
        .limit(limit)
    )
    return [Arrival(*row) for row in access.connection.execute(query)]
