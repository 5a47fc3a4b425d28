"""The states of activities as rows: read for a batch, written back after it.

Only an activity that ever had a partial report has rows per field; for all others the base stamp
says everything, and a call costs one row instead of nine.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, select, tuple_

from app.domain.activities import Report, Stamp, State
from app.store.dialect import Words, among, listed, narrowed, tabled, word
from app.store.statements import Prepared, columns, deleting, inserting, setting
from app.store.tables import activity, activity_field, activity_revision
from app.store.transactions import Access, Writing

Where = tuple[str, str]  # source and key
Mark = tuple[str, str, Stamp]

CHUNK = 1_000
_A, _F, _R = activity.c, activity_field.c, activity_revision.c
_SAVED = tuple(name for name in columns(activity) if name not in {"workspace_id", "source", "key"})

_SAVE = inserting(activity, replace=_SAVED)
_RECORD = inserting(activity_revision)
_SET_FIELD = inserting(activity_field)
_CLEAR_FIELDS = deleting(activity_field, "workspace_id", "source", "key")


class Saved(NamedTuple):
    """A state to be written: its fields as canonical text, and whether something is missing."""

    state: State
    text: str
    uncounted: bool


class Recorded(NamedTuple):
    """A report to be kept for ever: with its stamp it is what makes repetition harmless.

    delivery: the id of the one that brought it; None where deliveries are not kept
    """

    source: str
    key: str
    stamp: Stamp
    full: bool
    content: str
    delivery: int | None


_OF_SOURCE = (bindparam("workspace", type_=Words), bindparam("source", type_=Words))
_LOAD = Prepared(
    select(_A.key, _A.fields, _A.revision, _A.mapping, _A.digest, _A.has_partials).where(
        _A.workspace_id == _OF_SOURCE[0], _A.source == _OF_SOURCE[1], among(_A.key, listed("keys"))
    ),
    "workspace",
    "source",
    "keys",
)
_LOAD_FIELDS = Prepared(
    select(_F.key, _F.field, _F.revision, _F.mapping, _F.digest).where(
        _F.workspace_id == _OF_SOURCE[0], _F.source == _OF_SOURCE[1], among(_F.key, listed("keys"))
    ),
    "workspace",
    "source",
    "keys",
)


_FLAG = setting(activity, "uncounted", "workspace_id", "source", "key")
_CONFLICT = setting(
    activity_revision, "conflict", "workspace_id", "source", "key", "revision", "mapping", "digest"
)


def _at_revisions(*chosen: ColumnElement[Any]) -> Prepared:
    brought = tabled("pairs", word, "key", "revision").cte("brought")
    return Prepared(
        select(_R.key, _R.revision, _R.mapping, _R.digest, *chosen).where(
            _R.workspace_id == _OF_SOURCE[0],
            _R.source == _OF_SOURCE[1],
            narrowed(_R.key, select(brought.c.key)),
            tuple_(_R.key, _R.revision).in_(select(brought.c.key, brought.c.revision)),
        ),
        "pairs",
        "workspace",
        "source",
    )


_LOAD_STAMPS = _at_revisions()
_LOAD_TOLD = _at_revisions(_R.full, _R.content)


def load(access: Access, workspace: str, source: str, keys: Iterable[str]) -> dict[str, State]:
    """The states that exist among some keys of a source."""
    wanted = json.dumps(list(keys))
    rows = _LOAD.rows(access.connection, workspace, source, wanted)
    partial = [row[0] for row in rows if row[5]]
    stamps = _field_stamps(access, workspace, source, partial) if partial else {}
    return {row[0]: _state(row[1:5], stamps.get(row[0], {})) for row in rows}


def load_all(access: Access, workspace: str, places: Iterable[Where]) -> dict[Where, State]:
    """The states that exist at some places."""
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in places:
        keys[source].append(key)
    return {
        (source, key): state
        for source, wanted in keys.items()
        for key, state in load(access, workspace, source, wanted).items()
    }


def flag(writing: Writing, uncounted: Mapping[Where, bool]) -> None:
    """Say of some activities whether a metric is about them and cannot count them."""
    rows = [(int(missing), writing.workspace, *where) for where, missing in uncounted.items()]
    _FLAG.many(writing.connection, rows)


def _state(row: tuple[Any, ...], stamps: dict[str, Stamp]) -> State:
    fields, revision, mapping, digest = row
    return State(Stamp(revision, mapping, digest), json.loads(fields), stamps)


def _field_stamps(
    access: Access, workspace: str, source: str, keys: list[str]
) -> dict[str, dict[str, Stamp]]:
    found: dict[str, dict[str, Stamp]] = {}
    rows = _LOAD_FIELDS.rows(access.connection, workspace, source, json.dumps(keys))
    for key, name, revision, mapping, digest in rows:
        found.setdefault(key, {})[name] = Stamp(revision, mapping, digest)
    return found


def known(access: Access, workspace: str, source: str, reports: Iterable[Report]) -> set[Mark]:
    """Every stamp already recorded at the revisions of some reports of a source."""
    pairs = json.dumps([(report.key, report.stamp.revision) for report in reports])
    rows = _LOAD_STAMPS.rows(access.connection, pairs, workspace, source)
    return {(source, key, Stamp(*stamp)) for key, *stamp in rows}


def save(writing: Writing, states: Mapping[Where, Saved]) -> None:
    """Write states as they now are."""
    workspace, seq = writing.workspace, writing.seq
    rows = [
        (
            workspace, *where, state.kind, text, *state.base,
            int(state.retracted), int(bool(state.stamps)), int(uncounted), seq,
        )
        for where, (state, text, uncounted) in states.items()
    ]  # fmt: skip
    _SAVE.many(writing.connection, rows)


def save_fields(writing: Writing, states: Mapping[Where, State]) -> None:
    """Write the stamps per field of states that have or had any."""
    places = [(writing.workspace, *where) for where in states]
    _CLEAR_FIELDS.many(writing.connection, places)
    rows = [
        (writing.workspace, *where, name, *stamp)
        for where, state in states.items()
        for name, stamp in state.stamps.items()
    ]
    _SET_FIELD.many(writing.connection, rows)


def record(writing: Writing, reports: Iterable[Recorded]) -> None:
    """Keep reports for ever. A stamp that is already there breaks the transaction."""
    workspace, seq = writing.workspace, writing.seq
    rows = [
        (workspace, source, key, *stamp, int(full), content, 0, seq, delivery)
        for source, key, stamp, full, content, delivery in reports
    ]
    _RECORD.many(writing.connection, rows)


def told(access: Access, workspace: str, source: str, reports: Iterable[Report]) -> list[Report]:
    """The reports recorded at the revisions of some reports of a source."""
    pairs = json.dumps([(report.key, report.stamp.revision) for report in reports])
    rows = _LOAD_TOLD.rows(access.connection, pairs, workspace, source)
    return [
        Report(source, key, Stamp(*stamp), bool(full), json.loads(content)["fields"], content)
        for key, *stamp, full, content in rows
    ]


def list_conflicts(writing: Writing, marks: Iterable[Mark]) -> None:
    """Say of reports that others of their revision contradict them."""
    rows = [(1, writing.workspace, source, key, *stamp) for source, key, stamp in sorted(marks)]
    _CONFLICT.many(writing.connection, rows)
