"""Moving to another database: a copy of everything, recounted where it arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from app.store import ledger
from app.store.copying import Told, copy, opened


def move(source: str, target: str, told: Told) -> Iterator[tuple[str, int]]:
    """Copy between two addresses, then recount: each workspace, and its mismatches.

    What the source counted wrongly, the copy does as well. Raises StartError, and what `copy` and
    `opened` raise.
    """
    with closing(opened(source, there=True)) as old, closing(opened(target, there=False)) as new:
        for workspace in copy(old, new, told):
            yield workspace, len(ledger.verify(new, workspace))
