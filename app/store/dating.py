"""By which rules of which zone the days of a workspace were cut from their quarter hours.

They stand in the database, so all that serve it cut by the same ones, however old the rules of
their systems are. A start that brings other rules cuts the days anew by those.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.domain import zones
from app.domain.zones import Offsets, offsets_of, read_offsets
from app.store.statements import inserting
from app.store.tables import zone_rules
from app.store.transactions import Access, Writing, once_a_snapshot

_Z = zone_rules.c
_SET = inserting(zone_rules, replace=("zone", "offsets"))


def rules_of(access: Access, workspace: str, zone: ZoneInfo) -> Offsets:
    """What a workspace's days are cut by while it is in a zone."""
    noted = _noted(access, workspace)
    if noted is None or noted[0] != zone.key:
        # From before it was noted, or moved just now.
        return offsets_of(zone)
    return read_offsets(noted[1])


def is_present(access: Access, workspace: str, zone: ZoneInfo) -> bool:
    """Whether the days are known to be cut by the rules that this system has for the zone."""
    return _noted(access, workspace) == (zone.key, offsets_of(zone).written())


@once_a_snapshot
def day_of(access: Access, workspace: str) -> Callable[[int], int] | None:
    """In which local day a quarter hour is counted; None from before it was noted."""
    noted = _noted(access, workspace)
    if noted is None:
        return None
    return partial(zones.day_of, offsets=read_offsets(noted[1]), zone=ZoneInfo(noted[0]))


def note(writing: Writing, zone: ZoneInfo, offsets: Offsets) -> None:
    """Say by what every day of the workspace is cut now."""
    _SET.many(writing.connection, [(writing.workspace, zone.key, offsets.written())])


def _noted(access: Access, workspace: str) -> tuple[str, str] | None:
    query = select(_Z.zone, _Z.offsets).where(_Z.workspace_id == workspace)
    row = access.connection.execute(query).one_or_none()
    return None if row is None else (row.zone, row.offsets)
