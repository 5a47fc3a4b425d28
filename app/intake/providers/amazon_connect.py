"""Amazon Connect: calls by contact events, which reach us through Amazon EventBridge.

Events come at best effort, at least once and in no order, and a call is several contacts: every
transfer makes a new one that names the first (`initialContactId`). All of them report about the
first, each some fields only, by revisions that begin with how well an event knows them:

    1  the first contact, about the whole call
    2  a contact that ended unanswered, about outcome and talk time
    3  a contact that has just been answered, about the same
    4  a contact that was answered and ended, about the same

A call that comes in is answered by the agent, one that goes out by the customer's end: of it the
agent is on the line from the beginning, and that alone is no conversation. After the rank come the
moment of the event, whether it is the last one of its contact, and a number made from its id.
A queued callback is a call of its own, for it is made and not taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, instant, written_instant
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
_DETAIL_TYPE = "Amazon Connect Contact Event"
_WHOLE, _UNANSWERED, _ANSWERED, _ENDED = 1, 2, 3, 4
_DIRECTIONS: Mapping[str, str] = {
    "INBOUND": "inbound",
    "WEBRTC_API": "inbound",
    "OUTBOUND": "outbound",
    "EXTERNAL_OUTBOUND": "outbound",
    "API": "outbound",
    "CALLBACK": "outbound",
}
# What goes on with a call that began by one of those; others (MONITOR, DISCONNECT) are no talk.
_CONTINUED = frozenset({"TRANSFER", "QUEUE_TRANSFER"})
_OVER = ("DISCONNECTED", "COMPLETED")
_EVENTS = ("CONNECTED_TO_SYSTEM", "CONNECTED_TO_AGENT", *_OVER)
_MACHINES: Mapping[str, str] = {
    "VOICEMAIL_BEEP": "voicemail",
    "VOICEMAIL_NO_BEEP": "voicemail",
    "SIT_TONE_BUSY": "busy",
    "SIT_TONE_DETECTED": "failed",
    "SIT_TONE_INVALID_NUMBER": "failed",
    "FAX_MACHINE_DETECTED": "failed",
    "AMD_UNANSWERED": "no_answer",
}
_ORIGINS = {
    "direction": "/detail/initiationMethod",
    "outcome": "/detail/eventType",
    "started_at": "/detail/initiationTimestamp",
    "ended_at": "/detail/disconnectTimestamp",
    "talk_seconds": "/detail/disconnectTimestamp",
    "counterpart": "/detail/customerEndpoint/address",
    "agent": "/detail/agentInfo/agentArn",
}


@dataclass(frozen=True, slots=True)
class _Contact:
    """A contact at an event of interest. Instants in microseconds.

    answered_at: when the other side was there: the agent of a call that comes in, the customer of
    one that goes out; ended_at: None while it goes on
    """

    detail: Record
    id: str
    call: str
    method: str
    event: str
    at: int
    answered_at: int | None
    ended_at: int | None

    @property
    def outbound(self) -> bool:
        """Whether it was made rather than taken."""
        return _DIRECTIONS.get(self.method) == "outbound"


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        envelope = read_envelope(request.body)
        id_ = usable_name(envelope.values.get("id"))
        if not is_from(envelope, "aws.connect") or envelope.text("detail-type") != _DETAIL_TYPE:
            return hook_delivery(request)
        detail = _plain(envelope.record("detail"))
        contact = _contact(detail, envelope)
        reports = [] if contact is None else list(_reports(contact, request))
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, *(Item(n, id_ or r.key, r) for n, r in enumerate(reports)))


def _plain(record: Record) -> Record:
    """The record with names as the events have them now: older ones begin with a capital."""
    values = {label[:1].lower() + label[1:]: value for label, value in record.values.items()}
    return Record(values, record.pointer)


def _contact(detail: Record, envelope: Record) -> _Contact | None:
    """The contact; None for what says nothing of a call's talk."""
    event, method = detail.text("eventType") or "", detail.text("initiationMethod") or ""
    if (detail.text("channel") or "").upper() != "VOICE" or event not in _EVENTS:
        return None
    if method not in _DIRECTIONS and method not in _CONTINUED:
        return None
    id_ = detail.required("contactId")
    ended = _instant(detail, "disconnectTimestamp")
    answered = _answered_at(detail, method)
    at = {"CONNECTED_TO_SYSTEM": answered, "CONNECTED_TO_AGENT": answered}.get(event, ended)
    if at is None:
        # Events of before 2022 have no times of their own.
        at = _required_instant(envelope, "time")
    over = event in _OVER
    first = method == "CALLBACK" or not detail.given("initialContactId")
    return _Contact(
        detail,
        id_,
        id_ if first else detail.required("initialContactId"),
        method,
        event,
        at,
        answered,
        (ended or at) if over else None,
    )


def _answered_at(detail: Record, method: str) -> int | None:
    if _DIRECTIONS.get(method) == "outbound":
        return _instant(detail, "connectedToSystemTimestamp")
    return _instant(_plain(detail.record("agentInfo")), "connectedToAgentTimestamp")


def _instant(record: Record, label: str) -> int | None:
    text = record.time(label)
    return None if text is None else instant(text)


def _required_instant(record: Record, label: str) -> int:
    at = _instant(record, label)
    if at is None:
        raise record.fault(label, "required")
    return at


def _reports(contact: _Contact, request: HookRequest) -> Iterator[Report]:
    if contact.id == contact.call and contact.ended_at is not None:
        yield _report(contact, _WHOLE, _whole(contact), request)
    rank, values = _talk(contact)
    if values:
        yield _report(contact, rank, values, request)


def _report(contact: _Contact, rank: int, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    tie = int.from_bytes(hashlib.sha256(contact.id.encode()).digest()[:6], "big")
    last = int(contact.event == "COMPLETED")
    revision = of_number(f"{rank}{contact.at:018}{last}{tie:015}")
    return hook_report(request, contact.call, revision, fields, full=False, mapping=MAPPING)


def _whole(contact: _Contact) -> Values:
    endpoint = _plain(contact.detail.record("customerEndpoint"))
    started = contact.detail.time("initiationTimestamp")
    return {
        "direction": _DIRECTIONS.get(contact.method),
        # Without it, an event of an older form: then it is as early as anything is known.
        "started_at": started or written_instant(contact.answered_at or contact.at),
        "counterpart": endpoint.text("address"),
    }


def _talk(contact: _Contact) -> tuple[int, Values]:
    agent = _agent(contact.detail)
    machine = _MACHINES.get(contact.detail.text("answeringMachineDetectionStatus") or "")
    event = "CONNECTED_TO_SYSTEM" if contact.outbound else "CONNECTED_TO_AGENT"
    connected = contact.event == event or contact.answered_at is not None
    talk = agent is not None and connected and machine is None
    values: dict[str, RawValue] = {"outcome": "connected" if talk else machine or "no_answer"}
    if contact.ended_at is None:
        # While it goes on, only that it was answered is known.
        return _ANSWERED, values | {"agent": agent} if talk and contact.event == event else {}
    values |= {"ended_at": written_instant(contact.ended_at), "agent": agent}
    values["talk_seconds"] = _talked(contact) if talk else 0
    return (_ENDED if talk or machine else _UNANSWERED), values


def _talked(contact: _Contact) -> int | None:
    """Seconds since both were there: the customer, and the agent."""
    agent = _instant(_plain(contact.detail.record("agentInfo")), "connectedToAgentTimestamp")
    times = [at for at in (contact.answered_at, agent) if at is not None]
    if contact.ended_at is None or not times:
        return None
    return max(0, contact.ended_at - max(times)) // SECOND


def _agent(detail: Record) -> str | None:
    """The agent's user id: the last part of the ARN."""
    arn = _plain(detail.record("agentInfo")).text("agentArn")
    return None if arn is None else arn.rpartition("/")[2] or None


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("add_amazon_connect_rule", {"source": "aws.connect", "type": _DETAIL_TYPE}),
        *destination_steps(connecting),
    )


PROVIDER = Provider(
    name="amazon_connect",
    counts=("call",),
    secrets=(API_KEY,),
    hook=Hook(verify_api_key, _read, _next_steps),
)
