"""When a source spoke: the commits at which it was heard, as far as their gaps can be told apart.

It goes from one commit to the last one that is close enough, so a sender of a hundred thousand a
day costs as many steps as one of a hundred, and no index beyond those of the keys is needed.
"""

from __future__ import annotations

from sqlalchemy import CTE, ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import aliased

from app.store import journal
from app.store.tables import source_heard, workspace_commit
from app.store.transactions import Access

_COMMIT = workspace_commit.c


def spoke(
    access: Access, workspace: str, source: str, window: tuple[int, int], apart: int
) -> list[int]:
    """The instants inside a half-open window at which a source spoke, in order.

    apart: between two of them that lie no farther from each other, any number may be left out.
    All of the window is known once the source has spoken after it: what it says later is later.
    """
    since, until = window
    # A delivery is committed at the instant it came in or after it, never before.
    start = journal.seq_at(access, workspace, since - 1)
    walk = select(_heard(workspace, source, after=start).label("seq")).cte("walk", recursive=True)
    at = _at(workspace, source, walk)
    close = (
        select(_COMMIT.seq)
        .where(_COMMIT.workspace_id == workspace, _COMMIT.at <= at + apart)
        .order_by(_COMMIT.at.desc())
        .limit(1)
        .correlate_except(workspace_commit)
        .scalar_subquery()
    )
    steps = (
        _heard(workspace, source, after=walk.c.seq, upto=close),
        _heard(workspace, source, after=walk.c.seq),
    )
    whole = walk.union_all(select(func.coalesce(*steps)).select_from(walk).where(at < until))
    found = (
        select(_at(workspace, source, whole))
        .select_from(whole)
        .where(whole.c.seq.is_not(None))
        .order_by(whole.c.seq)
    )
    instants = access.connection.execute(found).scalars()
    return [one for one in instants if since <= one < until]


def _at(workspace: str, source: str, walk: CTE) -> ScalarSelect[int]:
    """What the row of a step says. Asked by itself: a join might be done by reading all rows."""
    heard = aliased(source_heard)
    query = select(heard.c.at).where(
        heard.c.workspace_id == workspace, heard.c.source == source, heard.c.seq == walk.c.seq
    )
    return query.correlate_except(heard).scalar_subquery()


def _heard(
    workspace: str,
    source: str,
    *,
    after: int | ColumnElement[int],
    upto: ColumnElement[int] | None = None,
) -> ScalarSelect[int]:
    """The first commit after one at which the source was heard; with `upto` the last up to that."""
    heard = aliased(source_heard)
    query = select(heard.c.seq).where(
        heard.c.workspace_id == workspace, heard.c.source == source, heard.c.seq > after
    )
    if upto is None:
        query = query.order_by(heard.c.seq)
    else:
        query = query.where(heard.c.seq <= upto).order_by(heard.c.seq.desc())
    return query.limit(1).correlate_except(heard).scalar_subquery()
