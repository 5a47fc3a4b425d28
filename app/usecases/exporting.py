"""Everything as it stands, streamed: to be read elsewhere, or to be taken in again.

NDJSON lines are what the API takes: activities as CloudEvents for POST /v1/events, members and
teams as their documents with a key. CSV is for spreadsheets, which run what begins like a formula:
such a cell gets an apostrophe in front, so only NDJSON gives back exactly what went in.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TextIO

from app.domain.activities import canonical_json
from app.domain.errors import NotFound
from app.domain.revisions import written_revision
from app.store import activities, documents, heads
from app.store.activities import Activity
from app.store.transactions import Reading
from app.usecases.context import Context
from app.usecases.organisation import MEMBER, TEAM

PAGE = 1_000
_PEOPLE = {"members": MEMBER, "teams": TEAM}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)
Record = dict[str, Any]


class Format(StrEnum):
    """The forms of an export."""

    CSV = "csv"
    NDJSON = "ndjson"


def export(context: Context, workspace: str, what: str, form: Format, out: TextIO) -> None:
    """Write all activities of a kind, all `members` or all `teams`.

    One snapshot, a page in memory. Raises NotFound for an unknown workspace.
    """
    with context.read() as reading:
        if heads.head(reading, workspace) is None:
            raise NotFound("unknown_workspace")
        if form is Format.NDJSON:
            _lines(_events(reading, workspace, what), out)
        else:
            _table(reading, workspace, what, out)


def _events(reading: Reading, workspace: str, what: str) -> Iterator[Record]:
    collection = _PEOPLE.get(what)
    if collection is None:
        return map(_event, _activities(reading, workspace, what))
    return _documents(reading, workspace, collection)


def _lines(records: Iterable[Record], out: TextIO) -> None:
    out.writelines(canonical_json(record) + "\n" for record in records)


def _table(reading: Reading, workspace: str, what: str, out: TextIO) -> None:
    """A header is written first, so the columns are learned on a first way through."""

    def records() -> Iterator[Record]:
        collection = _PEOPLE.get(what)
        if collection is None:
            return map(_flat, _activities(reading, workspace, what))
        return _documents(reading, workspace, collection)

    columns: dict[str, None] = {}
    for record in records():
        columns |= dict.fromkeys(record)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(map(_cell, columns))
    for record in records():
        writer.writerow(_cell(record.get(column)) for column in columns)


def _activities(reading: Reading, workspace: str, kind: str) -> Iterator[Activity]:
    cursor = None
    while True:
        page = activities.page(reading, workspace, cursor, PAGE)
        yield from (one for one in page.items if one.state.kind == kind)
        if page.next is None:
            return
        cursor = page.next


def _documents(reading: Reading, workspace: str, collection: str) -> Iterator[Record]:
    after = None
    while found := documents.page(reading, workspace, collection, after, PAGE):
        yield from ({"key": one.key, **one.body} for one in found)
        after = found[-1].key


def _event(activity: Activity) -> Record:
    """The CloudEvent that brings the activity to the state it is in, whatever parts made it."""
    said = {
        "specversion": "1.0",
        "id": activity.key,
        "source": activity.source,
        "type": activity.state.kind,
        "subject": activity.key,
        "revision": _revision(activity),
        "retracted": activity.state.retracted or None,
        "data": _data(activity),
    }
    return {name: value for name, value in said.items() if value is not None}


def _flat(activity: Activity) -> Record:
    """What is known of it, in columns; a field that is named like one of ours says so."""
    own = {
        "source": activity.source,
        "key": activity.key,
        "revision": _revision(activity),
        "retracted": activity.state.retracted,
    }
    fields = _data(activity).items()
    return own | {f"data.{name}" if name in own else name: value for name, value in fields}


def _revision(activity: Activity) -> str | None:
    """The latest revision among those that the state is made of."""
    state = activity.state
    latest = max((state.base, *state.stamps.values()))
    return written_revision(latest.revision)


def _data(activity: Activity) -> Mapping[str, Any]:
    fields = activity.state.fields.items()
    return {name: value for name, value in fields if not name.startswith("@") and value is not None}


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else canonical_json(value)
    # A negative number is no formula, and must stay a number.
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
