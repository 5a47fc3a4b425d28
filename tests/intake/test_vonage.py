"""Vonage: tokens that Vonage's own code confirms, and one call of the legs of a conversation."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from vonage_jwt import VonageVerifyJwtError, verify_signature

from app.domain.activities import KIND, Report, State
from app.domain.deliveries import Delivery, Refused
from app.domain.instants import DAY, SECOND, instant
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.receiving import received
from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    failing,
    flipped_bodies,
    flipped_headers,
    hook_of,
    states,
)
from tests.intake.senders import NOW
from tests.intake.vonage_events import (
    APPLICATION,
    CON,
    CUSTOMER,
    LEG,
    LINE,
    OLD,
    OTHER,
    OURS,
    SATO,
    SECRET,
    SUZUKI,
    THIRD,
    completed,
    event,
    signed,
    unanswered,
)

HOOKED = hook_of("vonage")
APP = {"from": None, "from_user": "sato"}


def read(request: HookRequest) -> Delivery:
    return conformance.read("vonage", request)


def reports(*events: dict[str, Any], settings: Settings = OURS) -> list[Report]:
    deliveries = [read(signed(one, settings=settings)) for one in events]
    assert not any(one.refused for one in deliveries)
    return [item.report for one in deliveries for item in one.items]


def calls(*events: dict[str, Any], settings: Settings = OURS) -> dict[str, State]:
    deliveries = [read(signed(one, settings=settings)) for one in events]
    assert_any_order_ends_alike(deliveries, rounds=20)
    return states(deliveries)


def call(*events: dict[str, Any], settings: Settings = OURS) -> State:
    """The one call that these events come to, in any order."""
    ((key, state),) = calls(*events, settings=settings).items()
    assert key == CON
    return state


def told(state: State, *labels: str) -> tuple[Any, ...]:
    return tuple(state.fields.get(label) for label in labels)


def counted(state: State) -> list[str]:
    """What of the presets it counts in."""
    return [
        name
        for name in ("calls", "connected_calls", "inbound_calls", "talk_time")
        if isinstance(contribution(PRESETS[name], state, "JPY"), Contribution)
    ]


# The proof.


def token_of(request: HookRequest) -> str:
    return request.headers["authorization"].partition(" ")[2]


def once(document: Any, key: str = SECRET) -> HookRequest:
    """Signed and received long ago: Vonage's own code wants a time before the machine's."""
    at = instant("2024-01-01T00:00:00Z")
    return replace(signed(document, key=key, iat=at // SECOND), received_at=at)


def test_what_vonages_own_code_confirms_is_authentic_and_what_it_refuses_is_not() -> None:
    for key in (SECRET, OLD):
        request = once(completed(), key)
        assert verify_signature(token_of(request), key)
        HOOKED.verify(request)
    foreign = once(completed(), SECRET + "x")
    assert not verify_signature(token_of(foreign), SECRET)
    assert_refused("vonage", [foreign, replace(signed(completed()), credentials={})])


def test_every_byte_of_the_body_and_every_letter_of_the_token_counts() -> None:
    request = signed({"status": "ringing"})
    HOOKED.verify(request)
    assert_refused("vonage", flipped_bodies(request))
    flipped = list(flipped_headers(request, "authorization"))
    scheme = len("Bearer")
    # Of the scheme the case of a letter is no matter; each of these is another letter.
    assert_refused("vonage", flipped[:scheme])
    assert_refused("vonage", flipped[scheme + 1 :])


def test_a_genuine_token_proves_no_other_body() -> None:
    genuine, other = once(completed()), once(completed(duration="9999"))
    stolen = replace(other, headers=genuine.headers)
    # Its signature is good, and Vonage's own code would be content with that.
    assert verify_signature(token_of(stolen), SECRET)
    assert_refused("vonage", [stolen])


@pytest.mark.parametrize(
    "claims",
    [
        {"payload_hash": None},
        {"payload_hash": ""},
        {"payload_hash": 5},
        {"payload_hash": "0" * 64},
        {"iat": None},
        {"iat": str(NOW // SECOND - 2 * DAY // SECOND)},
        {"iat": NOW // SECOND - 25 * 3600},
        {"iat": NOW // SECOND + 25 * 3600},
        {"iat": 1.5},
        {"iat": "now"},
    ],
)
def test_a_token_without_its_claims_is_refused(claims: dict[str, Any]) -> None:
    assert_refused("vonage", [signed(completed(), **claims)])


def test_a_repetition_with_the_first_token_is_taken_for_a_day() -> None:
    request = signed(completed())
    late = replace(request, received_at=NOW + 23 * 3600 * SECOND)
    assert read(late).items == read(request).items
    assert_refused("vonage", [replace(request, received_at=NOW + 25 * 3600 * SECOND)])


def test_no_other_algorithm_is_followed() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    request = once(completed())
    claims = jwt.decode(token_of(request), SECRET, algorithms=["HS256"])
    tokens = [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, SECRET, algorithm="HS512"),
        jwt.encode(claims, key, algorithm="RS256"),
    ]
    for token in tokens:
        with pytest.raises(VonageVerifyJwtError):
            verify_signature(token, SECRET)
        forged = {**request.headers, "authorization": f"Bearer {token}"}
        assert_refused("vonage", [replace(request, headers=forged)])


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a.b", "Bearer ..."]
)
def test_what_is_not_signed_is_refused(header: str) -> None:
    request = signed(completed())
    headers = {**request.headers, "authorization": header}
    assert_refused("vonage", [replace(request, headers=headers), replace(request, headers={})])


def test_claims_that_are_no_object_prove_nothing() -> None:
    request = signed(completed())
    for payload in (b"[]", b"7", b"{", b"\xff"):
        token = jwt.api_jws.encode(payload, SECRET, algorithm="HS256")
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        assert_refused("vonage", [replace(request, headers=headers)])


def test_another_application_of_the_account_is_refused_where_one_is_named() -> None:
    named = Settings({**OURS.values, "application_id": APPLICATION})
    HOOKED.verify(signed(completed(), settings=named))
    for other in ("aaaaaaaa-bbbb-cccc-dddd-000000000000", "", None, 7):
        assert_refused("vonage", [signed(completed(), settings=named, application_id=other)])
    HOOKED.verify(signed(completed(), application_id=None))


def test_the_token_is_not_kept() -> None:
    raw = received(HOOKED, signed(completed()), failing).raw
    assert raw
    assert not raw.altered
    assert dict(raw.headers) == {}


# What a call is.

TO_CUSTOMER = completed()
FROM_CUSTOMER = completed(**{"from": CUSTOMER, "to": LINE, "direction": "inbound"})


def test_a_call_that_was_made_and_answered() -> None:
    state = call(TO_CUSTOMER)
    assert {name: value for name, value in state.fields.items() if name != KIND} == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:12Z",
        "ended_at": "2026-12-10T05:31:47Z",
        "duration_seconds": 95,
        "talk_seconds": 95,
        "counterpart": "+819012345678",
    }
    assert {report.source for report in reports(TO_CUSTOMER)} == {"vg"}
    assert counted(state) == ["calls", "connected_calls", "talk_time"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("busy", "busy"),
        ("cancelled", "canceled"),
        ("unanswered", "no_answer"),
        ("timeout", "no_answer"),
        ("rejected", "failed"),
        ("failed", "failed"),
        ("BUSY", "busy"),
    ],
)
def test_what_became_of_a_call_stands_over_that_it_completed(status: str, outcome: str) -> None:
    for events in ([event(status)], [event(status), unanswered()]):
        state = call(*events)
        assert told(state, "outcome", "talk_seconds", "direction") == (outcome, 0, "outbound")
        assert counted(state) == ["calls", "talk_time"]


def test_that_a_leg_completed_does_not_say_that_anybody_answered() -> None:
    for more in (
        {},
        {"start_time": ""},
        {"duration": None},
        {"start_time": "2026-12-10T05:30:12Z"},
    ):
        state = call(unanswered(**more))
        assert told(state, "outcome", "talk_seconds") == ("no_answer", 0)
    assert call(completed(duration=None)).fields["talk_seconds"] == 95


def test_a_machine_that_answered_is_no_connection() -> None:
    machine = event("machine", uuid=None, call_uuid=LEG, direction=None)
    state = call(machine, TO_CUSTOMER)
    assert told(state, "outcome", "talk_seconds") == ("voicemail", 0)
    human = event("human", uuid=None, call_uuid=LEG, direction=None)
    assert call(human, TO_CUSTOMER).fields["outcome"] == "connected"
    # Somebody of ours let it ring to his own voicemail: told of no customer.
    assert reports(machine | {"to": SATO}) == []


# A customer calls; Sato's telephone rings in vain, Suzuki's is answered.
RINGS_SATO = event("timeout", uuid=OTHER, to=SATO)
REACHES_SUZUKI = completed(uuid=THIRD, to=SUZUKI, duration="60")


def test_a_call_that_comes_in_is_of_whom_it_reached() -> None:
    state = call(FROM_CUSTOMER, RINGS_SATO, unanswered(uuid=OTHER, to=SATO), REACHES_SUZUKI)
    assert told(state, "direction", "counterpart") == ("inbound", "+819012345678")
    assert told(state, "outcome", "talk_seconds") == ("connected", 60)
    assert state.fields["agent"] == "+818011110002"
    assert counted(state) == ["inbound_calls", "talk_time"]


def test_a_call_that_comes_in_and_reaches_nobody() -> None:
    state = call(FROM_CUSTOMER, RINGS_SATO)
    assert told(state, "outcome", "talk_seconds", "agent") == ("no_answer", 0, None)
    # A menu that answered is nobody: what became of it is not known.
    alone = call(FROM_CUSTOMER)
    assert told(alone, "direction", "outcome", "talk_seconds") == ("inbound", None, None)


def test_a_call_that_is_passed_on_is_one_and_whose_it_was_at_last() -> None:
    first = completed(uuid=OTHER, to=SATO, timestamp="2026-12-10T05:30:50.000Z")
    state = call(FROM_CUSTOMER, first, REACHES_SUZUKI)
    assert state.fields["agent"] == "+818011110002"


def test_a_number_that_is_not_ours_makes_no_second_call_of_one_that_came_in() -> None:
    elsewhere = completed(uuid=OTHER, to="81355556666", duration="40")
    state = call(FROM_CUSTOMER, elsewhere)
    assert told(state, "direction", "counterpart") == ("inbound", "+819012345678")
    assert told(state, "outcome", "talk_seconds") == ("connected", 40)


# Sato calls a customer from the browser, by an app's leg.
FROM_APP = completed(**APP, uuid=OTHER, to=CUSTOMER, direction="inbound", duration="107")


def test_an_apps_user_who_calls_out_made_the_call() -> None:
    state = call(FROM_APP, TO_CUSTOMER)
    assert told(state, "direction", "outcome", "talk_seconds", "agent") == (
        "outbound",
        "connected",
        95,
        "sato",
    )
    assert state.fields["duration_seconds"] == 95
    busy = call(FROM_APP, event("busy"))
    assert told(busy, "outcome", "talk_seconds", "agent") == ("busy", 0, "sato")


def test_a_call_that_is_passed_on_stays_of_whom_it_was_made_by() -> None:
    passed = completed(uuid=THIRD, to=SUZUKI, timestamp="2026-12-10T05:40:00.000Z")
    state = call(FROM_APP, TO_CUSTOMER, passed)
    assert told(state, "direction", "talk_seconds", "agent") == ("outbound", 95, "sato")


def test_where_the_customers_leg_was_lost_it_is_a_call_of_unknown_end() -> None:
    state = call(FROM_APP)
    assert told(state, "direction", "outcome", "agent") == ("outbound", None, "sato")
    assert counted(state) == ["calls"]


def test_a_call_by_api_that_rings_ours_first_is_made_once_the_customer_is_called() -> None:
    # Sato's own telephone is called, he answers, and the customer is dialled.
    first = completed(uuid=OTHER, to=SATO, duration="120")
    assert counted(call(first)) == []
    state = call(first, TO_CUSTOMER)
    assert told(state, "direction", "outcome", "talk_seconds", "agent") == (
        "outbound",
        "connected",
        95,
        "+818011110001",
    )
    declined = call(first, event("unanswered"), unanswered())
    assert told(declined, "outcome", "talk_seconds") == ("no_answer", 0)
    never = call(event("timeout", uuid=OTHER, to=SATO))
    assert counted(never) == []


def test_a_number_of_ones_own_that_is_shown_to_the_customer_says_who_called() -> None:
    assert call(completed(**{"from": SATO})).fields["agent"] == "+818011110001"


def test_calls_among_ours_make_no_call() -> None:
    between = [
        completed(**APP, uuid=LEG, to="suzuki", direction="inbound"),
        completed(uuid=OTHER, to="suzuki"),
        completed(uuid=THIRD, to=LINE),
        completed(uuid=THIRD, to="wss://bot.example/socket"),
        completed(uuid=THIRD, to="sip:301@pbx.example;transport=tls"),
    ]
    assert reports(between[0], *between[2:4]) == []
    assert counted(call(*between)) == []
    assert call(between[-1]).fields["agent"] == "301"


def test_a_conversation_that_legs_were_brought_into_counts_by_its_customer() -> None:
    """Each leg began in a conversation of its own, and may still be told of under that."""
    moved = "CON-00000000-0000-0000-0000-000000000009"
    transfer = {
        "type": "transfer",
        "uuid": LEG,
        "conversation_uuid_from": CON,
        "conversation_uuid_to": moved,
        "timestamp": "2026-12-10T05:30:30.000Z",
    }
    for customers, ours in itertools.product((CON, moved), ("CON-2", moved)):
        events = [
            FROM_CUSTOMER | {"conversation_uuid": customers},
            REACHES_SUZUKI | {"conversation_uuid": ours},
            transfer,
        ]
        found = [counted(state) for state in calls(*events).values()]
        assert sum("inbound_calls" in one for one in found) == 1


def test_a_dialler_counts_each_leg_to_a_customer() -> None:
    by_leg = Settings({**OURS.values, "count_by": "leg"})
    events = [
        FROM_APP,
        completed(uuid=LEG, **{"from": SATO}),
        completed(uuid=THIRD, to="819055556666"),
        event("busy", uuid="another", to="819077778888"),
    ]
    found = calls(*events, settings=by_leg)
    assert set(found) == {LEG, THIRD, "another"}
    assert all("calls" in counted(state) for state in found.values())
    assert found[LEG].fields["agent"] == "+818011110001"
    assert len(calls(*events)) == 1


def test_without_a_conversation_the_leg_is_the_call() -> None:
    assert set(calls(completed(conversation_uuid=None))) == {LEG}


def test_without_settings_every_number_is_a_customer() -> None:
    state = call(TO_CUSTOMER, settings=NO_SETTINGS)
    assert told(state, "direction", "agent") == ("outbound", None)


@pytest.mark.parametrize("caller", ["unknown", "anonymous", "Restricted", None, ""])
def test_a_withheld_number_is_a_customer_without_one(caller: str | None) -> None:
    state = call(completed(**{"from": caller, "to": LINE, "direction": "inbound"}))
    assert told(state, "direction", "counterpart") == ("inbound", None)


def test_no_two_reports_share_a_revision_and_all_have_one_width() -> None:
    events = [FROM_CUSTOMER, RINGS_SATO, REACHES_SUZUKI, FROM_APP, TO_CUSTOMER, event("busy")]
    # Rung together, and given up in the same moment.
    events += [RINGS_SATO, RINGS_SATO | {"to": SUZUKI}]
    found = reports(*(one | {"uuid": f"leg-{n}"} for n, one in enumerate(events)))
    revisions = [report.stamp.revision for report in found]
    assert len(set(revisions)) == len(revisions)
    assert len({len(revision) for revision in revisions}) == 1
    assert not any(report.full for report in found)


@pytest.mark.parametrize(
    "document",
    [
        *(event(status) for status in ("started", "ringing", "answered", "human", "input")),
        event("answered", start_time=None),
        {"type": "transfer", "uuid": LEG, "conversation_uuid_from": CON},
        {"recording_url": "https://api.nexmo.com/v1/files/1", "conversation_uuid": CON},
        {"reason": "Syntax error in NCCO.", "conversation_uuid": CON},
        {"dtmf": {"digits": "42"}, "uuid": LEG},
        {"status": ["completed"]},
        {},
    ],
)
def test_what_tells_no_end_is_acknowledged_and_not_counted(document: dict[str, Any]) -> None:
    delivery = read(signed(document))
    assert (delivery.items, delivery.refused) == ((), ())


def refused(request: HookRequest) -> Refused:
    (found,) = read(request).refused
    return found


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"direction": "sideways"}, ("/direction", "unknown_value")),
        ({"direction": None}, ("/direction", "required")),
        ({"uuid": None}, ("/uuid", "required")),
        ({"uuid": " "}, ("/uuid", "not_a_name")),
        ({"uuid": 7}, ("/uuid", "not_a_text")),
        ({"conversation_uuid": "C\n"}, ("/conversation_uuid", "not_a_name")),
        ({"timestamp": None}, ("/timestamp", "required")),
        ({"timestamp": "2026-12-10T05:31:46"}, ("/timestamp", "time_without_offset")),
        ({"timestamp": "soon"}, ("/timestamp", "not_a_time")),
        ({"start_time": "2026-12-10 05:30:12"}, ("/start_time", "time_without_offset")),
        ({"end_time": "2027-12-10T05:30:12Z"}, ("/end_time", "time_too_far_ahead")),
        ({"duration": "1m"}, ("/duration", "not_an_integer")),
        ({"duration": "-5"}, ("/duration", "not_an_integer")),
        ({"duration": "99999999"}, ("/duration", "out_of_range")),
        ({"to": 819012345678}, ("/to", "not_a_text")),
        ({"from": ["x"]}, ("/from", "not_a_text")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = refused(signed(completed(**more)))
    assert [(fault.pointer, fault.code) for fault in found.error.faults] == [expected]


def test_a_machine_event_without_its_own_name_of_the_leg_is_refused() -> None:
    (fault,) = refused(signed(event("machine"))).error.faults
    assert (fault.pointer, fault.code) == ("/call_uuid", "required")


def test_a_refusal_shows_what_was_told() -> None:
    found = refused(signed(completed(direction="sideways")))
    assert found.id == LEG
    assert json.loads(found.content)["direction"] == "sideways"


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(sorted(completed())), JUNK), st.sampled_from([{}, APP]))
def test_any_values_of_an_event_are_read_or_refused(
    changed: dict[str, Any], caller: dict[str, Any]
) -> None:
    delivery = read(signed(completed(**caller) | changed))
    assert not (delivery.items and delivery.refused)
    assert len({item.report.key for item in delivery.items}) <= 1
