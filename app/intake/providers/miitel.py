"""MiiTel (RevComm): call histories and meeting histories by Outgoing Webhook.

MiiTel sends one call several times: after each transcription, after the minutes, after a missed
call, and again every ten minutes for a fixed address. Of a call it tells legs (`details`): it is
not said whether all of them come at once, so each leg sends partial reports about the call's id,
whose revision begins with how well the leg knows:

    1  a leg behind another, about the whole call    (until the first leg is heard)
    2  the first leg, about the whole call
    3  a leg that no person answered, about outcome and talk time
    4  a leg that a person answered, about the same, and who it was

After the rank come the leg's end and a number made from its id, equal for every repetition.
Nothing is signed; a header that we choose carries a token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import Invalid, TasseiError, Unauthenticated, Unreadable
from app.domain.instants import SECOND, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Absence, Secret
from app.intake.proofs import bearer, verify_token
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
from app.intake.requests import (
    NO_CONTENT,
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    echoed,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)

Values = Mapping[str, RawValue]

# Raised with every change of what a request comes to: only then does a replay supersede.
MAPPING = 1
_MAX_LEGS = 200
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_OUTBOUND = ("OUTGOING_CALL", "PREDICTIVE_DIAL")
_INBOUND = ("INCOMING_CALL", "INCOMING_CALL_USER", "QUEUEING_CALL")
_INTERNAL = ("EXTENSION", "EXTENSION_GROUP")
_TRANSFERS = (
    "AUTOMATIC_TRANSFER",
    "EXTENSION_TRANSFER",
    "EXTENSION_GROUP_TRANSFER",
    "OUTGOING_TRANSFER",
)
# What answers here is a machine.
_MACHINES = {"AUTOMATIC_RECORD": "voicemail", "READ_DTMF": "no_answer"}
_TYPES = (*_OUTBOUND, *_INBOUND, *_INTERNAL, *_TRANSFERS, *_MACHINES)
_ORIGINS = {
    "direction": "call_type",
    "outcome": "dial_answered_at",
    "started_at": "dial_starts_at",
    "ended_at": "dial_ends_at",
    "talk_seconds": "dial_ends_at",
    "counterpart": "to_number",
    "agent": "participants",
}
_MEETING = {
    "status": "/video/ends_at",
    "starts_at": "/video/starts_at",
    "organizer": "/video/host/login_id",
}


@dataclass(frozen=True, slots=True)
class _Leg:
    """One leg of a call that has ended. Instants in microseconds."""

    place: Record
    id: str
    type: str
    first: bool
    answered_at: int | None
    ends_at: int


def _verify(request: HookRequest) -> None:
    verify_token(bearer(request.headers), request.credentials.get("token", ()))


def _challenge(request: HookRequest) -> str | None:
    """The text that MiiTel wants back when its setting is saved."""
    try:
        value = record_of(read_json(request.body)).values.get("challenge")
    except TasseiError:
        return None
    return value if isinstance(value, str) and _CHALLENGE.fullmatch(value) else None


def _echo(challenge: str) -> Answer:
    return Answer(200, "text/plain", echoed(challenge).encode())


def _handshake(request: HookRequest) -> Answer | None:
    """A challenge without our header is answered and stored nowhere.

    It is not known whether the challenge carries the additional header; with it, the request is
    one like every other, whose answer is the challenge.
    """
    challenge = _challenge(request)
    if challenge is None:
        return None
    try:
        _verify(request)
    except Unauthenticated:
        return _echo(challenge)
    return None


def _answer(request: HookRequest) -> Answer:
    challenge = _challenge(request)
    return NO_CONTENT if challenge is None else _echo(challenge)


def _kept(request: HookRequest) -> HookRequest:
    return replace(request, body=json_without(request.body, "challenge"))


def _read(request: HookRequest) -> Delivery:
    try:
        event = record_of(read_json(request.body))
        if event.given("video"):
            return hook_delivery(request, _meeting(event.record("video"), request))
        call = event.record("call")
        if not call.values:
            return hook_delivery(request)  # the challenge alone, or what we do not know
        return _call(call, request)
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))


def _meeting(video: Record, request: HookRequest) -> Item:
    """A meeting whose recording was transcribed took place; who booked it is not known."""
    id_ = video.required("id")
    ends_at = instant(video.required_time("ends_at"))
    values: dict[str, RawValue] = {
        "status": "held",
        "starts_at": video.required_time("starts_at"),
        "organizer": video.record("host").text("login_id"),
    }
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("meeting", known, _MEETING, request.received_at)
    key, revision = f"video:{id_}", of_number(str(ends_at))
    report = hook_report(request, key, revision, fields, full=True, mapping=MAPPING)
    return Item(0, usable_name(id_) or key, report)


def _call(call: Record, request: HookRequest) -> Delivery:
    id_ = call.required("id")
    legs = call.records("details")
    if not 0 < len(legs) <= _MAX_LEGS:
        raise call.fault("details", "not_a_list", low=1, high=_MAX_LEGS)
    items: list[Item] = []
    refused: list[Refused] = []
    for n, place in enumerate(legs):
        try:
            reports = list(_reports(f"call:{id_}", _leg(place), request))
        except Invalid as error:
            content = written(dict(place.values))
            refused.append(refusal(request, error, content, usable_name(id_), index=2 * n))
            continue
        items += [Item(2 * n + m, id_, report) for m, report in enumerate(reports)]
    return hook_delivery(request, *items, refused=tuple(refused))


def _leg(place: Record) -> _Leg:
    kind = place.required("call_type")
    if kind not in _TYPES:
        raise place.fault("call_type", "unknown_value", allowed=", ".join(_TYPES))
    # In a queue the line answers at once, and a person when the waiting ends.
    label = "queueing_answered_at" if kind == "QUEUEING_CALL" else "dial_answered_at"
    answered = place.time(label)
    return _Leg(
        place,
        place.required("id"),
        kind,
        first=not place.given("previous_id"),
        answered_at=None if answered is None or kind in _MACHINES else instant(answered),
        ends_at=instant(place.required_time("dial_ends_at")),
    )


def _reports(key: str, leg: _Leg, request: HookRequest) -> Iterator[Report]:
    """What a leg says of its call; nothing where it is a call among ours."""
    if leg.first and leg.type in _INTERNAL:
        return
    if leg.type in (*_OUTBOUND, *_INBOUND) or leg.first:
        yield _report(key, leg, 2 if leg.first else 1, _whole(leg), request)
    yield _report(key, leg, 3 if leg.answered_at is None else 4, _talk(leg), request)


def _report(key: str, leg: _Leg, rank: int, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value is not None}
    origins = {label: f"{leg.place.pointer}/{place}" for label, place in _ORIGINS.items()}
    fields = fields_of("call", known, origins, request.received_at)
    tie = int.from_bytes(hashlib.sha256(leg.id.encode()).digest()[:6], "big")
    revision = of_number(f"{rank}{leg.ends_at // SECOND:012}{tie:015}")
    return hook_report(request, key, revision, fields, full=False, mapping=MAPPING)


def _whole(leg: _Leg) -> Values:
    outbound = leg.type in _OUTBOUND
    directed = outbound or leg.type in _INBOUND
    return {
        "direction": ("outbound" if outbound else "inbound") if directed else None,
        "started_at": leg.place.required_time("dial_starts_at"),
        "counterpart": leg.place.text("to_number" if outbound else "from_number"),
    }


def _talk(leg: _Leg) -> Values:
    if leg.answered_at is None:
        outcome, seconds = _MACHINES.get(leg.type, "no_answer"), 0
    else:
        outcome, seconds = "connected", max(0, leg.ends_at - leg.answered_at) // SECOND
    return {
        "outcome": outcome,
        "talk_seconds": seconds,
        "ended_at": leg.place.time("dial_ends_at"),
        "agent": _agent(leg),
    }


def _agent(leg: _Leg) -> str | None:
    """The login of our own side: who calls out, or else who is called."""
    ours = "FROM" if leg.type in _OUTBOUND else "TO"
    found: dict[str, str] = {}
    for one in leg.place.records("participants"):
        login = one.text("login_id")
        if login is not None:
            found.setdefault(one.text("from_to") or "", login)
    return found.get(ours) or next(iter(found.values()), None)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("add_miitel_webhook", {"url": connecting.hook_url}),
        Step("set_miitel_header", {}),
        Step("leave_out_miitel_phrases", {}),
    )


PROVIDER = Provider(
    name="miitel",
    counts=("call", "meeting"),
    secrets=(
        Secret(
            "token",
            'Goes into the additional headers as {"Authorization": "Bearer <token>"}; made if '
            "absent, shown once.",
            absence=Absence.GENERATED,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, answer=_answer, handshake=_handshake, kept=_kept),
)
