"""A sender's object with the place where it stands, read field by field.

Senders write one thing in many ways: a number as text, an absent value as "" or null, a time as
milliseconds or with an offset without a colon. These readers take what means one thing only; every
fault points to the place in the payload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.domain.errors import Fault, Invalid
from app.domain.instants import FLOOR, instant, midnight, written_instant
from app.domain.kinds import RawValue, name

_BARE_OFFSET = re.compile(r"(.*[+-]\d\d)(\d\d)", re.ASCII)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,12})?([eE][+-]?\d{1,2})?", re.ASCII)
_ABSENT = (None, "")
_TRUTHS: Mapping[str, bool] = {"true": True, "false": False}
_MILLISECOND = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """An object of a payload; `pointer` is where it stands in it."""

    values: Mapping[str, RawValue]
    pointer: str = ""

    def has(self, label: str) -> bool:
        """Whether the sender says anything of this field, be it that it is empty."""
        return label in self.values

    def given(self, label: str) -> bool:
        """Whether there is a value: neither absent, nor null, nor an empty text."""
        return self.values.get(label) not in _ABSENT

    def fault(self, label: str, code: str, **params: str | int) -> Invalid:
        """A refusal of the whole, with its place."""
        place = label.replace("~", "~0").replace("/", "~1")
        return Invalid("invalid_delivery", Fault(f"{self.pointer}/{place}", code, params))

    def text(self, label: str) -> str | None:
        """A text, or None where there is none. Raises Invalid (not_a_text)."""
        value = self.values.get(label)
        if value in _ABSENT:
            return None
        if not isinstance(value, str):
            raise self.fault(label, "not_a_text")
        return value

    def required(self, label: str) -> str:
        """A text that has to be there. Raises Invalid (required, not_a_text)."""
        text = self.text(label)
        if text is None:
            raise self.fault(label, "required")
        return text

    def required_name(self, label: str) -> str:
        """An id that can be a key: of bounded length, without control characters.

        Raises Invalid (required, not_a_text, not_a_name).
        """
        text = self.required(label)
        try:
            return name(text)
        except Invalid:
            raise self.fault(label, "not_a_name") from None

    def flag(self, label: str) -> bool | None:
        """A truth, as such or as the text true or false. Raises Invalid (not_a_boolean)."""
        value = self.values.get(label)
        if value in _ABSENT:
            return None
        found = _TRUTHS.get(value) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise self.fault(label, "not_a_boolean")
        return found

    def whole(self, label: str) -> int | None:
        """A count, as an integer, as digits, or as a decimal without a fraction.

        Raises Invalid (not_an_integer).
        """
        value = self.values.get(label)
        if value in _ABSENT:
            return None
        if isinstance(value, str | Decimal):
            head, _, tail = str(value).partition(".")
            if not _DIGITS.fullmatch(head) or tail.strip("0"):
                raise self.fault(label, "not_an_integer")
            return int(head)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**15:
            raise self.fault(label, "not_an_integer")
        return value

    def decimal(self, label: str) -> str | None:
        """A number in decimal digits, written as such, also where the sender used an exponent.

        Raises Invalid (not_a_decimal).
        """
        value = self.values.get(label)
        if value in _ABSENT:
            return None
        text = "" if isinstance(value, bool) else str(value)
        if not _NUMBER.fullmatch(text):
            raise self.fault(label, "not_a_decimal")
        return format(Decimal(text), "f")

    def time(self, label: str) -> str | None:
        """RFC 3339 in UTC of a time with its offset; a number is milliseconds since 1970.

        Raises Invalid (not_a_time, time_without_offset, time_before_1980).
        """
        value = self.values.get(label)
        if value in _ABSENT:
            return None
        try:
            at = _instant(value)
        except Invalid as error:
            raise self.fault(label, error.code) from None
        if at < FLOOR:
            raise self.fault(label, "time_before_1980")
        return written_instant(at)

    def required_time(self, label: str) -> str:
        """A time that has to be there. Raises Invalid (required, and as `time`)."""
        at = self.time(label)
        if at is None:
            raise self.fault(label, "required")
        return at

    def calendar_day(self, label: str) -> str | None:
        """A calendar day as YYYY-MM-DD; a number is milliseconds of its midnight UTC.

        Raises Invalid (not_a_date).
        """
        if not self.given(label):
            return None
        value = self.values[label]
        text = self.time(label) if isinstance(value, int) else value
        try:
            return date.fromisoformat(text[:10] if isinstance(text, str) else "").isoformat()
        except ValueError:
            raise self.fault(label, "not_a_date") from None

    def day(self, label: str, zone: ZoneInfo) -> str | None:
        """RFC 3339 in UTC of the moment at which a calendar day begins in a zone.

        Raises Invalid (not_a_date, time_before_1980).
        """
        text = self.calendar_day(label)
        if text is None:
            return None
        try:
            begins = midnight(date.fromisoformat(text), zone)
        except OverflowError:
            raise self.fault(label, "not_a_date") from None
        return Record({label: begins.isoformat()}, self.pointer).time(label)

    def record(self, label: str) -> Record:
        """An object within; an empty one where it is absent. Raises Invalid (not_an_object)."""
        return self._record(label, self.values.get(label), f"{self.pointer}/{label}")

    def records(self, label: str) -> list[Record]:
        """A list of objects; empty where it is absent. Raises Invalid (not_a_list, ...)."""
        value = self.values.get(label)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(label, "not_a_list")
        place = f"{self.pointer}/{label}"
        return [self._record(label, one, f"{place}/{n}") for n, one in enumerate(value)]

    def _record(self, label: str, value: RawValue, pointer: str) -> Record:
        if value is None:
            return Record({}, pointer)
        if not isinstance(value, dict):
            raise self.fault(label, "not_an_object")
        return Record(value, pointer)


def no_later(at: str | None, than: str | None) -> str | None:
    """When something that is dated was done: what lies ahead when it is told was done by then.

    CRMs leave the date on which a deal was expected to close as it was, and so a deal that is won
    early would be won in the future. Both in RFC 3339.
    """
    return at if at is None or than is None else min(at, than, key=instant)


def record_of(value: RawValue) -> Record:
    """The object that a payload is. Raises Invalid (not_an_object)."""
    if not isinstance(value, dict):
        raise Invalid("invalid_delivery", Fault("", "not_an_object"))
    return Record(value)


def _instant(value: RawValue) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        at = value * _MILLISECOND
        # Its text has to be one that every reader takes: within the calendar.
        if not FLOOR <= at < instant("9999-01-01T00:00:00Z"):
            raise Invalid("not_a_time")
        return at
    if not isinstance(value, str):
        raise Invalid("not_a_time")
    bare = _BARE_OFFSET.fullmatch(value)
    return instant(f"{bare[1]}:{bare[2]}" if bare and value.count(":") == 2 else value)
