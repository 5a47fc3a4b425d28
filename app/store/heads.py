"""One head row per workspace: its lock, its clock, and the order of its commits.

Every write begins by moving the head and holds that row until the commit. So the order of `seq`
is the order of commits, without gaps, and whatever is cached under (seq, config_version) is
exactly as old as it says. An identity column or a clock is taken before the commit and gives
neither.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.errors import Conflict, NotFound
from app.store.dialect import Whole, Words, greatest
from app.store.kept import Commit
from app.store.statements import Prepared, inserting
from app.store.tables import workspace_commit, workspace_head
from app.store.transactions import Access, Writing, once_a_snapshot


class Head(NamedTuple):
    """Where a workspace stands."""

    seq: int
    at: int
    config_version: int


_HEAD = workspace_head.c
_COLUMNS = (_HEAD.seq, _HEAD.at, _HEAD.config_version)
_ONE: ColumnElement[int] = literal_column("1")
_C = workspace_commit.c
# Asked for behind the change and not returned by it, which takes SQLite some times as long. Nor may
# PostgreSQL, in a statement that waited for the lock, see the commit that it waited for.
_MOVE = Prepared(
    update(workspace_head)
    .where(_HEAD.workspace_id == bindparam("workspace", type_=Words))
    .values(seq=_HEAD.seq + _ONE, at=greatest(_HEAD.at + _ONE, bindparam("now", type_=Whole))),
    "now",
    "workspace",
)
_MOVED = Prepared(
    select(
        *_COLUMNS,
        select(_C.at)
        .where(_C.workspace_id == _HEAD.workspace_id, _C.seq == _HEAD.seq - _ONE)
        .scalar_subquery(),
    ).where(_HEAD.workspace_id == bindparam("workspace", type_=Words)),
    "workspace",
)
_AT = Prepared(
    select(_C.at).where(
        _C.workspace_id == bindparam("workspace", type_=Words),
        _C.seq == bindparam("seq", type_=Whole),
    ),
    "workspace",
    "seq",
)
_STANDING = Prepared(
    select(_HEAD.seq, _C.at, _HEAD.config_version)
    .join(workspace_commit, (_C.workspace_id == _HEAD.workspace_id) & (_C.seq == _HEAD.seq))
    .where(_HEAD.workspace_id == bindparam("workspace", type_=Words)),
    "workspace",
)
_ENTER = inserting(workspace_commit)
_SETTLE = Prepared(
    update(workspace_head)
    .where(
        _HEAD.workspace_id == bindparam("workspace", type_=Words),
        _HEAD.at < bindparam("than", type_=Whole),
    )
    .values(at=bindparam("new", type_=Whole)),
    "new",
    "workspace",
    "than",
)
_RECONFIGURE = (
    update(workspace_head)
    .where(_HEAD.workspace_id == bindparam("workspace"))
    .values(config_version=_HEAD.config_version + 1)
    .returning(_HEAD.config_version)
)


_WHERE = Prepared(
    select(*_COLUMNS).where(_HEAD.workspace_id == bindparam("workspace", type_=Words)), "workspace"
)


def head(access: Access, workspace: str) -> Head | None:
    """Where a workspace stands; None when there is no such workspace."""
    rows = _WHERE.rows(access.connection, workspace)
    return Head(*rows[0]) if rows else None


def all_heads(access: Access) -> dict[str, Head]:
    """Where every workspace stands."""
    found = access.connection.execute(select(_HEAD.workspace_id, *_COLUMNS))
    return {workspace: Head(*rest) for workspace, *rest in found}


def workspaces(access: Access) -> list[str]:
    """The keys of all workspaces, sorted."""
    found = access.connection.execute(select(_HEAD.workspace_id).order_by(_HEAD.workspace_id))
    return list(found.scalars())


def move(connection: Connection, workspace: str, now: int) -> Writing:
    """Begin a write: take the head's lock and the next place in the order of commits."""
    _MOVE.run(connection, now, workspace)
    rows = _MOVED.rows(connection, workspace)
    if not rows:
        raise NotFound("unknown_workspace")
    return _entered(Writing(connection, workspace, *rows[0]))


def create(connection: Connection, workspace: str, now: int) -> Writing:
    """Begin a new workspace's first write. Raises Conflict when there is one already."""
    first = Writing(connection, workspace, seq=1, at=now, config_version=1)
    row = insert(workspace_head).values(
        workspace_id=workspace, seq=first.seq, at=first.at, config_version=1
    )
    try:
        connection.execute(row)
    except IntegrityError:
        # Also of another replica, which began at the same moment.
        raise Conflict("workspace_exists") from None
    return _entered(first)


def settle(connection: Connection, workspace: str, at: int) -> None:
    """Let every later commit come after an instant, once those under way are done."""
    _SETTLE.run(connection, at, workspace, at)


@once_a_snapshot
def standing(access: Access, workspace: str) -> tuple[Commit, int] | None:
    """The last commit, and the config version; None when there is no such workspace."""
    rows = _STANDING.rows(access.connection, workspace)
    return (Commit(*rows[0][:2]), rows[0][2]) if rows else None


def commit(access: Access, workspace: str, seq: int) -> Commit:
    """The commit of a number; what was before the first one is of no instant."""
    rows = _AT.rows(access.connection, workspace, seq)
    return Commit(seq, rows[0][0] if rows else 0)


def stands(access: Access, workspace: str, remembered: Commit) -> bool:
    """Whether a commit that is remembered is there, up to where this snapshot sees."""
    rows = _AT.rows(access.connection, workspace, remembered.seq)
    return rows == [(remembered.at,)]


def follows(writing: Writing, seq: int, at: int) -> bool:
    """Whether a commit that is remembered is one of those before this one.

    It is not after a failover to a standby that had not received it, or where a backup was put in
    the place of the database: whatever was learned from it may never have been.
    """
    if (seq, at) == (writing.seq - 1, writing.before):
        return True
    return stands(writing, writing.workspace, Commit(seq, at))


def reconfigure(writing: Writing) -> None:
    """Say that config changed: whatever was derived from it is to be read again."""
    found = writing.connection.execute(_RECONFIGURE, {"workspace": writing.workspace})
    writing.config_version = found.scalar_one()


def _entered(writing: Writing) -> Writing:
    _ENTER.many(writing.connection, [(writing.workspace, writing.seq, writing.at)])
    return writing
