"""FreeSWITCH: legs join into the call of the a-leg; what is ours is said by the extensions."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND
from app.domain.deliveries import Delivery
from app.domain.errors import Invalid
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.providers.freeswitch import PROVIDER
from app.intake.requests import HookRequest
from app.intake.source_settings import Settings, read_settings
from tests.intake import conformance
from tests.intake.freeswitch_events import (
    CALLER,
    CUSTOMER,
    DID,
    GATEWAY,
    INBOUND,
    INBOUND_ROOT,
    OUTBOUND_ROOT,
    PASSWORD,
    PHONE,
    RANG,
    T0,
    TALKED,
    TRUNK,
    A,
    B,
    C,
    D,
    posted,
    profile,
    record,
    text_of,
    url_encoded,
)

Cdr = dict[str, Any]


def read(cdr: Cdr, **how: Any) -> Delivery:
    return conformance.read("freeswitch", posted(cdr, **how))


def calls(*cdrs: Cdr) -> dict[str, dict[str, object]]:
    """What records come to, in whatever order: fields by the call's key."""
    deliveries = [read(cdr) for cdr in cdrs]
    assert not any(d.refused for d in deliveries)
    conformance.assert_any_order_ends_alike(deliveries, rounds=20)
    found = conformance.states(deliveries)
    return {k: {n: v for n, v in s.fields.items() if n != KIND} for k, s in found.items()}


def counted(*cdrs: Cdr) -> dict[str, int]:
    """How many each preset counts: what a sales team sees."""
    states = conformance.states([read(cdr) for cdr in cdrs]).values()
    presets = ("calls", "connected_calls", "inbound_calls")
    return {
        label: sum(
            isinstance(contribution(PRESETS[label], state, "JPY"), Contribution) for state in states
        )
        for label in presets
    }


def with_variables(cdr: Cdr, **variables: str | None) -> Cdr:
    changed = copy.deepcopy(cdr)
    changed["variables"] = {
        k: v for k, v in (changed["variables"] | variables).items() if v is not None
    }
    return changed


INBOUND_CALL = {
    "direction": "inbound",
    "outcome": "connected",
    "started_at": "2026-12-14T01:00:00Z",
    "ended_at": "2026-12-14T01:02:00Z",
    "duration_seconds": 120,
    "talk_seconds": 80,
    "counterpart": CUSTOMER,
    "agent": "1001",
}
OUTBOUND_CALL = {
    "direction": "outbound",
    "outcome": "connected",
    "started_at": "2026-12-14T01:00:00Z",
    "ended_at": "2026-12-14T01:01:20Z",
    "duration_seconds": 80,
    "talk_seconds": 60,
    "counterpart": "09099998888",
    "agent": "1001",
}


def test_a_customer_calls_and_one_of_two_telephones_is_answered() -> None:
    assert calls(*INBOUND) == {A: INBOUND_CALL}
    assert counted(*INBOUND) == {"calls": 0, "connected_calls": 0, "inbound_calls": 1}


def test_the_agents_own_leg_enters_the_switch_and_is_an_outbound_call() -> None:
    assert OUTBOUND_ROOT["variables"]["direction"] == "inbound"
    assert calls(OUTBOUND_ROOT, GATEWAY) == {A: OUTBOUND_CALL}
    assert calls(OUTBOUND_ROOT) == {A: OUTBOUND_CALL}
    assert counted(OUTBOUND_ROOT, GATEWAY)["connected_calls"] == 1


def test_a_dialled_leg_alone_is_no_call_until_the_first_leg_is_heard() -> None:
    assert calls(TALKED)[A] == {"outcome": "connected", "talk_seconds": 80, "agent": "1001"}
    assert counted(TALKED, RANG) == {"calls": 0, "connected_calls": 0, "inbound_calls": 0}


@pytest.mark.parametrize(
    "how",
    [
        {"encode": "false"},
        {"encode": "false", "values": False},
        {"encode": "base64"},
        {"encode": "base64", "values": False},
        {"encode": "true", "values": False},
        {"query": f"a_{A}"},
    ],
    ids=str,
)
@pytest.mark.parametrize("cdr", [*INBOUND, OUTBOUND_ROOT])
def test_every_spelling_of_a_record_says_the_same(cdr: Cdr, how: dict[str, Any]) -> None:
    assert read(cdr, **how).items == read(cdr).items


def test_a_form_whose_names_broke_the_record_is_refused_and_not_half_read() -> None:
    # The switch does not escape its own escapes: a quotation mark in a name ends its text early.
    delivery = read(INBOUND_ROOT, encode="true")
    assert delivery.items == ()
    assert delivery.refused[0].error.code == "not_json"


def test_a_name_that_writes_a_second_value_is_refused() -> None:
    forged = with_variables(INBOUND_ROOT, sip_full_from=None, name='x","end_epoch":"1765000000')
    delivery = read(forged, encode="true")
    assert delivery.items == ()
    assert delivery.refused[0].error.code == "duplicate_key"


def test_base64_in_lines_and_a_file_of_the_switch_are_read() -> None:
    request = posted(INBOUND_ROOT, encode="base64")
    lines = b"\n".join(request.body[n : n + 72] for n in range(0, len(request.body), 72)) + b"\n"
    assert conformance.read("freeswitch", replace(request, body=lines)).items
    kept = text_of(INBOUND_ROOT).encode() + b"\n"  # what err-log-dir has, sent again by curl
    assert conformance.read("freeswitch", posted(kept)).items == read(INBOUND_ROOT).items


def test_base64_has_a_plus_that_is_no_blank() -> None:
    cdr, pad = INBOUND_ROOT, 0
    while b"+" not in b64encode(text_of(cdr).encode()) or pad < 1:
        pad += 1
        cdr = with_variables(INBOUND_ROOT, note="~" * pad + ">>>???")
        cdr["callflow"][0]["caller_profile"]["caller_id_name"] = "û>>>~~" * pad
    assert read(cdr, encode="base64").items == read(INBOUND_ROOT).items


def test_bytes_of_a_name_that_are_no_utf8_lose_no_call() -> None:
    body = text_of(INBOUND_ROOT).encode()
    latin = body.replace("佐藤".encode(), "佐藤".encode("shift_jis"))
    with pytest.raises(UnicodeDecodeError):
        latin.decode()
    assert conformance.read("freeswitch", posted(latin)).items == read(INBOUND_ROOT).items


def test_a_repetition_is_the_same_report_and_a_later_reading_too() -> None:
    again = replace(posted(TALKED), received_at=posted(TALKED).received_at + 9_000_000)
    assert conformance.read("freeswitch", again).items == read(TALKED).items


def test_no_two_legs_share_a_revision_and_all_are_of_one_width() -> None:
    twin = with_variables(RANG, uuid=D, dialed_user="1003")
    legs = [*INBOUND, twin, record(D, CUSTOMER, DID, TRUNK, answer=1, apps=("voicemail",))]
    found = [item.report.stamp.revision for cdr in legs for item in read(cdr).items]
    assert len(set(found)) == len(found) == 6
    assert len({len(revision) for revision in found}) == 1


def test_nobody_answers_and_the_announcement_did() -> None:
    root = record(A, CUSTOMER, DID, TRUNK, answer=5, end=40)
    assert calls(root, RANG)[A]["outcome"] == "no_answer"
    assert (calls(root)[A]["outcome"], calls(root)[A]["talk_seconds"]) == ("no_answer", 0)


def test_the_mailbox_stands_over_telephones_that_rang_and_under_one_that_was_answered() -> None:
    root = record(A, CUSTOMER, DID, TRUNK, answer=5, end=120, apps=("bridge", "voicemail"))
    for order in ([root, RANG], [RANG, root]):
        assert calls(*order)[A]["outcome"] == "voicemail"
        assert calls(*order)[A]["talk_seconds"] == 0
    assert calls(root, RANG, TALKED)[A]["outcome"] == "connected"
    unanswered = record(A, CUSTOMER, DID, TRUNK, end=120, apps=("voicemail",))
    assert calls(unanswered)[A]["outcome"] == "no_answer"


def test_a_call_that_is_passed_on_is_one_call_of_who_had_it_last() -> None:
    root = record(A, CUSTOMER, DID, TRUNK, answer=5, bridge=40, end=300, transferred_to="1003")
    passed = record(
        D,
        CUSTOMER,
        "1003",
        "sofia/internal/1003@192.0.2.23",
        direction="outbound",
        start=120,
        answer=130,
        end=300,
        dialler=profile(A, CUSTOMER, "1003", TRUNK),
        originator=A,
        dialed_user="1003",
    )
    state = calls(root, RANG, TALKED, passed)
    assert list(state) == [A]
    assert (state[A]["agent"], state[A]["talk_seconds"]) == ("1003", 170)
    assert counted(root, RANG, TALKED, passed)["inbound_calls"] == 1


def test_a_consultation_before_a_transfer_is_a_call_among_ours() -> None:
    consulting = record(B, "1001", "1003", PHONE, answer=3, end=30, user_name="1001")
    asked = record(
        D,
        "1001",
        "1003",
        "sofia/internal/1003@192.0.2.23",
        direction="outbound",
        start=60,
        answer=70,
        end=300,
        dialler=profile(B, "1001", "1003", PHONE),
        originator=B,
        dialed_user="1003",
    )
    assert calls(consulting, asked) == {}
    assert calls(*INBOUND, consulting, asked) == {A: INBOUND_CALL}


def test_a_customer_whom_the_agent_passes_on_is_no_second_call() -> None:
    # The agent's leg was the first; the customer's leg dials 1002 and names itself.
    onward = record(
        C,
        "09099998888",
        "1002",
        "sofia/internal/1002@192.0.2.22",
        direction="outbound",
        start=80,
        answer=90,
        end=200,
        dialler=profile(B, "09099998888", "1002", "sofia/external/09099998888"),
        originator=B,
        dialed_user="1002",
    )
    found = calls(OUTBOUND_ROOT, GATEWAY, onward)
    assert found[A] == OUTBOUND_CALL
    assert counted(OUTBOUND_ROOT, GATEWAY, onward) == {
        "calls": 1,
        "connected_calls": 1,
        "inbound_calls": 0,
    }


def test_a_colleague_picks_up_by_a_code() -> None:
    root = record(A, CUSTOMER, DID, TRUNK, answer=30, bridge=30, end=90)
    rang = with_variables(RANG, hangup_cause="PICKED_OFF")
    picked = record(
        D,
        "1004",
        "*8",
        "sofia/internal/1004@pbx.example.co.jp",
        start=28,
        answer=30,
        end=90,
        apps=("intercept",),
        user_name="1004",
        bridge_uuid=A,
        signal_bond=A,
    )
    state = calls(root, rang, picked)
    assert list(state) == [A]
    assert (state[A]["agent"], state[A]["outcome"]) == ("1004", "connected")
    assert state[A]["talk_seconds"] == 60
    in_vain = with_variables(picked, bridge_uuid=None, signal_bond=None)
    assert calls(in_vain) == {}


def test_a_queue_rings_its_agents_and_names_the_callers_leg() -> None:
    member = record(
        A, CUSTOMER, DID, TRUNK, answer=1, bridge=50, end=120, cc_side="member",
        cc_member_session_uuid=A, apps=("callcenter",),
    )  # fmt: skip
    legs = [
        record(
            uuid,
            CUSTOMER,
            callee,
            f"sofia/internal/{callee}@192.0.2.9",
            direction="outbound",
            start=start,
            answer=answer,
            end=end,
            cause=cause,
            cc_side="agent",
            cc_member_session_uuid=A,
            cc_agent=f"{callee}@pbx.example.co.jp",
        )
        for uuid, callee, start, answer, end, cause in (
            (B, "1002", 2, None, 22, "NO_ANSWER"),
            (C, "1003", 22, None, 42, "ORIGINATOR_CANCEL"),
            (D, "1001", 42, 50, 120, "NORMAL_CLEARING"),
        )
    ]
    assert calls(member, *legs) == {A: INBOUND_CALL | {"talk_seconds": 70}}
    given_up = calls(with_variables(member, bridge_epoch="0"), *legs[:2])
    assert (given_up[A]["outcome"], given_up[A]["talk_seconds"]) == ("no_answer", 0)
    at_home = with_variables(legs[2], cc_agent="sato@pbx.example.co.jp")
    at_home["callflow"][0]["caller_profile"]["destination_number"] = "08011112222"
    assert calls(member, at_home)[A]["agent"] == "sato"


def test_a_telephone_that_forwards_is_the_number_it_forwards_to() -> None:
    forwarded = record(
        B,
        CUSTOMER,
        "08055556666",
        "sofia/external/08055556666",
        direction="outbound",
        answer=20,
        end=120,
        dialler=profile(A, CUSTOMER, "1001", TRUNK),
        originator=A,
    )
    assert calls(INBOUND_ROOT, forwarded)[A]["agent"] == "08055556666"
    # Passed on to a number outside, it stays with ours who talked first.
    later = with_variables(forwarded, end_epoch=str(T0 + 300))
    assert calls(INBOUND_ROOT, TALKED, later)[A]["agent"] == "1001"
    unanswered = with_variables(forwarded, answer_epoch="0", hangup_cause="USER_BUSY")
    assert calls(record(A, CUSTOMER, DID, TRUNK), unanswered)[A]["outcome"] == "no_answer"


def click_to_call(**more: Any) -> Cdr:
    known: dict[str, Any] = {"answer": 5, "bridge": 15, "end": 75, "dialed_user": "1001"}
    return record(
        A,
        "0000000000",
        "1001",
        "sofia/internal/1001@192.0.2.21",
        direction="outbound",
        **(known | more),
    )


def test_click_to_call_rings_our_telephone_first_and_is_outbound() -> None:
    root = click_to_call(transferred_to="09099998888")
    inline = click_to_call(originated_legs=f"ARRAY::{B};Outbound Call;09099998888")
    customer = record(
        B,
        "0312340000",
        "09099998888",
        "sofia/external/09099998888",
        direction="outbound",
        start=6,
        answer=15,
        end=75,
        dialler=profile(A, "0000000000", "1001", "sofia/internal/1001@192.0.2.21"),
        originator=A,
    )
    for first in (root, inline):
        assert calls(first, customer)[A] == OUTBOUND_CALL | {
            "duration_seconds": 75,
            "ended_at": "2026-12-14T01:01:15Z",
        }
    busy = with_variables(customer, answer_epoch="0", hangup_cause="USER_BUSY", billsec="0")
    assert calls(root, busy)[A]["outcome"] == "busy"
    assert calls(root, busy)[A]["talk_seconds"] == 0
    assert calls(root, busy)[A]["agent"] == "1001"


def test_our_telephone_that_is_not_lifted_has_called_nobody() -> None:
    assert calls(click_to_call(answer=None, bridge=None, cause="NO_ANSWER")) == {}
    web = click_to_call(answer=None, bridge=None, cause="NO_ANSWER")
    web["callflow"][0]["caller_profile"]["destination_number"] = "gh3k2j1m"
    assert calls(web) == {}


def test_a_dialler_calls_the_customer_first_and_the_agent_then() -> None:
    root = record(
        A, "0312340000", "09099998888", "sofia/external/09099998888",
        direction="outbound", answer=10, bridge=20, end=80,
    )  # fmt: skip
    agent = record(
        B,
        "09099998888",
        "1001",
        "sofia/internal/1001@192.0.2.21",
        direction="outbound",
        start=11,
        answer=20,
        end=80,
        dialler=profile(A, "0312340000", "09099998888", "sofia/external/09099998888"),
        originator=A,
        dialed_user="1001",
    )
    assert calls(root, agent)[A] == OUTBOUND_CALL
    missed = with_variables(agent, answer_epoch="0", billsec="0", hangup_cause="NO_ANSWER")
    abandoned = with_variables(root, bridge_epoch="0")
    assert calls(abandoned, missed)[A]["outcome"] == "no_answer"


def test_a_pipe_within_the_switch_is_no_second_call() -> None:
    near = record(
        B,
        CUSTOMER,
        "1001",
        "loopback/1001-a",
        direction="outbound",
        answer=40,
        end=41,
        dialler=CALLER,
        originator=A,
    )
    far = record(C, CUSTOMER, "1001", "loopback/1001-b", answer=40, end=41)
    beyond = record(
        D,
        CUSTOMER,
        "1001",
        "sofia/internal/1001@192.0.2.21",
        direction="outbound",
        answer=40,
        end=120,
        dialler=profile(C, CUSTOMER, "1001", "loopback/1001-b"),
        originator=C,
    )
    assert calls(INBOUND_ROOT, near, far, beyond) == {A: INBOUND_CALL}


@pytest.mark.parametrize("dialled", ["1002", "5000", "*98", "#1", ""])
def test_calls_among_ours_are_not_counted(dialled: str) -> None:
    root = record(A, "1001", dialled, PHONE, answer=2, user_name="1001")
    assert calls(root) == {}


def test_a_registered_telephone_is_proved_and_a_number_is_not() -> None:
    as_1001 = record(A, "1001", DID, TRUNK.replace(CUSTOMER, "1001"), user_name="carrier")
    assert calls(as_1001)[A]["direction"] == "inbound"
    made_up = record(A, "1001", DID, TRUNK.replace(CUSTOMER, "1001"))
    assert (calls(made_up)[A]["direction"], "agent" in calls(made_up)[A]) == ("inbound", False)
    other_number = record(A, "0312340000", "09099998888", PHONE, answer=9, user_name="1001")
    assert calls(other_number)[A]["agent"] == "1001"
    by_channel = record(A, "0312340000", "09099998888", PHONE, answer=9)
    assert calls(by_channel)[A]["agent"] == "1001"


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("USER_BUSY", "busy"),
        ("NO_ANSWER", "no_answer"),
        ("NO_USER_RESPONSE", "no_answer"),
        ("CALL_REJECTED", "no_answer"),
        ("ORIGINATOR_CANCEL", "canceled"),
        ("UNALLOCATED_NUMBER", "failed"),
        ("NORMAL_TEMPORARY_FAILURE", "failed"),
    ],
)
def test_why_a_customer_was_not_reached(cause: str, outcome: str) -> None:
    root = record(A, "1001", "09099998888", PHONE, end=30, cause=cause, user_name="1001")
    leg = with_variables(GATEWAY, answer_epoch="0", billsec="0", hangup_cause=cause)
    for legs in ([root], [root, leg], [leg, root]):
        assert calls(*legs)[A]["outcome"] == outcome


def test_a_second_gateway_that_gets_through_stands_over_the_first() -> None:
    failed = with_variables(
        GATEWAY, uuid=C, answer_epoch="0", billsec="0", hangup_cause="NORMAL_TEMPORARY_FAILURE"
    )
    assert calls(failed, GATEWAY, OUTBOUND_ROOT) == {A: OUTBOUND_CALL}


def fault(cdr: Cdr) -> tuple[str, str]:
    [refused] = read(cdr).refused
    return refused.error.faults[0].pointer, refused.error.faults[0].code


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"uuid": None}, ("/variables/uuid", "required")),
        ({"uuid": "x" * 300}, ("/variables/uuid", "not_a_name")),
        ({"originator": " a"}, ("/variables/originator", "not_a_name")),
        ({"start_epoch": None}, ("/variables/start_epoch", "required")),
        ({"end_epoch": "0"}, ("/variables/end_epoch", "required")),
        ({"end_epoch": "soon"}, ("/variables/end_epoch", "not_an_integer")),
        ({"end_epoch": "9" * 15}, ("/variables/end_epoch", "time_too_far_ahead")),
        ({"start_epoch": "1"}, ("/variables/start_epoch", "time_before_1980")),
        ({"direction": None}, ("/variables/direction", "required")),
    ],
)
def test_an_unusable_record_is_refused_with_its_place(
    variables: dict[str, str | None], expected: tuple[str, str]
) -> None:
    assert fault(with_variables(INBOUND_ROOT, **variables)) == expected


def test_a_talk_of_years_is_refused() -> None:
    assert fault(with_variables(TALKED, billsec="9" * 12)) == (
        "/variables/billsec",
        "out_of_range",
    )


def test_no_password_of_a_gateway_is_kept() -> None:
    for encode in ("false", "base64"):
        raw = read(GATEWAY, encode=encode).raw
        assert raw
        assert b"gateway-password-1" not in raw.body
        assert json.loads(raw.body)["variables"]["sip_auth_password"] == "[redacted]"


def test_every_changed_byte_of_the_proof_is_refused() -> None:
    request = posted(INBOUND_ROOT)
    conformance.assert_refused("freeswitch", conformance.flipped_headers(request, "authorization"))
    others = [f"root:{PASSWORD}", f"tassei:{PASSWORD[:-1]}", f"tassei:{PASSWORD}x", PASSWORD, ":"]
    proofs = [f"Basic {b64encode(one.encode()).decode()}" for one in others]
    proofs += ["", f"Bearer {PASSWORD}", f'Digest username="tassei", response="{PASSWORD}"']
    conformance.assert_refused(
        "freeswitch",
        (replace(request, headers={**request.headers, "authorization": one}) for one in proofs),
    )


def test_the_answer_is_the_200_that_older_releases_want() -> None:
    assert PROVIDER.hook
    assert PROVIDER.hook.answer(posted(INBOUND_ROOT)).status == 200


@pytest.mark.parametrize(
    ("extensions", "pointer", "code"),
    [
        (None, "/extensions", "required"),
        ([], "/extensions", "not_a_list"),
        (["1 XX"], "/extensions/0", "not_an_extension"),
        (["1XXX", "(.*)"], "/extensions/1", "not_an_extension"),
        ([7], "/extensions/0", "not_a_text"),
    ],
)
def test_extensions_are_asked_for_and_checked(extensions: Any, pointer: str, code: str) -> None:
    document = {} if extensions is None else {"extensions": extensions}
    with pytest.raises(Invalid) as caught:
        read_settings(PROVIDER.settings, document)
    assert (caught.value.faults[0].pointer, caught.value.faults[0].code) == (pointer, code)


def test_only_x_stands_for_a_digit() -> None:
    settings = read_settings(PROVIDER.settings, {"extensions": ["1.2", "X0", "sato"]})
    assert isinstance(settings, Settings)

    def agent(caller: str) -> object:
        root = record(A, caller, "09099998888", f"sofia/internal/{caller}@x", user_name=caller)
        [item] = conformance.read("freeswitch", posted(root, settings=settings)).items
        return item.report.fields.get("agent")

    assert [agent(one) for one in ("1.2", "10", "sato")] == ["1.2", "10", "sato"]
    assert [agent(one) for one in ("1x2", "X0", "a0", "satoh", "100")] == [None] * 5


def test_the_switchs_encoder_is_undone() -> None:
    for text in ("+81 90-1234", '"佐藤" <sip:1@x>', "100%", "a%zz", "+"):
        assert "+" not in url_encoded(text)
    named = with_variables(INBOUND_ROOT, user_name="+81312340000")
    assert read(named).items
    assert read(named, values=False).items == read(named).items


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.characters(max_codepoint=255), max_size=12),
    st.sampled_from(["0", "1765702800", "%2B81", "1001", A, "outbound", "inbound", "loopback/1-b"]),
)


@given(
    st.dictionaries(st.sampled_from([*INBOUND_ROOT["variables"], "dialed_user"]), VALUES),
    st.sampled_from([*INBOUND, OUTBOUND_ROOT, GATEWAY]),
    st.lists(st.sampled_from(["intercept", "voicemail", ""]) | st.none(), max_size=2),
)
def test_any_values_are_read_or_refused(
    variables: dict[str, Any], cdr: Cdr, apps: list[str | None]
) -> None:
    changed = cdr | {
        "variables": cdr["variables"] | variables,
        "app_log": {"applications": [{"app_name": app} for app in apps]},
    }
    body = json.dumps(changed).encode()
    request: HookRequest = posted(body)
    conformance.read("freeswitch", request)
