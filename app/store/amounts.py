"""Whether any amount of money was ever told: the currency it is in cannot change any more.

Without one nothing that was counted, or could not be, depends on the workspace's currency. So a
change of it counts nothing anew, and whoever sends waits for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select

from app.domain.activities import canonical_json
from app.domain.errors import NotFound
from app.domain.metrics import Metric, UnitKind
from app.store import heads, rules, tallies
from app.store.rules import Rules, counted
from app.store.tables import activity_revision
from app.store.transactions import Access, Writing

_R = activity_revision.c


class Looked(NamedTuple):
    """What was found up to a commit, by a config."""

    seq: int
    config_version: int
    told: bool


def look(access: Access, workspace: str) -> Looked:
    """Look through all that was ever told, beside whoever writes. Raises NotFound."""
    head = heads.head(access, workspace)
    if head is None:
        raise NotFound("unknown_workspace")
    return Looked(head.seq, head.config_version, _told(access, workspace, 0))


def are_there(writing: Writing, looked: Looked | None, config_version: int) -> bool:
    """Whether amounts are there now; only what came since is looked through.

    config_version: that in which this commit began, by which alone it may have been looked
    """
    if any(currency for _, currency in tallies.slots(writing, writing.workspace)):
        return True
    if looked is None or looked.config_version != config_version:
        return _told(writing, writing.workspace, 0)
    return looked.told or _told(writing, writing.workspace, looked.seq)


def _told(access: Access, workspace: str, since: int) -> bool:
    """Whether a report that came after a commit has a value that a metric counts as money."""
    counting = rules.load(access, workspace)
    named = [_names(source, fields) for source, fields in _fields(counting).items() if fields]
    if not named:
        return False
    query = select(_R.seq).where(_R.workspace_id == workspace, _R.seq > since, or_(*named))
    return access.connection.execute(query.limit(1)).first() is not None


def _names(source: str, fields: Iterable[str]) -> ColumnElement[bool]:
    # A content is written in one way only, so a field's name can be found in it as text; inside
    # a value its quotes would be escaped.
    said = (f"{canonical_json(field)}:" for field in sorted(fields))
    return and_(
        _R.source == source, or_(*(_R.content.contains(one, autoescape=True) for one in said))
    )


def _fields(counting: Rules) -> dict[str, set[str]]:
    """Of each source the fields that some metric counts as money."""
    moving = [one.metric for one in counting.moving]
    metrics = [*(one for some in counting.by_kind.values() for one in some), *moving]
    money = [one for one in metrics if one.unit is UnitKind.MONEY and one.value is not None]
    # While generations come and go by other documents, every source may count every kind.
    apart = bool(counting.moving or counting.pinned)
    return {
        source: {str(one.value) for one in money if apart or _counts(counting, source, one)}
        for source in counting.counts
    }


def _counts(counting: Rules, source: str, metric: Metric) -> bool:
    return counted(counting.counts, source, metric.kind)
