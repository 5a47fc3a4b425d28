"""By what a workspace was counted: an upgrade that counts more counts the past as well.

A migration can make tables but not fill them: what belongs into them follows from the reports and
the domain's rules, not from other columns. The same for the rules of its zone, which come with the
system: where they changed, days are cut anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.domain.zones import offsets_of
from app.store import dating, documents, heads, recounting, rules, tallies
from app.store.engine import Store
from app.store.statements import inserting
from app.store.tables import counting
from app.store.transactions import Access, Writing

# Raised when a count of everything would come to more than what is stored.
# 1: the multisets and stocks; the journal. 2: what grew from what
VERSION = 2
_EVERY = 50_000

_log = logging.getLogger(__name__)
_SET = inserting(counting, replace=("version",))


def bring_up(store: Store, clock: Callable[[], int]) -> None:
    """Count anew every workspace that an older program counted; cut days by today's rules.

    Else nothing happens.
    """
    with store.read() as reading:
        behind = [one for one in heads.workspaces(reading) if version(reading, one) < VERSION]
    for workspace in behind:
        with store.write(workspace, clock()) as writing:
            # Two processes may start at once: the second one finds it done.
            if version(writing, workspace) < VERSION:
                _count(writing)
    with store.read() as reading:
        moved = [one for one in heads.workspaces(reading) if not _is_cut(reading, one)]
    for workspace in moved:
        with store.write(workspace, clock()) as writing:
            if not _is_cut(writing, workspace):
                _cut(writing)


def version(access: Access, workspace: str) -> int:
    """By what version a workspace was last counted as a whole; 0 from before it was noted."""
    query = select(counting.c.version).where(counting.c.workspace_id == workspace)
    return access.connection.execute(query).scalar_one_or_none() or 0


def note(writing: Writing) -> None:
    """Say that the workspace is counted by this version: it is new, or has been counted anew."""
    _SET.many(writing.connection, [(writing.workspace, VERSION)])


def _count(writing: Writing) -> None:
    named = {"workspace": writing.workspace}
    _log.info("counting %s anew for this version", writing.workspace, extra=named)
    recounting.recount_all(writing, _told)
    heads.reconfigure(writing)
    note(writing)
    _log.info("counted %s", writing.workspace, extra=named)


def _is_cut(access: Access, workspace: str) -> bool:
    found = documents.get(access, workspace, "workspace", "workspace")
    return found is None or dating.is_present(access, workspace, ZoneInfo(found.body["time_zone"]))


def _cut(writing: Writing) -> None:
    stood = rules.load(writing, writing.workspace)
    tallies.redate(writing, replace(stood, offsets=offsets_of(stood.zone), _days={}))
    heads.reconfigure(writing)
    told = "the rules of %s are other ones: the days of %s were cut anew"
    named = {"workspace": writing.workspace}
    _log.info(told, stood.zone.key, writing.workspace, extra=named)


def _told(done: int) -> None:
    if done % _EVERY == 0:
        _log.info("%d activities counted", done)
