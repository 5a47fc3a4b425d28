"""Twilio: legs join into one call whatever their order; only ends are counted."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from app.domain.activities import KIND, Report, State, joined
from app.domain.deliveries import Delivery, Refused
from app.domain.errors import Unauthenticated
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.providers.twilio import PROVIDER
from app.intake.requests import Connecting, HookRequest
from app.intake.signatures import MAX_PARAMETERS
from app.intake.source_settings import NO_SETTINGS
from tests.intake import conformance
from tests.intake.senders import HOOK, ROOT, TOKEN, leg, twilio

assert PROVIDER.hook
HOOKED = PROVIDER.hook
CHILD, OTHER = "CA" + "1" * 32, "CA" + "2" * 32


def read(request: HookRequest) -> Delivery:
    return conformance.read("twilio", request)


def reports(*forms: dict[str, str]) -> list[Report]:
    found = [item.report for form in forms for item in read(twilio(form)).items]
    assert all(not report.full for report in found)
    return found


def call(*forms: dict[str, str]) -> State:
    return joined(reports(*forms))


def refused(request: HookRequest) -> Refused:
    delivery = read(request)
    assert delivery.quarantines
    assert not delivery.items
    return delivery.refused[0]


def fault(request: HookRequest) -> tuple[str, str]:
    found = refused(request).error.faults[0]
    return found.pointer, found.code


def fields(state: State) -> dict[str, object]:
    return {name: value for name, value in state.fields.items() if name != KIND}


# A customer calls in, Suzuki's client rings in vain, Sato's answers and talks for 80 seconds.
INBOUND = [
    leg(ROOT, "initiated", "2026-12-14T10:00:00+09:00"),
    leg(ROOT, "ringing", "2026-12-14T10:00:01+09:00", SequenceNumber="1"),
    leg(
        ROOT,
        "completed",
        "2026-12-14T10:02:00+09:00",
        SequenceNumber="3",
        CallDuration="120",
        Duration="2",
    ),
    leg(
        CHILD,
        "no-answer",
        "2026-12-14T10:00:30+09:00",
        ParentCallSid=ROOT,
        Direction="outbound-dial",
        To="client:suzuki",
        CallDuration="0",
        SequenceNumber="2",
    ),
    leg(
        OTHER,
        "completed",
        "2026-12-14T10:02:00+09:00",
        ParentCallSid=ROOT,
        Direction="outbound-dial",
        To="client:sato",
        CallDuration="80",
        Duration="2",
        SequenceNumber="3",
    ),
]


def test_the_legs_of_a_call_join_to_one_state_in_every_order() -> None:
    expected = {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:00:00Z",
        "ended_at": "2026-12-14T01:02:00Z",
        "duration_seconds": 120,
        "talk_seconds": 80,
        "counterpart": "+819012345678",
        "agent": "sato",
    }
    states = [call(*order) for order in itertools.permutations(INBOUND)]
    assert all(state == states[0] for state in states)
    assert fields(states[0]) == expected
    assert {report.key for report in reports(*INBOUND)} == {ROOT}


def test_any_order_and_repetition_of_single_reports_joins_to_the_same_state() -> None:
    given = reports(*INBOUND)
    for seed in range(200):
        shuffled = random.Random(seed).choices(given, k=30) + given
        random.Random(seed).shuffle(shuffled)
        assert joined(shuffled) == joined(given)


def test_no_two_reports_of_a_call_share_a_revision() -> None:
    same_second = [*INBOUND, {**INBOUND[3], "CallSid": "CA" + "3" * 32, "To": "client:tanaka"}]
    found = reports(*same_second)
    assert len({report.stamp.revision for report in found}) == len(found)


def test_a_repeated_callback_is_the_same_report() -> None:
    again = replace(twilio(INBOUND[2]), received_at=twilio({}).received_at + 1)
    assert read(again).items == read(twilio(INBOUND[2])).items


def test_an_answered_child_stands_above_a_later_unanswered_one() -> None:
    later = {**INBOUND[3], "Timestamp": INBOUND[2]["Timestamp"], "SequenceNumber": "9"}
    assert call(later, *INBOUND).fields["agent"] == "sato"
    assert call(INBOUND[4], later).fields["outcome"] == "connected"


def test_the_later_of_two_answered_children_stands() -> None:
    transferred = INBOUND[4] | {
        "CallSid": "CA" + "4" * 32,
        "To": "client:tanaka",
        "Timestamp": "Mon, 14 Dec 2026 01:05:00 +0000",
        "CallDuration": "180",
    }
    state = call(transferred, *INBOUND)
    assert (state.fields["agent"], state.fields["talk_seconds"]) == ("tanaka", 180)
    assert state.fields["ended_at"] == "2026-12-14T01:02:00Z"


def test_an_answered_root_whose_child_nobody_answered_is_no_answer() -> None:
    state = call(INBOUND[3], INBOUND[2])
    assert (state.fields["outcome"], state.fields["talk_seconds"]) == ("no_answer", 0)


def test_an_inbound_call_forwarded_to_a_number_is_that_numbers() -> None:
    forwarded = INBOUND[4] | {"To": "+818011112222"}
    for order in ([INBOUND[2], forwarded], [forwarded, INBOUND[2]]):
        state = call(*order)
        assert state.fields["agent"] == "+818011112222"
        assert state.fields["counterpart"] == "+819012345678"
        assert state.fields["direction"] == "inbound"


# Sato calls a customer from the browser: the root runs from the client to Twilio.
FROM_CLIENT = leg(
    ROOT,
    "completed",
    "2026-12-14T11:03:00+09:00",
    From="client:sato@example.co.jp",
    To="",
    CallDuration="180",
)
TO_CUSTOMER = leg(
    CHILD,
    "busy",
    "2026-12-14T11:00:20+09:00",
    ParentCallSid=ROOT,
    Direction="outbound-dial",
    From="+81312340000",
    To="+819099998888",
    CallDuration="0",
)


@pytest.mark.parametrize("order", [[FROM_CLIENT, TO_CUSTOMER], [TO_CUSTOMER, FROM_CLIENT]])
def test_a_call_from_a_client_is_outbound_and_the_clients(order: list[dict[str, str]]) -> None:
    assert fields(call(*order)) == {
        "direction": "outbound",
        "outcome": "busy",
        "started_at": "2026-12-14T02:00:00Z",
        "ended_at": "2026-12-14T02:03:00Z",
        "duration_seconds": 180,
        "talk_seconds": 0,
        "counterpart": "+819099998888",
        "agent": "sato@example.co.jp",
    }


API = leg(
    ROOT,
    "completed",
    "2026-12-14T12:01:00+09:00",
    Direction="outbound-api",
    From="+81312340000",
    To="+819099998888",
    CallDuration="45",
)


def test_a_call_by_api_is_outbound_and_belongs_to_the_calling_number() -> None:
    state = call(API)
    assert (state.fields["direction"], state.fields["agent"]) == ("outbound", "+81312340000")
    assert (state.fields["counterpart"], state.fields["talk_seconds"]) == ("+819099998888", 45)
    calls = contribution(PRESETS["connected_calls"], state, "JPY")
    assert isinstance(calls, Contribution)
    assert calls.identity == "+81312340000"


def test_a_client_on_any_leg_stands_above_the_calling_number() -> None:
    child = INBOUND[4] | {"To": "sip:301@acme.sip.twilio.com;transport=tls"}
    assert call(API, child).fields["agent"] == "301"
    agent_first = API | {"To": "client:sato"}
    state = call(agent_first, TO_CUSTOMER | {"CallStatus": "completed", "CallDuration": "30"})
    assert state.fields["agent"] == "sato"
    assert state.fields["counterpart"] == "+819099998888"
    assert (state.fields["outcome"], state.fields["talk_seconds"]) == ("connected", 30)


def test_a_child_that_a_client_started_is_outbound_by_itself() -> None:
    state = call(TO_CUSTOMER | {"From": "client:sato"})
    assert (state.fields["direction"], state.fields["agent"]) == ("outbound", "sato")
    assert "direction" not in call(TO_CUSTOMER).fields


@pytest.mark.parametrize(
    ("status", "more", "outcome", "talk"),
    [
        ("completed", {"CallDuration": "0"}, "connected", 0),
        ("completed", {"CallDuration": "61", "Duration": "2"}, "connected", 61),
        ("completed", {"CallDuration": "9", "AnsweredBy": "human"}, "connected", 9),
        ("completed", {"CallDuration": "9", "AnsweredBy": "machine_end_beep"}, "voicemail", 0),
        ("busy", {}, "busy", 0),
        ("no-answer", {"AnsweredBy": "machine_start"}, "no_answer", 0),
        ("failed", {"SipResponseCode": "503"}, "failed", 0),
        ("canceled", {}, "canceled", 0),
    ],
)
def test_terminal_statuses_have_an_outcome(
    status: str, more: dict[str, str], outcome: str, talk: int
) -> None:
    state = call({**API, "CallDuration": "0"} | {"CallStatus": status} | more)
    assert (state.fields["outcome"], state.fields["talk_seconds"]) == (outcome, talk)


def test_a_duration_that_was_not_sent_stays_unknown() -> None:
    state = call({name: value for name, value in API.items() if name != "CallDuration"})
    assert "talk_seconds" not in state.fields
    assert state.fields["started_at"] == state.fields["ended_at"]


def test_callbacks_by_get_are_read_from_the_url() -> None:
    by_get = read(twilio(API, method="GET"))
    assert by_get.items == read(twilio(API)).items


@pytest.mark.parametrize(
    "form",
    [
        {name: value for name, value in API.items() if name != "CallStatus"},
        API | {"CallStatus": ""},
        *({**API, "CallStatus": s} for s in ("queued", "initiated", "ringing", "in-progress")),
        {n: v for n, v in API.items() if n not in {"CallbackSource", "Timestamp"}},
        {"MessageSid": "SM1", "MessageStatus": "delivered"},
        {},
    ],
)
def test_what_tells_no_end_of_a_call_is_acknowledged_and_not_counted(form: dict[str, str]) -> None:
    delivery = read(twilio(form))
    assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"CallStatus": "exploded"}, ("/CallStatus", "unknown_value")),
        ({"CallSid": ""}, ("/CallSid", "not_a_name")),
        ({"ParentCallSid": " "}, ("/ParentCallSid", "not_a_name")),
        ({"Timestamp": ""}, ("/Timestamp", "not_a_time")),
        ({"Timestamp": "2026-12-14"}, ("/Timestamp", "not_a_time")),
        ({"Timestamp": "Fri, 31 Dec 9999 23:59:59 -0900"}, ("/Timestamp", "not_a_time")),
        ({"Timestamp": "Mon, 01 Jan 1979 00:00:00 +0000"}, ("/Timestamp", "time_before_1980")),
        ({"Timestamp": "Wed, 16 Dec 2026 00:00:00 +0000"}, ("/Timestamp", "time_too_far_ahead")),
        ({"CallDuration": "1.5"}, ("/CallDuration", "not_an_integer")),
        ({"CallDuration": "9999999"}, ("/CallDuration", "not_an_integer")),
        ({"SequenceNumber": "-1"}, ("/SequenceNumber", "not_an_integer")),
        ({"Direction": "sideways"}, ("/Direction", "unknown_value")),
        ({"To": "a\x00b"}, ("/To", "nul_in_text")),
        ({"From": "client: sato"}, ("/From", "not_a_name")),
    ],
)
def test_an_unusable_end_of_a_call_is_refused_with_its_place(
    more: dict[str, str], expected: tuple[str, str]
) -> None:
    assert fault(twilio(API | more)) == expected


def test_a_timestamp_without_known_offset_is_utc() -> None:
    state = call(API | {"Timestamp": "Mon, 14 Dec 2026 03:01:00 -0000"})
    assert state == call(API)


def test_a_refusal_keeps_the_form_and_none_of_our_secrets() -> None:
    found = refused(twilio(API | {"CallStatus": "exploded", "Note": TOKEN}))
    assert (found.id, found.source) == (ROOT, "phone")
    assert "CallStatus=exploded" in found.content
    assert TOKEN not in found.content
    assert "s3cr3t" not in found.content


def test_values_whose_order_is_not_signed_are_not_used() -> None:
    request = twilio(API)
    body = request.body + b"&CallStatus=busy"
    signed = replace(twilio({"x": "1"}), body=body)
    assert HOOKED.read(signed).refused[0].error.code == "duplicate_parameter"


def test_a_body_that_is_no_form_is_refused() -> None:
    request = replace(twilio(API), headers={"content-type": "application/json"})
    assert HOOKED.read(request).refused[0].error.code == "not_a_form"


def test_too_many_parameters_in_a_url_are_refused() -> None:
    url = HOOK + "?" + "&".join(["a=1"] * MAX_PARAMETERS)
    assert HOOKED.read(twilio(API, method="GET", url=url)).refused


def test_a_tampered_call_is_not_read() -> None:
    request = twilio(API)
    for forged in (
        replace(request, body=request.body.replace(b"45", b"99")),
        replace(request, url=HOOK + "x"),
        replace(request, headers={}),
        replace(request, credentials={}),
        replace(request, credentials={"auth_tokens": (TOKEN[:-1],)}),
        replace(twilio(API, method="GET"), url=f"{HOOK}?CallStatus=completed"),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.verify(forged)


def test_the_address_to_enter_asks_twilio_to_try_again() -> None:
    steps = HOOKED.next_steps(Connecting(HOOK, NO_SETTINGS))
    assert {step.params["url"] for step in steps} == {HOOK + "#rc=5&rp=all"}
