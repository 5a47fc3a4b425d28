"""Aircall: one call however often it is told, and a token that is kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, Report, State, joined
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.instants import SECOND
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_instant
from app.intake.providers.aircall import read_fetched
from app.intake.receiving import received
from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake import conformance
from tests.intake.aircall_events import (
    ANSWERED,
    CALL_ID,
    ENDED,
    SATO,
    STARTED,
    SUZUKI,
    TOKEN,
    call,
    event,
    inbound,
    posted,
    told,
)
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    failing,
    hook_of,
    states,
)

HOOKED = hook_of("aircall")
VOICEMAIL = "https://assets.aircall.example/calls/1/voicemail?sig=f00dfeed"


def read(request: HookRequest) -> Delivery:
    return conformance.read("aircall", request)


def report(request: HookRequest) -> Report:
    delivery = read(request)
    assert not delivery.refused
    (item,) = delivery.items
    return item.report


def fields(found: Report | State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name != KIND}


def nothing(request: HookRequest) -> bool:
    delivery = read(request)
    return (delivery.items, delivery.refused) == ((), ())


def test_the_token_in_the_body_is_the_proof_and_each_of_its_letters_counts() -> None:
    request = told("call.ended", call())
    HOOKED.verify(request)
    start = request.body.index(TOKEN.encode())
    flipped = [
        request.body[:n] + bytes([request.body[n] ^ 1]) + request.body[n + 1 :]
        for n in range(start, start + len(TOKEN))
    ]
    assert len(flipped) == 32
    assert_refused("aircall", [replace(request, body=body) for body in flipped])


@pytest.mark.parametrize(
    "token", [None, "", 45, [TOKEN], {"token": TOKEN}, TOKEN[:-1], TOKEN + " ", TOKEN.upper()]
)
def test_any_other_token_is_refused(token: Any) -> None:
    assert_refused("aircall", [posted(event("call.ended", call(), token=token))])


def test_a_token_that_stands_anywhere_else_proves_nothing() -> None:
    without = event("call.ended", call())
    del without["token"]
    inside = event("call.ended", call(token=TOKEN)) | {"token": "another"}
    twice = posted(None, body=b'{"token":"x",' + told("call.ended", call()).body[1:])
    header = replace(posted(without), headers={"token": TOKEN, "authorization": f"Bearer {TOKEN}"})
    assert_refused("aircall", [posted(without), posted(inside), twice, header])


def test_neither_the_token_nor_an_address_of_a_recording_is_kept() -> None:
    raw = received(HOOKED, told("call.ended", inbound(voicemail=VOICEMAIL)), failing).raw
    assert raw
    assert not raw.altered
    assert TOKEN.encode() not in raw.body
    assert b"f00dfeed" not in raw.body


def test_a_call_that_was_made_and_answered() -> None:
    found = report(told("call.ended", call()))
    assert (found.source, found.key, found.full) == ("air", str(CALL_ID), False)
    assert fields(found) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:00Z",
        "ended_at": "2026-12-10T05:31:47Z",
        "duration_seconds": 107,
        "talk_seconds": 95,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }


def test_it_counts_once_as_a_call_and_once_as_a_connected_one() -> None:
    state = joined([report(told("call.hungup", call(), ENDED)), report(told("call.ended", call()))])
    for preset, worth in (("calls", (1, 0)), ("connected_calls", (1, 0)), ("talk_time", (1, 95))):
        made = contribution(PRESETS[preset], state, "JPY")
        assert isinstance(made, Contribution), preset
        assert ((made.number, made.total), made.identity) == (worth, "sato@example.co.jp"), preset


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (call(answered_at=None), ("outbound", "no_answer", 0)),
        (inbound(), ("inbound", "connected", 95)),
        (inbound(answered_at=None, user=None), ("inbound", "no_answer", 0)),
        (inbound(answered_at=None, user=None, voicemail=VOICEMAIL), ("inbound", "voicemail", 0)),
        # An agent answered, and passed the call on to somebody's voicemail.
        (inbound(voicemail=VOICEMAIL), ("inbound", "connected", 95)),
        # Answered, and nobody is named who did: it may have been an announcement or a machine.
        (inbound(user=None), ("inbound", None, None)),
        (call(user=None), ("outbound", "connected", 95)),
        (call(ended_at=None), ("outbound", "connected", None)),
        (call(ended_at=ANSWERED - 1), ("outbound", "connected", 0)),
    ],
)
def test_what_became_of_a_call(data: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = report(told("call.ended", data)).fields
    labels = ("direction", "outcome", "talk_seconds")
    assert tuple(found.get(label) for label in labels) == expected


@pytest.mark.parametrize(
    ("user", "agent"),
    [
        (SATO, "sato@example.co.jp"),
        (SATO | {"email": None}, "901"),
        ({"id": 2**63 - 1}, str(2**63 - 1)),
        ({}, None),
        (None, None),
    ],
)
def test_who_made_the_call(user: Any, agent: str | None) -> None:
    assert report(told("call.ended", call(user=user))).fields.get("agent") == agent


@pytest.mark.parametrize(
    ("digits", "counterpart"),
    [
        ("+81 90-1234-5678", "+819012345678"),
        ("+1 (800) 123.4567", "+18001234567"),
        ("anonymous", None),
        ("", None),
        (None, None),
    ],
)
def test_the_other_side_is_a_number_without_decoration(
    digits: str | None, counterpart: str | None
) -> None:
    found = report(told("call.ended", call(raw_digits=digits)))
    assert found.fields.get("counterpart") == counterpart


def test_ids_of_64_bits_stay_whole() -> None:
    assert report(told("call.ended", call(id=2**63 - 1))).key == "9223372036854775807"
    assert report(told("call.ended", call(id="123"))).key == "123"


# A customer calls, Suzuki's phone rings in vain, Sato answers and passes the call on to Suzuki.
RINGING = {"status": "initial", "answered_at": None, "ended_at": None, "duration": 0}
TALKING = {"status": "answered", "ended_at": None, "duration": 0}
STORY = [
    told("call.created", inbound(**RINGING, user=None), STARTED),
    told("call.ringing_on_agent", inbound(**RINGING, user=SUZUKI), STARTED + 1),
    told("call.agent_declined", inbound(**RINGING, user=SUZUKI), STARTED + 5),
    told("call.answered", inbound(**TALKING), ANSWERED),
    told("call.transferred", inbound(**TALKING, transferred_by=SATO), ANSWERED + 40),
    # Whoever hangs up first, the user may be left out.
    told("call.hungup", inbound(user=None), ENDED),
    told("call.ended", inbound(user=SUZUKI, transferred_by=SATO, transferred_to=SUZUKI)),
    told("call.assigned", inbound(user=SUZUKI, assigned_to=SATO), ENDED + 60),
    told("call.tagged", inbound(user=SUZUKI, tags=[{"id": 1, "name": "商談"}]), ENDED + 90),
    told("call.comm_assets_generated", inbound(user=SUZUKI), ENDED + 30),
]


def test_a_transfer_to_a_teammate_is_one_call_in_any_order_of_its_events() -> None:
    deliveries = [read(request) for request in STORY]
    assert_any_order_ends_alike(deliveries)
    ((key, state),) = states(deliveries).items()
    assert key == str(CALL_ID)
    assert (state.fields["outcome"], state.fields["talk_seconds"]) == ("connected", 95)
    assert state.fields["agent"] == "suzuki@example.co.jp"


@pytest.mark.parametrize("lost", range(len(STORY)))
def test_any_event_may_be_lost_but_the_last_that_tells_of_the_end(lost: int) -> None:
    kept = [read(request) for n, request in enumerate(STORY) if n != lost]
    whole = states([read(request) for request in STORY])[str(CALL_ID)]
    assert states(kept)[str(CALL_ID)].fields == whole.fields


def test_nothing_is_told_of_a_call_that_rings_or_goes_on() -> None:
    assert all(nothing(request) for request in STORY[:5])


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("call.hungup", {"status": "done", "ended_at": None}),
        ("call.hungup", {"status": "answered"}),
        ("call.ended", {"status": "answered", "ended_at": None}),
    ],
)
def test_a_call_is_over_when_any_of_three_says_so(name: str, more: dict[str, Any]) -> None:
    assert report(told(name, call(**more))).fields["outcome"] == "connected"
    assert nothing(told("call.hungup", call(status="answered", ended_at=None)))


def test_a_voicemail_that_is_left_within_the_second_of_the_end_is_the_later_telling() -> None:
    missed = inbound(answered_at=None, user=None)
    deliveries = [
        read(told("call.hungup", missed, ENDED)),
        read(told("call.voicemail_left", missed | {"voicemail": VOICEMAIL}, ENDED)),
        read(told("call.ended", missed | {"voicemail": VOICEMAIL})),
    ]
    assert_any_order_ends_alike(deliveries)
    assert states(deliveries)[str(CALL_ID)].fields["outcome"] == "voicemail"
    stamps = [item.report.stamp for one in deliveries for item in one.items]
    assert stamps[0].version != stamps[1].version


def test_a_repetition_hours_later_is_the_same_report() -> None:
    request = told("call.ended", call())
    late = replace(request, received_at=request.received_at + 12 * 3600 * SECOND)
    assert report(late) == report(request)


def test_the_second_call_of_a_transfer_to_a_number_counts_unless_the_number_is_ours() -> None:
    # Aircall makes a call of its own of it, and nothing in it names the first one.
    leg = told("call.ended", call(id=CALL_ID + 1, raw_digits="+81 3-9999-0001"))
    assert report(leg).key == str(CALL_ID + 1)
    ours = Settings({"internal_numbers": ("+81 3 9999 0001", "+81312340000")})
    assert nothing(replace(leg, settings=ours))
    assert report(replace(told("call.ended", call()), settings=ours)).key == str(CALL_ID)
    withheld = replace(told("call.ended", call(raw_digits="anonymous")), settings=ours)
    assert report(withheld).key == str(CALL_ID)


def test_other_resources_count_as_nothing() -> None:
    for name in ("contact.created", "user.closed", "message.sent", "call_evaluation.created"):
        # Whatever they hold, be it what a call would.
        assert nothing(told(name, call(), resource=name.partition(".")[0])), name


def refused(request: HookRequest) -> Refused:
    (found,) = read(request).refused
    return found


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"direction": "sideways"}, ("/data/direction", "unknown_value")),
        ({"direction": None}, ("/data/direction", "required")),
        ({"id": None}, ("/data/id", "not_an_id")),
        ({"id": True}, ("/data/id", "not_an_id")),
        ({"id": "12 or 1=1"}, ("/data/id", "not_an_id")),
        ({"started_at": None}, ("/data/started_at", "required")),
        ({"started_at": STARTED * 1000}, ("/data/started_at", "not_a_time")),
        ({"started_at": 10**14}, ("/data/started_at", "not_a_time")),
        ({"started_at": 5}, ("/data/started_at", "not_a_time")),
        ({"started_at": "2026-12-10T05:30:00"}, ("/data/started_at", "not_an_integer")),
        ({"started_at": STARTED + 30 * 86_400}, ("/data/started_at", "time_too_far_ahead")),
        ({"answered_at": 1.5}, ("/data/answered_at", "not_an_integer")),
        ({"ended_at": -1}, ("/data/ended_at", "not_an_integer")),
        ({"user": "sato"}, ("/data/user", "not_an_object")),
        ({"user": {"email": " "}}, ("/data/user/email", "not_a_name")),
        ({"raw_digits": 819012345678}, ("/data/raw_digits", "not_a_text")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = refused(told("call.ended", call(**more)))
    assert [(fault.pointer, fault.code) for fault in found.error.faults] == [expected]


def test_a_refusal_says_which_call_it_is_about() -> None:
    found = refused(told("call.ended", call(direction="sideways")))
    assert found.id == str(CALL_ID)
    assert found.about == (str(CALL_ID), of_instant((ENDED + 30) * SECOND))
    assert TOKEN not in found.content


@pytest.mark.parametrize("at", [None, "soon", 1.5, -1, 10**14])
def test_an_event_without_its_time_is_refused(at: Any) -> None:
    (fault,) = refused(told("call.ended", call(), timestamp=at)).error.faults
    assert fault.pointer == "/timestamp"


@pytest.mark.parametrize("cost", ["0", "0.0420", None, 3, "free"])
def test_what_a_call_cost_is_no_matter(cost: Any) -> None:
    assert report(told("call.ended", call(cost=cost))) == report(told("call.ended", call()))


def fetched(document: dict[str, Any], settings: Settings = NO_SETTINGS) -> Item | Refused | None:
    named = document | {"sid": document.get("call_uuid")}
    return read_fetched("call", named, settings, source="air", now=told("x", None).received_at)


def test_the_api_tells_the_same_call_as_of_its_end() -> None:
    item = fetched(call())
    assert isinstance(item, Item)
    pushed = report(told("call.ended", call()))
    assert (item.report.source, item.report.key) == (pushed.source, pushed.key)
    assert item.report.fields == pushed.fields
    assert item.report.stamp.revision < pushed.stamp.revision


def test_of_a_call_that_goes_on_or_is_ours_the_api_tells_nothing() -> None:
    assert fetched(call(status="answered", ended_at=None)) is None
    ours = Settings({"internal_numbers": ("+819012345678",)})
    assert fetched(call(), ours) is None
    assert read_fetched("user", call(), NO_SETTINGS, source="air", now=0) is None


def test_an_object_of_the_api_that_cannot_be_used_is_refused() -> None:
    for more in ({"direction": 7}, {"id": None}, {"ended_at": "soon"}, {"ended_at": 10**14}):
        assert isinstance(fetched(call(**more)), Refused)


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(sorted(call())), JUNK), JUNK | st.just(ENDED))
def test_any_values_of_a_call_are_read_or_refused(changed: dict[str, Any], at: Any) -> None:
    delivery = read(told("call.ended", call(**changed), timestamp=at))
    assert len(delivery.items) + len(delivery.refused) <= 1
    fetched(call(**changed))
