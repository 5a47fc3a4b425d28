"""A row of Asterisk's call detail records, and what it says of its call.

Asterisk writes a row for each pair of channels that had to do with each other: every attempt to
dial, every conversation, every stretch between two transfers. It does not know who is outside:
the source's trunks say it. A channel is named `PJSIP/1001-0000002a`; what stands before the last
dash is a trunk, or else one of ours. `Local/` channels are pipes within the switch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

from app.domain.errors import Fault, Invalid
from app.domain.instants import DAY, FLOOR, SECOND, micros
from app.domain.kinds import RawValue, name
from app.intake.extensions import is_number

Values = Mapping[str, RawValue]

# The order in which our line of cdr_custom.conf writes them.
COLUMNS = (
    "linkedid",
    "uniqueid",
    "sequence",
    "start",
    "answer",
    "end",
    "billsec",
    "disposition",
    "src",
    "dst",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
)
DISPOSITIONS = {
    "ANSWERED": "connected",
    "NO ANSWER": "no_answer",
    "BUSY": "busy",
    "FAILED": "failed",
    "CONGESTION": "failed",
}
_MAX_SEQUENCE = 10**10 - 1
_MAX_SECONDS = 10**9
_LONGEST_EXTENSION = 6
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_EPOCH = re.compile(r"\d{1,11}(?:\.\d{1,6})?", re.ASCII)
_NEVER = ("", "0", "0.000000")
_INSTANCE = re.compile(r"-[0-9a-f]+(?:;[12])?(?:<[A-Z]+>)?\Z", re.ASCII)
# What Asterisk puts before the name of a channel that is being handed over.
_HANDED_OVER = ("AsyncGoto/", "Bridge/", "Parked/")
_NOBODY = ("Announcer/", "Recorder/", "CBAnn/", "CBRec/", "Message/", "UnicastRTP/", "Snoop/")


class Side(Enum):
    """Where a channel leads."""

    NOWHERE = "nowhere"
    OUTSIDE = "outside"
    OURS = "ours"
    PIPE = "pipe"


@dataclass(frozen=True, slots=True)
class Row:
    """A row. Times in microseconds.

    caller, called: where the two channels lead; who, whom: what the channels are called
    outside: the number in the dial string, where a trunk was dialled
    """

    call: str
    uniqueid: str
    sequence: int
    start: int
    end: int
    billsec: int
    disposition: str
    src: str
    dst: str
    app: str
    caller: Side
    who: str
    called: Side
    whom: str
    outside: str

    @property
    def first(self) -> bool:
        """Whether the row is of the channel with which the call began."""
        return self.uniqueid == self.call

    @property
    def colleague(self) -> bool:
        """Whether a call among ours begins a pipe: no extension is as long as a number."""
        begins = self.first and self.caller is Side.OURS and self.called is Side.PIPE
        return begins and len(self.dst) <= _LONGEST_EXTENSION

    @property
    def answered(self) -> bool:
        """Whether what was dialled answered; without that, whether the switch did."""
        return self.disposition == "ANSWERED"

    @property
    def counterpart(self) -> str:
        """The number that was called outside: dialled by a person, or else by the dial plan."""
        return self.dst if is_number(self.dst) or not self.outside else self.outside


def row_of(cells: Sequence[str], trunks: Sequence[str], zone: ZoneInfo, now: int) -> Row:
    """A row of cells. Raises Invalid with the column's name as the pointer."""
    if len(cells) != len(COLUMNS):
        raise Invalid("not_a_cdr_row", expected=len(COLUMNS), found=len(cells))
    row = dict(zip(COLUMNS, cells, strict=True))
    if row["disposition"] not in DISPOSITIONS:
        raise _fault("disposition", "unknown_value", allowed=", ".join(DISPOSITIONS))
    caller, who = _side(row["channel"], trunks)
    called, whom = _side(row["dstchannel"], trunks)
    outside = _dialled_outside(row["lastdata"], trunks) if row["lastapp"] == "Dial" else None
    if called is Side.NOWHERE and outside is not None:
        called = Side.OUTSIDE  # no channel came of it: the trunk was away
    return Row(
        call=_named(row, "linkedid"),
        uniqueid=_named(row, "uniqueid"),
        sequence=_whole(row, "sequence", _MAX_SEQUENCE),
        start=_time(row, "start", zone, now),
        end=_time(row, "end", zone, now),
        billsec=_whole(row, "billsec", _MAX_SECONDS),
        disposition=row["disposition"],
        src=row["src"],
        dst=row["dst"],
        app=row["lastapp"],
        caller=caller,
        who=who,
        called=called,
        whom=whom,
        outside=outside or "",
    )


def _side(channel: str, trunks: Sequence[str]) -> tuple[Side, str]:
    """Where a channel leads, and what it is called: 1001 for PJSIP/1001-0000002a."""
    for prefix in _HANDED_OVER:
        channel = channel.removeprefix(prefix)
    if not channel or channel.startswith(_NOBODY):
        return Side.NOWHERE, ""
    line = _INSTANCE.sub("", channel)
    if any(line == trunk or line.startswith(f"{trunk}/") for trunk in trunks):
        return Side.OUTSIDE, ""
    technology, _, called = line.partition("/")
    if technology == "Local":
        return Side.PIPE, called.partition("@")[0]
    return Side.OURS, called


def _dialled_outside(lastdata: str, trunks: Sequence[str]) -> str | None:
    """The number that Dial() was given for a trunk; None where it dialled none.

    A trunk's channel driver writes PJSIP/0312340000@carrier, or SIP/carrier/0312340000.
    """
    for place in re.split(r"[,|]", lastdata, maxsplit=1)[0].split("&"):
        technology, _, rest = place.partition("/")
        number, at, behind = rest.rpartition("@")
        if at and f"{technology}/{behind}" in trunks:
            return number
        for trunk in trunks:
            if place == trunk or place.startswith(f"{trunk}/"):
                return place.removeprefix(trunk).removeprefix("/")
    return None


def _named(row: Mapping[str, str], column: str) -> str:
    try:
        return name(row[column])
    except Invalid as error:
        raise _fault(column, error.code) from None


def _whole(row: Mapping[str, str], column: str, most: int) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
        raise _fault(column, "not_an_integer")
    return int(text)


def _time(row: Mapping[str, str], column: str, zone: ZoneInfo, now: int) -> int:
    """A time as the switch writes it: its own local time, or seconds since 1970."""
    text = row[column]
    if text in _NEVER:
        raise _fault(column, "required")
    try:
        if _EPOCH.fullmatch(text):
            at = int(Decimal(text) * SECOND)
        elif _NAIVE.fullmatch(text):
            at = micros(datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC))
        else:
            raise _fault(column, "not_a_time")
    except (ValueError, OverflowError):
        raise _fault(column, "not_a_time") from None
    if at < FLOOR:
        raise _fault(column, "time_before_1980")
    if at > now + DAY:
        raise _fault(column, "time_too_far_ahead", hours=24)
    return at


def _fault(column: str, code: str, **params: str | int) -> Invalid:
    return Invalid("invalid_delivery", Fault(f"/{column}", code, params))
