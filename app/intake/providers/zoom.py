"""Zoom: calls of Zoom Phone by call elements, and meetings that were scheduled.

Zoom tells a call element by element: a queue that rings ten members makes ten of them, a transfer
one more, each in a delivery of its own and in no order. All of them are reports about one activity,
the call_id. Each element sends two partial reports whose revision begins with how well it knows:

    1  direction, start and the customer's number: the element that began first stands
    2  outcome, talk time, end and agent: an element that nobody answered
    3  the same: voicemail, whoever rang in vain before it
    4  the same: an element that a person answered; of several the one that ended last
    5  the same: our own dialling that was answered; a later transfer takes no call from its caller

An auto receptionist and a queue answer at once and are nobody. Of meetings, what is booked stands
under what was canceled, and both under what was held.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import Invalid, TasseiError, Unreadable
from app.domain.instants import MINUTE, SECOND, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Arity, Secret
from app.intake.proofs import require_recent, verify_hmac
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.requests import (
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

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
# The last repetition comes 85 minutes after the first, and it is not said that it is signed anew.
_TOLERANCE = 180 * MINUTE
_MAX_ELEMENTS = 200
_FAR = 10**12  # seconds: an earlier start is the higher number
_VALIDATION = "endpoint.url_validation"
_EVENTS = {
    "phone.caller_call_element_completed": ("outbound", "call_elements"),
    "phone.callee_call_element_completed": ("inbound", "call_elements"),
    "phone.caller_call_history_completed": ("outbound", "call_logs"),
    "phone.callee_call_history_completed": ("inbound", "call_logs"),
}
_OUTCOMES = {
    **dict.fromkeys(("answered", "accepted", "picked_up", "connected", "succeeded"), "connected"),
    **dict.fromkeys(("no_answer", "ring_timeout", "overflowed", "rejected"), "no_answer"),
    **dict.fromkeys(("hang_up", "canceled", "abandoned"), "canceled"),
    **dict.fromkeys(("call_failed", "unconnected", "system_blocked"), "failed"),
    **dict.fromkeys(("service_unavailable", "invalid_key", "invalid_operation"), "failed"),
    "voicemail": "voicemail",
    "busy": "busy",
}
# Somebody of ours listens in on a call of ours.
_LISTENING = ("barge", "monitor", "whisper", "listen", "conference_barge")
_NOBODY = ("call_queue", "auto_receptionist", "shared_line_group", "group_call_pickup")
_SCHEDULED, _RECURRING = 2, (3, 8)
_STATUSES = {"meeting.created": 1, "meeting.deleted": 2, "meeting.ended": 3}


def _verify(request: HookRequest) -> None:
    _signing_secret(request)


def _signing_secret(request: HookRequest) -> str:
    """The secret token that signed the request. Raises Unauthenticated."""
    stamp = request.headers.get("x-zm-request-timestamp", "")
    signed = b"v0:" + stamp.encode("latin-1", "replace") + b":" + request.body
    given = request.headers.get("x-zm-signature")
    tokens = request.credentials.get("secret_tokens", ())
    verify_hmac(given, signed, [token.encode() for token in tokens], prefix="v0=")
    require_recent(stamp, request.received_at, tolerance=_TOLERANCE)
    proofs = {f"v0={hmac.digest(t.encode(), signed, 'sha256').hex()}": t for t in tokens}
    return proofs[str(given)]


def _handshake(request: HookRequest) -> Answer | None:
    """Zoom asks at saving, and again from time to time, whether the secret token is known here."""
    if b"url_validation" not in request.body:
        return None
    try:
        event = record_of(read_json(request.body))
        if event.values.get("event") != _VALIDATION:
            return None
        plain = event.record("payload").text("plainToken")
    except TasseiError:
        return None
    secret = _signing_secret(request)
    proof = hmac.digest(secret.encode(), echoed(plain).encode(), "sha256").hex()
    body = json.dumps({"plainToken": plain, "encryptedToken": proof})
    return Answer(200, "application/json", body.encode())


def _read(request: HookRequest) -> Delivery:
    try:
        event = record_of(read_json(request.body))
        label = event.text("event") or ""
        told = event.record("payload")
        if label in _EVENTS:
            return _elements(label, told.record("object"), request)
        if label in _STATUSES or label == "meeting.updated":
            return hook_delivery(request, *_meeting(label, event, told, request))
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))
    return hook_delivery(request)


def _elements(label: str, told: Record, request: HookRequest) -> Delivery:
    direction, list_ = _EVENTS[label]
    elements = told.records(list_)
    if not 0 < len(elements) <= _MAX_ELEMENTS:
        raise told.fault(list_, "not_a_list", low=1, high=_MAX_ELEMENTS)
    items: list[Item] = []
    refused: list[Refused] = []
    for n, element in enumerate(elements):
        id_ = _element_id(element)
        try:
            reports = list(_reports(element, direction, request))
        except Invalid as error:
            content = written(dict(element.values))
            refused.append(refusal(request, error, content, id_, index=2 * n))
            continue
        items += [Item(2 * n + m, id_ or report.key, report) for m, report in enumerate(reports)]
    return hook_delivery(request, *items, refused=tuple(refused))


def _element_id(element: Record) -> str | None:
    return usable_name(element.values.get("call_element_id") or element.values.get("id"))


def _reports(element: Record, told: str, request: HookRequest) -> Iterator[Report]:
    """What an element says of its call; nothing of calls among ours and of who listens in."""
    if element.values.get("event") in _LISTENING or _internal(element):
        return
    direction = element.text("direction") or told
    ours, theirs = ("caller", "callee") if direction == "outbound" else ("callee", "caller")
    started = element.time("start_time")
    if started is None:
        raise element.fault("start_time", "required")
    call = f"call:{element.required('call_id')}"
    whole: Values = {
        "direction": direction,
        "started_at": started,
        "counterpart": element.text(f"{theirs}_did_number"),
    }
    talk = _talk(element, direction, ours)
    began = instant(started) // SECOND
    ended = began if talk["ended_at"] is None else instant(str(talk["ended_at"])) // SECOND
    origins = {
        "direction": "direction",
        "outcome": "result",
        "started_at": "start_time",
        "ended_at": "end_time",
        "talk_seconds": "talk_time",
        "counterpart": f"{theirs}_did_number",
        "agent": f"{ours}_email",
    }
    places = {label: f"{element.pointer}/{place}" for label, place in origins.items()}
    yield _report(element, call, f"1{_FAR - began:013}", whole, places, request)
    yield _report(element, call, f"{_rank(element, talk)}{ended:013}", talk, places, request)


def _internal(element: Record) -> bool:
    return element.values.get("connect_type") == "internal"


def _talk(element: Record, direction: str, ours: str) -> Values:
    result = element.required("result")
    if result not in _OUTCOMES:
        raise element.fault("result", "unknown_value", allowed=", ".join(_OUTCOMES))
    ended = element.time("end_time")
    nobody = direction != "outbound" and element.text("callee_ext_type") in _NOBODY
    agent = None if nobody else _agent(element, ours)
    if element.given("result_reason"):
        # Answered, picked up or called by another, whose own element says by whom.
        return {"ended_at": ended}
    outcome = _OUTCOMES[result]
    if outcome == "connected" and nobody:
        outcome = "no_answer"
    seconds = _seconds(element, ended) if outcome == "connected" else 0
    return {"outcome": outcome, "talk_seconds": seconds, "ended_at": ended, "agent": agent}


def _seconds(element: Record, ended: str | None) -> int | None:
    seconds, answered = element.whole("talk_time"), element.time("answer_time")
    if seconds is None and answered and ended:
        return max(0, instant(ended) - instant(answered)) // SECOND
    return seconds


def _agent(element: Record, ours: str) -> str | None:
    return element.text(f"{ours}_email") or element.text(f"{ours}_ext_number")


def _rank(element: Record, talk: Values) -> int:
    match talk.get("outcome"):
        case "connected":
            return 5 if element.values.get("event") == "outgoing" else 4
        case "voicemail":
            return 3
        case _:
            return 2


def _report(
    element: Record,
    key: str,
    rank: str,
    values: Values,
    places: Mapping[str, str],
    request: HookRequest,
) -> Report:
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, places, request.received_at)
    # Two elements that end in one second are ordered too, and alike for every repetition.
    id_ = _element_id(element) or ""
    tie = int.from_bytes(hashlib.sha256(id_.encode()).digest()[:6], "big")
    revision = of_number(f"{rank}{tie:015}")
    return hook_report(request, key, revision, fields, full=False, mapping=MAPPING)


def _meeting(label: str, event: Record, told: Record, request: HookRequest) -> Iterator[Item]:
    """What an event says of an appointment; nothing of instant meetings and personal rooms."""
    meeting = told.record("object")
    kind = meeting.whole("type")
    recurring = kind in _RECURRING
    if label != "meeting.updated" and kind != _SCHEDULED and not recurring:
        return
    if told.values.get("operation") == "single":
        return  # one day of a series: the series stands
    happened = event.time("event_ts")
    if happened is None:
        raise event.fault("event_ts", "required")
    key = f"meeting:{_number(meeting)}"
    if recurring and label == "meeting.ended":
        # Each day of a series is held on its own; a single one can be ended and begun again.
        key = f"meeting:{meeting.required('uuid')}"
    values, origins = _meeting_values(label, happened, told, meeting)
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return
    fields = fields_of("meeting", known, origins, request.received_at)
    revision = of_number(f"{_STATUSES.get(label, 1)}{instant(happened):018}")
    report = hook_report(request, key, revision, fields, full=False, mapping=MAPPING)
    yield Item(0, usable_name(meeting.values.get("uuid")) or key, report)


def _meeting_values(
    label: str, happened: str, told: Record, meeting: Record
) -> tuple[dict[str, RawValue], dict[str, str]]:
    origins = {
        "status": "/event",
        "booked_at": "/event_ts",
        "starts_at": f"{meeting.pointer}/start_time",
        "booked_by": f"{told.pointer}/operator",
        "organizer": f"{meeting.pointer}/host_id",
    }
    starts, host = meeting.time("start_time"), meeting.text("host_id")
    match label:
        case "meeting.updated":
            return {"starts_at": starts}, origins
        case "meeting.deleted":
            return {"status": "canceled"}, origins
        case "meeting.ended":
            return {"status": "held", "starts_at": starts, "organizer": host}, origins
        case _:
            booked: dict[str, RawValue] = {"status": "booked", "booked_at": happened}
            booked |= {"starts_at": starts, "organizer": host, "booked_by": told.text("operator")}
            return booked, origins


def _number(meeting: Record) -> str:
    number = meeting.whole("id")
    if number is None:
        raise meeting.fault("id", "required")
    return str(number)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_zoom_endpoint", {"url": connecting.hook_url}),
        Step(
            "subscribe_zoom_events",
            {
                "calls": "phone.caller_call_element_completed, phone.callee_call_element_completed",
                "meetings": "meeting.created, meeting.updated, meeting.deleted, meeting.ended",
            },
        ),
    )


PROVIDER = Provider(
    name="zoom",
    counts=("call", "meeting"),
    secrets=(
        Secret(
            "secret_tokens",
            "The app's Features > Access > Secret Token; while it is changed, the old and the new.",
            arity=Arity.SEVERAL,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, handshake=_handshake),
)
