"""Who fetches from a source, and how far it has come.

One process at a time: an account has one rate limit, and a token that is renewed twice at once is
lost. Whoever holds the lease of a source works until it ends and renews it while it works. Where
that process dies, the lease ends by itself and another goes on, under a greater `fence`: what the
dead one might still write is then refused. Nothing here moves the workspace's head, for nothing
here is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, update

from app.store.dialect import AnyRow
from app.store.statements import inserted
from app.store.tables import fetcher
from app.store.transactions import Access

_F = fetcher.c
_COLUMNS = (
    _F.fence, _F.lease_until, _F.failures, _F.retry_at, _F.pull_at, _F.marks, _F.tokens, _F.code,
    _F.tried_at, _F.succeeded_at, _F.backfill_from, _F.channels,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """How fetching from a source stands. All instants in microseconds since 1970.

    fence: greater with each holder; failures: how many tries in a row failed, the last with `code`
    retry_at: nothing is asked before; pull_at: when its changes are to be read through again
    marks: up to where they were, as the reader writes it; tokens: sealed
    backfill_from: since when all is to be read once more, where somebody asked for that
    channels: what notifications it was asked for and until when, as their keeper writes it
    """

    fence: int = 0
    lease_until: int = 0
    failures: int = 0
    retry_at: int = 0
    pull_at: int = 0
    marks: str = "{}"
    tokens: bytes | None = None
    code: str | None = None
    tried_at: int | None = None
    succeeded_at: int | None = None
    backfill_from: int | None = None
    channels: str = "{}"


UNTRIED = State()


def states(access: Access, workspace: str) -> dict[str, State]:
    """How it stands with each source from which anything was ever fetched."""
    query = select(_F.source, *_COLUMNS).where(_F.workspace_id == workspace)
    return {source: _state(rest) for source, *rest in access.connection.execute(query)}


def state(access: Access, workspace: str, source: str) -> State:
    """How it stands with one source."""
    query = select(*_COLUMNS).where(_this(workspace, source))
    row = access.connection.execute(query).one_or_none()
    return UNTRIED if row is None else _state(row)


def take(connection: Connection, workspace: str, source: str, now: int, until: int) -> State | None:
    """Take a source until an instant; None where somebody holds it."""
    first = inserted(fetcher).values(_initial(workspace, source)).on_conflict_do_nothing()
    connection.execute(first)
    # A condition in the statement and no lock before it: of two who ask at once, one changes it.
    mine = (
        update(fetcher)
        .where(_this(workspace, source), _F.lease_until <= now)
        .values(lease_until=until, fence=_F.fence + 1)
        .returning(*_COLUMNS)
    )
    row = connection.execute(mine).one_or_none()
    return None if row is None else _state(row)


def change(
    connection: Connection, workspace: str, source: str, fence: int, values: Mapping[str, Any]
) -> bool:
    """Write how it stands; whether the source is still this holder's. `values` by column."""
    mine = update(fetcher).where(_this(workspace, source), _F.fence == fence)
    return connection.execute(mine.values(dict(values))).rowcount == 1


def begin_backfill(
    connection: Connection, workspace: str, source: str, fence: int, state: State, marks: str
) -> bool:
    """Write that a backfill has begun, unless another was asked for meanwhile."""
    mine = update(fetcher).where(
        _this(workspace, source), _F.fence == fence, _F.backfill_from == state.backfill_from
    )
    return connection.execute(mine.values(marks=marks, backfill_from=None)).rowcount == 1


def ask(connection: Connection, workspace: str, source: str, values: Mapping[str, Any]) -> None:
    """Say what is wanted of a source, whoever holds it."""
    first = inserted(fetcher).values(_initial(workspace, source)).on_conflict_do_nothing()
    connection.execute(first)
    wanted = update(fetcher).where(_this(workspace, source)).values(dict(values))
    connection.execute(wanted)


def _initial(workspace: str, source: str) -> dict[str, object]:
    counts = dict.fromkeys(("lease_until", "fence", "failures", "retry_at", "pull_at"), 0)
    texts = {"marks": UNTRIED.marks, "channels": UNTRIED.channels}
    return {"workspace_id": workspace, "source": source, **texts, **counts}


def _this(workspace: str, source: str) -> ColumnElement[bool]:
    return and_(_F.workspace_id == workspace, _F.source == source)


def _state(row: AnyRow | list[Any]) -> State:
    return State(*row)
