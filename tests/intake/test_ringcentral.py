"""RingCentral: of three answers and three endings one call, and calls among ours are none."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, State, joined
from app.domain.deliveries import Delivery
from app.domain.errors import Unauthenticated
from app.intake.requests import Connecting, HookRequest
from app.intake.source_settings import NO_SETTINGS
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_headers,
    hook_of,
    states,
)
from tests.intake.ringcentral_events import (
    CUSTOMER,
    INBOUND,
    INTERNAL,
    MENU,
    OURS,
    OUTBOUND,
    QUEUE,
    SATO,
    SESSION,
    SUZUKI,
    TANAKA,
    TOKEN,
    asked,
    called,
    caller,
    dialler,
    event,
    inside,
    internal,
    outside,
    party,
    posted,
    rung,
)
from tests.intake.senders import HOOK

HOOKED = hook_of("ringcentral")
Event = dict[str, Any]


def read(request: HookRequest) -> Delivery:
    return conformance.read("ringcentral", request)


def call(*events: Event, **settings: Any) -> State:
    """The one call that these come to, in whatever order."""
    deliveries = [read(posted(one, **settings)) for one in events]
    assert not any(delivery.refused for delivery in deliveries)
    assert_any_order_ends_alike(deliveries, rounds=20)
    found = states(deliveries)
    assert set(found) == {SESSION}
    return found[SESSION]


def fields(*events: Event, **settings: Any) -> dict[str, Any]:
    found = call(*events, **settings).fields
    return {name: value for name, value in found.items() if name != KIND}


def nothing(*events: Event) -> bool:
    deliveries = [read(posted(one)) for one in events]
    return not any(delivery.items or delivery.refused for delivery in deliveries)


def test_the_token_is_asked_for_with_every_event() -> None:
    request = posted(INBOUND[0])
    HOOKED.verify(request)
    assert_refused("ringcentral", flipped_headers(request, "verification-token"))
    assert_refused("ringcentral", [posted(INBOUND[0], token=None), posted({}, token="")])
    assert_refused("ringcentral", [replace(request, credentials={})])


def test_a_subscription_of_the_older_form_sends_it_under_the_handshakes_name() -> None:
    older = posted(INBOUND[0], token=None)
    older = replace(older, headers={**older.headers, "validation-token": TOKEN})
    assert HOOKED.handshake(older) is None
    assert read(older).items == read(posted(INBOUND[0])).items
    forged = replace(older, headers={**older.headers, "validation-token": "guessed"})
    assert_refused("ringcentral", [forged])


def test_at_subscribing_the_token_comes_back_as_a_header() -> None:
    answer = HOOKED.handshake(asked("4c5fd2a6-9c1b"))
    assert answer
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", b"")
    assert answer.headers == {"validation-token": "4c5fd2a6-9c1b"}
    assert HOOKED.handshake(asked("4c5f", verification_token=TOKEN))
    assert HOOKED.handshake(posted(INBOUND[0])) is None


def test_a_handshake_with_a_wrong_secret_or_what_cannot_be_sent_back_is_refused() -> None:
    for request in (
        asked("4c5f", verification_token="another"),
        asked("x" * 513),
        asked("a\r\nset-cookie: x=1"),
        asked("é"),
        asked(""),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.handshake(request)


def test_every_event_is_answered_200() -> None:
    answer = HOOKED.answer(posted(INBOUND[0]))
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", b"")


def test_three_answers_and_three_endings_are_one_inbound_call() -> None:
    assert fields(*INBOUND) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:05:43.940000Z",
        "ended_at": "2026-12-14T01:06:14.812000Z",
        "counterpart": CUSTOMER,
        "agent": SATO,
    }


def test_an_outbound_call_is_whose_who_dialled() -> None:
    assert fields(*OUTBOUND) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:19:21.663000Z",
        "ended_at": "2026-12-14T01:19:45.032000Z",
        "counterpart": CUSTOMER,
        "agent": SATO,
    }


def test_a_call_among_ours_is_none_though_its_caller_is_answered_twice() -> None:
    assert nothing(*INTERNAL)
    to_queue = party(1, "Outbound", "Answered", inside(SATO), inside(QUEUE), extension=SATO)
    orbit = {"phoneNumber": "*801"}
    parked = party(1, "Outbound", "Proceeding", inside(SATO), orbit, extension=SATO)
    short = party(2, "Inbound", "Answered", {"phoneNumber": "11104"}, inside(SATO), extension=SATO)
    for one in (to_queue, parked, short):
        assert nothing(event(4, "01:00:00.0", one))


def test_dialling_a_number_of_ours_is_known_for_that_a_moment_later() -> None:
    dialled = party(1, "Outbound", "Setup", inside(TANAKA), outside(OURS), extension=TANAKA)
    reached = party(1, "Outbound", "Answered", inside(TANAKA), inside(SATO), extension=TANAKA)
    assert nothing(event(2, "01:00:00.0", dialled), event(4, "01:00:00.1", reached))


def test_calls_are_one_whatever_was_lost() -> None:
    """RingCentral sends nothing twice: each half of a stream still tells the same."""
    for stream in (INBOUND, OUTBOUND):
        whole = fields(*stream)
        for kept in (stream[::2], stream[1::2], stream[5:]):
            found = fields(*kept)
            alike = ("direction", "outcome", "counterpart", "agent")
            assert [found[name] for name in alike] == [whole[name] for name in alike]


def test_it_counts_alike_where_parties_outside_are_not_told_of() -> None:
    for stream in (INBOUND, OUTBOUND):
        whole = fields(*stream)
        ours = [one for one in stream if "extensionId" in one["body"]["parties"][0]]
        assert len(ours) < len(stream)
        found = fields(*ours)
        alike = ("direction", "outcome", "counterpart", "agent")
        assert [found[name] for name in alike] == [whole[name] for name in alike]


def test_two_subscriptions_say_the_very_same() -> None:
    again = [one | {"uuid": f"9{one['uuid']}", "subscriptionId": "other"} for one in INBOUND]
    assert call(*INBOUND, *again) == call(*INBOUND)
    first, second = read(posted(INBOUND[6])), read(posted(again[6]))
    assert [item.report for item in first.items] == [item.report for item in second.items]


def test_any_order_of_single_reports_ends_alike() -> None:
    reports = [item.report for one in INBOUND for item in read(posted(one)).items]
    for seed in range(100):
        mixed = random.Random(seed).choices(reports, k=40) + reports
        random.Random(seed).shuffle(mixed)
        assert joined(mixed) == joined(reports)


def test_no_two_reports_share_a_revision_and_all_are_of_one_width() -> None:
    together = event(6, "01:05:52.6", *(rung(n, f"8096{n:05}", "Setup") for n in range(3, 40)))
    reports = [item.report for one in (*INBOUND, together) for item in read(posted(one)).items]
    revisions = [report.stamp.revision for report in reports]
    assert len(set(revisions)) == len(revisions)
    assert len({len(revision) for revision in revisions}) == 1


RUNG = [
    event(2, "01:00:00.0", caller("Setup")),
    event(3, "01:00:00.1", rung(2, QUEUE, "Setup")),
    event(4, "01:00:00.2", caller("Answered")),
    event(5, "01:00:00.3", rung(2, QUEUE, "Proceeding")),
    event(6, "01:00:01.0", rung(3, SATO, "Proceeding"), rung(4, TANAKA, "Proceeding")),
    event(7, "01:00:01.1", rung(5, SUZUKI, "Proceeding")),
]
TAKEN = [
    event(8, "01:00:09.0", rung(4, TANAKA, "Answered")),
    event(9, "01:00:09.1", rung(2, QUEUE, "Disconnected", reason="AgentAnswered")),
    event(10, "01:00:09.2", rung(3, SATO, "Disconnected", reason="AgentDropped")),
    event(11, "01:00:09.3", rung(5, SUZUKI, "Disconnected")),
    event(12, "01:02:00.0", rung(4, TANAKA, "Disconnected")),
    event(13, "01:02:00.1", caller("Disconnected")),
]


def test_a_queue_that_rings_many_is_one_call_of_who_answered() -> None:
    found = fields(*RUNG, *TAKEN)
    assert (found["outcome"], found["agent"]) == ("connected", TANAKA)
    assert (found["started_at"], found["ended_at"]) == (
        "2026-12-14T01:00:00Z",
        "2026-12-14T01:02:00.100000Z",
    )


def test_a_queue_that_nobody_answers_is_nobodys() -> None:
    gone = [
        event(8, "01:01:00.0", caller("Disconnected")),
        *(
            event(9 + n, "01:01:00.1", rung(3 + n, who, "Disconnected", missedCall=True))
            for n, who in enumerate((SATO, TANAKA, SUZUKI))
        ),
    ]
    found = fields(*RUNG, *gone)
    assert (found["direction"], found["outcome"]) == ("inbound", "no_answer")
    assert "agent" not in found


def test_a_machine_that_answers_is_nobody_once_it_is_known_for_one() -> None:
    answered = [*RUNG, event(8, "01:00:02.0", rung(2, QUEUE, "Answered")), *TAKEN[4:]]
    assert fields(*answered[:-2])["agent"] == QUEUE
    told = {"machine_extension_ids": [QUEUE, MENU]}
    found = fields(*answered, **told)
    assert (found["outcome"], "agent" in found) == ("no_answer", False)
    assert fields(*RUNG, answered[-3], *TAKEN, **told)["agent"] == TANAKA


def test_a_voicemail_stands_over_ringing_and_under_whoever_answers() -> None:
    left = [
        *RUNG[:3],
        event(5, "01:00:01.0", rung(2, SATO, "Proceeding")),
        event(6, "01:00:20.0", rung(2, SATO, "VoiceMail")),
        event(7, "01:00:50.0", rung(2, SATO, "Disconnected")),
        event(8, "01:00:50.1", caller("Disconnected")),
    ]
    found = fields(*left)
    assert (found["outcome"], found["agent"]) == ("voicemail", SATO)
    picked = event(7, "01:00:30.0", rung(2, SATO, "Answered"))
    assert fields(*left, picked)["outcome"] == "connected"
    box = event(6, "01:00:20.0", rung(2, QUEUE, "VoiceMailScreening"))
    found = fields(*RUNG, box, machine_extension_ids=[QUEUE])
    assert (found["outcome"], "agent" in found) == ("voicemail", False)


def test_a_blind_transfer_is_one_call_of_the_last_who_answered() -> None:
    passed = [
        *INBOUND[:9],
        event(11, "01:06:14.8", rung(3, SATO, "Disconnected", reason="BlindTransfer")),
        event(12, "01:06:14.9", rung(4, TANAKA, "Setup")),
        event(13, "01:06:20.0", rung(4, TANAKA, "Answered")),
        event(14, "01:08:00.0", rung(4, TANAKA, "Disconnected")),
        event(15, "01:08:00.1", caller("Disconnected")),
    ]
    found = fields(*passed)
    assert (found["agent"], found["ended_at"]) == (TANAKA, "2026-12-14T01:08:00.100000Z")
    vain = [one for one in passed if one["body"]["sequence"] != 13]
    assert fields(*vain)["agent"] == SATO
    # Passing on is no end: the call goes on.
    assert {"ended_at", "outcome"} & fields(passed[9]).keys() == set()


def test_consulting_a_colleague_first_is_a_session_among_ours() -> None:
    held = event(10, "01:06:04.6", rung(3, SATO, "Hold"))
    gone = rung(3, SATO, "Gone", reason="AttendedTransfer")
    gone["status"]["peerId"] = {"telephonySessionId": "s-other", "partyId": "p-other-2"}
    found = fields(*INBOUND[:8], held, event(11, "01:07:00.0", gone), INBOUND[-1])
    assert (found["outcome"], found["agent"]) == ("connected", SATO)
    consulting = [one | {"body": one["body"] | {"telephonySessionId": "s-9"}} for one in INTERNAL]
    assert nothing(*consulting)


def test_an_outbound_call_that_is_passed_on_stays_its_callers() -> None:
    passed = [
        *OUTBOUND[:7],
        event(9, "01:19:45.0", dialler("Disconnected", reason="BlindTransfer")),
        event(10, "01:19:45.1", rung(3, TANAKA, "Setup")),
        event(11, "01:19:50.0", rung(3, TANAKA, "Answered")),
        event(12, "01:21:00.0", called("Disconnected")),
    ]
    found = fields(*passed)
    assert (found["direction"], found["agent"]) == ("outbound", SATO)
    assert found["ended_at"] == "2026-12-14T01:21:00Z"


def test_an_inbound_call_that_is_passed_to_a_number_outside_stays_inbound() -> None:
    passed = party(4, "Inbound", "Answered", inside(SATO), outside("+818099990000"))
    found = fields(*INBOUND[:9], event(12, "01:06:15.0", passed), INBOUND[-1])
    assert (found["direction"], found["counterpart"]) == ("inbound", CUSTOMER)
    assert (found["outcome"], found["agent"]) == ("connected", SATO)
    # Also where the customer's own party is heard of only at the end.
    gone = event(13, "01:07:00.0", caller("Disconnected"))
    late = fields(event(12, "01:06:15.0", passed), gone)
    assert (late["direction"], late["counterpart"]) == ("inbound", CUSTOMER)


def test_a_call_that_is_forwarded_from_outside_to_outside_tells_nobodys_side() -> None:
    forwarded = party(4, "Inbound", "Answered", outside(), outside("+818099990000"))
    assert nothing(event(4, "01:06:15.0", forwarded))


def test_of_two_who_answer_in_one_moment_the_later_in_sequence_stands() -> None:
    for first, second in ((3, 4), (4, 3)):
        one = event(8, "01:06:00.001", rung(first, SATO, "Answered"))
        other = event(9, "01:06:00.001", rung(second, TANAKA, "Answered"))
        assert fields(one, other)["agent"] == TANAKA


def test_parking_is_no_answer() -> None:
    parked = event(5, "01:00:01.0", rung(2, SATO, "Parked"))
    found = fields(*RUNG[:3], parked, event(6, "01:01:00.0", caller("Disconnected")))
    assert (found["outcome"], "agent" in found) == ("no_answer", False)
    picked = event(7, "01:00:30.0", rung(3, TANAKA, "Answered", reason="Pickup"))
    assert fields(*INBOUND[:8], event(10, "01:06:05.0", caller("Parked")), picked)["agent"] == SATO


def test_whoever_supervises_is_no_agent() -> None:
    watching = party(4, "Outbound", "Answered", inside(SUZUKI, "101"), inside(SATO, "108"))
    watching |= {"extensionId": SUZUKI}
    watching["status"]["reason"] = "Supervising"
    barging = rung(5, SUZUKI, "Answered", reason="Supervising")
    late = [event(20, "01:06:10.0", watching), event(21, "01:06:11.0", barging)]
    assert nothing(*late)
    assert fields(*INBOUND, *late) == fields(*INBOUND)


def test_a_conference_is_another_session_and_no_call_of_its_own() -> None:
    host = party(1, "Outbound", "Answered", inside(SATO), outside(), extension=SATO)
    bridge = event(3, "01:10:00.0", host, origin={"type": "Conference"}, sessionId="0")
    assert nothing(bridge)
    merged = event(9, "01:19:40.0", dialler("Gone", reason="Conference"))
    assert fields(*OUTBOUND[:7], merged)["outcome"] == "connected"


def test_a_ring_out_is_outbound_and_answered_only_by_the_customer() -> None:
    origin = {"origin": {"type": "RingOut"}}
    first = {"extension": SATO, "ringOutRole": "Initiator"}
    own = {"phoneNumber": "+818011112222"}

    def ours(code: str) -> Event:
        return party(1, "Inbound", code, outside(), own, **first)

    def theirs(code: str) -> Event:
        return party(2, "Inbound", code, own, outside(), ringOutRole="Target")

    ringing = [
        event(2, "01:00:00.0", ours("Proceeding"), **origin),
        event(3, "01:00:05.0", ours("Answered"), **origin),
        event(4, "01:00:05.1", theirs("Proceeding"), **origin),
    ]
    ended = [event(7, "01:02:00.0", theirs("Disconnected"), **origin)]
    found = fields(*ringing, *ended)
    assert (found["direction"], found["agent"], found["outcome"]) == ("outbound", SATO, "no_answer")
    assert found["counterpart"] == CUSTOMER
    taken = event(5, "01:00:15.0", theirs("Answered"), **origin)
    found = fields(*ringing, taken, *ended)
    assert (found["outcome"], found["agent"]) == ("connected", SATO)
    colleague = party(2, "Inbound", "Answered", own, inside(TANAKA), extension=TANAKA)
    colleague |= {"ringOutRole": "Target"}
    assert nothing(event(5, "01:00:15.0", colleague, **origin))


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("TargetBusy", "busy"),
        ("NoAnswer", "no_answer"),
        ("Rejected", "no_answer"),
        ("Cancelled", "canceled"),
        ("InvalidNumber", "failed"),
        ("NotEnoughFunds", "failed"),
        ("CallFinished", "no_answer"),
        (None, "no_answer"),
    ],
)
def test_why_a_call_of_ours_was_not_answered(reason: str | None, outcome: str) -> None:
    ended = [
        event(5, "01:19:40.0", called("Disconnected", reason=reason)),
        event(6, "01:19:40.1", dialler("Disconnected")),
    ]
    for order in itertools.permutations([*OUTBOUND[:3], *ended]):
        assert fields(*order)["outcome"] == outcome
    assert fields(*OUTBOUND[:6], *ended)["outcome"] == "connected"


def test_a_withheld_number_is_outside() -> None:
    hidden = party(2, "Inbound", "Answered", outside(None), inside(SATO), extension=SATO)
    found = fields(event(5, "01:00:00.0", hidden))
    assert (found["direction"], found["agent"]) == ("inbound", SATO)
    assert "counterpart" not in found


def test_an_extension_as_a_number_is_the_same_extension() -> None:
    number = rung(3, SATO, "Answered") | {"extensionId": int(SATO)}
    assert call(event(8, "01:06:00.001", number)) == call(INBOUND[6])


@pytest.mark.parametrize(
    "told",
    [
        {"uuid": "1", "event": "/restapi/v1.0/subscription/~?threshold=60&interval=15"},
        {"uuid": "1", "event": "/restapi/v1.0/account/1/extension/2/presence", "body": {}},
        INBOUND[6] | {"event": "/restapi/v1.0/account/1/telephony/sessions/more"},
        {},
        event(3, "01:00:00.0", internal(2, "Answered"), origin={"type": "TestCall"}),
    ],
)
def test_other_events_count_as_nothing(told: Event) -> None:
    assert nothing(told)


def test_a_filter_with_parameters_is_the_same_event() -> None:
    filtered = INBOUND[6] | {"event": f"{INBOUND[6]['event']}?sipData=true&statusCode=Answered"}
    assert call(filtered) == call(INBOUND[6])


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"telephonySessionId": ""}, "/body/telephonySessionId", "required"),
        ({"telephonySessionId": "s" * 256}, "/body/telephonySessionId", "not_a_name"),
        ({"sequence": None}, "/body/sequence", "required"),
        ({"sequence": 10**9}, "/body/sequence", "out_of_range"),
        ({"sequence": -1}, "/body/sequence", "not_an_integer"),
        ({"eventTime": None}, "/body/eventTime", "required"),
        ({"eventTime": "2026-12-14T01:00:00"}, "/body/eventTime", "time_without_offset"),
        ({"eventTime": "2026-12-16T01:00:00Z"}, "/body/eventTime", "time_too_far_ahead"),
        ({"parties": []}, "/body/parties", "not_a_list"),
        ({"parties": "none"}, "/body/parties", "not_a_list"),
        ({"origin": {"type": "Telepathy"}}, "/body/origin/type", "unknown_value"),
    ],
)
def test_an_unusable_event_is_refused_with_its_place(
    more: dict[str, Any], pointer: str, code: str
) -> None:
    told = INBOUND[6] | {"body": INBOUND[6]["body"] | more}
    delivery = read(posted(told))
    assert not delivery.items
    (refused,) = delivery.refused
    assert (refused.error.faults[0].pointer, refused.error.faults[0].code) == (pointer, code)


@pytest.mark.parametrize(
    ("more", "place", "code"),
    [
        ({"direction": "Sideways"}, "direction", "unknown_value"),
        ({"direction": None}, "direction", "required"),
        ({"id": " "}, "id", "not_a_name"),
        ({"status": {"code": "Exploded"}}, "status/code", "unknown_value"),
        ({"status": {}}, "status/code", "required"),
        ({"from": "me"}, "from", "not_an_object"),
        ({"extensionId": [1]}, "extensionId", "not_a_text"),
        ({"extensionId": " 1"}, "extensionId", "not_a_name"),
    ],
)
def test_an_unusable_party_is_refused_alone_and_with_its_place(
    more: dict[str, Any], place: str, code: str
) -> None:
    bad = rung(4, TANAKA, "Answered") | more
    delivery = read(posted(event(8, "01:06:00.001", rung(3, SATO, "Answered"), bad)))
    (refused,) = delivery.refused
    fault = refused.error.faults[0]
    assert (fault.pointer, fault.code) == (f"/body/parties/1/{place}", code)
    assert states([delivery])[SESSION] == call(INBOUND[6])


def test_what_to_do_at_ringcentral_is_a_command_with_the_address() -> None:
    steps = {one.code: one for one in HOOKED.next_steps(Connecting(HOOK, NO_SETTINGS))}
    command = str(steps["create_ringcentral_subscription"].params["command"])
    assert HOOK in command
    assert "/restapi/v1.0/account/~/telephony/sessions" in command
    assert '"verificationToken": "<verification_token>"' in command
    assert '"expiresIn": 630720000' in command
    assert "/renew" in str(steps["renew_ringcentral_subscription"].params["renew"])


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just([None])


@given(
    st.dictionaries(st.sampled_from(sorted(rung(3, SATO, "Answered"))), JUNK),
    st.dictionaries(st.sampled_from(sorted(INBOUND[6]["body"])), JUNK),
    st.dictionaries(st.sampled_from(["code", "reason"]), JUNK),
)
def test_any_values_of_an_event_are_read_or_refused(
    changed: dict[str, Any], body: dict[str, Any], status: dict[str, Any]
) -> None:
    base = rung(3, SATO, "Answered")
    base["status"] |= status
    told = event(8, "01:06:00.001", base | changed)
    told["body"] |= body
    delivery = read(posted(told))
    assert len(delivery.items) in {0, 2, 3, 4}
    assert len(delivery.refused) <= 1
