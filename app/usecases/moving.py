"""Moving to another database: a copy of everything, recounted where it arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from app.store import counting, ledger
from app.store.copying import Told, copy, opened


def move(
    source: str, target: str, clock: Callable[[], int], told: Told
) -> Iterator[tuple[str, int]]:
    """Copy between two addresses, then recount: each workspace, and its mismatches.

    What the source counted wrongly, the copy does as well. Raises StartError, and what `copy` and
    `opened` raise.
    """
    with closing(opened(source, there=True)) as old, closing(opened(target, there=False)) as new:
        found = copy(old, new, told)
        # What an older program counted is counted as a start of this one would.
        counting.bring_up(new, clock)
        for workspace in found:
            yield workspace, len(ledger.verify(new, workspace))
