"""Which key the credentials in a database are sealed with: one for all that serve it.

Replicas with keys of their own would each store what the others cannot read, and nobody would
notice before a sender is refused. So the first start leaves its key's fingerprint, and whoever
comes with another key hears of it at once; so does a restored database without its key.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select
from sqlmodel import col

from app.store import sources
from app.store.sources import Secret
from app.store.statements import inserted, upsert
from app.store.tables import SourceSecretRow, seal
from app.store.transactions import Writing

# Of the whole database, hence under a name that no workspace can have.
_ALL = "*"

# Whether a key opens a ciphertext.
Opens = Callable[[bytes], bool]
# A ciphertext under the key that is to be used; None for one that nobody can open.
Seals = Callable[[bytes], bytes | None]


def fits(connection: Connection, fingerprint: bytes, opens: Opens) -> bool:
    """Whether this is the database's key; it becomes so where none was noted yet."""
    if _noted(connection) is None:
        # From before keys were noted: what was sealed tells.
        held = connection.execute(select(col(SourceSecretRow.credentials))).scalars()
        sealed = [one for one in held if one is not None]
        if sealed and not any(map(opens, sealed)):
            return False
        first = inserted(seal).on_conflict_do_nothing()
        connection.execute(first, {"workspace_id": _ALL, "fingerprint": fingerprint})
    return _noted(connection) == fingerprint


def note(connection: Connection, fingerprint: bytes) -> None:
    """Make a key the database's."""
    change = upsert(seal, replace=("fingerprint",))
    connection.execute(change, {"workspace_id": _ALL, "fingerprint": fingerprint})


def sealed_anew(writing: Writing, sealed: Seals) -> list[str]:
    """Seal every credential of a workspace anew; the sources whose own had to be let go of."""
    found = writing.connection.execute(
        select(
            col(SourceSecretRow.source),
            col(SourceSecretRow.hook_digest),
            col(SourceSecretRow.credentials),
        )
        .where(col(SourceSecretRow.workspace_id) == writing.workspace)
        .where(col(SourceSecretRow.credentials).is_not(None))
        .order_by(col(SourceSecretRow.source))
    ).all()
    forgotten: list[str] = []
    for source, hook, credentials in found:
        anew = sealed(credentials or b"")
        if anew != credentials:
            sources.put_secret(writing, source, Secret(hook, anew))
        if anew is None:
            forgotten.append(source)
    return forgotten


def _noted(connection: Connection) -> bytes | None:
    found = connection.execute(select(seal.c.fingerprint).where(seal.c.workspace_id == _ALL))
    fingerprint = found.scalar_one_or_none()
    return None if fingerprint is None else bytes(fingerprint)
