"""MiiTel: the challenge, the header, and one call however often and in whatever pieces it comes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, State, joined
from app.domain.deliveries import Delivery
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.receiving import received
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    failing,
    flipped_headers,
    hook_of,
    states,
)
from tests.intake.miitel_events import AGENT, CALL, TOKEN, history, leg, meeting, person, posted

HOOKED = hook_of("miitel")
CHALLENGE = "9f86d081884c7d659a2feaa0c55ad015"


def read(request: HookRequest) -> Delivery:
    return conformance.read("miitel", request)


def state(*requests: HookRequest) -> State:
    deliveries = [read(request) for request in requests]
    assert not any(one.refused for one in deliveries)
    (found,) = states(deliveries).values()
    return found


def fields(found: Report | State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def faults(request: HookRequest) -> list[tuple[str, str]]:
    (refused,) = read(request).refused
    return [(fault.pointer, fault.code) for fault in refused.error.faults]


def test_the_header_is_compared_letter_by_letter() -> None:
    request = history(leg())
    HOOKED.verify(request)
    assert_refused("miitel", flipped_headers(request, "authorization"))
    basic = {"authorization": f"Basic {TOKEN}"}
    assert_refused("miitel", [posted({}, token=None), replace(request, headers=basic)])


@pytest.mark.parametrize("token", [None, TOKEN], ids=["without header", "with header"])
def test_a_challenge_is_sent_back_as_plain_text_and_nothing_else(token: str | None) -> None:
    request = posted({"challenge": CHALLENGE}, token=token)
    # Without the header it ends there and is not stored; with it, it is a request like others.
    told = HOOKED.handshake(request)
    assert (told is None) == (token is not None)
    answer = told or HOOKED.answer(request)
    assert (answer.status, answer.media_type, answer.body) == (
        200,
        "text/plain",
        CHALLENGE.encode(),
    )


def test_a_challenge_beside_a_call_loses_neither() -> None:
    request = history(leg(), challenge=CHALLENGE)
    assert HOOKED.handshake(request) is None
    assert HOOKED.answer(request).body == CHALLENGE.encode()
    assert len(read(request).items) == 2
    raw = received(HOOKED, request, failing).raw
    assert raw
    assert CHALLENGE.encode() not in raw.body


@pytest.mark.parametrize("challenge", ["", "<script>", "a b", "x" * 300, 5, ["a"], {"a": "b"}])
def test_what_is_no_token_is_not_echoed(challenge: Any) -> None:
    assert HOOKED.handshake(posted({"challenge": challenge}, token=None)) is None
    assert HOOKED.answer(posted({"challenge": challenge})).body == b""


def test_every_other_answer_is_empty() -> None:
    assert HOOKED.answer(history(leg())).status == 204
    assert HOOKED.answer(replace(history(leg()), body=b"{")).status == 204


def test_an_answered_outgoing_call() -> None:
    found = state(history(leg()))
    assert found.kind == "call"
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T07:26:18Z",
        "ended_at": "2026-12-10T07:29:34Z",
        "talk_seconds": 191,
        "counterpart": "09000000000",
        "agent": AGENT,
    }
    counted = contribution(PRESETS["connected_calls"], found, "JPY")
    assert isinstance(counted, Contribution)
    (item, *_) = read(history(leg())).items
    assert item.report.key == f"call:{CALL}"


def test_several_deliveries_of_one_call_are_one_call() -> None:
    minutes = leg(minutes="議題")
    del minutes["phrases"], minutes["speech_recognition"]
    transcribed = leg(phrases=[{"participant_id": "x", "raw": []}])
    requests = [history(leg()), history(transcribed), history(minutes), history(leg())]
    first, *others = [read(request).items for request in requests]
    assert all(items == first for items in others)
    assert_any_order_ends_alike([read(request) for request in requests])


def test_a_call_that_nobody_answers_is_made_and_not_connected() -> None:
    found = fields(state(history(leg(dial_answered_at=None))))
    assert (found["outcome"], found["talk_seconds"], found["agent"]) == ("no_answer", 0, AGENT)


def incoming(**more: Any) -> dict[str, Any]:
    told = {
        "call_type": "INCOMING_CALL",
        "from_number": "08011112222",
        "to_number": "05000000000",
        "participants": [person("FROM"), person("TO", AGENT)],
    }
    return leg(**told | more)


# A customer calls in, chooses in a menu, rings one in vain, is answered and passed on.
LEGS = [
    incoming(
        id="leg-1",
        call_type="READ_DTMF",
        participants=[person("FROM")],
        dial_ends_at="2026-12-10T07:26:40+00:00",
    ),
    incoming(
        id="leg-2",
        previous_id="leg-1",
        call_type="EXTENSION_GROUP",
        dial_starts_at="2026-12-10T07:26:40+00:00",
        dial_answered_at=None,
        dial_ends_at="2026-12-10T07:27:00+00:00",
        participants=[person("FROM"), person("TO", "suzuki@example.co.jp")],
    ),
    incoming(
        id="leg-3",
        previous_id="leg-2",
        dial_starts_at="2026-12-10T07:27:00+00:00",
        dial_answered_at="2026-12-10T07:27:10+00:00",
        dial_ends_at="2026-12-10T07:29:10+00:00",
    ),
]


@pytest.mark.parametrize("together", [True, False])
def test_the_legs_of_a_call_join_together_or_one_by_one_in_every_order(together: bool) -> None:  # noqa: FBT001 - a case of the test
    found = [
        state(history(*order)) if together else state(*(history(one) for one in order))
        for order in itertools.permutations(LEGS)
    ]
    assert all(one.fields == found[0].fields for one in found)
    assert fields(found[0]) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T07:26:18Z",
        "ended_at": "2026-12-10T07:29:10Z",
        "talk_seconds": 120,
        "counterpart": "08011112222",
        "agent": AGENT,
    }
    assert_any_order_ends_alike([read(history(one)) for one in LEGS])


@pytest.mark.parametrize(
    ("kind", "outcome"), [("READ_DTMF", "no_answer"), ("AUTOMATIC_RECORD", "voicemail")]
)
def test_a_machine_that_answers_is_nobody(kind: str, outcome: str) -> None:
    found = fields(state(history(incoming(call_type=kind))))
    assert (found["outcome"], found["talk_seconds"]) == (outcome, 0)


def test_a_queue_that_answers_is_nobody_until_a_person_does() -> None:
    waiting = incoming(call_type="QUEUEING_CALL")
    assert fields(state(history(waiting)))["outcome"] == "no_answer"
    served = waiting | {"queueing_answered_at": "2026-12-10T07:28:34+00:00"}
    found = fields(state(history(served)))
    assert (found["outcome"], found["talk_seconds"]) == ("connected", 60)


def test_calls_between_extensions_count_as_nothing() -> None:
    delivery = read(history(leg(call_type="EXTENSION")))
    assert (delivery.items, delivery.refused) == ((), ())


def test_a_meeting_history_is_a_held_meeting_of_its_host() -> None:
    found = state(meeting(), meeting(summary={"template_type": "x", "raw": "要約"}))
    assert found.kind == "meeting"
    assert fields(found) == {
        "status": "held",
        "starts_at": "2026-12-10T04:45:00Z",
        "organizer": AGENT,
    }
    assert isinstance(contribution(PRESETS["meetings_held"], found, "JPY"), Contribution)
    assert not isinstance(contribution(PRESETS["appointments"], found, "JPY"), Contribution)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (history(leg(call_type="NEW")), ("/call/details/0/call_type", "unknown_value")),
        (history(leg(dial_ends_at=None)), ("/call/details/0/dial_ends_at", "required")),
        (history(leg(dial_starts_at="soon")), ("/call/details/0/dial_starts_at", "not_a_time")),
        (history(), ("/call/details", "not_a_list")),
        (meeting(ends_at="2026-12-10T05:01:45"), ("/video/ends_at", "time_without_offset")),
        (meeting(host=[]), ("/video/host", "not_an_object")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    request_: HookRequest, expected: tuple[str, str]
) -> None:
    assert faults(request_) == [expected]


def test_one_unusable_leg_does_not_hide_the_others() -> None:
    delivery = read(history(leg(call_type="NEW"), leg()))
    assert (len(delivery.items), len(delivery.refused)) == (2, 1)


JUNK = st.none() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(sorted(leg())), JUNK))
def test_any_values_in_a_leg_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(history(leg(**changed)))
    reports = [item.report for item in delivery.items]
    assert bool(delivery.refused) != bool(reports) or leg(**changed)["call_type"] == "EXTENSION"
    joined(reports)
