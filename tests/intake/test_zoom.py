"""Zoom Phone: the elements of a call are one call in any order, whatever was done with it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, State
from app.domain.deliveries import Delivery
from app.domain.errors import Unauthenticated
from app.domain.instants import MINUTE, SECOND
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_bodies,
    flipped_headers,
    hook_of,
    states,
)
from tests.intake.senders import NOW
from tests.intake.zoom_events import (
    CALL,
    HISTORY,
    TOKEN,
    VALIDATION,
    element,
    event,
    older,
    outgoing,
    posted,
    told,
)

HOOKED = hook_of("zoom")
KEY = f"call:{HISTORY}"


def read(request: HookRequest) -> Delivery:
    return conformance.read("zoom", request)


def state(*requests: HookRequest) -> State:
    """The one call that these come to, in whatever order."""
    deliveries = [read(request) for request in requests]
    assert not any(delivery.refused for delivery in deliveries)
    assert_any_order_ends_alike(deliveries, rounds=10)
    found = states(deliveries)
    assert set(found) == {KEY}
    return found[KEY]


def fields(found: State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name != KIND}


def test_the_documented_formula_of_the_signature() -> None:
    """x-zm-signature: "v0=" and the HMAC-SHA256 of "v0:{timestamp}:{raw body}", hexadecimal."""
    request = told(element(1))
    stamp = request.headers["x-zm-request-timestamp"]
    message = f"v0:{stamp}:{request.body.decode()}"
    digest = hmac.new(TOKEN.encode(), message.encode(), hashlib.sha256).hexdigest()
    HOOKED.verify(replace(request, headers={**request.headers, "x-zm-signature": f"v0={digest}"}))


def test_every_byte_the_time_and_the_secret_count() -> None:
    request = told(element(1))
    assert_refused("zoom", flipped_bodies(request))
    assert_refused("zoom", flipped_headers(request, "x-zm-signature", "x-zm-request-timestamp"))
    assert_refused("zoom", [posted(VALIDATION, token="another-token-of-another-app")])
    assert_refused("zoom", [replace(request, body=request.body + b"\n")])
    sha1 = hmac.new(TOKEN.encode(), b"v0:1:" + request.body, hashlib.sha1).hexdigest()
    for proof in (f"v0={sha1}", request.headers["x-zm-signature"].removeprefix("v0="), ""):
        headers = {**request.headers, "x-zm-signature": proof}
        assert_refused("zoom", [replace(request, headers=headers)])


def test_the_raw_bytes_are_signed_not_the_json_written_anew() -> None:
    spaced = json.dumps(event("phone.caller_ended", {}), indent=2).encode()
    HOOKED.verify(posted(None, body=spaced))


def test_the_last_repetition_85_minutes_later_is_taken_with_its_first_timestamp() -> None:
    late = replace(told(element(1)), received_at=NOW + 90 * MINUTE)
    assert read(late).items == read(told(element(1))).items
    assert_refused("zoom", [replace(late, received_at=NOW + 181 * MINUTE)])
    assert_refused("zoom", [posted({}, at=NOW // SECOND + 4 * 3600)])


def test_url_validation_is_answered_only_when_it_is_signed() -> None:
    answer = HOOKED.handshake(posted(VALIDATION))
    assert answer
    assert (answer.status, answer.media_type) == (200, "application/json")
    plain = VALIDATION["payload"]["plainToken"]
    proof = hmac.new(TOKEN.encode(), plain.encode(), hashlib.sha256).hexdigest()
    assert json.loads(answer.body) == {"plainToken": plain, "encryptedToken": proof}
    for forged in (
        replace(posted(VALIDATION), headers={}),
        posted(VALIDATION, token="another-token-of-another-app"),
        posted(event("endpoint.url_validation", {"plainToken": "x" * 513})),
        posted(event("endpoint.url_validation", {})),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.handshake(forged)
    assert HOOKED.handshake(posted(event("x", {"plainToken": "url_validation"}))) is None
    assert HOOKED.handshake(posted(None, body=b'"url_validation"')) is None


def test_while_the_token_is_changed_the_challenge_is_answered_with_the_one_that_signed() -> None:
    answer = HOOKED.handshake(posted(VALIDATION, token="an-older-secret-token"))
    assert answer
    plain = VALIDATION["payload"]["plainToken"].encode()
    older_proof = hmac.new(b"an-older-secret-token", plain, hashlib.sha256).hexdigest()
    assert json.loads(answer.body)["encryptedToken"] == older_proof


def test_an_inbound_call_answered_by_a_member() -> None:
    assert fields(state(told(element(1)))) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:00:10Z",
        "ended_at": "2026-12-14T01:01:40Z",
        "talk_seconds": 80,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }


def test_an_outbound_call_is_its_callers() -> None:
    assert fields(state(told(outgoing(1), side="caller"))) == {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:00:10Z",
        "ended_at": "2026-12-14T01:01:40Z",
        "talk_seconds": 80,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }


def unanswered(**more: Any) -> dict[str, Any]:
    silent = {"result": "no_answer", "talk_time": None, "answer_time": None}
    return silent | {"end_time": "2026-12-14T01:00:20Z"} | more


def test_an_outbound_call_that_nobody_takes_is_its_callers_as_well() -> None:
    found = fields(state(told(outgoing(1, **unanswered()), side="caller")))
    assert (found["outcome"], found["talk_seconds"]) == ("no_answer", 0)
    assert found["agent"] == "sato@example.co.jp"


QUEUE = element(
    1,
    start_time="2026-12-14T01:00:00Z",
    end_time="2026-12-14T01:01:40Z",
    callee_ext_type="call_queue",
    callee_email=None,
    callee_ext_number="900",
)


def member(number: int, **more: Any) -> dict[str, Any]:
    """A member whom the queue rings in vain."""
    who = {"event": "ring_to_member", "callee_email": f"member{number}@example.co.jp"}
    return element(number, **unanswered(**who, operator_ext_type="call_queue") | more)


TAKEN = element(99, event="ring_to_member", operator_ext_type="call_queue")


def test_a_queue_that_rings_many_members_is_one_call_of_who_answered() -> None:
    members = [member(2), member(3, result_reason="answered_by_other"), TAKEN]
    stream = [told(QUEUE), *(told(one) for one in members)]
    found = [state(*order) for order in itertools.permutations(stream)]
    assert all(one == found[0] for one in found)
    assert fields(found[0]) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:00:00Z",
        "ended_at": "2026-12-14T01:01:40Z",
        "talk_seconds": 80,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }
    assert state(told(QUEUE, *members)) == found[0]


def test_no_two_reports_of_a_call_share_a_revision() -> None:
    stream = told(QUEUE, *(member(n) for n in range(2, 60)), TAKEN)
    revisions = [item.report.stamp.revision for item in read(stream).items]
    assert len(revisions) == 2 * 60
    assert len(set(revisions)) == len(revisions)
    assert len({len(revision) for revision in revisions}) == 1


def test_a_queue_of_a_hundred_that_nobody_answers_is_one_call_of_nobody() -> None:
    rung = [member(n) for n in range(2, 102)]
    left = {**QUEUE, "result": "abandoned", "end_time": "2026-12-14T01:03:00Z"}
    found = fields(state(told(left), *(told(one) for one in rung)))
    assert (found["outcome"], found["talk_seconds"]) == ("canceled", 0)
    assert "agent" not in found


def test_the_person_who_was_called_missed_it_and_whom_it_was_passed_to_did_not() -> None:
    missed = told(element(1, **unanswered()))
    assert state(missed).fields["agent"] == "sato@example.co.jp"
    passed = told(element(2, **unanswered(event="forward", callee_email="boss@example.co.jp")))
    assert state(missed, passed).fields["agent"] == "sato@example.co.jp"
    assert "agent" not in state(passed).fields


def test_a_member_is_no_agent_of_what_the_queue_rang_in_vain_also_as_incoming() -> None:
    assert "agent" not in state(told(member(2, event="incoming"))).fields
    assert "agent" not in state(told(member(2, event=None, result="voicemail"))).fields


def test_who_answered_without_a_name_is_not_who_was_rung_in_vain() -> None:
    nameless = element(2, event="forward")
    for label in ("callee_email", "callee_ext_number", "callee_did_number"):
        del nameless[label]
    found = state(told(element(1, **unanswered())), told(nameless))
    assert (found.fields["outcome"], found.fields["agent"]) == ("connected", None)


def test_answered_by_other_makes_nobody_the_agent() -> None:
    for reason in ("answered_by_other", "pickup_by_other", "call_out_by_other"):
        found = state(told(element(5, result_reason=reason)))
        assert {"outcome", "agent", "talk_seconds"} & found.fields.keys() == set()
    overflow = element(5, **unanswered(result="overflowed"))
    overflow["result_reason"] = "play_a_message_then_disconnect"
    assert state(told(overflow)).fields["outcome"] == "no_answer"


@pytest.mark.parametrize("kind", ["call_queue", "auto_receptionist", "shared_line_group"])
def test_a_queue_or_a_receptionist_that_answers_is_no_conversation(kind: str) -> None:
    answered = told({**QUEUE, "callee_ext_type": kind})
    found = state(answered)
    assert (found.fields["outcome"], found.fields["talk_seconds"]) == ("no_answer", 0)
    assert "agent" not in found.fields
    rejected = told(element(2, **unanswered(result="busy")))
    assert state(answered, rejected).fields["outcome"] == "busy"


def test_a_voicemail_of_the_queue_stands_over_members_who_did_not_answer() -> None:
    found = state(told({**QUEUE, "result": "voicemail"}), told(member(2)), told(member(3)))
    assert (found.fields["outcome"], found.fields["talk_seconds"]) == ("voicemail", 0)
    assert "agent" not in found.fields


# A customer calls Sato, who passes the call to Tanaka: the call's id gets a suffix.
DIRECT = [
    told(element(1)),
    told(
        element(
            2,
            call_id=f"{CALL}_1",
            event="direct_transfer",
            result="connected",
            callee_email="tanaka@example.co.jp",
            start_time="2026-12-14T01:01:30Z",
            end_time="2026-12-14T01:01:40Z",
        )
    ),
    told(
        element(
            3,
            call_id=f"{CALL}_1",
            callee_email="tanaka@example.co.jp",
            start_time="2026-12-14T01:01:40Z",
            end_time="2026-12-14T01:05:00Z",
            talk_time=190,
        )
    ),
]


def test_a_call_that_is_passed_on_directly_is_one_call_of_the_last_who_answered() -> None:
    found = fields(state(*DIRECT))
    assert (found["agent"], found["talk_seconds"]) == ("tanaka@example.co.jp", 190)
    assert (found["started_at"], found["ended_at"]) == (
        "2026-12-14T01:00:10Z",
        "2026-12-14T01:05:00Z",
    )


def test_passing_a_call_on_is_no_answer_of_whom_it_is_passed_to() -> None:
    vain = told(
        element(
            3,
            call_id=f"{CALL}_1",
            **unanswered(
                callee_email="tanaka@example.co.jp",
                start_time="2026-12-14T01:01:40Z",
                end_time="2026-12-14T01:02:10Z",
            ),
        )
    )
    found = fields(state(*DIRECT[:2], vain))
    assert (found["agent"], found["talk_seconds"]) == ("sato@example.co.jp", 80)


# Sato asks Tanaka first (an internal call with an id of its own), and then hands the customer over.
CONSULTING = {
    "call_id": "7350999999999999999",
    "connect_type": "internal",
    "start_time": "2026-12-14T01:01:00Z",
    "end_time": "2026-12-14T01:01:30Z",
    "talk_time": 25,
    "operator_name": "佐藤",
}
WARM = [
    told(element(1)),
    told(
        outgoing(
            2,
            **CONSULTING,
            event="warm_transfer_outgoing",
            callee_email="tanaka@example.co.jp",
            callee_ext_type="user",
            callee_did_number="+81312340002",
            callee_number_type="zoom_pstn",
        ),
        side="caller",
    ),
    told(
        element(
            3,
            **CONSULTING,
            event="warm_transfer_incoming",
            caller_ext_type="user",
            caller_email="sato@example.co.jp",
            caller_did_number="+81312340000",
            caller_number_type="zoom_pstn",
            callee_email="tanaka@example.co.jp",
        )
    ),
    told(
        element(
            4,
            call_id="7350999999999999999",
            event="warm_transfer",
            callee_email="tanaka@example.co.jp",
            start_time="2026-12-14T01:01:30Z",
            end_time="2026-12-14T01:04:00Z",
            talk_time=150,
        )
    ),
]


def test_a_warm_transfer_is_one_inbound_call_of_who_took_it_over() -> None:
    found = fields(state(*WARM))
    assert found == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:00:10Z",
        "ended_at": "2026-12-14T01:04:00Z",
        "talk_seconds": 150,
        "counterpart": "+819012345678",
        "agent": "tanaka@example.co.jp",
    }


def test_asking_a_colleague_is_no_call_and_takes_none_away() -> None:
    assert state(*WARM[:3]) == state(WARM[0])
    for one in WARM[1:3]:
        assert (read(one).items, read(one).refused) == ((), ())
    outside = outgoing(2, event="warm_transfer_outgoing")
    assert not read(told(outside, side="caller")).items


def test_an_outbound_call_that_is_passed_on_stays_its_callers() -> None:
    later = element(
        2,
        callee_email="tanaka@example.co.jp",
        start_time="2026-12-14T01:01:30Z",
        end_time="2026-12-14T01:05:00Z",
    )
    whole = state(told(outgoing(1), side="caller"), told(later))
    assert (whole.fields["direction"], whole.fields["agent"]) == ("outbound", "sato@example.co.jp")
    assert whole.fields["talk_seconds"] == 80


@pytest.mark.parametrize("what", ["park", "takeover", "timeout", "merge", "shared"])
def test_what_is_done_with_a_call_is_no_conversation(what: str) -> None:
    operation = element(
        2,
        event=what,
        result="succeeded",
        callee_email="boss@example.co.jp",
        end_time="2026-12-14T01:09:00Z",
    )
    found = state(told(element(1, **unanswered(result="abandoned"))), told(operation))
    assert (found.fields["outcome"], found.fields["talk_seconds"]) == ("canceled", 0)
    assert fields(state(told(element(1)), told(operation))) == fields(state(told(element(1))))
    alone = states([read(told(operation))])
    assert all("outcome" not in one.fields and "agent" not in one.fields for one in alone.values())


def test_a_parked_call_is_whose_who_picks_it_up() -> None:
    parked = element(2, event="park", result="succeeded")
    picked = element(
        3,
        event="park_pick_up",
        result="picked_up",
        callee_email="tanaka@example.co.jp",
        start_time="2026-12-14T01:02:00Z",
        end_time="2026-12-14T01:03:00Z",
        talk_time=55,
    )
    found = fields(state(told(element(1)), told(parked), told(picked)))
    assert (found["agent"], found["talk_seconds"]) == ("tanaka@example.co.jp", 55)


@pytest.mark.parametrize("what", ["monitor", "whisper", "listen", "barge", "conference_barge"])
def test_a_supervisor_who_listens_is_no_agent(what: str) -> None:
    listening = element(2, event=what, callee_email="boss@example.co.jp")
    listening["end_time"] = "2026-12-14T01:09:00Z"
    assert state(told(element(1)), told(listening)) == state(told(element(1)))


INTERNAL = {
    "connect_type": "internal",
    "caller_ext_type": "user",
    "caller_number_type": "zoom_pstn",
    "callee_number_type": "zoom_pstn",
}


@pytest.mark.parametrize(
    "delivery",
    [
        told(element(1, **INTERNAL)),
        told(element(1, **INTERNAL, event="outgoing", direction="inbound")),
        told(outgoing(1, **INTERNAL), side="caller"),
        told(element(1, **INTERNAL | {"connect_type": None})),
        told(element(1, **INTERNAL | {"caller_number_type": None})),
    ],
)
def test_a_call_among_our_own_counts_on_neither_side(delivery: HookRequest) -> None:
    assert (read(delivery).items, read(delivery).refused) == ((), ())


@pytest.mark.parametrize("kind", ["external_pstn", "external_contact", "anonymous_number"])
def test_a_number_from_outside_is_no_call_among_our_own(kind: str) -> None:
    """Zoom's own example is an internal element with an external number."""
    found = state(told(element(1, connect_type="internal", caller_number_type=kind)))
    assert found == state(told(element(1)))
    dialled = outgoing(1, connect_type="internal", callee_number_type=kind)
    assert state(told(dialled, side="caller")).fields["direction"] == "outbound"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("answered", "connected"),
        ("accepted", "connected"),
        ("connected", "connected"),
        ("picked_up", "connected"),
        ("no_answer", "no_answer"),
        ("ring_timeout", "no_answer"),
        ("rejected", "no_answer"),
        ("busy", "busy"),
        ("voicemail", "voicemail"),
        ("abandoned", "canceled"),
        ("hang_up", "canceled"),
        ("canceled", "canceled"),
        ("call_failed", "failed"),
        ("system_blocked", "failed"),
    ],
)
def test_every_result_has_an_outcome(result: str, outcome: str) -> None:
    found = state(told(element(1, result=result)))
    assert found.fields["outcome"] == outcome
    assert found.fields["talk_seconds"] == (80 if outcome == "connected" else 0)


def test_talk_that_zoom_does_not_count_is_from_answer_to_end() -> None:
    assert state(told(element(1, talk_time=None))).fields["talk_seconds"] == 80
    assert "talk_seconds" not in state(told(element(1, talk_time=None, answer_time=""))).fields


def test_the_older_and_the_newer_event_of_a_call_say_the_very_same() -> None:
    past = event("phone.callee_call_history_completed", {"object": {"call_logs": [older(TAKEN)]}})
    assert [item.report for item in read(posted(past)).items] == [
        item.report for item in read(told(TAKEN)).items
    ]


def test_events_of_other_accounts_count_only_where_nobody_said_which_are_ours() -> None:
    request = told(element(1))
    ours = replace(request, settings=posted({}, account_ids=["abC1", "x"]).settings)
    theirs = replace(request, settings=posted({}, account_ids=["other"]).settings)
    assert read(ours).items == read(request).items
    assert (read(theirs).items, read(theirs).refused) == ((), ())


@pytest.mark.parametrize(
    "label", ["phone.caller_ended", "phone.callee_missed", "phone.call_element_deleted", "", "x"]
)
def test_other_events_count_as_nothing(label: str) -> None:
    delivery = read(posted(event(label, {"object": {"call_id": CALL}})))
    assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"result": "exploded"}, ("result", "unknown_value")),
        ({"result": None}, ("result", "required")),
        ({"event": "teleported"}, ("event", "unknown_value")),
        ({"event": None, "direction": "outbound"}, ("event", "required")),
        ({"call_history_uuid": ""}, ("call_history_uuid", "required")),
        ({"call_history_uuid": 7}, ("call_history_uuid", "not_a_text")),
        ({"call_history_uuid": "u" * 251}, ("call_history_uuid", "not_a_name")),
        ({"call_history_uuid": "a\nb"}, ("call_history_uuid", "not_a_name")),
        ({"call_element_id": None}, ("call_element_id", "required")),
        ({"direction": "sideways"}, ("direction", "unknown_value")),
        ({"start_time": None}, ("start_time", "required")),
        ({"start_time": "2026-12-14T01:00:10"}, ("start_time", "time_without_offset")),
        ({"end_time": "2026-12-16T01:00:10Z"}, ("end_time", "time_too_far_ahead")),
        ({"talk_time": "soon"}, ("talk_time", "not_an_integer")),
        ({"talk_time": 10**12}, ("talk_time", "out_of_range")),
        ({"callee_email": " sato"}, ("callee_email", "not_a_name")),
    ],
)
def test_an_unusable_element_is_refused_alone_and_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    delivery = read(told(element(1), element(2, **more)))
    (refused,) = delivery.refused
    (found,) = refused.error.faults
    assert (found.pointer, found.code) == (
        f"/payload/object/call_elements/1/{expected[0]}",
        expected[1],
    )
    assert states([delivery])[KEY] == state(told(element(1)))


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just([None])


@given(st.dictionaries(st.sampled_from(sorted(element(1))), JUNK))
def test_any_values_of_an_element_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(told({**element(1), **changed}))
    assert len(delivery.items) in {0, 1, 2}
    assert len(delivery.refused) <= 1
