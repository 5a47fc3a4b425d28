"""What every activity was after each commit that told of it: its reports, joined step by step.

The states of the past are nowhere stored, since a join of the reports that had come by then is
the state of that time, in whatever order they came.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, literal_column, select

from app.domain.activities import NOTHING, Report, Stamp, State, Story, join, story
from app.store.dialect import Whole, Words, among, listed
from app.store.states import CHUNK, Where
from app.store.tables import activity_revision
from app.store.transactions import Access

_R = activity_revision.c
LAST = 2**62  # beyond every commit
_REPORTS = (
    select(_R.source, _R.key, _R.revision, _R.mapping, _R.digest, _R.full, _R.content, _R.seq)
    .where(_R.workspace_id == bindparam("workspace", type_=Words))
    .order_by(_R.source, _R.key)
)
_OF_SOURCE = _REPORTS.where(
    _R.source == bindparam("source", type_=Words),
    among(_R.key, listed("keys")),
    _R.seq <= bindparam("upto", type_=Whole),
)

# Added to a commit's number: SQLite would else go through all the commits on that side of it for
# every activity, instead of through the few reports of one.
_NOTHING: ColumnElement[int] = literal_column("0")
_SINCE = (
    select(_R.key)
    .where(
        _R.workspace_id == bindparam("workspace", type_=Words),
        _R.source == bindparam("source", type_=Words),
        among(_R.key, listed("keys")),
        _R.seq + _NOTHING > bindparam("seq", type_=Whole),
    )
    .distinct()
)
_EARLIER = activity_revision.alias()
_CORRECTED = (
    select(_R.source, _R.key)
    .where(
        _R.workspace_id == bindparam("workspace", type_=Words),
        _R.seq > bindparam("seq", type_=Whole),
        exists().where(
            _EARLIER.c.workspace_id == _R.workspace_id,
            _EARLIER.c.source == _R.source,
            _EARLIER.c.key == _R.key,
            _EARLIER.c.seq + _NOTHING <= bindparam("seq", type_=Whole),
        ),
    )
    .distinct()
)


class Told(NamedTuple):
    """A report, and the commit that brought it."""

    seq: int
    report: Report


def every(access: Access, workspace: str) -> Iterator[tuple[Where, list[Told]]]:
    """Every activity with all its reports, streamed in the order of the key."""
    query = _REPORTS.execution_options(yield_per=CHUNK)
    yield from _grouped(access.connection.execute(query, {"workspace": workspace}))


def of(
    access: Access, workspace: str, places: Iterable[Where], upto: int = LAST
) -> dict[Where, list[Told]]:
    """The reports of some activities that came up to a commit."""
    found: dict[Where, list[Told]] = {}
    for source, wanted in _by_source(places).items():
        bound = {"workspace": workspace, "source": source, "upto": upto}
        rows = access.connection.execute(_OF_SOURCE, bound | {"keys": json.dumps(wanted)})
        found |= _grouped(rows)
    return found


def told_since(access: Access, workspace: str, places: Iterable[Where], seq: int) -> set[Where]:
    """Those of some activities that were told of after a commit."""
    found: set[Where] = set()
    for source, wanted in _by_source(places).items():
        bound = {"workspace": workspace, "source": source, "seq": seq, "keys": json.dumps(wanted)}
        found |= {(source, key) for (key,) in access.connection.execute(_SINCE, bound)}
    return found


def corrected(access: Access, workspace: str, seq: int) -> Iterator[list[Where]]:
    """The activities that were told of both up to a commit and after it, many at a time."""
    bound = {"workspace": workspace, "seq": seq}
    rows = access.connection.execute(_CORRECTED, bound, execution_options={"yield_per": CHUNK})
    for some in rows.partitions():
        yield [(source, key) for source, key in some]


def _by_source(places: Iterable[Where]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in places:
        keys[source].append(key)
    return keys


def states(told: Sequence[Told]) -> list[tuple[int, State]]:
    """The state after each commit that changed it, the first one first."""
    found: list[tuple[int, State]] = []
    state = NOTHING
    for seq, brought in _by_commit(told):
        before = state
        for one in brought:
            state = join(state, one.report)
        if state is not before:
            found.append((seq, state))
    return found


def steps(told: Sequence[Told], remembering: Container[str]) -> list[tuple[int, Story]]:
    """The story of an activity after each commit that changed how it counts, the first one first.

    remembering: the kinds of which a metric asks what was before. There also a report that
    changed nothing of the state has a step: it may have come into what was before.
    """
    found = [(seq, Story(state)) for seq, state in states(told)]
    if not any(one.state.kind in remembering for _, one in found):
        return found
    known: list[Report] = []
    found = []
    for seq, brought in _by_commit(told):
        known += (one.report for one in brought)
        found.append((seq, story(known)))
    return found


def last(told: Sequence[Told]) -> Story:
    """The whole story of an activity, by all of some reports."""
    return story(one.report for one in told)


def _by_commit(told: Sequence[Told]) -> Iterator[tuple[int, Iterator[Told]]]:
    yield from groupby(sorted(told, key=lambda one: one.seq), key=lambda one: one.seq)


def _grouped(rows: Iterable[Any]) -> Iterator[tuple[Where, list[Told]]]:
    for (source, key), group in groupby(rows, key=lambda row: (row[0], row[1])):
        yield (source, key), [_told(row) for row in group]


def _told(row: Any) -> Told:  # noqa: ANN401 - a row
    source, key, revision, mapping, digest, full, content, seq = row
    fields: Mapping[str, Any] = json.loads(content)["fields"]
    stamp = Stamp(revision, mapping, digest)
    return Told(seq, Report(source, key, stamp, bool(full), fields, content))
