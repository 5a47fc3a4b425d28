"""Reading activities: what was counted, from which reports, and what could not be."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, exists, literal_column, select, tuple_

from app.domain.activities import JsonValue, Stamp, State, Story, contradict
from app.domain.errors import Invalid, NotFound
from app.domain.metrics import Uncounted, contributions
from app.store import history, remembering, rules, states
from app.store.dialect import AnyRow, AnySelect
from app.store.journal import Knowing
from app.store.pages import Page, cut, place_of
from app.store.rules import Rules
from app.store.standing import is_missing
from app.store.states import Where
from app.store.tables import activity, activity_revision, delivery, workspace_commit
from app.store.transactions import Access

_A, _R, _C, _D = activity.c, activity_revision.c, workspace_commit.c, delivery.c
_START = ("", "")
LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a metric does not count an activity that it is about."""

    metric: str
    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as it stands; `changed_at` is the commit that last changed it."""

    source: str
    key: str
    state: State
    missing: tuple[Missing, ...]
    changed_at: int


@dataclass(frozen=True, slots=True)
class Revision:
    """A report as it was received, and whether it contradicted one of the same revision.

    delivery: the kept one that first brought it; None when it was never kept, or no longer is
    """

    source: str
    key: str
    stamp: Stamp
    full: bool
    fields: Mapping[str, JsonValue]
    conflict: bool
    received_at: int
    delivery: int | None


def get(
    access: Access, workspace: str, source: str, key: str, known: Knowing | None = None
) -> Activity | None:
    """One activity; None when nothing was ever reported of it, as far as was known."""
    if known is not None:
        return next(iter(_then(access, workspace, [(source, key)], known)), None)
    query = _activities(workspace).where(_A.source == source, _A.key == key)
    found = _read(access, workspace, access.connection.execute(query).all())
    return found[0] if found else None


def revisions(
    access: Access, workspace: str, source: str, key: str, known: Knowing | None = None
) -> list[Revision]:
    """Every distinct report of an activity, the greatest stamp last."""
    query = _revisions(workspace).where(_R.source == source, _R.key == key)
    if known is not None:
        query = query.where(_R.seq <= known.seq)
    rows = access.connection.execute(query.order_by(_R.revision, _R.mapping, _R.digest))
    found = [_revision(row) for row in rows]
    if known is None:
        return found
    # What contradicts a report may have come later: then nobody knew.
    return [
        replace(one, conflict=one.conflict and any(contradict(one, other) for other in found))
        for one in found
    ]


def brought_by(access: Access, workspace: str, delivery: int, seq: int, limit: int) -> list[Where]:
    """Some activities of which a delivery was the first to say something new, in a commit."""
    query = select(_R.source, _R.key).where(
        _R.workspace_id == workspace, _R.seq == seq, _R.delivery == delivery
    )
    rows = access.connection.execute(query.order_by(_R.source, _R.key).distinct().limit(limit))
    return [(source, key) for source, key in rows]


def page_then(
    access: Access, workspace: str, known: Knowing, cursor: str | None, limit: int
) -> Page[Activity]:
    """Activities by source and key as they were known then."""
    place = place_of(cursor, _START)
    told = exists().where(
        _R.workspace_id == _A.workspace_id,
        _R.source == _A.source,
        _R.key == _A.key,
        _R.seq <= known.seq,
    )
    query = (
        select(_A.source, _A.key)
        .where(_A.workspace_id == workspace, tuple_(_A.source, _A.key) > place, told)
        .order_by(_A.source, _A.key)
        .limit(limit + 1)
    )
    rows = [(source, key) for source, key in access.connection.execute(query)]
    shown = _then(access, workspace, rows[:limit], known)
    found = {(item.source, item.key): item for item in shown}
    return cut(rows, limit, lambda row: found[row], lambda row: row)


def page(access: Access, workspace: str, cursor: str | None, limit: int) -> Page[Activity]:
    """Activities by source and key."""
    return _page(access, workspace, _activities(workspace), cursor, limit)


def page_uncounted(
    access: Access, workspace: str, cursor: str | None, limit: int
) -> Page[Activity]:
    """Activities that a metric is about and cannot count, by source and key."""
    found = _page(access, workspace, _uncounted(workspace), cursor, limit)
    # What only a metric in the making, or one that goes away, cannot count is nobody's concern.
    return replace(found, items=[one for one in found.items if one.missing])


def page_uncounted_by(
    access: Access, workspace: str, metric: str, cursor: str | None, limit: int
) -> Page[Activity]:
    """Those that one metric is about and cannot count. Raises NotFound `unknown_metric`.

    What other metrics cannot count is read and passed over, and a page looks at no more than
    LOOKED_AT of it. So a page may be short, even empty, while there is a next.
    """
    kinds = rules.load(access, workspace).kinds_of(metric)
    if not kinds:
        raise NotFound("unknown_metric", metric=metric)
    query = _uncounted(workspace).where(_A.kind.in_(kinds))
    place = place_of(cursor, _START)
    behind = query.where(tuple_(_A.source, _A.key) > place).order_by(_A.source, _A.key)
    rows = access.connection.execute(behind.limit(LOOKED_AT + 1)).all()
    looked_at = _read(access, workspace, rows[:LOOKED_AT])
    found = [one for one in looked_at if any(why.metric == metric for why in one.missing)]
    if len(rows) > LOOKED_AT and len(found) <= limit:
        last = looked_at[-1]
        return Page(found, json.dumps((last.source, last.key)))
    return cut(found, limit, lambda one: one, lambda one: (one.source, one.key))


def page_conflicts(
    access: Access, workspace: str, cursor: str | None, limit: int
) -> Page[Revision]:
    """Reports that contradicted another of the same revision, by source, key and stamp."""
    source, key, revision, mapping, digest = place_of(cursor, ("", "", "", 0, ""))
    behind = (source, key, revision, mapping, _digest(str(digest)))
    place = (_R.source, _R.key, _R.revision, _R.mapping, _R.digest)
    query = (
        _revisions(workspace)
        .where(
            _R.conflict == literal_column("1"),
            tuple_(*place) > behind,
        )
        .order_by(*place)
        .limit(limit + 1)
    )
    rows = access.connection.execute(query).all()
    return cut(rows, limit, _revision, lambda row: (*row[:4], row[4].hex()))


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid("invalid_cursor") from None


def _page(
    access: Access, workspace: str, query: AnySelect, cursor: str | None, limit: int
) -> Page[Activity]:
    place = place_of(cursor, _START)
    behind = query.where(tuple_(_A.source, _A.key) > place).order_by(_A.source, _A.key)
    rows = access.connection.execute(behind.limit(limit + 1)).all()
    found = {(item.source, item.key): item for item in _read(access, workspace, rows[:limit])}
    return cut(rows, limit, lambda row: found[row[0], row[1]], lambda row: (row[0], row[1]))


def _uncounted(workspace: str) -> AnySelect:
    # Spelled as in the index's own condition, else the engine does not see that it fits.
    return _activities(workspace).where(_A.uncounted == literal_column("1"))


def _activities(workspace: str) -> AnySelect:
    return (
        select(_A.source, _A.key, _C.at)
        .join(workspace_commit, and_(_C.workspace_id == _A.workspace_id, _C.seq == _A.seq))
        .where(_A.workspace_id == workspace)
    )


def _read(access: Access, workspace: str, rows: Sequence[AnyRow]) -> list[Activity]:
    if not rows:
        return []
    counting = rules.load(access, workspace)
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key, _ in rows:
        keys[source].append(key)
    held: dict[Where, State] = {
        (source, key): state
        for source, wanted in keys.items()
        for key, state in states.load(access, workspace, source, wanted).items()
    }
    told = remembering.stories(access, workspace, counting.remembering, held)
    return [
        Activity(source, key, story.state, _missing(counting, source, story), at)
        for source, key, at in rows
        for story in (told[source, key],)
    ]


def _then(
    access: Access, workspace: str, places: Sequence[Where], known: Knowing
) -> list[Activity]:
    """The activities at some places that had been told of: the joins of their reports by then."""
    told = history.of(access, workspace, places, known.seq)
    counting = rules.load(access, workspace)
    last = {where: history.states(reports)[-1] for where, reports in told.items()}
    held = {where: state for where, (_, state) in last.items()}
    kinds = counting.remembering
    stories = remembering.stories(access, workspace, kinds, held, known.seq)
    commits = access.connection.execute(
        select(_C.seq, _C.at).where(
            _C.workspace_id == workspace, _C.seq.in_({seq for seq, _ in last.values()})
        )
    )
    at: dict[int, int] = {row.seq: row.at for row in commits}
    return [
        Activity(*where, state, _missing(counting, where[0], stories[where]), at[seq])
        for where in places
        if where in last
        for seq, state in (last[where],)
    ]


def _missing(counting: Rules, source: str, story: Story) -> tuple[Missing, ...]:
    state, earlier = story
    found: list[Missing] = []
    for metric in counting.metrics_of(source, state.kind):
        try:
            why = contributions(metric, state, counting.currency, earlier)
        except Invalid as error:
            found.append(Missing(metric.key, error.code, str(metric.value)))
            continue
        if isinstance(why, Uncounted) and is_missing(metric, why):
            found.append(Missing(metric.key, why.code, why.field))
    return tuple(found)


def _revisions(workspace: str) -> AnySelect:
    return (
        select(
            _R.source, _R.key, _R.revision, _R.mapping, _R.digest,
            _R.full, _R.content, _R.conflict, _C.at, _D.id,
        )
        .join(workspace_commit, and_(_C.workspace_id == _R.workspace_id, _C.seq == _R.seq))
        .outerjoin(delivery, and_(_D.workspace_id == _R.workspace_id, _D.id == _R.delivery))
        .where(_R.workspace_id == workspace)
    )  # fmt: skip


def _revision(row: AnyRow) -> Revision:
    source, key, revision, mapping, digest, full, content, conflict, at, brought_by = row
    fields = json.loads(content)["fields"]
    stamp = Stamp(revision, mapping, digest)
    return Revision(source, key, stamp, bool(full), fields, bool(conflict), at, brought_by)
