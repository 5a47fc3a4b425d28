"""A backup: a copy that is whole, sound, and said to hold what it holds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from app.domain.errors import Unavailable
from app.store import ledger
from app.store.backup import Held, Told, copied, held
from app.store.engine import Store


class Backup(NamedTuple):
    """What was written: its size in bytes, and what it holds."""

    size: int
    held: tuple[Held, ...]


def back_up(
    url: str, target: Path, told: Told, *, verified: Callable[[str], None] | None = None
) -> Backup:
    """Copy the database to a file that is not there yet, while others write to it.

    With `verified` every workspace of the copy is recounted from its reports, and told of, before
    the copy takes its place. Raises Unavailable `backup_miscounted`, and what `copied` raises.
    """
    with copied(url, target, told) as address, closing(Store(address)) as store:
        found = tuple(held(store))
        if verified is not None:
            for one in found:
                _recount(store, one.workspace)
                verified(one.workspace)
    return Backup(target.stat().st_size, found)


def _recount(store: Store, workspace: str) -> None:
    if number := len(ledger.verify(store, workspace)):
        raise Unavailable("backup_miscounted", workspace=workspace, number=number)
