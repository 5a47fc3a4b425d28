"""What a cell finds in a row or a body, as the field's own reader takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from email.utils import parsedate_to_datetime
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.errors import Invalid, Params
from app.domain.instants import SECOND, instant, micros, written_instant
from app.domain.kinds import RawValue
from app.domain.quantities import minor_digits
from app.intake.cells import Cell, CellType, Unit
from app.intake.selectors import Budget, holds, selected, written

MAX_ITEMS = 1_000
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_MAIL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT|UTC|Z)",
    re.ASCII,
)
_CLOCK = re.compile(r"(?:(\d{1,5}):)?(\d{1,5}):([0-5]\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,12})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_FLAGS: Mapping[str, bool] = {"true": True, "false": False}
_NOON = time(12)
_LONGEST = 10**9
# More digits than an amount can have, so that none is rounded.
_EXACT = Context(prec=60)
# How many seconds one of a unit is, as a fraction.
_PER_SECOND = {Unit.SECONDS: (1, 1), Unit.MILLISECONDS: (1, 1000), Unit.MINUTES: (60, 1)}

Scalar = str | int | bool | Decimal


class Problem(NamedTuple):
    """What is wrong with the value of a cell."""

    label: str
    code: str
    params: Params


@dataclass(frozen=True, slots=True)
class Place:
    """What cells look at: the row or the element, and the whole body it is of."""

    here: RawValue
    payload: RawValue
    budget: Budget = field(default_factory=Budget)


def cell_values(
    cells: Mapping[str, Cell], place: Place
) -> tuple[dict[str, RawValue], list[Problem]]:
    """The values that are there, and every problem: nobody mends them one by one."""
    found: dict[str, RawValue] = {}
    problems: list[Problem] = []
    for label, cell in cells.items():
        try:
            value = cell_value(cell, place)
        except Invalid as error:
            problems.append(Problem(label, error.code, error.params))
        else:
            found |= {} if value is None else {label: value}
    for label, cell in cells.items():
        if cell.unit is Unit.MINOR and label in found:
            try:
                found[label] = _major(found[label], found.get("currency", found.get("/currency")))
            except Invalid as error:
                problems.append(Problem(label, error.code, error.params))
    return found, problems


def cell_value(cell: Cell, place: Place) -> RawValue:
    """The value of one cell; None where there is none. Raises Invalid."""
    value = _value(cell, place)
    if cell.source is None or value is None:
        return value
    keys = value if isinstance(value, list) else [value]
    return [{"source": cell.source, "key": written(key)} for key in keys]


def _value(cell: Cell, place: Place) -> RawValue:
    if not _applies(cell, place):
        return None
    if cell.constant is not None:
        return cell.constant
    value = _plain(_found(cell, place))
    if value is None or value == []:
        return cell.words.get("", cell.default)
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise Invalid("too_many_items", limit=MAX_ITEMS)
        each = (_plain(item) for item in value)
        return [_read(cell, _scalar(item), place) for item in each if item is not None]
    return _read(cell, _scalar(value), place)


def _applies(cell: Cell, place: Place) -> bool:
    if cell.condition is not None:
        return holds(selected(cell.condition, place.here, place.budget))
    here = place.here if isinstance(place.here, dict) else {}
    return all(written(here.get(column)) == text for column, text in cell.when.items())


def _found(cell: Cell, place: Place) -> RawValue:
    if cell.select is not None:
        return selected(cell.select, place.payload if cell.whole else place.here, place.budget)
    return place.here.get(str(cell.column)) if isinstance(place.here, dict) else None


def _plain(value: RawValue) -> RawValue:
    """Without blanks around it; an empty text is nothing."""
    return (value.strip() or None) if isinstance(value, str) else value


def _scalar(value: RawValue) -> Scalar:
    if value is None or isinstance(value, list | dict):
        raise Invalid("not_a_scalar")
    return value


def _read(cell: Cell, value: Scalar, place: Place) -> RawValue:
    text = written(value)
    if text in cell.words:
        return cell.words[str(text)]
    if cell.others is not None:
        return cell.others
    read = _typed(cell, value, str(text))
    if cell.minus is None:
        return read
    taken = cell_value(cell.minus, place)
    return read if taken is None else _earlier(str(read), _duration(cell.minus.unit, taken))


def _typed(cell: Cell, value: Scalar, text: str) -> RawValue:
    if cell.type is None:
        return value
    reader = _READERS.get(cell.type)
    # Text is taken as it is; so is a decimal: the field's own reader checks it.
    return text if reader is None else reader(cell, text)


def _day(cell: Cell, text: str) -> str:
    return _noon(text, cell.zone)


def _moment(cell: Cell, text: str) -> str:
    return _time(text, cell.zone) if cell.unit is None else _counted(text, cell.unit)


def _integer(_cell: Cell, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Invalid("not_an_integer")
    return int(text)


def _boolean(_cell: Cell, text: str) -> bool:
    if text.casefold() not in _FLAGS:
        raise Invalid("not_a_boolean")
    return _FLAGS[text.casefold()]


def _length(cell: Cell, text: str) -> int:
    return _duration(cell.unit, text)


_READERS: Mapping[CellType, Callable[[Cell, str], RawValue]] = {
    CellType.DATE: _day,
    CellType.TIME: _moment,
    CellType.INTEGER: _integer,
    CellType.BOOLEAN: _boolean,
    CellType.DURATION: _length,
}


def _noon(text: str, zone: ZoneInfo | None) -> str:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Invalid("not_a_date")
    return day.isoformat() if zone is None else _instant(datetime.combine(day, _NOON, zone))


def _time(text: str, zone: ZoneInfo | None) -> str:
    try:
        if _MAIL_DATE.fullmatch(text):
            moment = parsedate_to_datetime(text)
            # An offset of -0000 says UTC and leaves the datetime naive.
            return _instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if zone is None or not _NAIVE.fullmatch(text):
            return text
        return _instant(datetime.fromisoformat(text).replace(tzinfo=zone))
    except ValueError:
        raise Invalid("not_a_time") from None


def _counted(text: str, unit: Unit) -> str:
    """A time that is a number of seconds or milliseconds since 1970."""
    times, parts = _PER_SECOND[unit]
    if not _NUMBER.fullmatch(text):
        raise Invalid("not_a_time")
    return _at(int(Fraction(text) * times * SECOND / parts))


def _duration(unit: Unit | None, value: RawValue) -> int:
    """Whole seconds: of a number in its unit, or of a clock like 1:02:03."""
    text = written(value) or ""
    clock = _CLOCK.fullmatch(text)
    if clock and unit is None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return (hours * 60 + minutes) * 60 + seconds
    if not _NUMBER.fullmatch(text):
        raise Invalid("not_a_duration_value")
    times, parts = _PER_SECOND[unit or Unit.SECONDS]
    length = Fraction(text) * times / parts
    if not 0 <= length <= _LONGEST:
        raise Invalid("out_of_range", low=0, high=_LONGEST)
    return int(length)


def _earlier(text: str, seconds: int) -> str:
    return _at(instant(text) - seconds * SECOND)


def _at(microseconds: int) -> str:
    try:
        return written_instant(microseconds)
    except (OverflowError, ValueError):
        raise Invalid("not_a_time") from None


def _instant(moment: datetime) -> str:
    try:
        return written_instant(micros(moment.astimezone(UTC)))
    except OverflowError:
        raise Invalid("not_a_time") from None


def _major(value: RawValue, currency: RawValue) -> str:
    """An amount in main units: 45000 of JPY are 45000, of USD 450."""
    text = written(value) or ""
    if not isinstance(currency, str) or not currency:
        raise Invalid("currency_required")
    if not _NUMBER.fullmatch(text):
        raise Invalid("not_a_decimal")
    return format(_EXACT.scaleb(Decimal(text), -minor_digits(currency.upper())), "f")
