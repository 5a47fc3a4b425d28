"""Importing a table: rows go the way of every event, a thousand at a time.

Nothing remembers how far an import came, because nothing must: a row that was taken in before is
a duplicate. Whoever is interrupted starts again from the top.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Conflict, Invalid, TasseiError, Unavailable
from app.intake.csv_rows import Row, read_row, rows
from app.intake.events import delivery
from app.intake.mapping import RowMapping
from app.store import documents
from app.store.documents import Document
from app.usecases.context import Context
from app.usecases.importing_people import PeopleImport
from app.usecases.organisation import SOURCE
from app.usecases.saving import Precondition
from app.usecases.source_mapping import changes
from app.usecases.sources import put_source

CHUNK = 1_000
ATTEMPTS = 10
AUTHOR = "tassei import"


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken in as it stands: where and why. `column` is "" for the whole row."""

    row: int
    column: str
    code: str
    params: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What became of some rows."""

    outcomes: Mapping[Outcome, int]
    refused: tuple[RefusedRow, ...]


def imported(
    context: Context, workspace: str, mapping: RowMapping, lines: Iterable[str]
) -> Iterator[Chunk]:
    """Take the rows of a table in; each chunk is on disk when it is given out.

    The committer must run. Raises Invalid and Unreadable for a file that does not fit its
    mapping, NotFound for an unknown workspace, Unavailable when the database stays locked.
    """
    found = rows(lines, mapping)
    first = list(islice(found, CHUNK))  # the header is read before anything is made
    people = PeopleImport(context, workspace, mapping, AUTHOR) if mapping.people else None
    if people is None:
        mapping = _connected(context, workspace, mapping)
    while first:
        results = people.take(first) if people else _events(context, workspace, mapping, first)
        yield _chunk(results)
        first = list(islice(found, CHUNK))


def uncounted_kinds(context: Context, workspace: str, mapping: RowMapping) -> list[str]:
    """The kinds of the mapping that its source does not count: they are kept, and add nothing."""
    found = None if mapping.people else _source(context, workspace, mapping.source)
    counts = found.body.get("counts") if found else None
    return [] if counts is None else sorted(set(mapping.kinds or ()) - set(counts))


def _connected(context: Context, workspace: str, mapping: RowMapping) -> RowMapping:
    """The mapping as the latest of its source, which is made where there is none.

    A source that stands counts what its admin said.
    """
    found = _source(context, workspace, mapping.source)
    if found is not None and not found.archived:
        if found.body["provider"] != mapping.provider:
            raise Conflict("provider_fixed", provider=found.body["provider"])
        return replace(mapping, changes=changes(found))
    body = {"provider": mapping.provider, "name": mapping.name}
    counts = {"counts": list(mapping.kinds)} if mapping.kinds else {}
    made = put_source(
        context, workspace, mapping.source, body | counts, None, Precondition(), AUTHOR
    )
    return replace(mapping, changes=changes(made.document))


def _source(context: Context, workspace: str, key: str) -> Document | None:
    with context.read() as reading:
        return documents.get(reading, workspace, SOURCE, key)


def _events(
    context: Context, workspace: str, mapping: RowMapping, found: list[Row]
) -> list[ItemResult]:
    now = context.clock()
    outcomes = [read_row(mapping, row, now) for row in found]
    return _committed(context, delivery(workspace, now, outcomes, quarantines=False))


def _committed(context: Context, given: Delivery) -> list[ItemResult]:
    """The results, once on disk; waits for a service that holds the database just now."""
    for _ in range(ATTEMPTS - 1):
        try:
            return context.committer.submit(given).result()
        except Unavailable as error:
            time.sleep(error.retry_after)
    return context.committer.submit(given).result()


def _chunk(results: Iterable[ItemResult]) -> Chunk:
    outcomes: Counter[Outcome] = Counter()
    refused: list[RefusedRow] = []
    for result in results:
        outcomes[result.outcome] += 1
        if result.error is not None:
            refused += _refused(result.index, result.error)
    return Chunk(outcomes, tuple(refused))


def _refused(row: int, error: TasseiError) -> Iterator[RefusedRow]:
    if not isinstance(error, Invalid):
        yield RefusedRow(row, "", error.code, error.params)
        return
    # A column that two fields read is wrong once.
    for fault in {(fault.pointer, fault.code): fault for fault in error.faults}.values():
        column = fault.pointer.removeprefix(f"/row/{row}").lstrip("/")
        plain = column.replace("~1", "/").replace("~0", "~")
        yield RefusedRow(row, plain, fault.code, fault.params)
