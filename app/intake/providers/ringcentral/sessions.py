"""What the parties of a call show, one state of one party each; any order ends alike.

A call is a session, and a session tells of every party on its own: who calls from outside, the
menu, the queue, each member that is rung, and whoever the call is passed on to. "Answered" comes
several times a call: of a menu as seen from the caller, of the person, and again after every hold.
A party's direction is that of its own leg: the customer who calls us is "Outbound". So each event
is read for what its party certainly shows, and all are reports about `telephonySessionId`:

    10  when it began: the earliest event
    11  direction and the customer's number, and who called if one of ours did: the earliest
        event of one of ours who was rung from outside or called somebody outside
    12  the same: somebody outside began the session, so it is inbound whatever follows
    13  when it ended: the last party that left, but for those that passed the call on
    14  outcome: a party left; nobody answered, unless a higher rank knows better
    15  outcome: the reason why a call of ours was not answered
    16  outcome: voicemail
    17  outcome and who it was: one of ours answered; of several the one who did last
    18  the same: somebody outside answered one of ours; passing the call on takes it from nobody
    20  all of it: the record of the call log (`records.py`), where RingCentral is asked

Where both ends are ours it is a call among ours and counts as nothing. After the rank stand time
and sequence number (5 may come before 2), and a number made from the party's id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import NamedTuple

from app.domain.activities import Report
from app.domain.deliveries import Item, Refused
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.reading import written
from app.intake.records import Record
from app.intake.requests import HookRequest, fields_of, hook_report, refusal
from app.intake.source_settings import texts_setting

Values = dict[str, RawValue]

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
_MAX_PARTIES = 50
_REPORTS = 8  # more than one party's event can make
_FAR = 10**18 - 1  # microseconds: an earlier event is the higher number
_MAX_SEQUENCE = 10**9
_SHORT = re.compile(r"[0-9*#]{1,8}", re.ASCII)
_CALLS, _RING_OUT = ("Call", "CallOut"), "RingOut"
_OTHER_SESSIONS = (
    *("RingMe", "Conference", "GreetingsRecording", "VerificationCall", "TestCall", "Zoom"),
)
_CONNECTED = ("answered", "hold")
_VOICEMAIL = ("voicemail", "voicemailscreening", "vmscreening")
_CODES = {
    *("setup", "proceeding", "disconnected", "gone", "parked", "faxreceive", "tds"),
    *(*_CONNECTED, *_VOICEMAIL),
}
_WATCHING = ("Supervising", "TakeOver")
# The party leaves and the call goes on.
_PASSED_ON = frozenset(
    {
        *("BlindTransfer", "AttendedTransfer", "RccTransfer", "DtmfTransfer", "CallFlip"),
        *("CallSwitch", "CallPark", "ParkLocation", "Pickup", "CallRedirected"),
        *("CallerInputRedirect", "AgentAnswered", "AgentDropped", "Conference"),
    }
)
_REASONS = {
    **dict.fromkeys(("NoAnswer", "Timeout", "Rejected"), "no_answer"),
    **dict.fromkeys(("InvalidNumber", "NoSuchUser", "InternalError"), "failed"),
    **dict.fromkeys(("InternationalDisabled", "DestinationBlocked"), "failed"),
    "NotEnoughFunds": "failed",
    "TargetBusy": "busy",
    "Cancelled": "canceled",
}
MACHINES = texts_setting(
    "machine_extension_ids",
    "Ids of extensions that are no person (call queues, menus, announcements): when one of them "
    "answers, nobody did.",
)


class Rank(IntEnum):
    START = 10
    SIDES = 11
    CALLED_IN = 12
    END = 13
    UNANSWERED = 14
    REASON = 15
    VOICEMAIL = 16
    ANSWERED = 17
    DIALLED_AND_ANSWERED = 18
    LOG = 20


class _Side(StrEnum):
    """Who a party of a call with somebody outside is."""

    CALLER = "somebody outside who called"
    RUNG = "one of ours who was rung"
    DIALLER = "one of ours who called"
    CALLED = "somebody outside who was called"


class _Party(NamedTuple):
    """A party in a state. `extension`: of ours; of somebody outside, who of ours called."""

    place: Record
    id: str
    side: _Side
    extension: str | None
    number: str | None
    code: str
    reason: str | None
    key: str
    at: str
    sequence: int


def read_session(
    body: Record, request: HookRequest, id_: str | None
) -> tuple[list[Item], list[Refused]]:
    origin = body.record("origin").text("type") or "Call"
    if origin in _OTHER_SESSIONS:
        return [], []
    if origin != _RING_OUT and origin not in _CALLS:
        allowed = ", ".join((*_CALLS, _RING_OUT, *_OTHER_SESSIONS))
        raise body.record("origin").fault("type", "unknown_value", allowed=allowed)
    parties = body.records("parties")
    if not 0 < len(parties) <= _MAX_PARTIES:
        raise body.fault("parties", "not_a_list", low=1, high=_MAX_PARTIES)
    items: list[Item] = []
    refused: list[Refused] = []
    for n, place in enumerate(parties):
        try:
            party = _party(place, body, origin)
            reports = [] if party is None else list(_reports(party, request))
        except Invalid as error:
            content = written(dict(body.values))
            refused.append(refusal(request, error, content, id_, index=_REPORTS * n))
            continue
        items += [Item(_REPORTS * n + m, id_ or r.key, r) for m, r in enumerate(reports)]
    return items, refused


def _party(place: Record, body: Record, origin: str) -> _Party | None:
    """A party's state; None for a call among ours, and for who watches over one."""
    status = place.record("status")
    code, reason = status.required("code").casefold(), status.text("reason")
    if code not in _CODES:
        raise status.fault("code", "unknown_value", allowed=", ".join(sorted(_CODES)))
    found = _side(place, origin, code)
    if found is None or reason in _WATCHING:
        return None
    side, other, extension = found
    at, sequence = body.time("eventTime"), body.whole("sequence")
    if at is None or sequence is None:
        raise body.fault("eventTime" if at is None else "sequence", "required")
    if sequence >= _MAX_SEQUENCE:
        raise body.fault("sequence", "out_of_range", low=0, high=_MAX_SEQUENCE - 1)
    key = body.required_name("telephonySessionId")
    id_, number = place.required_name("id"), other.text("phoneNumber")
    return _Party(place, id_, side, extension, number, code, reason, key, at, sequence)


def _side(place: Record, origin: str, code: str) -> tuple[_Side, Record, str | None] | None:
    """Who a party is, the end of the other side, and the extension of ours; None among ours."""
    direction = place.required("direction")
    if direction not in {"Inbound", "Outbound"}:
        raise place.fault("direction", "unknown_value", allowed="Inbound, Outbound")
    ours, source, target = _extension(place), place.record("from"), place.record("to")
    if origin == _RING_OUT and direction == "Inbound":
        return _ring_out_side(place, ours, source, target)
    if direction == "Outbound":
        if ours is None:
            return (_Side.CALLER, source, None) if is_outside(source) else None
        # What was dialled may be a number of ours: who that is, is known a moment later.
        dialled = code != "setup" and is_outside(target)
        return (_Side.DIALLER, target, ours) if dialled else None
    if ours is not None:
        return (_Side.RUNG, source, ours) if is_outside(source) else None
    caller = _extension(source)
    called = caller is not None and is_outside(target)
    return (_Side.CALLED, target, caller) if called else None


def _ring_out_side(
    place: Record, ours: str | None, source: Record, target: Record
) -> tuple[_Side, Record, str | None] | None:
    """RingCentral rings our own telephone first, as if from the customer, and then the customer."""
    if ours is None:
        return (_Side.CALLED, target, _extension(source)) if is_outside(target) else None
    initiates = place.text("ringOutRole") != "Target" and is_outside(source)
    return (_Side.DIALLER, source, ours) if initiates else None


def is_outside(end: Record) -> bool:
    """Whether an end is of nobody of ours; one that withholds its number is outside as well."""
    number = end.text("phoneNumber")
    return _extension(end) is None and (number is None or not _SHORT.fullmatch(number))


def _extension(record: Record) -> str | None:
    return extension_at(record, "extensionId")


def extension_at(record: Record, label: str) -> str | None:
    """The id of an extension, which is a text in events and a number in records."""
    value = record.values.get(label)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return record.text(label)


def _reports(party: _Party, request: HookRequest) -> Iterator[Report]:
    """What an event certainly shows."""
    dialled = party.side in {_Side.DIALLER, _Side.CALLED}
    yield _report(party, Rank.START, {"started_at": party.at}, request)
    sides: Values = {
        "direction": "outbound" if dialled else "inbound",
        "counterpart": party.number,
        "agent": party.extension if dialled else None,
    }
    rank = Rank.CALLED_IN if party.side is _Side.CALLER else Rank.SIDES
    yield _report(party, rank, sides, request)
    if party.code == "disconnected" and party.reason not in _PASSED_ON:
        yield _report(party, Rank.END, {"ended_at": party.at}, request)
    outcome = _outcome(party, request)
    if outcome is not None:
        yield _report(party, *outcome, request)


def _outcome(party: _Party, request: HookRequest) -> tuple[Rank, Values] | None:
    """What a state says of the outcome, and how well it knows."""
    agent = party.extension
    is_machine = agent in request.settings.texts(MACHINES.name)
    match party.side:
        case _Side.RUNG if party.code in _VOICEMAIL or party.reason == "Voicemail":
            return Rank.VOICEMAIL, {"outcome": "voicemail", "agent": None if is_machine else agent}
        case _Side.RUNG if party.code in _CONNECTED and not is_machine:
            return Rank.ANSWERED, {"outcome": "connected", "agent": agent}
        case _Side.CALLED | _Side.DIALLER if party.code in _CONNECTED and _is_answer(party):
            return Rank.DIALLED_AND_ANSWERED, {"outcome": "connected", "agent": agent}
    if party.code != "disconnected" or party.reason in _PASSED_ON:
        return None
    if party.side in {_Side.CALLED, _Side.DIALLER} and party.reason in _REASONS:
        return Rank.REASON, {"outcome": _REASONS[party.reason]}
    return Rank.UNANSWERED, {"outcome": "no_answer"}


def _is_answer(party: _Party) -> bool:
    """In a RingOut our own telephone answers first, and that is nobody outside."""
    return party.side is _Side.CALLED or party.place.text("direction") == "Outbound"


def _report(party: _Party, rank: Rank, values: Values, request: HookRequest) -> Report:
    origins = dict.fromkeys(("started_at", "ended_at"), "/body/eventTime")
    origins |= dict.fromkeys(("direction", "counterpart"), f"{party.place.pointer}/direction")
    origins |= {"outcome": f"{party.place.pointer}/status/code"}
    origins |= {"agent": f"{party.place.pointer}/extensionId"}
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, origins, request.received_at)
    earliest = rank <= Rank.CALLED_IN
    order, sequence = instant(party.at), party.sequence
    if earliest:
        order, sequence = _FAR - order, _MAX_SEQUENCE - 1 - sequence
    revision = ranked(rank, order, sequence, party.id)
    return hook_report(request, party.key, revision, fields, full=False, mapping=MAPPING)


def ranked(rank: Rank, order: int, sequence: int, id_: str) -> str:
    """A revision that begins with who knows better; id_: of whom it is, where all else is alike."""
    tie = int.from_bytes(hashlib.sha256(id_.encode()).digest()[:6], "big")
    return of_number(f"{rank.value}{order:018}{sequence:09}{tie:015}")
