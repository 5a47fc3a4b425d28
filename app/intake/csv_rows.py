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
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from app.domain.deliveries import Item, Refused
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.instants import micros, written_instant
from app.domain.kinds import RawValue
from app.intake.cloudevents import MAPPING, read_event
from app.intake.mapping import Cell, CellType, RowMapping
from app.intake.reading import written

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BETWEEN = re.compile(r"[^a-z0-9_.]+", re.ASCII)
_FLAGS: Mapping[str, bool] = {"true": True, "false": False}
_NOON = time(12)
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
    own = (mapping.kind, mapping.key, mapping.revision, mapping.actor)
    cells = [cell for cell in (*own, *mapping.fields.values()) if cell]
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
    return key if plain.isascii() and _KEY.fullmatch(key) else None


def _event(mapping: RowMapping, row: Row) -> dict[str, RawValue]:
    attributes: dict[str, Cell] = {"type": mapping.kind, "id": mapping.key}
    if mapping.revision:
        attributes["revision"] = mapping.revision
    if mapping.actor:
        attributes["actor"] = mapping.actor
    # Together, so that whoever mends the file learns of all faults of a row at once.
    found = _values({**attributes, **{f"/{k}": v for k, v in mapping.fields.items()}}, row)
    data: dict[str, RawValue] = {k[1:]: v for k, v in found.items() if k.startswith("/")}
    own = {label: value for label, value in found.items() if label in attributes}
    return {"specversion": "1.0", "source": mapping.source, **own, "data": data}


def _values(cells: Mapping[str, Cell], row: Row) -> dict[str, RawValue]:
    """The values that a row has; an empty cell is none."""
    if row.cells is None:
        raise Invalid("invalid_row", Fault(f"/row/{row.number}", "wrong_number_of_cells"))
    found: dict[str, RawValue] = {}
    faults: list[Fault] = []
    for label, cell in cells.items():
        try:
            value = _value(cell, row.cells)
        except Invalid as error:
            faults.append(_fault(row, cell, label, error.code))
            continue
        if value is not None:
            found[label] = value
    if faults:
        raise Invalid("invalid_row", *faults)
    return found


def _value(cell: Cell, cells: Mapping[str, str]) -> RawValue:
    if any(cells[column] != text for column, text in cell.when.items()):
        return None
    if cell.column is None:
        return cell.constant
    text = cells[cell.column].strip()
    if text in cell.words:
        return cell.words[text]
    return _typed(cell, text) if text else None


def _typed(cell: Cell, text: str) -> RawValue:
    match cell.type:
        case CellType.DATE:
            return _noon(text, cell.zone)
        case CellType.TIME:
            return _time(text, cell.zone)
        case CellType.INTEGER:
            if not _INTEGER.fullmatch(text):
                raise Invalid("not_an_integer")
            return int(text)
        case CellType.BOOLEAN:
            if text.casefold() not in _FLAGS:
                raise Invalid("not_a_boolean")
            return _FLAGS[text.casefold()]
        case CellType.TEXT | CellType.DECIMAL:
            # A decimal stays text on its whole way: the field's own reader checks it.
            return text


def _noon(text: str, zone: ZoneInfo | None) -> str:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Invalid("not_a_date")
    return day.isoformat() if zone is None else _instant(datetime.combine(day, _NOON, zone))


def _time(text: str, zone: ZoneInfo | None) -> str:
    if zone is None or not _NAIVE.fullmatch(text):
        return text
    try:
        return _instant(datetime.fromisoformat(text).replace(tzinfo=zone))
    except ValueError:
        raise Invalid("not_a_time") from None


def _instant(moment: datetime) -> str:
    try:
        return written_instant(micros(moment.astimezone(UTC)))
    except OverflowError:
        raise Invalid("not_a_time") from None


def _placed(mapping: RowMapping, row: Row, error: Invalid) -> Invalid:
    """Faults of an event, pointing at the cells it was made from."""
    own = {"id": mapping.key, "type": mapping.kind}
    own |= {"revision": mapping.revision or mapping.key, "actor": mapping.actor or mapping.key}
    faults = []
    for fault in error.faults:
        part, _, label = fault.pointer.lstrip("/").partition("/")
        plain = label.replace("~1", "/").replace("~0", "~")
        cell = mapping.fields.get(plain) if part == "data" else own.get(part)
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
