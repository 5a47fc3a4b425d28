"""Twilio voice status callbacks: the legs of one call, joined whatever the order they end in.

Twilio reports each leg on its own: the root leg (the customer calling in, an agent's client
calling out, or a call made by API) and a child leg for every number or client that was dialled
from it. All of them are reports about one activity, the root's CallSid. No leg knows everything,
so each sends partial reports whose revision begins with how well its kind of leg knows them:

    1  a child that nobody answered, about the whole call    (until a better leg is heard)
    2  a child that was answered, about the whole call
    3  the root, about the whole call
    4  a child that nobody answered, about outcome, talk time, and the agent's client
    5  a child that was answered, about the same
    6  the root, about the agent's client

A root is "completed" also when only an announcement answered; that is why children stand above
it. After the rank come the leg's own time, sequence number and a number made from its CallSid, so
that two legs that end in the same second are ordered too, and equal for every repetition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import IntEnum

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Fault, Invalid
from app.domain.instants import FLOOR, SECOND, instant, written_instant
from app.domain.kinds import RawValue, name
from app.domain.revisions import of_number
from app.intake.credentials import Arity, Secret
from app.intake.requests import (
    GET_OR_POST,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    SignedUrl,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.signatures import form_pairs, is_form, query_of, verify_twilio

Parameters = Mapping[str, str]
Values = Mapping[str, RawValue]

# Raised with every change of what a request comes to: only then does a replay supersede.
MAPPING = 1
_UNDERWAY = frozenset({"queued", "initiated", "ringing", "in-progress", "answered"})
_OUTCOMES = {
    "completed": "connected",
    "no-answer": "no_answer",
    "busy": "busy",
    "failed": "failed",
    "canceled": "canceled",
}
_MAX_DIGITS = 6
_CLIENTS = ("client:", "sip:")
_ORIGINS = {
    "direction": "/Direction",
    "outcome": "/CallStatus",
    "started_at": "/Timestamp",
    "ended_at": "/Timestamp",
    "duration_seconds": "/CallDuration",
    "talk_seconds": "/CallDuration",
    "counterpart": "/To",
    "agent": "/From",
}


class _Rank(IntEnum):
    UNANSWERED_CHILD_OF_CALL = 1
    ANSWERED_CHILD_OF_CALL = 2
    ROOT_OF_CALL = 3
    UNANSWERED_CHILD_OF_TALK = 4
    ANSWERED_CHILD_OF_TALK = 5
    ROOT_OF_CLIENT = 6


@dataclass(frozen=True, slots=True)
class _Leg:
    """One leg that has ended. `seconds` is None where Twilio did not say how long it was."""

    sid: str
    parent: str | None
    direction: str
    caller: str
    called: str
    outcome: str
    ended_at: int
    seconds: int | None
    sequence: int


def _verify(request: HookRequest) -> None:
    body = b"" if request.method == "GET" else request.body
    tokens = request.credentials.get("auth_tokens", ())
    verify_twilio(request.url, body, request.headers, tokens)


def _read(request: HookRequest) -> Delivery:
    text, sid = query_of(request.url), None
    try:
        if request.method != "GET":
            text = body_text(request.body)
            _require_form(request)
        parameters = _parameters(text)
        sid = usable_name(parameters.get("CallSid"))
        leg = _leg(parameters)
        reports = [] if leg is None else _reports(leg, request)
    except Invalid as error:
        return hook_delivery(request, refused=(refusal(request, error, text, sid),))
    return hook_delivery(request, *(Item(n, str(sid), r) for n, r in enumerate(reports)))


def _require_form(request: HookRequest) -> None:
    if request.body and not is_form(request.headers):
        raise Invalid("not_a_form")


def _parameters(text: str) -> Parameters:
    pairs = form_pairs(text)
    parameters = dict(pairs)
    # The signature sorts equal names by value: which of two values came last is not signed.
    if len(parameters) != len(set(pairs)):
        raise Invalid("duplicate_parameter")
    return parameters


def _leg(parameters: Parameters) -> _Leg | None:
    """The leg that ended; None for everything that says nothing of a call's end."""
    status = parameters.get("CallStatus", "")
    if not status or status in _UNDERWAY:
        return None
    # Without both it asks what to do next with a call, it does not tell what became of one.
    if "CallbackSource" not in parameters and "Timestamp" not in parameters:
        return None
    if status not in _OUTCOMES:
        raise _fault("/CallStatus", "unknown_value", allowed=", ".join(_OUTCOMES))
    machine = parameters.get("AnsweredBy", "").startswith("machine_")
    return _Leg(
        sid=_sid(parameters, "CallSid"),
        parent=_sid(parameters, "ParentCallSid") if parameters.get("ParentCallSid") else None,
        direction=parameters.get("Direction", ""),
        caller=parameters.get("From", ""),
        called=parameters.get("To", ""),
        outcome="voicemail" if machine and status == "completed" else _OUTCOMES[status],
        ended_at=_time(parameters),
        # Not Duration, which counts the minutes on the bill.
        seconds=_whole(parameters, "CallDuration"),
        sequence=_whole(parameters, "SequenceNumber") or 0,
    )


def _reports(leg: _Leg, request: HookRequest) -> list[Report]:
    ranked = _child(leg) if leg.parent else _root(leg)
    return [_report(leg, rank, values, request) for rank, values in ranked.items()]


def _report(leg: _Leg, rank: _Rank, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value not in (None, "")}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    tie = int.from_bytes(hashlib.sha256(leg.sid.encode()).digest()[:6], "big")
    digits = f"{rank.value}{leg.ended_at // SECOND:012}{leg.sequence:06}{tie:015}"
    key, revision = leg.parent or leg.sid, of_number(digits)
    return hook_report(request, key, revision, fields, full=False, mapping=MAPPING)


def _root(leg: _Leg) -> dict[_Rank, Values]:
    outbound = leg.direction.startswith("outbound") or _is_client(leg.caller)
    client = next((side for side in (leg.caller, leg.called) if _is_client(side)), "")
    # Where the agent's own client is called first, the customer is known to the child alone.
    other = "" if client == leg.called else leg.called
    whole = (
        _times(leg)
        | _talk(leg)
        | {
            "direction": "outbound" if outbound else _inbound(leg),
            "counterpart": other if outbound else leg.caller,
        }
    )
    if client:
        return {_Rank.ROOT_OF_CALL: whole, _Rank.ROOT_OF_CLIENT: {"agent": _person(client)}}
    return {_Rank.ROOT_OF_CALL: whole | {"agent": leg.caller if outbound else ""}}


def _child(leg: _Leg) -> dict[_Rank, Values]:
    client = next((side for side in (leg.called, leg.caller) if _is_client(side)), "")
    inbound = _is_client(leg.called)
    whole = _times(leg) | {
        # Between two numbers a child cannot tell which side is ours; the root can.
        "direction": ("inbound" if inbound else "outbound") if client else "",
        "counterpart": leg.caller if inbound else leg.called,
        "agent": _person(client or leg.called),
    }
    talk = _talk(leg) | {"agent": _person(client)}
    if leg.outcome == "connected":
        return {_Rank.ANSWERED_CHILD_OF_CALL: whole, _Rank.ANSWERED_CHILD_OF_TALK: talk}
    return {_Rank.UNANSWERED_CHILD_OF_CALL: whole, _Rank.UNANSWERED_CHILD_OF_TALK: talk}


def _times(leg: _Leg) -> dict[str, RawValue]:
    return {
        "started_at": written_instant(leg.ended_at - (leg.seconds or 0) * SECOND),
        "ended_at": written_instant(leg.ended_at),
        "duration_seconds": leg.seconds,
    }


def _talk(leg: _Leg) -> dict[str, RawValue]:
    """Only a connected leg is talk: waiting and recorded voices are not."""
    return {
        "outcome": leg.outcome,
        "talk_seconds": leg.seconds if leg.outcome == "connected" else 0,
    }


def _inbound(leg: _Leg) -> str:
    if leg.direction != "inbound":
        raise _fault("/Direction", "unknown_value", allowed="inbound, outbound-api, outbound-dial")
    return "inbound"


def _is_client(side: str) -> bool:
    return side.startswith(_CLIENTS)


def _person(side: str) -> str:
    """The identity as its owner writes it: sato for client:sato, 301 for sip:301@pbx.example."""
    if side.startswith("sip:"):
        return side.removeprefix("sip:").partition(";")[0].partition("@")[0]
    return side.removeprefix("client:")


def _sid(parameters: Parameters, label: str) -> str:
    try:
        return name(parameters.get(label))
    except Invalid as error:
        raise _fault(f"/{label}", error.code) from None


def _time(parameters: Parameters) -> int:
    """The callback's Timestamp (RFC 2822) as microseconds."""
    try:
        moment = parsedate_to_datetime(parameters.get("Timestamp", ""))
        # An offset of -0000 says UTC and leaves the datetime naive.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = instant(aware.isoformat())
    except (ValueError, TypeError, IndexError, OverflowError, Invalid):
        raise _fault("/Timestamp", "not_a_time") from None
    if at < FLOOR:
        raise _fault("/Timestamp", "time_before_1980")
    return at


def _whole(parameters: Parameters, label: str) -> int | None:
    text = parameters.get(label, "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise _fault(f"/{label}", "not_an_integer")
    return int(text) if text else None


def _fault(pointer: str, code: str, **params: str | int) -> Invalid:
    return Invalid("invalid_delivery", Fault(pointer, code, params))


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    # Twilio tries again only if the address itself asks for it, after the "#".
    url = f"{connecting.hook_url}#rc=5&rp=all"
    return (
        Step("set_twilio_status_callback", {"url": url}),
        Step("set_twilio_dial_status_callback", {"url": url, "event": "completed"}),
    )


PROVIDER = Provider(
    name="twilio",
    counts=("call",),
    secrets=(
        Secret(
            "auth_tokens",
            "The account's auth token; while it is changed, the old and the new one.",
            arity=Arity.SEVERAL,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, methods=GET_OR_POST, signed_url=SignedUrl.YES),
)
