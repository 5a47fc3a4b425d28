"""Another secret key for a database whose own is lost."""

from __future__ import annotations

from app.store import heads, seals
from app.store.engine import Store
from app.usecases.vault import Vault


def rekey(store: Store, vault: Vault, now: int) -> list[tuple[str, str]]:
    """Make the vault's key the database's; the sources that must be given credentials anew.

    Each with its workspace. What the key can open stays. Repeated after a crash, it goes on.
    """
    with store.read() as reading:
        workspaces = heads.workspaces(reading)
    forgotten: list[tuple[str, str]] = []
    for workspace in workspaces:
        with store.write(workspace, now) as writing:
            found = seals.forget_unreadable(writing, vault.opens)
        forgotten += [(workspace, source) for source in found]
    with store.transaction() as connection:
        seals.note(connection, vault.fingerprint)
    return forgotten
