"""Another secret key for a database: a rotated one, or a new one where its own is lost."""

from __future__ import annotations

from app.store import heads, seals
from app.store.engine import Store
from app.usecases.vault import Vault


def rekey(store: Store, vault: Vault, now: int, old: Vault | None = None) -> list[tuple[str, str]]:
    """Make the vault's key the database's; the sources that must be given credentials anew.

    Each with its workspace. What the key can open stays; what the old one can open is sealed anew.
    Repeated after a crash, it goes on.
    """

    def sealed(ciphertext: bytes) -> bytes | None:
        if vault.opens(ciphertext):
            return ciphertext
        if old is None or not old.opens(ciphertext):
            return None
        return vault.seal(old.opened(ciphertext))

    with store.read() as reading:
        workspaces = heads.workspaces(reading)
    forgotten: list[tuple[str, str]] = []
    for workspace in workspaces:
        with store.write(workspace, now) as writing:
            found = seals.sealed_anew(writing, sealed)
        forgotten += [(workspace, source) for source in found]
    with store.transaction() as connection:
        seals.note(connection, vault.fingerprint)
    return forgotten
