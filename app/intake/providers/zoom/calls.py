"""Calls of Zoom Phone: every element is a report about its call, and any order ends alike.

Zoom tells a call element by element: a queue that rings ten members makes ten, a transfer some
more, each in a delivery of its own and in no order. What they share for ever is
`call_history_uuid`: `call_id` gets a suffix by a direct transfer and is another one after a warm
transfer. An element sends one or two partial reports whose revision begins with how well it knows:

    1  direction, start and the customer's number: somebody of ours was rung; the earliest stands
    2  the same: somebody of ours dialled; the earliest stands
    3  outcome, talk time and end: a queue or an auto receptionist answered, which is nobody
    4  the same: nobody answered the element
    5  the same: voicemail, whoever was rung in vain before it
    6  the same and who it was: a person of ours answered; of several the one that ended last
    7  the same: who dialled was answered; a later transfer takes no call from its caller

An outbound element is a call to a customer only where the event is `outgoing`: consulting a
colleague and passing a call on are outbound as well. Parking, taking over, merging and listening
in succeed and are nobody's conversation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple

from app.domain.activities import Report
from app.domain.deliveries import Item, Refused
from app.domain.errors import Invalid
from app.domain.instants import SECOND, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.reading import written
from app.intake.records import Record
from app.intake.requests import HookRequest, fields_of, hook_report, refusal, usable_name

Values = Mapping[str, RawValue]

# Raised with every change of what an element comes to: only then does a replay supersede.
MAPPING = 1
EVENTS = {
    "phone.caller_call_element_completed": ("outbound", "call_elements"),
    "phone.callee_call_element_completed": ("inbound", "call_elements"),
    # The generation before it: the same elements, with other names for their ids.
    "phone.caller_call_history_completed": ("outbound", "call_logs"),
    "phone.callee_call_history_completed": ("inbound", "call_logs"),
}
_MAX_ELEMENTS = 200
_FAR = 10**12  # seconds: an earlier start is the higher number
_DIALS = frozenset({"outgoing"})
_TRANSFERS = frozenset({"direct_transfer", "warm_transfer", "warm_transfer_incoming"})
# `outgoing` also stands in the callee's own element of a call.
_RINGS = _TRANSFERS | {
    *("incoming", "outgoing", "shared_line_incoming", "transfer_from_zoom_contact_center"),
    *("ring_to_member", "forward", "overflow", "timeout", "park_pick_up"),
}
_NO_CONVERSATION = frozenset(
    {
        *("barge", "monitor", "whisper", "listen", "conference_barge", "takeover"),
        *("park", "merge", "shared", "warm_transfer_outgoing"),
        *("call_me_on", "outgoing_to_zoom_contact_center"),
    }
)
_KNOWN_EVENTS = _RINGS | _DIALS | _NO_CONVERSATION
# A call that was passed on is connected whether or not its new callee answers.
_BY_A_PERSON = frozenset({"answered", "accepted", "picked_up"})
_OUTCOMES = {
    **dict.fromkeys((*sorted(_BY_A_PERSON), "connected"), "connected"),
    **dict.fromkeys(("no_answer", "ring_timeout", "overflowed", "rejected"), "no_answer"),
    **dict.fromkeys(("hang_up", "canceled", "abandoned"), "canceled"),
    **dict.fromkeys(("call_failed", "unconnected", "system_blocked"), "failed"),
    **dict.fromkeys(("service_unavailable", "invalid_key", "invalid_operation"), "failed"),
    "voicemail": "voicemail",
    "busy": "busy",
    "succeeded": None,  # an operation on a call, not what became of it
}
# Another one's element says who took the call.
_BY_ANOTHER = ("answered_by_other", "pickup_by_other", "call_out_by_other")
_NOBODY = ("call_queue", "auto_receptionist", "shared_line_group", "group_call_pickup")
_OUTSIDE = ("external_pstn", "external_contact", "external_service_number", "anonymous_number")


class _Rank(IntEnum):
    RUNG_CALL = 1
    DIALLED_CALL = 2
    MACHINE = 3
    UNANSWERED = 4
    VOICEMAIL = 5
    ANSWERED = 6
    DIALLED_AND_ANSWERED = 7


class _Element(NamedTuple):
    """An element of a call with somebody outside. `ours` and `theirs`: caller or callee."""

    place: Record
    id: str
    key: str
    event: str
    dialled: bool
    ours: str
    theirs: str
    started: str
    ended: str | None


def read_elements(
    label: str, told: Record, request: HookRequest
) -> tuple[list[Item], list[Refused]]:
    """What the elements of a delivery say. Raises Invalid where there are none, or too many."""
    direction, list_ = EVENTS[label]
    elements = told.records(list_)
    if not 0 < len(elements) <= _MAX_ELEMENTS:
        raise told.fault(list_, "not_a_list", low=1, high=_MAX_ELEMENTS)
    items: list[Item] = []
    refused: list[Refused] = []
    for n, place in enumerate(elements):
        try:
            element = _element(place, direction)
            reports = [] if element is None else list(_reports(element, request))
        except Invalid as error:
            content, id_ = written(dict(place.values)), usable_name(_raw_id(place))
            refused.append(refusal(request, error, content, id_, index=2 * n))
            continue
        for m, report in enumerate(reports):
            items.append(Item(2 * n + m, str(_raw_id(place)), report))
    return items, refused


def _raw_id(place: Record) -> RawValue:
    return place.values.get("call_element_id") or place.values.get("id")


def _element(place: Record, told: str) -> _Element | None:
    """An element; None for calls among ours, for operations, and for who listens in."""
    direction = place.text("direction") or told
    if direction not in {"inbound", "outbound"}:
        raise place.fault("direction", "unknown_value", allowed="inbound, outbound")
    dialled = direction == "outbound"
    event = place.required("event") if dialled else place.text("event") or "incoming"
    if event not in _KNOWN_EVENTS:
        raise place.fault("event", "unknown_value", allowed=", ".join(sorted(_KNOWN_EVENTS)))
    ours, theirs = ("caller", "callee") if dialled else ("callee", "caller")
    if event not in (_DIALS if dialled else _RINGS) or _is_internal(place, theirs):
        return None
    started = place.required_time("start_time")
    return _Element(
        place,
        _named(place, "call_element_id", "id"),
        f"call:{_named(place, 'call_history_uuid', 'call_path_id')}",
        event,
        dialled,
        ours,
        theirs,
        started,
        place.time("end_time"),
    )


def _named(place: Record, label: str, older: str) -> str:
    """An id of bounded length, under its name or the one it had a generation before."""
    label = label if place.given(label) or not place.given(older) else older
    text = place.required(label)
    if usable_name(f"call:{text}") is None:
        raise place.fault(label, "not_a_name")
    return text


def _is_internal(place: Record, theirs: str) -> bool:
    """Whether the other side is one of ours as well; its number knows better than the type."""
    if place.text(f"{theirs}_number_type") in _OUTSIDE:
        return False
    connect = place.text("connect_type")
    if connect is None:
        return place.text(f"{theirs}_ext_type") not in {None, "external_contact"}
    return connect == "internal"


def _reports(element: _Element, request: HookRequest) -> Iterator[Report]:
    whole: Values = {
        "direction": "outbound" if element.dialled else "inbound",
        "started_at": element.started,
        "counterpart": element.place.text(f"{element.theirs}_did_number"),
    }
    rank = _Rank.DIALLED_CALL if element.dialled else _Rank.RUNG_CALL
    began = instant(element.started) // SECOND
    yield _report(element, rank, _FAR - began, whole, request)
    ended = began if element.ended is None else instant(element.ended) // SECOND
    talk = _talk(element)
    if talk is not None:
        yield _report(element, talk[0], ended, talk[1], request)


def _talk(element: _Element) -> tuple[_Rank, Values] | None:
    """What became of the call by this element; None where it cannot tell."""
    place = element.place
    result = place.required("result")
    if result not in _OUTCOMES:
        raise place.fault("result", "unknown_value", allowed=", ".join(_OUTCOMES))
    outcome = _OUTCOMES[result]
    passed_on = element.event in _TRANSFERS and result == "connected"
    if outcome is None or passed_on or place.text("result_reason") in _BY_ANOTHER:
        return None
    values: dict[str, RawValue] = {"outcome": outcome, "talk_seconds": 0, "ended_at": element.ended}
    if outcome != "connected":
        values["agent"] = _agent(element) if _was_meant(element) else None
        rank = _Rank.VOICEMAIL if outcome == "voicemail" else _Rank.UNANSWERED
        return rank, _known(values)
    if not element.dialled and place.text("callee_ext_type") in _NOBODY:
        return _Rank.MACHINE, _known(values | {"outcome": "no_answer"})
    values["talk_seconds"] = _seconds(element)
    rank = _Rank.DIALLED_AND_ANSWERED if element.dialled else _Rank.ANSWERED
    # Whoever was rung in vain before is not the agent, also where the one who answered has no name.
    return rank, _known(values) | {"agent": _agent(element)}


def _was_meant(element: _Element) -> bool:
    """Whether an unanswered call is somebody's own: who dialled, or the person who was called.

    A queue's members, and whoever a call was passed on to, were rung in vain for another.
    """
    place = element.place
    return element.dialled or (
        element.event == "incoming"
        and place.text("callee_ext_type") == "user"
        and place.text("operator_ext_type") not in _NOBODY
    )


def _agent(element: _Element) -> str | None:
    labels = (f"{element.ours}_{what}" for what in ("email", "ext_number", "did_number"))
    return next((text for text in map(element.place.text, labels) if text), None)


def _seconds(element: _Element) -> int | None:
    seconds, answered = element.place.whole("talk_time"), element.place.time("answer_time")
    if seconds is None and answered and element.ended:
        return max(0, instant(element.ended) - instant(answered)) // SECOND
    return seconds


def _known(values: Values) -> dict[str, RawValue]:
    return {label: value for label, value in values.items() if value is not None}


def _report(
    element: _Element, rank: _Rank, order: int, values: Values, request: HookRequest
) -> Report:
    origins = {
        "direction": "direction",
        "outcome": "result",
        "started_at": "start_time",
        "ended_at": "end_time",
        "talk_seconds": "talk_time",
        "counterpart": f"{element.theirs}_did_number",
        "agent": f"{element.ours}_email",
    }
    places = {label: f"{element.place.pointer}/{place}" for label, place in origins.items()}
    told = _known(values) if rank < _Rank.MACHINE else values
    fields = fields_of("call", told, places, request.received_at)
    # Two elements that end in one second are ordered too, and alike for every repetition.
    tie = int.from_bytes(hashlib.sha256(element.id.encode()).digest()[:6], "big")
    revision = of_number(f"{rank.value}{order:013}{tie:015}")
    return hook_report(request, element.key, revision, fields, full=False, mapping=MAPPING)
