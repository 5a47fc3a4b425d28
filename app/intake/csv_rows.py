"""Rows of a table become the same items as any event, by a mapping.

Rows are numbered as a spreadsheet shows them: the header is row 1. A fault points at its cell,
`/row/17/close_date`, for whoever has to mend the file sees rows and columns, not fields.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.domain.deliveries import Item, Refused
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.keys import KEY
from app.domain.kinds import RawValue
from app.intake.cell_values import Place, Problem, cell_values
from app.intake.cells import Cell
from app.intake.cloudevents import MAPPING, read_event
from app.intake.mapped import ATTRIBUTES, cells_of, event_of
from app.intake.mapping import RowMapping
from app.intake.reading import written

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BETWEEN = re.compile(r"[^a-z0-9_.]+", re.ASCII)
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its number, and its cells by column; None where it has not one for each."""

    number: int
    cells: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Person:
    """A row about a member or a team: `values` by field, the key and any team as keys."""

    row: int
    key: str
    values: Mapping[str, str]


def rows(lines: Iterable[str], mapping: RowMapping) -> Iterator[Row]:
    """The rows that are not blank.

    Raises Unreadable for text that is no CSV, and Invalid when the header lacks a column that the
    mapping names, or has it twice.
    """
    reader = csv.reader(lines, strict=True)
    number = 0
    try:
        header = next(reader, [])
        _check_header(header, mapping)
        number = 1
        for number, cells in enumerate(reader, 2):
            if any(cells):
                whole = len(cells) == len(header)
                yield Row(number, dict(zip(header, cells, strict=True)) if whole else None)
    except csv.Error as error:
        if str(error).startswith("field larger"):
            limit = csv.field_size_limit()
            raise Unreadable("cell_too_large", row=number + 1, limit=limit) from None
        raise Unreadable("not_csv", row=number + 1) from None
    except UnicodeDecodeError:
        raise Unreadable("not_utf8_file", row=number + 1) from None


def _check_header(header: list[str], mapping: RowMapping) -> None:
    times = Counter(header)
    for column in sorted(_columns(mapping)):
        if times[column] != 1:
            code = "repeated_column" if column in times else "unknown_column"
            raise Invalid(code, column=column)


def _columns(mapping: RowMapping) -> set[str]:
    cells = cells_of(mapping.rule).values()
    named = {cell.column for cell in cells if cell.column is not None}
    return named.union(*(cell.when for cell in cells))


def read_row(mapping: RowMapping, row: Row, now: int) -> Item | Refused:
    """The item that a row means, or every reason why it means none."""
    try:
        event = _event(mapping, row)
    except Invalid as error:
        return Refused(row.number, None, mapping.source, error, _content(row))
    outcome = read_event(event, row.number, now, mapping=MAPPING + mapping.changes)
    if isinstance(outcome, Item):
        return outcome
    why = _placed(mapping, row, outcome.error)
    return Refused(row.number, outcome.id, mapping.source, why, _content(row))


def read_person(mapping: RowMapping, row: Row) -> Person:
    """What a row says about a member or a team. Raises Invalid."""
    cells = {"key": mapping.key, **mapping.fields}
    found = {label: str(value) for label, value in _values(cells, row).items()}
    faults: list[Fault] = []
    for label in ("key", "team", "parent"):
        if label in found and (key := _key(found[label])) is not None:
            found[label] = key
        elif label in found:
            faults.append(_fault(row, cells[label], label, "not_a_key"))
    if len(found.get("name", "")) > MAX_NAME or _CONTROL.search(found.get("name", "")):
        faults.append(_fault(row, cells["name"], "name", "not_a_name"))
    if "key" not in found:
        faults.append(_fault(row, mapping.key, "key", "required"))
    if faults:
        raise Invalid("invalid_row", *faults)
    return Person(row.number, found.pop("key"), found)


def _key(text: str) -> str | None:
    """A name as a key: Mei-Mei Johns is mei-mei-johns; None where letters would be lost."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    key = _BETWEEN.sub("-", plain).strip("-")
    return key if plain.isascii() and KEY.fullmatch(key) else None


def _event(mapping: RowMapping, row: Row) -> dict[str, RawValue]:
    event, problems = event_of(mapping.rule, _place(row), mapping.source)
    _refuse(problems, cells_of(mapping.rule), row)
    return event


def _values(cells: Mapping[str, Cell], row: Row) -> dict[str, RawValue]:
    """The values that a row has; an empty cell is none."""
    found, problems = cell_values(cells, _place(row))
    _refuse(problems, cells, row)
    return found


def _place(row: Row) -> Place:
    if row.cells is None:
        raise Invalid("invalid_row", Fault(f"/row/{row.number}", "wrong_number_of_cells"))
    here: dict[str, RawValue] = dict(row.cells)
    return Place(here, here)


def _refuse(problems: list[Problem], cells: Mapping[str, Cell], row: Row) -> None:
    """All at once, so that whoever mends the file learns of every fault of a row."""
    if problems:
        faults = (
            _fault(row, cells[one.label], one.label, one.code, one.params) for one in problems
        )
        raise Invalid("invalid_row", *faults)


def _placed(mapping: RowMapping, row: Row, error: Invalid) -> Invalid:
    """Faults of an event, pointing at the cells it was made from."""
    own = {ATTRIBUTES[label]: cell for label, cell in mapping.rule.attributes.items()}
    faults = []
    for fault in error.faults:
        part, _, label = fault.pointer.lstrip("/").partition("/")
        plain = label.replace("~1", "/").replace("~0", "~")
        cell = mapping.fields.get(plain) if part == "data" else own.get(part, mapping.key)
        faults.append(_fault(row, cell, plain or part, fault.code, fault.params))
    return Invalid("invalid_row", *faults)


def _fault(
    row: Row,
    cell: Cell | None,
    label: str,
    code: str,
    params: Mapping[str, str | int] | None = None,
) -> Fault:
    place = (cell.column if cell else None) or label.lstrip("/")
    return Fault(f"/row/{row.number}{pointed(place)}", code, params or {})


def pointed(column: str) -> str:
    """A column as the last part of a pointer."""
    return "/" + column.replace("~", "~0").replace("/", "~1")


def _content(row: Row) -> str:
    return written(dict(row.cells) if row.cells else {})
