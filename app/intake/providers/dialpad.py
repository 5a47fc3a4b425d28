"""Dialpad call events: the legs of one call, joined whatever the order they end in.

A call that enters at an office or a queue rings every member as a leg with an id of its own, and
so does whoever it is transferred to. Those legs name the one that the call came in by
(`entry_point_call_id`); one that was merged into a call names that (`master_call_id`). All of them
are reports about the named call. Each sends partial reports whose revision begins with how well
its kind of leg knows:

    1  a leg that nobody answered, about the whole call    (until a better one is heard)
    2  a leg that was answered, about the whole call
    3  the call itself, about the whole call
    4  whatever nobody answered, about outcome and talk time
    5  where a voicemail was left, about the same
    6  a queue's call that was answered, or a merged leg, about the same
    7  a person's leg that was answered, about the same, and who it was
    8  a call that a person made, about who made it, to whomever it is passed on

After the rank come the end of the leg, the time of the event and a number made from the leg's id.
The body is a JSON Web Token; without the secret Dialpad would send plain JSON, which is refused.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Absence, Secret
from app.intake.proofs import jwt_payload, verify_jwt
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
)

Values = Mapping[str, RawValue]

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
_ENDS = ("hangup", "missed", "voicemail", "voicemail_uploaded")
_VOICEMAIL = ("voicemail_link", "voicemail_recording_id")
_DIRECTIONS = ("inbound", "outbound")
# The telephone of a room is answered by somebody, only nobody can say by whom.
_USER = "user"
_PEOPLE = (_USER, "room")
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_NONE = (None, "", 0, "0")
_LONGEST = 10**10  # milliseconds: no call lasts months
# Whoever has one of these can hear or read the call; texts of it are not needed either.
_PRIVATE = (
    "public_call_review_share_link",
    "company_call_review_share_link",
    "voicemail_link",
    "transcription_text",
    "recap_summary",
    "url",
)
_ORIGINS = {
    "direction": "/direction",
    "outcome": "/date_connected",
    "started_at": "/date_started",
    "ended_at": "/date_ended",
    "duration_seconds": "/total_duration",
    "talk_seconds": "/duration",
    "counterpart": "/external_number",
    "agent": "/target",
}


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg that has ended. Times in milliseconds.

    root: it is the call itself; merged: it hangs at its call by being merged into it
    agent: the person at our end; None at an office, a queue or a machine
    """

    place: Record
    id: str
    key: str
    root: bool
    merged: bool
    direction: str
    agent: str | None
    answered: bool
    voicemail: bool
    ended_at: int
    told_at: int


def _token(request: HookRequest) -> str:
    return request.body.strip().decode("latin-1")


def _verify(request: HookRequest) -> None:
    secrets = request.credentials.get("secret", ())
    verify_jwt(_token(request), [secret.encode() for secret in secrets])


def _kept(request: HookRequest) -> HookRequest:
    """What the token says, without what proves it and what opens recordings."""
    token = _token(request)
    try:
        told = json_without(jwt_payload(token), *_PRIVATE)
    except Invalid:
        return request
    written = urlsafe_b64encode(told).rstrip(b"=")
    return replace(request, body=b"%b.%b." % (token.partition(".")[0].encode(), written))


def _read(request: HookRequest) -> Delivery:
    id_, content = None, request.body
    try:
        content = jwt_payload(_token(request))
        event = record_of(read_json(content))
        if event.values.get("state") not in _ENDS or not event.has("call_id"):
            return hook_delivery(request)
        id_ = _id(event, "call_id")
        leg = _leg(event)
        reports = [] if leg is None else list(_reports(leg, request))
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(content), id_),))
    return hook_delivery(request, *(Item(n, str(id_), r) for n, r in enumerate(reports)))


def _leg(event: Record) -> _Leg | None:
    """The leg that ended; None for a call among ours."""
    if _is_internal(event):
        return None
    id_ = _required_id(event, "call_id")
    entry, master = _id(event, "entry_point_call_id"), _id(event, "master_call_id")
    key = entry or master or id_
    direction = event.required("direction")
    if direction not in _DIRECTIONS:
        raise event.fault("direction", "unknown_value", allowed=", ".join(_DIRECTIONS))
    told = _milliseconds(event, "event_timestamp")
    if told is None:
        raise event.fault("event_timestamp", "required")
    target = event.record("target")
    kind = target.text("type")
    voicemail = "voicemail" in str(event.values["state"]) or any(map(event.given, _VOICEMAIL))
    # At an office or a queue the menu answers too: only an operator's leg is an answer there.
    reached = kind in _PEOPLE or event.values.get("operator_call_id") not in _NONE
    return _Leg(
        event,
        id_,
        key,
        root=key == id_,
        merged=not entry and bool(master) and master != id_,
        direction=direction,
        agent=_agent(target) if kind == _USER else None,
        answered=event.given("date_connected") and reached and not voicemail,
        voicemail=voicemail,
        ended_at=_milliseconds(event, "date_ended") or told,
        told_at=told,
    )


def _is_internal(event: Record) -> bool:
    flag = event.values.get("is_internal")
    return str(flag).casefold() == "true" or event.record("contact").text("type") == "user"


def _agent(target: Record) -> str | None:
    return target.text("email") or _id(target, "id")


def _reports(leg: _Leg, request: HookRequest) -> Iterator[Report]:
    whole = 3 if leg.root else 1 + leg.answered
    yield _report(leg, whole, _whole(leg), request)
    rank, talk = _talk(leg)
    yield _report(leg, rank, talk, request)
    if leg.root and leg.direction == "outbound" and leg.agent:
        yield _report(leg, 8, {"agent": leg.agent}, request)


def _report(leg: _Leg, rank: int, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    tie = int.from_bytes(hashlib.sha256(leg.id.encode()).digest()[:6], "big")
    revision = of_number(f"{rank}{leg.ended_at:015}{leg.told_at:015}{tie:015}")
    return hook_report(request, leg.key, revision, fields, full=False, mapping=MAPPING)


def _whole(leg: _Leg) -> Values:
    event = leg.place
    started = _time_of(event, "date_started")
    if started is None:
        raise event.fault("date_started", "required")
    return {
        "direction": leg.direction,
        "started_at": started,
        "ended_at": _time_of(event, "date_ended"),
        "duration_seconds": _seconds(event, "total_duration"),
        "counterpart": event.text("external_number") or event.record("contact").text("phone"),
    }


def _talk(leg: _Leg) -> tuple[int, Values]:
    if not leg.answered:
        # Of those whom a queue rings none has missed the call more than another.
        values: Values = {
            "outcome": "voicemail" if leg.voicemail else "no_answer",
            "talk_seconds": 0,
            "agent": leg.agent if leg.root else None,
        }
        return 4 + leg.voicemail, values
    seconds = _seconds(leg.place, "duration")
    talk = {"outcome": "connected", "talk_seconds": seconds, "agent": leg.agent}
    return (6 if leg.agent is None or leg.merged else 7), talk


def _required_id(record: Record, label: str) -> str:
    found = _id(record, label)
    if found is None:
        raise record.fault(label, "required")
    return found


def _id(record: Record, label: str) -> str | None:
    """An id as text: they are beyond what every reader of JSON keeps whole."""
    value = record.values.get(label)
    if value in _NONE:
        return None
    if isinstance(value, bool) or not _ID.fullmatch(str(value)):
        raise record.fault(label, "not_an_id")
    return str(value)


def _milliseconds(record: Record, label: str) -> int | None:
    """Milliseconds since 1970, as a number or as digits; refused where they are no time."""
    return record.whole(label) if _time_of(record, label) else None


def _time_of(record: Record, label: str) -> str | None:
    return Record({label: record.whole(label)}, record.pointer).time(label)


def _seconds(record: Record, label: str) -> int | None:
    """Whole seconds of a duration, which comes as milliseconds with any number of decimals."""
    value = record.values.get(label)
    if value in (None, ""):
        return None
    try:
        found = Decimal(-1) if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        raise record.fault(label, "not_a_decimal") from None
    if not found.is_finite() or not 0 <= found <= _LONGEST:
        raise record.fault(label, "out_of_range", low=0, high=_LONGEST)
    return int(found) // 1_000


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("create_dialpad_webhook", {"url": connecting.hook_url}),
        Step("subscribe_dialpad_calls", {"states": ", ".join(_ENDS)}),
    )


PROVIDER = Provider(
    name="dialpad",
    counts=("call",),
    secrets=(
        Secret(
            "secret",
            "The webhook's secret, chosen by you when it is created; made if absent, shown once.",
            absence=Absence.GENERATED,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, kept=_kept),
)
