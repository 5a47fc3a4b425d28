"""Dialpad: tokens as PyJWT makes them, and one call of however many legs."""

from __future__ import annotations

import hmac
import itertools
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, Report, State, joined
from app.domain.deliveries import Delivery, Refused
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.providers.dialpad import PROVIDER
from app.intake.receiving import received
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    failing,
    flipped_bodies,
    hook_of,
    states,
)
from tests.intake.dialpad_events import (
    CONNECTED,
    ENDED,
    LEG_A,
    LEG_B,
    LEG_C,
    OLD,
    QUEUE,
    ROOT,
    SATO,
    SECRET,
    STARTED,
    SUZUKI,
    TANAKA,
    event,
    posted,
    signed,
    unanswered,
)

HOOKED = hook_of("dialpad")
VOICEMAIL = "https://dialpad.example/v/f00dfeed"


def read(request: HookRequest) -> Delivery:
    return conformance.read("dialpad", request)


def reports(*events: dict[str, Any]) -> list[Report]:
    deliveries = [read(signed(one)) for one in events]
    assert not any(one.refused for one in deliveries)
    return [item.report for one in deliveries for item in one.items]


def call(*events: dict[str, Any]) -> State:
    """The one call that these events come to, in any order."""
    assert_any_order_ends_alike([read(signed(one)) for one in events], rounds=20)
    found = states([read(signed(one)) for one in events])
    assert list(found) == [str(ROOT)]
    return found[str(ROOT)]


def fields(state: State) -> dict[str, Any]:
    return {name: value for name, value in state.fields.items() if name != KIND}


def refused(request: HookRequest) -> Refused:
    (found,) = read(request).refused
    return found


# The proof.


def test_a_token_of_either_secret_is_authentic_and_every_byte_of_it_counts() -> None:
    for key in (SECRET, OLD):
        HOOKED.verify(signed(event(), key=key))
    short = signed({"call_id": 1})
    assert_refused("dialpad", flipped_bodies(short))
    assert_refused("dialpad", [signed(event(), key=SECRET + "x")])
    assert_refused("dialpad", [replace(short, credentials={"secret": (SECRET[:-1],)})])
    for body in (short.body[:-1], short.body + b"A", short.body + b".", b"." + short.body):
        assert_refused("dialpad", [posted(body)])


def test_no_other_algorithm_is_followed_whatever_the_token_says() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    tokens = [
        jwt.encode(event(), "", algorithm="none"),
        jwt.encode(event(), SECRET, algorithm="HS384"),
        jwt.encode(event(), SECRET, algorithm="HS512"),
        jwt.encode(event(), key, algorithm="RS256"),
    ]
    assert_refused("dialpad", [posted(token.encode()) for token in tokens])
    # The secret of a source is no public key, so nobody can sign with what he may read.
    confused = replace(posted(tokens[3].encode()), credentials={"secret": (public.decode(),)})
    assert_refused("dialpad", [confused])


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "hs256", "", None, 5, ["HS256"]])
def test_an_algorithm_of_another_name_is_refused_even_with_the_right_signature(
    algorithm: Any,
) -> None:
    token = jwt.encode(event(), SECRET, algorithm="HS256")
    _, payload, _ = token.split(".")
    head = urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).rstrip(b"=")
    signature = jwt.encode(event(), SECRET, algorithm="HS256").rpartition(".")[2]
    unsigned = f"{head.decode()}.{payload}."
    assert_refused("dialpad", [posted(unsigned.encode()), posted((unsigned + signature).encode())])


def test_without_a_token_nothing_is_taken() -> None:
    plain = json.dumps(event()).encode()
    for body in (plain, b"", b"..", b"null", b'"' + signed(event()).body + b'"'):
        assert_refused("dialpad", [posted(body)])
    # A source without its secret takes nothing, least of all what is signed with nothing.
    head = signed(event()).body.rpartition(b".")[0]
    empty = urlsafe_b64encode(hmac.digest(b"", head, "sha256")).rstrip(b"=")
    bare = [posted(plain), signed(event()), posted(head + b"." + empty), posted(head + b".")]
    assert_refused("dialpad", [replace(request, credentials={}) for request in bare])


def test_a_secret_is_made_where_none_is_given() -> None:
    (secret,) = PROVIDER.secrets
    made = secret.written(bytes(range(32)))
    request = replace(signed(event(), key=made), credentials={"secret": (made,)})
    HOOKED.verify(request)


def test_blanks_around_a_token_are_no_part_of_it() -> None:
    request = signed(event())
    spaced = replace(request, body=b"\n" + request.body + b"\r\n")
    assert read(spaced).items == read(request).items


def test_what_is_kept_proves_nothing_and_opens_no_recording() -> None:
    raw = received(HOOKED, signed(event(voicemail_link=VOICEMAIL)), failing).raw
    assert raw
    assert not raw.altered
    assert_refused("dialpad", [posted(raw.body)])
    told = jwt.decode(raw.body.decode(), options={"verify_signature": False})
    assert "f00dfeed" not in json.dumps(told)
    assert told["call_id"] == ROOT


# What a call is.


def test_a_call_that_a_person_answered() -> None:
    assert fields(call(event())) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:00.250000Z",
        "ended_at": "2026-12-10T05:31:48Z",
        "duration_seconds": 107,
        "talk_seconds": 95,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }
    assert {report.source for report in reports(event())} == {"dp"}
    assert not any(report.full for report in reports(event()))


def test_ids_beyond_what_doubles_hold_stay_whole_and_may_be_texts() -> None:
    (key,) = {report.key for report in reports(event(call_id=2**63 - 1))}
    assert key == "9223372036854775807"
    texts = event(call_id=str(LEG_A), entry_point_call_id=str(ROOT), date_ended=str(ENDED))
    numbers = event(call_id=LEG_A, entry_point_call_id=ROOT)
    assert reports(texts) == reports(numbers)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (unanswered(), ("no_answer", 0, "sato@example.co.jp")),
        (unanswered("missed"), ("no_answer", 0, "sato@example.co.jp")),
        (unanswered("voicemail"), ("voicemail", 0, "sato@example.co.jp")),
        (unanswered(voicemail_link=VOICEMAIL), ("voicemail", 0, "sato@example.co.jp")),
        # The machine that took the message answered, not the person.
        (event(voicemail_link=VOICEMAIL), ("voicemail", 0, "sato@example.co.jp")),
        (event(target=TANAKA), ("connected", 95, "903")),
        (event(target=QUEUE), ("no_answer", 0, None)),
        (event(target=QUEUE, operator_call_id=LEG_A), ("connected", 95, None)),
        (event(target={"id": 88, "type": "room"}), ("connected", 95, None)),
        (event(duration=None), ("connected", None, "sato@example.co.jp")),
    ],
)
def test_what_became_of_a_call(told: dict[str, Any], expected: tuple[Any, ...]) -> None:
    state = call(told)
    labels = ("outcome", "talk_seconds", "agent")
    assert tuple(state.fields.get(label) for label in labels) == expected


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(0, 0), (999.9999999999, 0), (11989.972, 11), ("11989.972", 11), (463.29400000000004, 0)],
)
def test_milliseconds_with_any_number_of_decimals(duration: Any, seconds: int) -> None:
    assert call(event(duration=duration)).fields["talk_seconds"] == seconds


OUTBOUND = event(direction="outbound", contact={"id": 11, "type": "local"})


def test_a_call_that_was_made_counts_for_who_made_it() -> None:
    for preset, expected in (
        ("calls", (1, 0)),
        ("connected_calls", (1, 0)),
        ("talk_time", (1, 95)),
    ):
        made = contribution(PRESETS[preset], call(OUTBOUND), "JPY")
        assert isinstance(made, Contribution)
        assert ((made.number, made.total), made.identity) == (expected, "sato@example.co.jp")
    missed = call(unanswered(direction="outbound"))
    assert (missed.fields["outcome"], missed.fields["agent"]) == ("no_answer", "sato@example.co.jp")


# A queue rings three; Suzuki answers and passes the call on to Tanaka.
QUEUED = event(target=QUEUE, operator_call_id=LEG_B, is_transferred="TRUE", date_ended=ENDED + 60)
RUNG = unanswered(
    call_id=LEG_A, entry_point_call_id=ROOT, date_ended=CONNECTED + 90, entry_point_target=QUEUE
)
ANSWERED = event(
    call_id=LEG_B,
    entry_point_call_id=ROOT,
    target=SUZUKI,
    date_started=STARTED + 700,
    date_ended=CONNECTED + 40_000,
    duration=40000.5,
    is_transferred="TRUE",
)
PASSED_ON = event(
    call_id=LEG_C,
    entry_point_call_id=ROOT,
    target=TANAKA,
    date_started=CONNECTED + 39_000,
    date_connected=CONNECTED + 41_000,
    duration=54750.25,
)


def test_a_queue_that_rings_many_and_a_transfer_are_one_call() -> None:
    state = call(RUNG, QUEUED, ANSWERED, PASSED_ON)
    assert fields(state) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:00.250000Z",
        "ended_at": "2026-12-10T05:31:48.060000Z",
        "duration_seconds": 107,
        "talk_seconds": 54,
        "counterpart": "+819012345678",
        "agent": "903",
    }


@pytest.mark.parametrize("heard", [1, 2, 3])
def test_whichever_legs_are_lost_it_is_that_call_and_connected(heard: int) -> None:
    for kept in itertools.combinations([QUEUED, ANSWERED, PASSED_ON], heard):
        state = call(RUNG, *kept)
        assert state.fields["outcome"] == "connected"
        assert state.fields["direction"] == "inbound"


def test_a_queue_that_nobody_answers_is_nobodys() -> None:
    rung = [RUNG, RUNG | {"call_id": LEG_B, "target": SUZUKI}]
    queued = unanswered(target=QUEUE, date_ended=ENDED)
    state = call(*rung, queued)
    assert (state.fields["outcome"], state.fields.get("agent")) == ("no_answer", None)
    left = call(*rung, queued, unanswered("voicemail_uploaded", target=QUEUE))
    assert left.fields["outcome"] == "voicemail"


def test_a_menu_that_answers_is_no_connection() -> None:
    state = call(event(target=QUEUE | {"type": "office"}), RUNG)
    assert (state.fields["outcome"], state.fields["talk_seconds"]) == ("no_answer", 0)


def test_an_outbound_call_that_is_passed_on_stays_its_makers_and_one() -> None:
    passed = event(
        call_id=LEG_A,
        entry_point_call_id=ROOT,
        direction="outbound",
        target=SUZUKI,
        date_ended=ENDED + 90_000,
        duration=60000,
    )
    state = call(OUTBOUND, passed)
    assert (state.fields["agent"], state.fields["talk_seconds"]) == ("sato@example.co.jp", 60)
    assert contribution(PRESETS["calls"], state, "JPY")


def test_a_direct_call_that_is_passed_on_is_whose_it_was_at_last() -> None:
    passed = PASSED_ON | {"target": SUZUKI}
    state = call(event(date_ended=CONNECTED + 40_000, is_transferred=True), passed)
    assert state.fields["agent"] == "suzuki@example.co.jp"


def test_a_leg_that_was_merged_into_a_call_is_no_call_of_its_own() -> None:
    consulted = event(
        call_id=LEG_A,
        master_call_id=ROOT,
        direction="outbound",
        external_number="+81355556666",
        duration=5000,
        date_ended=ENDED + 10_000,
    )
    state = call(event(), consulted)
    assert (state.fields["direction"], state.fields["counterpart"]) == ("inbound", "+819012345678")
    assert state.fields["talk_seconds"] == 95
    alone = call(consulted)
    assert (alone.fields["outcome"], alone.fields["direction"]) == ("connected", "outbound")


def test_the_entry_point_stands_above_the_master() -> None:
    told = event(call_id=LEG_A, entry_point_call_id=ROOT, master_call_id=LEG_B)
    assert {report.key for report in reports(told)} == {str(ROOT)}


def test_no_two_reports_of_a_call_share_a_revision_and_all_have_one_width() -> None:
    same = [RUNG | {"call_id": LEG_A + n} for n in range(5)]
    found = reports(*same, QUEUED, ANSWERED, PASSED_ON, OUTBOUND)
    revisions = [report.stamp.revision for report in found]
    assert len(set(revisions)) == len(revisions)
    assert len({len(revision) for revision in revisions}) == 1


def test_a_voicemail_told_before_and_after_the_end_is_one() -> None:
    before = unanswered("voicemail", date_ended=None, event_timestamp=ENDED - 4_000)
    ending = unanswered()
    after = unanswered("voicemail_uploaded", event_timestamp=ENDED + 9_000)
    for told in itertools.combinations([before, ending, after], 2):
        state = call(*told)
        assert state.fields["outcome"] == "voicemail"
        assert state.fields["ended_at"] == "2026-12-10T05:31:48Z"


def test_of_two_tellings_of_one_end_the_later_stands() -> None:
    again = event(duration=97000, total_duration=109000, event_timestamp=ENDED + 5_000)
    state = call(event(), again)
    assert (state.fields["talk_seconds"], state.fields["duration_seconds"]) == (97, 109)
    first, second = reports(event())[0], reports(again)[0]
    assert first.stamp.revision < second.stamp.revision


def test_a_repetition_is_the_same_report() -> None:
    late = replace(signed(event()), received_at=signed(event()).received_at + 10**9)
    assert read(late).items == read(signed(event())).items


@pytest.mark.parametrize(
    "told",
    [
        *(event(state) for state in ("calling", "ringing", "connected", "hold", "merged")),
        *(event(state) for state in ("recording", "call_transcription", "dispositions", "admin")),
        event(is_internal=True),
        event(is_internal="TRUE"),
        event(contact={"id": 902, "type": "user"}),
        {"state": "hangup"},
        {"id": 1, "state": "hangup", "text": "hi"},
        {"call_id": ROOT},
        {"call_id": ROOT, "state": ["hangup"]},
        {},
    ],
)
def test_what_tells_no_end_of_a_call_with_somebody_else_is_not_counted(
    told: dict[str, Any],
) -> None:
    delivery = read(signed(told))
    assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"direction": "sideways"}, ("/direction", "unknown_value")),
        ({"direction": None}, ("/direction", "required")),
        ({"call_id": None}, ("/call_id", "required")),
        ({"call_id": "a b"}, ("/call_id", "not_an_id")),
        ({"call_id": True}, ("/call_id", "not_an_id")),
        ({"call_id": 5.5}, ("/call_id", "not_an_id")),
        ({"entry_point_call_id": "null"}, ("/entry_point_call_id", "not_an_id")),
        ({"master_call_id": -3}, ("/master_call_id", "not_an_id")),
        ({"event_timestamp": None}, ("/event_timestamp", "required")),
        ({"event_timestamp": 10**18}, ("/event_timestamp", "not_an_integer")),
        ({"event_timestamp": 5}, ("/event_timestamp", "not_a_time")),
        ({"date_ended": "2026-12-10T05:30:00"}, ("/date_ended", "not_an_integer")),
        ({"date_started": None}, ("/date_started", "required")),
        ({"date_started": STARTED + 30 * 86_400_000}, ("/date_started", "time_too_far_ahead")),
        ({"duration": "long"}, ("/duration", "not_a_decimal")),
        ({"duration": "NaN"}, ("/duration", "out_of_range")),
        ({"duration": True}, ("/duration", "out_of_range")),
        ({"duration": -5}, ("/duration", "out_of_range")),
        ({"total_duration": 10**12}, ("/total_duration", "out_of_range")),
        ({"target": "sato"}, ("/target", "not_an_object")),
        ({"target": SATO | {"email": " x"}}, ("/target", "not_a_name")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = refused(signed(event(**more)))
    assert [(fault.pointer, fault.code) for fault in found.error.faults] == [expected]


def test_a_refusal_shows_what_was_told_and_not_the_token() -> None:
    found = refused(signed(event(direction="sideways")))
    assert found.id == str(ROOT)
    assert json.loads(found.content)["direction"] == "sideways"
    assert "f00dfeed" not in found.content
    for document in (b"[]", b"7", b'{"call_id":1,"call_id":2,"state":"hangup"}', b"\xff"):
        token = jwt.api_jws.encode(document, SECRET, algorithm="HS256")
        assert refused(posted(token.encode()))


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(sorted(event())), JUNK))
def test_any_values_of_an_event_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(signed(event() | changed))
    assert not (delivery.items and delivery.refused)
    assert len({item.report.key for item in delivery.items}) <= 1
    assert joined(item.report for item in delivery.items)


@given(st.binary(max_size=60))
def test_any_payload_that_was_signed_is_read_or_refused(payload: bytes) -> None:
    token = jwt.api_jws.encode(payload, SECRET, algorithm="HS256")
    delivery = read(posted(token.encode()))
    assert len(delivery.refused) <= 1
