"""Amazon Connect: contacts of one call, in whatever order and however often they are told."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, State
from app.domain.deliveries import Delivery
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_headers,
    hook_of,
    states,
)
from tests.intake.eventbridge_events import CONTACT, agent, contact, event

END = "2026-12-10T01:05:00.000Z"
ANSWERED = "2026-12-10T01:01:00.000Z"


def read(request: HookRequest) -> Delivery:
    return conformance.read("amazon_connect", request)


def state(*requests: HookRequest) -> State:
    (found,) = states(read(request) for request in requests).values()
    return found


def fields(found: State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def nothing(request: HookRequest) -> bool:
    delivery = read(request)
    return (delivery.items, delivery.refused) == ((), ())


def test_the_api_key_is_compared_letter_by_letter() -> None:
    request = contact("INITIATED")
    hook_of("amazon_connect").verify(request)
    assert_refused("amazon_connect", flipped_headers(request, "x-api-key"))
    detail = {"eventType": "INITIATED"}
    assert_refused("amazon_connect", [event(detail, "aws.connect", "x", END, key=None)])


INBOUND = [
    contact("INITIATED"),
    contact("QUEUED", queueInfo={"queueArn": "arn", "queueType": "STANDARD"}),
    contact("CONNECTED_TO_AGENT", agentInfo=agent("sato", ANSWERED)),
    contact("DISCONNECTED", agentInfo=agent("sato", ANSWERED), disconnectTimestamp=END),
    contact("COMPLETED", agentInfo=agent("sato", ANSWERED), disconnectTimestamp=END),
]


def test_an_answered_inbound_call_in_every_order() -> None:
    found = [state(*order) for order in itertools.permutations(INBOUND)]
    assert all(one.fields == found[0].fields for one in found)
    assert fields(found[0]) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T01:00:00Z",
        "ended_at": "2026-12-10T01:05:00Z",
        "talk_seconds": 240,
        "agent": "sato",
    }
    assert_any_order_ends_alike([read(request) for request in INBOUND])


def test_events_of_no_end_count_nothing_by_themselves() -> None:
    assert nothing(INBOUND[0])
    assert nothing(INBOUND[1])


def test_a_caller_who_hangs_up_in_the_queue_was_not_answered() -> None:
    found = fields(state(contact("DISCONNECTED", disconnectTimestamp=END)))
    assert (found["outcome"], found["talk_seconds"], found["direction"]) == (
        "no_answer",
        0,
        "inbound",
    )


def test_a_lost_end_leaves_an_answered_call() -> None:
    # Delivery is at best effort: what was answered stays so, also if only a worse event follows.
    ended = contact("DISCONNECTED", disconnectTimestamp=END)
    assert fields(state(INBOUND[2], ended))["outcome"] == "connected"


# The agent who answered passes the call on; the second contact names the first.
SECOND: dict[str, Any] = {
    "contact": "99999999-2222-3333-4444-555555555555",
    "initialContactId": CONTACT,
    "previousContactId": CONTACT,
    "initiationMethod": "TRANSFER",
    "initiationTimestamp": END,
}
TRANSFERRED = [
    *INBOUND,
    contact("INITIATED", **SECOND),
    contact("CONNECTED_TO_AGENT", **SECOND, agentInfo=agent("ito", "2026-12-10T01:05:10.000Z")),
    contact(
        "DISCONNECTED",
        **SECOND,
        agentInfo=agent("ito", "2026-12-10T01:05:10.000Z"),
        disconnectTimestamp="2026-12-10T01:07:10.000Z",
    ),
]


def test_a_transfer_is_the_same_call_and_ends_with_the_later_agent() -> None:
    deliveries = [read(request) for request in TRANSFERRED]
    assert_any_order_ends_alike(deliveries)
    found = state(*TRANSFERRED)
    assert fields(found) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T01:00:00Z",
        "ended_at": "2026-12-10T01:07:10Z",
        "talk_seconds": 120,
        "agent": "ito",
    }


def test_a_transfer_that_nobody_takes_does_not_undo_the_conversation() -> None:
    vain = contact("DISCONNECTED", **SECOND, disconnectTimestamp="2026-12-10T01:06:00.000Z")
    for order in itertools.permutations([*INBOUND[2:], vain]):
        found = fields(state(*order))
        assert (found["outcome"], found["agent"], found["talk_seconds"]) == (
            "connected",
            "sato",
            240,
        )


def outbound(kind: str, **detail: Any) -> HookRequest:
    told = {"initiationMethod": "OUTBOUND", "agentInfo": agent("sato", "2026-12-10T01:00:01.000Z")}
    return contact(kind, **told | detail)


def test_an_outbound_call_is_connected_when_the_customer_answers_and_not_with_its_agent() -> None:
    rings = outbound("DISCONNECTED", disconnectTimestamp=END)
    assert fields(state(outbound("CONNECTED_TO_AGENT"), rings))["outcome"] == "no_answer"
    answered = "2026-12-10T01:00:30.000Z"
    talked = outbound("DISCONNECTED", connectedToSystemTimestamp=answered, disconnectTimestamp=END)
    found = state(talked)
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T01:00:00Z",
        "ended_at": "2026-12-10T01:05:00Z",
        "talk_seconds": 270,
        "agent": "sato",
    }
    assert isinstance(contribution(PRESETS["connected_calls"], found, "JPY"), Contribution)
    # Told of the answer by its event alone, it stands too.
    assert fields(state(outbound("CONNECTED_TO_SYSTEM"), rings))["outcome"] == "connected"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("VOICEMAIL_BEEP", "voicemail"),
        ("SIT_TONE_BUSY", "busy"),
        ("SIT_TONE_INVALID_NUMBER", "failed"),
        ("AMD_UNANSWERED", "no_answer"),
        ("HUMAN_ANSWERED", "connected"),
    ],
)
def test_answering_machines_are_no_conversation(status: str, outcome: str) -> None:
    told = {
        "answeringMachineDetectionStatus": status,
        "connectedToSystemTimestamp": "2026-12-10T01:00:30.000Z",
        "disconnectTimestamp": END,
    }
    found = state(outbound("CONNECTED_TO_SYSTEM", **told), outbound("DISCONNECTED", **told))
    assert found.fields["outcome"] == outcome
    assert bool(found.fields["talk_seconds"]) == (outcome == "connected")


def test_a_queued_callback_is_a_call_that_was_made() -> None:
    callback = contact(
        "DISCONNECTED",
        contact="c-2",
        initialContactId=CONTACT,
        initiationMethod="CALLBACK",
        connectedToSystemTimestamp=ANSWERED,
        agentInfo=agent("sato", ANSWERED),
        disconnectTimestamp=END,
    )
    found = states([read(callback), read(contact("DISCONNECTED", disconnectTimestamp=END))])
    assert {key: one.fields["direction"] for key, one in found.items()} == {
        CONTACT: "inbound",
        "c-2": "outbound",
    }


def test_the_older_spelling_of_events_is_read_too() -> None:
    old = contact(
        "CONNECTED_TO_AGENT",
        channel="Voice",
        initiationTimestamp=None,
        AgentInfo={"AgentArn": "arn:aws:connect:x/agent/sato"},
    )
    assert fields(state(old)) == {"outcome": "connected", "agent": "sato"}


def test_the_customers_number_is_kept_where_it_is_told() -> None:
    told: dict[str, Any] = {
        "customerEndpoint": {"address": "+819012345678"},
        "disconnectTimestamp": END,
    }
    assert fields(state(contact("DISCONNECTED", **told)))["counterpart"] == "+819012345678"


@pytest.mark.parametrize(
    "more",
    [
        {"channel": "CHAT"},
        {"channel": "TASK"},
        {"initiationMethod": "MONITOR"},
        {"initiationMethod": "DISCONNECT"},
        {"initiationMethod": "SOMETHING_NEW"},
    ],
)
def test_what_is_no_call_counts_as_nothing(more: dict[str, Any]) -> None:
    assert nothing(contact("DISCONNECTED", disconnectTimestamp=END, **more))
    assert nothing(contact("SOMETHING_NEW"))
    assert nothing(event({}, "aws.s3", "Object Created", END))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"disconnectTimestamp": "soon"}, ("/detail/disconnectTimestamp", "not_a_time")),
        ({"contact": ""}, ("/detail/contactId", "required")),
        ({"agentInfo": []}, ("/detail/agentInfo", "not_an_object")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    (refused,) = read(contact("DISCONNECTED", **more)).refused
    assert [(fault.pointer, fault.code) for fault in refused.error.faults] == [expected]


JUNK = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.none()) | st.just(END)
LABELS = ["initiationTimestamp", "disconnectTimestamp", "agentInfo", "initialContactId", "channel"]


@given(
    st.sampled_from(["DISCONNECTED", "CONNECTED_TO_AGENT"]),
    st.dictionaries(st.sampled_from(LABELS), JUNK),
)
def test_any_values_of_a_contact_are_read_or_refused(kind: str, changed: dict[str, Any]) -> None:
    read(contact(kind, **changed))
