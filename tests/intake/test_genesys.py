"""Genesys Cloud: the ends of one conversation's sessions, in whatever order they are told."""

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
from tests.intake.eventbridge_events import CONVERSATION, conversation, event

AT = 1796864700000  # 2026-12-10T01:05:00Z


def read(request: HookRequest) -> Delivery:
    return conformance.read("genesys", request)


def state(*requests: HookRequest) -> State:
    (found,) = states(read(request) for request in requests).values()
    return found


def fields(found: State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def nothing(request: HookRequest) -> bool:
    delivery = read(request)
    return (delivery.items, delivery.refused) == ((), ())


def test_the_api_key_is_compared_letter_by_letter() -> None:
    request = conversation("user", AT, userId="sato")
    hook_of("genesys").verify(request)
    assert_refused("genesys", flipped_headers(request, "x-api-key"))


# Suzuki's telephone rings in vain, Sato answers and passes on to Ito.
INBOUND = [
    conversation("customer", AT + 120_000, interactingDurationMs=420_000),
    conversation("user", AT - 230_000, userId="suzuki", sessionId="s-1", alertingDurationMs=15_000),
    conversation(
        "user",
        AT,
        userId="sato",
        sessionId="s-2",
        interactingDurationMs=210_900,
        alertingDurationMs=5_000,
        heldDurationMs=10_000,
    ),
    conversation(
        "user",
        AT + 120_000,
        userId="ito",
        sessionId="s-3",
        interactingDurationMs=110_000,
        direction="OUTBOUND",
        dnis="sip:ito@example.co.jp",
    ),
]


def test_a_call_that_rings_is_answered_and_passed_on_is_one_call_in_every_order() -> None:
    found = [state(*order) for order in itertools.permutations(INBOUND)]
    assert all(one.fields == found[0].fields for one in found)
    assert fields(found[0]) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T01:00:00Z",
        "ended_at": "2026-12-10T01:07:00Z",
        "talk_seconds": 110,
        "counterpart": "+819012345678",
        "agent": "ito",
    }
    (key,) = states(read(request) for request in INBOUND)
    assert key == CONVERSATION
    assert_any_order_ends_alike([read(request) for request in INBOUND])


def test_milliseconds_become_whole_seconds_and_holding_is_no_talk() -> None:
    found = fields(state(INBOUND[2]))
    assert found["talk_seconds"] == 210
    # Without the customer's end: from the agent's own telephone on.
    assert found["started_at"] == "2026-12-10T01:01:14.100000Z"


def test_without_the_customers_end_the_earliest_user_knows_when_it_began() -> None:
    for order in itertools.permutations(INBOUND[1:3]):
        assert fields(state(*order))["started_at"] == "2026-12-10T01:00:55Z"


def test_a_call_that_nobody_takes_was_not_answered() -> None:
    found = fields(state(INBOUND[0], INBOUND[1]))
    assert (found["outcome"], found["talk_seconds"]) == ("no_answer", 0)


def test_an_outbound_call_counts_by_its_agent_alone_if_it_must() -> None:
    made = conversation(
        "user",
        AT,
        userId="sato",
        direction="OUTBOUND",
        ani="tel:+81312340000",
        dnis="tel:+819012345678",
        dialingDurationMs=20_000,
        interactingDurationMs=95_000,
    )
    found = state(made)
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T01:03:05Z",
        "ended_at": "2026-12-10T01:05:00Z",
        "talk_seconds": 95,
        "counterpart": "+819012345678",
        "agent": "sato",
    }
    assert isinstance(contribution(PRESETS["connected_calls"], found, "JPY"), Contribution)


def test_calls_among_ours_have_no_direction_and_count_nowhere() -> None:
    ends = [
        conversation(
            "user",
            AT,
            userId=user,
            sessionId=user,
            direction=direction,
            ani="sip:sato@example.co.jp",
            dnis="sip:ito@example.co.jp",
            interactingDurationMs=1_000,
        )
        for user, direction in (("sato", "OUTBOUND"), ("ito", "INBOUND"))
    ]
    found = state(*ends)
    assert "direction" not in found.fields
    for preset in ("calls", "inbound_calls", "connected_calls", "talk_time"):
        assert not isinstance(contribution(PRESETS[preset], found, "JPY"), Contribution)


def test_other_media_topics_and_sources_count_as_nothing() -> None:
    assert nothing(conversation("user", AT, mediaType="CHAT"))
    assert nothing(conversation("acd", AT))
    assert nothing(
        event({"topicName": "v2.users.x.presence"}, "aws.partner/genesys.com/x", "x", "x")
    )
    assert nothing(event({}, "aws.partner/genesys.community/x", "x", "x"))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (conversation("customer", AT, direction="X"), ("direction", "unknown_value")),
        (conversation("customer", AT, eventTime=None), ("eventTime", "required")),
        (conversation("user", AT, conversationId=None), ("conversationId", "required")),
        (conversation("user", AT, heldDurationMs="x"), ("heldDurationMs", "not_an_integer")),
        (conversation("user", AT, heldDurationMs=10**12), ("heldDurationMs", "out_of_range")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    request_: HookRequest, expected: tuple[str, str]
) -> None:
    (refused,) = read(request_).refused
    label, code = expected
    assert [(fault.pointer, fault.code) for fault in refused.error.faults] == [
        (f"/detail/eventBody/{label}", code)
    ]


JUNK = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.none()) | st.just(AT)
LABELS = [
    "eventTime",
    "interactingDurationMs",
    "dialingDurationMs",
    "direction",
    "ani",
    "userId",
    "sessionId",
]


@given(st.sampled_from(["user", "customer"]), st.dictionaries(st.sampled_from(LABELS), JUNK))
def test_any_values_of_a_session_are_read_or_refused(whose: str, changed: dict[str, Any]) -> None:
    delivery = read(conversation(whose, AT, **changed))
    assert bool(delivery.items) != bool(delivery.refused)
