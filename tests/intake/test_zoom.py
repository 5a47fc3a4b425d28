"""Zoom: its own validator agrees, and the elements of a call are one call in any order."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
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
    TOKEN,
    VALIDATION,
    element,
    event,
    meeting,
    outgoing,
    posted,
    told,
)

HOOKED = hook_of("zoom")
KEY = f"call:{CALL}"


def read(request: HookRequest) -> Delivery:
    return conformance.read("zoom", request)


def state(*requests: HookRequest, key: str = KEY) -> State:
    deliveries = [read(request) for request in requests]
    assert not any(delivery.refused for delivery in deliveries)
    assert_any_order_ends_alike(deliveries, rounds=10)
    return states(deliveries)[key]


def fields(found: State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name != KIND}


RIVET = """
const { PhoneS2SAuthClient, AwsLambdaReceiver } = require("@zoom/rivet/phone");
console.debug = () => {};
(async () => {
  const receiver = new AwsLambdaReceiver({ webhooksSecretToken: process.argv[2] });
  const answers = [];
  for (const event of JSON.parse(require("fs").readFileSync(0, "utf8")))
    answers.push(await receiver.start()({ ...event, isBase64Encoded: false }, {}));
  console.log(JSON.stringify(answers));
})();
"""


def rivet(folder: Path, requests: list[HookRequest]) -> list[dict[str, Any]]:
    """What Zoom's own SDK answers to these."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("Zoom's SDK runs on Node only")
    install = [npm, "install", "--no-audit", "--no-fund", "--silent", "@zoom/rivet@0.4.0"]
    done = subprocess.run(install, cwd=folder, capture_output=True, timeout=50, check=False)  # noqa: S603 - a fixed command
    if done.returncode:
        pytest.skip("no registry to install Zoom's SDK from")
    (folder / "ask.cjs").write_text(RIVET)
    events = [{"headers": dict(r.headers), "body": r.body.decode()} for r in requests]
    asked = [node, "ask.cjs", TOKEN]
    told = subprocess.run(  # noqa: S603 - a fixed command
        asked, cwd=folder, input=json.dumps(events).encode(), capture_output=True, check=True
    )
    answers: list[dict[str, Any]] = json.loads(told.stdout)
    return answers


@pytest.mark.timeout(60)
def test_zooms_own_sdk_takes_and_refuses_the_same(tmp_path: Path) -> None:
    authentic = [told(element(1)), meeting("ended"), posted(VALIDATION)]
    forged = [
        replace(authentic[0], body=authentic[0].body.replace(b"answered", b"rejected")),
        posted(VALIDATION, token="another-token-of-another-app"),
        replace(authentic[0], headers={**authentic[0].headers, "x-zm-request-timestamp": "9"}),
    ]
    answers = rivet(tmp_path, [*authentic, *forged])
    assert [answer["statusCode"] for answer in answers] == [200] * 3 + [400] * 3
    for request in authentic:
        HOOKED.verify(request)
    assert_refused("zoom", forged)
    ours = HOOKED.handshake(authentic[2])
    assert ours
    assert json.loads(ours.body) == json.loads(answers[2]["body"])


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
    with pytest.raises(Unauthenticated):
        HOOKED.handshake(replace(posted(VALIDATION), headers={}))
    long = event("endpoint.url_validation", {"plainToken": "x" * 513})
    with pytest.raises(Unauthenticated):
        HOOKED.handshake(posted(long))
    assert HOOKED.handshake(posted(event("x", {"plainToken": "url_validation"}))) is None


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
    found = fields(state(told(outgoing(1), side="caller")))
    assert (found["direction"], found["agent"]) == ("outbound", "sato@example.co.jp")
    assert (found["counterpart"], found["outcome"]) == ("+819012345678", "connected")


QUEUE = element(
    1,
    start_time="2026-12-14T01:00:00Z",
    end_time="2026-12-14T01:01:40Z",
    event="incoming",
    callee_ext_type="call_queue",
    callee_email=None,
    callee_ext_number="900",
)
VAIN = [
    element(
        number,
        result="no_answer",
        talk_time=None,
        answer_time=None,
        end_time="2026-12-14T01:00:20Z",
        callee_email=f"member{number}@example.co.jp",
        **more,
    )
    for number, more in ((2, {}), (3, {"result_reason": "answered_by_other"}))
]


def test_a_queue_that_rings_many_members_is_one_call_of_who_answered() -> None:
    stream = [told(QUEUE), *(told(one) for one in VAIN), told(element(4))]
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
    assert {item.report.key for request in stream for item in read(request).items} == {KEY}
    together = told(QUEUE, *VAIN, element(4))
    assert states([read(together)])[KEY] == found[0]


def test_answered_by_other_makes_nobody_the_agent() -> None:
    assert "agent" not in state(told(VAIN[1])).fields
    taken = element(5, result="answered", result_reason="answered_by_other", talk_time=80)
    assert "outcome" not in state(told(taken)).fields


@pytest.mark.parametrize("kind", ["call_queue", "auto_receptionist", "shared_line_group"])
def test_a_queue_or_a_receptionist_that_answers_is_no_conversation(kind: str) -> None:
    found = state(told({**QUEUE, "callee_ext_type": kind}))
    assert (found.fields["outcome"], found.fields["talk_seconds"]) == ("no_answer", 0)
    assert "agent" not in found.fields


def test_a_voicemail_of_the_queue_stands_over_members_who_did_not_answer() -> None:
    found = state(told({**QUEUE, "result": "voicemail"}), *(told(one) for one in VAIN))
    assert (found.fields["outcome"], found.fields["talk_seconds"]) == ("voicemail", 0)


def test_an_inbound_call_that_is_passed_on_is_the_last_answerers() -> None:
    later = element(
        2,
        event="direct_transfer",
        callee_email="tanaka@example.co.jp",
        start_time="2026-12-14T01:01:30Z",
        end_time="2026-12-14T01:05:00Z",
        talk_time=200,
    )
    found = state(told(element(1)), told(later))
    assert (found.fields["agent"], found.fields["talk_seconds"]) == ("tanaka@example.co.jp", 200)
    assert found.fields["started_at"] == "2026-12-14T01:00:10Z"


def test_an_outbound_call_that_is_passed_on_stays_its_callers() -> None:
    later = outgoing(
        2,
        event="warm_transfer",
        caller_email="tanaka@example.co.jp",
        start_time="2026-12-14T01:01:30Z",
        end_time="2026-12-14T01:05:00Z",
    )
    found = state(told(outgoing(1), side="caller"), told(later, side="caller"))
    assert found.fields["agent"] == "sato@example.co.jp"


@pytest.mark.parametrize("side", ["caller", "callee"])
def test_a_call_among_our_own_counts_on_neither_side(side: str) -> None:
    delivery = read(told(element(1, connect_type="internal"), side=side))
    assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize("what", ["monitor", "whisper", "listen", "barge", "conference_barge"])
def test_a_supervisor_who_listens_is_no_agent(what: str) -> None:
    listening = element(2, event=what, callee_email="boss@example.co.jp")
    listening["end_time"] = "2026-12-14T01:09:00Z"
    assert state(told(element(1)), told(listening)) == state(told(element(1)))


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("answered", "connected"),
        ("connected", "connected"),
        ("picked_up", "connected"),
        ("no_answer", "no_answer"),
        ("ring_timeout", "no_answer"),
        ("rejected", "no_answer"),
        ("busy", "busy"),
        ("voicemail", "voicemail"),
        ("abandoned", "canceled"),
        ("canceled", "canceled"),
        ("call_failed", "failed"),
    ],
)
def test_every_result_has_an_outcome(result: str, outcome: str) -> None:
    found = state(told(element(1, result=result)))
    assert found.fields["outcome"] == outcome
    assert found.fields["talk_seconds"] == (80 if outcome == "connected" else 0)


def test_talk_that_zoom_does_not_count_is_from_answer_to_end() -> None:
    assert state(told(element(1, talk_time=None))).fields["talk_seconds"] == 80


def test_the_older_and_the_newer_event_of_a_call_are_one_call() -> None:
    logs = [element(1) | {"id": "h-1", "call_element_id": None}]
    older = event("phone.callee_call_history_completed", {"object": {"call_logs": logs}})
    assert fields(state(posted(older), told(element(1)))) == fields(state(told(element(1))))


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
        ({"call_id": ""}, ("call_id", "required")),
        ({"call_id": 7}, ("call_id", "not_a_text")),
        ({"direction": "sideways"}, ("direction", "unknown_value")),
        ({"start_time": None}, ("start_time", "required")),
        ({"start_time": "2026-12-14T01:00:10"}, ("start_time", "time_without_offset")),
        ({"end_time": "2026-12-16T01:00:10Z"}, ("end_time", "time_too_far_ahead")),
        ({"talk_time": "soon"}, ("talk_time", "not_an_integer")),
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


SINGLE = "meeting:91234567890"
STORY = [
    meeting("created", "2026-12-10T01:00:00Z"),
    meeting("updated", "2026-12-11T01:00:00Z", id=91234567890, start_time="2026-12-14T06:00:00Z"),
    meeting("ended", "2026-12-14T07:00:00Z", id="91234567890", start_time="2026-12-14T06:02:00Z"),
]


def test_a_meeting_is_booked_moved_and_held() -> None:
    booked = fields(state(STORY[0], key=SINGLE))
    assert booked == {
        "status": "booked",
        "booked_at": "2026-12-10T01:00:00Z",
        "starts_at": "2026-12-14T05:00:00Z",
        "booked_by": "suzuki@example.co.jp",
        "organizer": "hOst1",
    }
    moved = state(*STORY[:2], key=SINGLE)
    assert fields(moved) == booked | {"starts_at": "2026-12-14T06:00:00Z"}
    held = state(*STORY, key=SINGLE)
    assert fields(held) == booked | {"status": "held", "starts_at": "2026-12-14T06:02:00Z"}


def test_a_meeting_that_is_begun_again_is_held_once() -> None:
    again = meeting("ended", "2026-12-14T09:00:00Z", uuid="another==", id="91234567890")
    assert state(*STORY, again, key=SINGLE).fields["status"] == "held"
    assert set(states([read(one) for one in (*STORY, again)])) == {SINGLE}


def test_a_deleted_meeting_is_canceled_unless_it_was_held() -> None:
    deleted = meeting("deleted", "2026-12-15T01:00:00Z")
    assert state(STORY[0], deleted, key=SINGLE).fields["status"] == "canceled"
    assert state(*STORY, deleted, key=SINGLE).fields["status"] == "held"


def test_a_series_is_booked_once_and_held_each_day() -> None:
    days = [meeting("ended", uuid=f"day{n}==", type=8) for n in (1, 2)]
    found = states([read(one) for one in (meeting("created", type=8), *days)])
    assert set(found) == {SINGLE, "meeting:day1==", "meeting:day2=="}
    assert "booked_at" not in found["meeting:day1=="].fields
    one = meeting("deleted", type=8, extra={"operation": "single"})
    assert not read(one).items


@pytest.mark.parametrize("kind", [1, 4, 7, None])
def test_instant_meetings_and_personal_rooms_count_as_nothing(kind: int | None) -> None:
    for label in ("created", "ended", "deleted"):
        delivery = read(meeting(label, type=kind))
        assert (delivery.items, delivery.refused) == ((), ())


def test_a_moved_personal_room_or_a_new_topic_says_nothing() -> None:
    assert not read(meeting("updated", start_time=None)).items


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(sorted(element(1))), JUNK))
def test_any_values_of_an_element_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(told({**element(1), **changed}))
    assert len(delivery.items) in {0, 2}
    assert len(delivery.refused) <= 1


@given(
    st.sampled_from(["created", "updated", "deleted", "ended"]),
    st.dictionaries(st.sampled_from(["id", "uuid", "type", "start_time", "host_id"]), JUNK),
)
def test_any_values_of_a_meeting_are_read_or_refused(label: str, changed: dict[str, Any]) -> None:
    delivery = read(meeting(label, **changed))
    assert len(delivery.items) + len(delivery.refused) <= 1
