"""What a record of the company's call log is: the call as RingCentral has it when it is over.

It has what no event has, the time that was talked, and is there for calls whose events were lost.
Its one report stands over all that events say (rank 20, see `sessions.py`), by the time at which
the record was last changed. One of the menu's legs is a call that a machine took. A person's legs
say how long was talked, of several at once only once; of a RingOut only those of the customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.deliveries import Item
from app.domain.errors import Invalid
from app.domain.instants import SECOND, instant, written_instant
from app.domain.kinds import RawValue
from app.intake.providers.ringcentral.sessions import (
    MACHINES,
    MAPPING,
    Rank,
    extension_at,
    is_outside,
    ranked,
)
from app.intake.records import Record
from app.intake.requests import HookRequest, fields_of, hook_report

Values = dict[str, RawValue]

_UNDER_WAY = ("in progress", "resultinprogress")
_OUTCOMES: Mapping[str, str] = {
    **dict.fromkeys(("accepted", "call accepted", "call connected", "connected"), "connected"),
    **dict.fromkeys(("missed", "no answer", "abandoned", "rejected", "declined"), "no_answer"),
    "answered not accepted": "no_answer",
    "voicemail": "voicemail",
    "busy": "busy",
    **dict.fromkeys(("blocked", "call failed", "call failure", "internal error"), "failed"),
    **dict.fromkeys(("ip phone offline", "wrong number", "restricted number"), "failed"),
    **dict.fromkeys(("international disabled", "international restriction"), "failed"),
    **dict.fromkeys(("no calling credit", "not allowed", "poor line quality"), "failed"),
    **dict.fromkeys(("account", "suspended", "suspended account"), "failed"),
    **dict.fromkeys(("carrier is not active", "edge trunk misconfigured"), "failed"),
}
# Whoever called hung up before anybody answered: of ours it was called off.
_HUNG_UP = ("hang up", "stopped")
_AMONG_OURS = "ExtensionToExtension"
_ORIGINS = {
    "direction": "/direction",
    "outcome": "/result",
    "started_at": "/startTime",
    "ended_at": "/duration",
    "duration_seconds": "/duration",
    "talk_seconds": "/legs",
    "counterpart": "/direction",
    "agent": "/legs",
}


class _Leg(NamedTuple):
    """A part of a call. extension: of ours; seconds: 0 where the log does not say."""

    kind: str
    outcome: str | None
    extension: str | None
    begins: int
    seconds: int
    is_master: bool

    @property
    def is_talk(self) -> bool:
        return self.outcome == "connected"


def read_record(record: Record, request: HookRequest) -> Item | None:
    """The call that a record is; None for one that is under way, and for one among ours."""
    if (record.text("result") or "").casefold() in _UNDER_WAY:
        return None
    key, at = record.required_name("telephonySessionId"), _moment(record, "lastModifiedTime")
    revision = ranked(Rank.LOG, at, 0, record.required_name("id"))
    fields: dict[str, JsonValue] | None
    match record.text("type"):
        case "Voice":
            fields = _fields(record, request)
        case "Fax":
            # By its events it looks like a call that nobody answered.
            fields = {KIND: "call", RETRACTED: True}
        case _:
            fields = None
    if fields is None:
        return None
    report = hook_report(request, key, revision, fields, full=False, mapping=MAPPING)
    return Item(0, key, report)


def _fields(record: Record, request: HookRequest) -> dict[str, JsonValue] | None:
    direction = record.required("direction")
    if direction not in {"Inbound", "Outbound"}:
        raise record.fault("direction", "unknown_value", allowed="Inbound, Outbound")
    is_outbound = direction == "Outbound"
    other = record.record("to" if is_outbound else "from")
    legs = [_leg(place, is_outbound=is_outbound) for place in record.records("legs")]
    among_ours = any(leg.is_master and leg.kind == _AMONG_OURS for leg in legs)
    if among_ours or other.given("extensionNumber") or not is_outside(other):
        return None
    begins, seconds = _moment(record, "startTime"), record.whole("duration")
    values: Values = {
        "direction": "outbound" if is_outbound else "inbound",
        "started_at": written_instant(begins),
        "ended_at": None if seconds is None else _end(record, begins, seconds),
        "duration_seconds": seconds,
        "counterpart": other.text("phoneNumber"),
    }
    known = {label: value for label, value in values.items() if value is not None}
    machines = request.settings.texts(MACHINES.name)
    said = _outbound(record, legs) if is_outbound else _inbound(record, legs, machines)
    return fields_of("call", known | said, _ORIGINS, request.received_at)


def _outbound(record: Record, legs: list[_Leg]) -> Values:
    """Of a RingOut our own telephone is rung first, which is no call to anybody."""
    agent = extension_at(record.record("extension"), "id")
    agent = agent or extension_at(record.record("from"), "extensionId")
    said: Values = {} if agent is None else {"agent": agent}
    theirs = [leg for leg in legs if not leg.kind.endswith("ToCaller")]
    outcome = _outcome(record, is_outbound=True)
    if legs and outcome == "connected" and not any(leg.is_talk for leg in theirs):
        outcome = next((leg.outcome for leg in reversed(theirs) if leg.outcome), "no_answer")
    if outcome is None:
        return said
    return said | {"outcome": outcome, **_talk(outcome, record, theirs)}


def _inbound(record: Record, legs: list[_Leg], machines: tuple[str, ...]) -> Values:
    outcome = _outcome(record, is_outbound=False)
    if outcome is None:
        return {}
    whose = [leg for leg in legs if leg.outcome == outcome and leg.extension]
    people = [leg for leg in whose if leg.extension not in machines]
    # Where a call was led on to a telephone, the leg before that is a queue's, or the ringing.
    legs = [leg for leg in people if leg.kind != "Accept"] or people
    own = extension_at(record.record("extension"), "id")
    agent = own if not whose and own not in machines else None
    if legs:
        # Of several that begin together, the one that is told last.
        agent = max(reversed(legs), key=lambda leg: leg.begins).extension
    if outcome == "connected" and agent is None and (whose or own is not None):
        outcome = "no_answer"  # a machine took it, and nobody else
    if outcome not in {"connected", "voicemail"}:
        agent = None  # whoever events named: it was nobody's
    return {"outcome": outcome, "agent": agent, **_talk(outcome, record, legs)}


def _talk(outcome: str, record: Record, legs: list[_Leg]) -> Values:
    """How long was talked: nothing unless it was connected, and unknown where no leg says."""
    if outcome != "connected":
        return {"talk_seconds": 0}
    talked = [leg for leg in legs if leg.is_talk]
    seconds = _together(talked) if talked else record.whole("duration")
    return {} if seconds is None else {"talk_seconds": seconds}


def _together(legs: Iterable[_Leg]) -> int:
    """The seconds that legs cover: what several cover at once is once."""
    covered, upto = 0, 0
    for leg in sorted(legs, key=lambda leg: leg.begins):
        ends = leg.begins + leg.seconds * SECOND
        covered += max(ends - max(leg.begins, upto), 0)
        upto = max(upto, ends)
    return covered // SECOND


def _outcome(record: Record, *, is_outbound: bool) -> str | None:
    """What a result means; None for one that is not known, which leaves it to the events."""
    word = (record.text("result") or "").casefold().strip()
    if word in _HUNG_UP:
        return "canceled" if is_outbound else "no_answer"
    return _OUTCOMES.get(word)


def _leg(place: Record, *, is_outbound: bool) -> _Leg:
    return _Leg(
        place.text("legType") or "",
        _outcome(place, is_outbound=is_outbound),
        extension_at(place.record("extension"), "id"),
        _moment(place, "startTime"),
        place.whole("duration") or 0,
        place.flag("master") is True,
    )


def _moment(record: Record, label: str) -> int:
    at = record.required_time(label)
    return instant(at)


def _end(record: Record, begins: int, seconds: int) -> str:
    try:
        return written_instant(begins + seconds * SECOND)
    except (OverflowError, ValueError, Invalid):
        raise record.fault("duration", "out_of_range", low=0, high=10**9) from None
