"""What the ledger keeps of a source beside its document: secrets, and what was heard of it.

Credentials arrive here already encrypted; the store could not read them if it wanted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select
from sqlmodel import col

from app.domain.revisions import RevisionClock
from app.store import heads
from app.store.dialect import Words
from app.store.journal import Knowing
from app.store.statements import Prepared, inserting, upsert
from app.store.tables import (
    SourceSecretRow,
    retired_hook,
    source_heard,
    source_state,
    table_of,
)
from app.store.transactions import Access, Writing


@dataclass(frozen=True, slots=True)
class Secret:
    """The digest of the hook's secret part and the encrypted credentials."""

    hook_digest: bytes | None
    credentials: bytes | None


@dataclass(frozen=True, slots=True)
class SourceState:
    """When a source last spoke, and the clock its revisions were found to use."""

    last_received_at: int
    clock: RevisionClock | None


_R = retired_hook.c
_PUT_SECRET = upsert(table_of(SourceSecretRow), replace=("hook_digest", "credentials"))


def put_secret(writing: Writing, source: str, secret: Secret) -> None:
    """Replace a source's secrets."""
    writing.connection.execute(
        _PUT_SECRET,
        {
            "workspace_id": writing.workspace,
            "source": source,
            "hook_digest": secret.hook_digest,
            "credentials": secret.credentials,
        },
    )
    heads.reconfigure(writing)


def put_retired_hooks(writing: Writing, source: str, digests: Sequence[bytes]) -> None:
    """Replace the addresses by which a source was found before."""
    its = (_R.workspace_id == writing.workspace, _R.source == source)
    writing.connection.execute(delete(retired_hook).where(*its))
    if digests:
        same = {"workspace_id": writing.workspace, "source": source}
        rows = [same | {"hook_digest": digest} for digest in digests]
        writing.connection.execute(insert(retired_hook), rows)
    heads.reconfigure(writing)


def secret(access: Access, workspace: str, source: str) -> Secret | None:
    """A source's secrets; None when it has none."""
    row = access.connection.execute(
        select(col(SourceSecretRow.hook_digest), col(SourceSecretRow.credentials)).where(
            col(SourceSecretRow.workspace_id) == workspace, col(SourceSecretRow.source) == source
        )
    ).one_or_none()
    return None if row is None else Secret(*row)


def source_of_hook(access: Access, workspace: str, hook_digest: bytes) -> str | None:
    """The source whose hook has that digest."""
    return access.connection.execute(
        select(col(SourceSecretRow.source)).where(
            col(SourceSecretRow.workspace_id) == workspace,
            col(SourceSecretRow.hook_digest) == hook_digest,
        )
    ).scalar_one_or_none()


def source_of_retired_hook(access: Access, workspace: str, hook_digest: bytes) -> str | None:
    """The source whose hook had that digest."""
    return access.connection.execute(
        select(_R.source).where(_R.workspace_id == workspace, _R.hook_digest == hook_digest)
    ).scalar_one_or_none()


_STATE, _SPOKE = source_state.c, source_heard.c
_STATES = Prepared(
    select(_STATE.source, _STATE.last_received_at, _STATE.clock).where(
        _STATE.workspace_id == bindparam("workspace", type_=Words)
    ),
    "workspace",
)
_HEARD = inserting(source_state, replace=("clock", "last_received_at"))
_HEARD_AT = inserting(source_heard)


def states(access: Access, workspace: str) -> dict[str, SourceState]:
    """What was heard of every source that ever spoke."""
    return {
        source: SourceState(at, RevisionClock(clock) if clock else None)
        for source, at, clock in _STATES.rows(access.connection, workspace)
    }


def last_received(access: Access, workspace: str, known: Knowing | None = None) -> dict[str, int]:
    """When each source last spoke that ever did, as far as was known."""
    if known is None:
        return {key: state.last_received_at for key, state in states(access, workspace).items()}
    then = (
        select(_SPOKE.at)
        .where(
            _SPOKE.workspace_id == _STATE.workspace_id,
            _SPOKE.source == _STATE.source,
            _SPOKE.seq <= known.seq,
        )
        .order_by(_SPOKE.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(_STATE.source, then).where(_STATE.workspace_id == workspace)
    found = access.connection.execute(query)
    return {source: at for source, at in found if at is not None}


def hear(writing: Writing, heard: dict[str, SourceState]) -> None:
    """Keep what was heard of some sources."""
    _HEARD.many(
        writing.connection,
        [
            (writing.workspace, source, state.clock, state.last_received_at)
            for source, state in heard.items()
        ],
    )
    _HEARD_AT.many(
        writing.connection,
        [
            (writing.workspace, source, writing.seq, state.last_received_at)
            for source, state in heard.items()
        ],
    )
