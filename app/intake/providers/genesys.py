"""Genesys Cloud: calls by conversation detail events, which reach us through Amazon EventBridge.

Of one conversation the customer's end and every user's end are told, in any order and at least
once. All are reports about the conversation, each about some fields, and their revisions begin
with how well the event knows them:

    1  a user's end, about the whole call    (the earliest first, until the customer's is heard)
    2  the customer's end, about the whole call
    3  the end of a user who did not answer, about outcome and talk time
    4  the end of a user who talked, about the same, and who it was

A user's own direction is not the call's: an agent who is passed a call or asks a colleague has
another one, and calls among ours have two. It counts only where the other side is a number of the
public network, and only until the customer's end is heard.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import instant, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.eventbridge import (
    API_KEY,
    destination_steps,
    is_from,
    read_envelope,
    verify_api_key,
)
from app.intake.records import Record
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
    usable_name,
)

Values = Mapping[str, RawValue]

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
_SOURCE = "aws.partner/genesys.com"
_TOPIC = re.compile(r"v2\.detail\.events\.conversation\.[^.]{1,64}\.(user|customer)\.end", re.ASCII)
_TOPICS = "v2.detail.events.conversation.{id}.user.end, ...customer.end"
_PUBLIC = re.compile(r"\+[0-9]{7,15}", re.ASCII)
_MILLISECOND = 1_000
_LATEST = 10**18 - 1
_LONGEST = 10**10  # milliseconds: no session lasts months
_DURATIONS = ("alertingDurationMs", "contactingDurationMs", "dialingDurationMs", "heldDurationMs")
_DIRECTIONS = {"INBOUND": "inbound", "OUTBOUND": "outbound"}
_PLACE = "/detail/eventBody"
_ORIGINS = {
    "direction": f"{_PLACE}/direction",
    "outcome": f"{_PLACE}/interactingDurationMs",
    "started_at": f"{_PLACE}/eventTime",
    "ended_at": f"{_PLACE}/eventTime",
    "talk_seconds": f"{_PLACE}/interactingDurationMs",
    "counterpart": f"{_PLACE}/ani",
    "agent": f"{_PLACE}/userId",
}


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        envelope = read_envelope(request.body)
        id_ = usable_name(envelope.values.get("id"))
        detail = envelope.record("detail")
        topic = _TOPIC.fullmatch(detail.text("topicName") or "")
        if topic is None or not is_from(envelope, _SOURCE):
            return hook_delivery(request)
        body = detail.record("eventBody")
        if body.text("mediaType") != "VOICE":
            return hook_delivery(request)
        reports = list(_reports(topic[1], body, request))
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, *(Item(n, id_ or r.key, r) for n, r in enumerate(reports)))


def _reports(whose: str, body: Record, request: HookRequest) -> Iterator[Report]:
    at = _event_time(body)
    talked = _milliseconds(body, "interactingDurationMs")
    if whose == "customer":
        yield _report(2, at, at - talked * _MILLISECOND, body, _whole(body), request)
        return
    started = at - (talked + sum(_milliseconds(body, label) for label in _DURATIONS)) * _MILLISECOND
    direction = body.text("direction") or ""
    if direction in _DIRECTIONS and _PUBLIC.fullmatch(_counterpart(body, direction) or ""):
        # Of several users the earliest knows best how the call began.
        yield _report(1, _LATEST - at, started, body, _whole(body), request)
    values = {
        "outcome": "connected" if talked else "no_answer",
        "talk_seconds": talked // 1_000,
        "ended_at": written_instant(at),
        "agent": body.text("userId"),
    }
    yield _report(4 if talked else 3, at, None, body, values, request)


def _report(
    rank: int, order: int, started: int | None, body: Record, values: Values, request: HookRequest
) -> Report:
    begun = None if started is None else written_instant(started)
    told = {**values, "started_at": begun}
    known = {label: value for label, value in told.items() if value is not None}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    session = body.text("sessionId") or body.text("participantId") or ""
    tie = int.from_bytes(hashlib.sha256(session.encode()).digest()[:6], "big")
    revision = of_number(f"{rank}{order:018}{tie:015}")
    key = body.required("conversationId")
    return hook_report(request, key, revision, fields, full=False, mapping=MAPPING)


def _whole(body: Record) -> Values:
    direction = body.text("direction") or ""
    if direction not in _DIRECTIONS:
        raise body.fault("direction", "unknown_value", allowed=", ".join(_DIRECTIONS))
    return {
        "direction": _DIRECTIONS[direction],
        "counterpart": _counterpart(body, direction),
    }


def _counterpart(body: Record, direction: str) -> str | None:
    """The other side's number; Genesys writes it as an address."""
    text = body.text("dnis" if direction == "OUTBOUND" else "ani")
    return None if text is None else text.removeprefix("tel:")


def _event_time(body: Record) -> int:
    text = body.required_time("eventTime")
    return instant(text)


def _milliseconds(body: Record, label: str) -> int:
    found = body.whole(label) or 0
    if found > _LONGEST:
        raise body.fault(label, "out_of_range", low=0, high=_LONGEST)
    return found


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("add_genesys_eventbridge_source", {"topics": _TOPICS}),
        Step("add_genesys_rule", {"source": f"{_SOURCE}/..."}),
        *destination_steps(connecting),
    )


PROVIDER = Provider(
    name="genesys",
    counts=("call",),
    secrets=(API_KEY,),
    hook=Hook(verify_api_key, _read, _next_steps),
)
