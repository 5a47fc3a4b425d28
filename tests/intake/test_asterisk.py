"""Asterisk: all rows of one linkedid are one call, whatever was dialled, queued or passed on."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND
from app.domain.deliveries import Delivery
from app.domain.errors import Invalid
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.providers.asterisk import PROVIDER
from app.intake.providers.asterisk.rows import COLUMNS
from app.intake.source_settings import Settings, read_settings
from tests.intake import conformance
from tests.intake.asterisk_events import (
    CALL,
    CUSTOMER,
    DID,
    OUTBOUND,
    QUEUE,
    SETTINGS,
    TRUNK,
    TRUNK2,
    phone,
    posted,
    row,
    signed,
)


def read(*lines: str, **how: Any) -> Delivery:
    return conformance.read("asterisk", posted(*lines, **how))


def calls(*lines: str) -> dict[str, dict[str, object]]:
    """What rows come to, in any order and in any division into posts."""
    deliveries = [read(line) for line in lines]
    assert not any(d.refused for d in deliveries)
    conformance.assert_any_order_ends_alike(deliveries, rounds=20)
    found = conformance.states(deliveries)
    assert conformance.states([read(*lines)]) == found
    return {
        key: {n: v for n, v in s.fields.items() if n != KIND and v is not None}
        for key, s in found.items()
    }


def counted(*lines: str) -> tuple[int, int, int]:
    """Calls out, those connected, and calls in, as a sales team sees them."""
    states = conformance.states([read(*lines)]).values()
    out, connected, inbound = (
        sum(isinstance(contribution(PRESETS[label], s, "JPY"), Contribution) for s in states)
        for label in ("calls", "connected_calls", "inbound_calls")
    )
    return out, connected, inbound


INBOUND_CALL = {
    "direction": "inbound",
    "outcome": "connected",
    "started_at": "2026-12-14T01:00:10Z",
    "ended_at": "2026-12-14T01:02:00Z",
    "talk_seconds": 90,
    "counterpart": CUSTOMER,
    "agent": "1001",
}
OUTBOUND_CALL = {
    "direction": "outbound",
    "outcome": "connected",
    "started_at": "2026-12-14T01:00:00Z",
    "ended_at": "2026-12-14T01:01:20Z",
    "talk_seconds": 60,
    "counterpart": "09099998888",
    "agent": "1001",
}


def test_a_queue_that_rings_two_telephones_is_one_call_in_every_order() -> None:
    for order in itertools.permutations(QUEUE):
        assert calls(*order) == {CALL: INBOUND_CALL}
    assert counted(*QUEUE) == (0, 0, 1)


def test_a_call_by_the_trunk_is_outbound_and_who_dialled_is_the_agent() -> None:
    assert calls(OUTBOUND) == {CALL: OUTBOUND_CALL}
    assert counted(OUTBOUND) == (1, 1, 0)


def test_twenty_telephones_that_ring_are_one_call() -> None:
    rang = [
        row(TRUNK, phone(f"10{n:02}"), 50 + n, 10, 10, 30, app="Queue", disposition="NO ANSWER")
        for n in range(2, 22)
    ]
    assert calls(*rang, QUEUE[1]) == {CALL: INBOUND_CALL}
    given_up = row(TRUNK, "", 80, 0, 1, 31, app="Queue", data="sales")
    state = calls(*rang, given_up)[CALL]
    assert (state["outcome"], state["talk_seconds"]) == ("no_answer", 0)
    assert "agent" not in state


def test_an_announcement_that_answers_is_no_person_and_the_mailbox_is_one() -> None:
    menu = row(TRUNK, "", 1, 0, 1, 15, app="BackGround", dst="s")
    assert calls(menu)[CALL]["outcome"] == "no_answer"
    mailbox = row(TRUNK, "", 9, 30, 30, 60, app="VoiceMail", data="1001@default,u")
    rang = row(TRUNK, phone("1001"), 2, 0, None, 30)
    assert calls(rang, mailbox)[CALL]["outcome"] == "voicemail"
    assert calls(rang, mailbox)[CALL]["talk_seconds"] == 0
    after = row(TRUNK, "", 10, 60, 60, 61, app="Hangup")
    assert calls(rang, mailbox, after)[CALL]["outcome"] == "voicemail"
    assert calls(mailbox, QUEUE[1])[CALL]["outcome"] == "connected"
    not_reached = row(TRUNK, "", 9, 30, None, 31, app="VoiceMail")
    assert calls(rang, not_reached)[CALL]["outcome"] == "no_answer"


# The transfers of the CDR specification, with a customer for Alice.
FIRST = row(TRUNK, phone("1001"), 101, 0, 10, 30)


def test_a_blind_transfer_is_one_call_of_who_had_it_last() -> None:
    passed = row(TRUNK, phone("1003", 3), 102, 30, 35, 95)
    state = calls(FIRST, passed)
    assert list(state) == [CALL]
    assert (state[CALL]["agent"], state[CALL]["talk_seconds"]) == ("1003", 60)
    assert state[CALL]["started_at"] == "2026-12-14T01:00:00Z"
    assert counted(FIRST, passed) == (0, 0, 1)


def test_an_attended_transfer_by_the_switch_is_one_call() -> None:
    asked = row(
        phone("1001"), phone("1003", 3), 102, 20, 25, 30,
        src="1001", dst="1003", uniqueid="pbx-1765674004.13",
    )  # fmt: skip
    joined = row(TRUNK, phone("1003", 3), 103, 30, 30, 65)
    state = calls(FIRST, asked, joined)
    assert list(state) == [CALL]
    assert (state[CALL]["agent"], state[CALL]["talk_seconds"]) == ("1003", 35)
    assert counted(FIRST, asked, joined) == (0, 0, 1)


def test_an_attended_transfer_by_sip_has_a_second_call_among_ours_that_is_not_counted() -> None:
    other = "pbx-1765674030.14"
    asked = row(
        phone("1001", 9), phone("1003", 3), 102, 20, 25, 30,
        src="1001", dst="1003", uniqueid=other, call=other,
    )  # fmt: skip
    joined = row(TRUNK, phone("1003", 3), 103, 30, 30, 65)
    assert list(calls(FIRST, asked, joined)) == [CALL]
    assert counted(FIRST, asked, joined) == (0, 0, 1)


def test_a_consultation_with_a_number_outside_during_a_call_is_no_second_call() -> None:
    asked = row(
        phone("1001"), TRUNK2, 102, 20, 25, 29,
        src="1001", dst="08011112222", uniqueid="pbx-1765674004.13",
    )  # fmt: skip
    state = calls(FIRST, asked)[CALL]
    assert (state["direction"], state["counterpart"]) == ("inbound", CUSTOMER)
    assert counted(FIRST, asked) == (0, 0, 1)
    assert counted(asked) == (0, 0, 0)  # the row of a call whose first one is still to come


def test_three_who_talk_are_one_call() -> None:
    three = [
        row(TRUNK, phone("1001"), 101, 0, 10, 120),
        row(phone("1001"), phone("1003", 3), 102, 30, 35, 50, src="1001", uniqueid="pbx-1.2"),
        row(TRUNK, phone("1003", 3), 103, 50, 50, 120),
        row(phone("1001"), phone("1003", 3), 104, 50, 50, 120, src="1001", uniqueid="pbx-1.2"),
    ]
    assert list(calls(*three)) == [CALL]
    assert counted(*three) == (0, 0, 1)


def test_a_customer_whom_the_agent_passes_on_stays_the_agents_outbound_call() -> None:
    onward = row(
        TRUNK, phone("1003", 3), 8, 80, 85, 200,
        src="09099998888", dst="1003", uniqueid="pbx-1765674001.13",
    )  # fmt: skip
    state = calls(OUTBOUND, onward)[CALL]
    assert state == OUTBOUND_CALL | {"ended_at": "2026-12-14T01:03:20Z"}
    assert counted(OUTBOUND, onward) == (1, 1, 0)
    assert counted(onward) == (0, 0, 0)


LOCAL1, LOCAL2 = "Local/1001@from-queue-0000001c;1", "Local/1001@from-queue-0000001c;2"


def test_a_queue_that_rings_through_pipes_is_one_call_with_the_telephone_behind() -> None:
    through = row(TRUNK, LOCAL1, 42, 25, 30, 120, app="Queue", data="sales")
    behind = row(
        LOCAL2, phone("1001", 2), 43, 25, 30, 120, dst="1001", uniqueid="pbx-1765674025.14"
    )
    begun = INBOUND_CALL | {"started_at": "2026-12-14T01:00:25Z"}
    assert calls(through, behind) == {CALL: begun}
    assert calls(through) == {CALL: begun}
    # The pipe is taken away once both ends are connected: a row before and a row after.
    short = row(TRUNK, LOCAL1, 42, 25, 30, 30, app="Queue", data="sales")
    rest = row(TRUNK, phone("1001", 2), 44, 30, 30, 120, app="Queue", data="sales")
    assert calls(short, rest) == {CALL: begun}


def test_a_telephone_that_leads_on_to_a_mobile_one() -> None:
    through = row(TRUNK, LOCAL1, 42, 0, 15, 60)
    mobile = row(
        LOCAL2, TRUNK2, 43, 1, 15, 60,
        data="PJSIP/08055556666@carrier", dst="08055556666", uniqueid="pbx-1765674001.13",
    )  # fmt: skip
    state = calls(through, mobile)[CALL]
    assert (state["direction"], state["agent"]) == ("inbound", "1001")
    assert counted(through, mobile) == (0, 0, 1)
    straight = row(TRUNK, TRUNK2, 43, 0, 15, 60, data="PJSIP/08055556666@carrier")
    assert calls(straight)[CALL]["agent"] == "08055556666"
    assert counted(straight) == (0, 0, 1)


def test_a_colleague_whose_telephone_leads_on_to_a_mobile_one_is_no_customer() -> None:
    inside = row(phone("1002"), LOCAL1, 42, 0, 15, 60, src="1002", dst="1001")
    mobile = row(LOCAL2, TRUNK2, 43, 1, 15, 60, dst="08055556666", uniqueid="pbx-1765674001.13")
    assert counted(inside, mobile) == (0, 0, 0)
    assert counted(mobile, inside) == (0, 0, 0)


def test_a_dial_plan_that_takes_a_pipe_to_the_trunk_counts_once() -> None:
    pipe1 = "Local/09099998888@out-0000001d;1"
    dialled = row(phone("1001"), pipe1, 6, 0, 20, 80, src="1001", dst="09099998888")
    trunk = row(
        pipe1.replace(";1", ";2"), TRUNK, 7, 0, 20, 80,
        src="1001", dst="09099998888", uniqueid="pbx-1765674000.13",
    )  # fmt: skip
    assert calls(dialled, trunk) == {CALL: OUTBOUND_CALL}
    assert counted(dialled, trunk) == (1, 1, 0)


def test_click_to_call_through_a_pipe_is_outbound_and_of_the_telephone_that_rang_first() -> None:
    rang = row(LOCAL2, phone("1001"), 6, 0, 4, 80, src="", dst="1001", uniqueid="pbx-1765674000.13")
    trunk = row(LOCAL1, TRUNK, 7, 4, 24, 84, src="", dst="09099998888")
    state = calls(rang, trunk)[CALL]
    assert (state["direction"], state["agent"], state["talk_seconds"]) == ("outbound", "1001", 60)
    busy = row(LOCAL1, TRUNK, 7, 4, None, 24, src="", dst="09099998888", disposition="BUSY")
    assert calls(rang, busy)[CALL]["outcome"] == "busy"
    assert calls(rang) == {CALL: {"agent": "1001"}}
    assert counted(rang) == (0, 0, 0)


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [("NO ANSWER", "no_answer"), ("BUSY", "busy"), ("FAILED", "failed"), ("CONGESTION", "failed")],
)
def test_why_a_customer_was_not_reached(disposition: str, outcome: str) -> None:
    line = row(phone("1001"), TRUNK, 7, 0, None, 20, src="1001", disposition=disposition)
    state = calls(line)[CALL]
    assert (state["outcome"], state["talk_seconds"], state["agent"]) == (outcome, 0, "1001")
    # Of ours who did not answer it is told that they did not, whatever the telephone said.
    inbound = row(TRUNK, phone("1001"), 7, 0, None, 20, disposition=disposition)
    assert calls(inbound)[CALL]["outcome"] == "no_answer"


def test_a_second_trunk_that_gets_through_stands_over_the_first() -> None:
    failed = row(
        phone("1001"),
        TRUNK2,
        6,
        0,
        None,
        1,
        src="1001",
        dst="09099998888",
        disposition="CONGESTION",
    )
    assert calls(failed, OUTBOUND) == {CALL: OUTBOUND_CALL}


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("PJSIP/09099998888@carrier,60,T", "09099998888"),
        ("DAHDI/i1/09099998888,60", "09099998888"),
        ("PJSIP/1009&PJSIP/09099998888@carrier", "09099998888"),
    ],
)
def test_a_trunk_that_was_away_is_a_call_that_failed(data: str, number: str) -> None:
    line = row(phone("1001"), "", 6, 0, None, 1, dst="s", data=data, disposition="FAILED")
    state = calls(line)[CALL]
    assert (state["direction"], state["outcome"]) == ("outbound", "failed")
    assert state["counterpart"] == number


@pytest.mark.parametrize(
    "line",
    [
        row(phone("1001"), phone("1002"), 3, 0, 5, 60, src="1001", dst="1002"),
        row(phone("1001"), "", 3, 0, 5, 60, src="1001", dst="*97", app="VoiceMailMain"),
        row(phone("1001"), "", 3, 0, 5, 60, dst="8000", app="ConfBridge"),
        row("Local/1@x-00000001;1", "Local/2@x-00000002;1", 3, 0, 5, 60),
        row(phone("1001"), "", 3, 0, None, 5, dst="1009", data="PJSIP/1009,20"),
        row("Message/ast_msg_queue", "", 3, 0, 5, 60, app="MessageSend"),
    ],
)
def test_calls_among_ours_are_not_counted(line: str) -> None:
    assert read(line).items == ()
    assert read(line).refused == ()


def test_trunks_are_names_and_not_beginnings_of_names() -> None:
    similar = row("PJSIP/carrier-b-0000000c", phone("1001"), 3, 0, 5, 60)
    assert read(similar).items == ()
    isdn = row("DAHDI/i1/0312345678-5", phone("1001"), 3, 0, 5, 60)
    assert calls(isdn)[CALL]["direction"] == "inbound"
    handed_over = row(f"AsyncGoto/{TRUNK}", f"{phone('1001')}<ZOMBIE>", 3, 0, 5, 60)
    assert calls(handed_over)[CALL]["agent"] == "1001"


def test_local_times_are_read_in_the_switchs_zone_and_seconds_as_they_are() -> None:
    berlin = Settings({**SETTINGS.values, "zone": "Europe/Berlin"})
    [begun, *_] = read(OUTBOUND, settings=berlin).items
    assert begun.report.fields["started_at"] == "2026-12-14T09:00:00Z"
    epoch = row(
        phone("1001"), TRUNK, 7, 0, 20, 80, src="1001", dst="09099998888",
        raw={"start": "1797210000.250000", "answer": "1797210020", "end": "1797210080.999999"},
    )  # fmt: skip
    [begun, ended, *_] = read(epoch, settings=berlin).items
    assert begun.report.fields["started_at"] == "2026-12-14T01:00:00.250000Z"
    assert ended.report.fields["ended_at"] == "2026-12-14T01:01:20.999999Z"


def test_reports_have_revisions_of_one_width_and_none_twice() -> None:
    twin = row(TRUNK, phone("1005", 5), 43, 25, 30, 120, app="Queue", data="sales")
    items = read(*QUEUE, twin, OUTBOUND).items
    revisions = [item.report.stamp.revision for item in items]
    assert len(set(revisions)) == len(revisions) > 12
    assert len({len(revision) for revision in revisions}) == 1
    assert len({item.index for item in items}) == len(items)


def test_a_row_that_is_sent_again_is_the_same_reports() -> None:
    again = replace(posted(*QUEUE), received_at=posted(*QUEUE).received_at + 9_000_000)
    assert conformance.read("asterisk", again).items == read(*QUEUE).items


def test_a_line_that_is_no_row_costs_no_other() -> None:
    broken = ['"half a line', "a,b,c", OUTBOUND.replace('"7"', '"seven"'), ""]
    delivery = read(broken[0], OUTBOUND, *broken[1:], QUEUE[1])
    assert conformance.states([delivery]) == conformance.states([read(OUTBOUND, QUEUE[1])])
    told = [(r.index, r.error.code, r.content) for r in delivery.refused]
    assert told == [
        (0, "not_a_cdr_row", broken[0]),
        (8, "not_a_cdr_row", broken[1]),
        (12, "invalid_delivery", broken[2]),
    ]


def test_names_in_quotes_with_commas_and_other_bytes_are_cells() -> None:
    odd = row(
        phone("1001"), TRUNK, 7, 0, 20, 80, src="1001", dst="09099998888",
        data='PJSIP/09099998888@carrier,60,b("say",1)',
    )  # fmt: skip
    assert calls(odd) == {CALL: OUTBOUND_CALL}
    request = posted(odd)
    body = request.body.replace(b"say", "佐藤".encode("shift_jis"))
    headers = {**request.headers, "x-tassei-signature": signed(body)}
    latin = conformance.read("asterisk", replace(request, body=body, headers=headers))
    assert latin.items == read(odd).items


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"linkedid": ""}, ("/linkedid", "not_a_name")),
        ({"uniqueid": " x"}, ("/uniqueid", "not_a_name")),
        ({"sequence": "-1"}, ("/sequence", "not_an_integer")),
        ({"sequence": "10000000000"}, ("/sequence", "not_an_integer")),
        ({"billsec": "1.5"}, ("/billsec", "not_an_integer")),
        ({"billsec": "9" * 40}, ("/billsec", "not_an_integer")),
        ({"start": ""}, ("/start", "required")),
        ({"end": "0.000000"}, ("/end", "required")),
        ({"start": "2026-02-30 10:00:00"}, ("/start", "not_a_time")),
        ({"start": "yesterday"}, ("/start", "not_a_time")),
        ({"start": "1979-01-01 00:00:00"}, ("/start", "time_before_1980")),
        ({"end": "2026-12-16 10:00:00"}, ("/end", "time_too_far_ahead")),
        ({"end": "99999999999"}, ("/end", "time_too_far_ahead")),
        ({"disposition": "answered"}, ("/disposition", "unknown_value")),
    ],
)
def test_an_unusable_row_is_refused_with_its_column(
    raw: dict[str, str], expected: tuple[str, str]
) -> None:
    [refused] = read(row(phone("1001"), TRUNK, 7, 0, 20, 80, raw=raw)).refused
    assert (refused.error.faults[0].pointer, refused.error.faults[0].code) == expected


def test_too_many_lines_are_refused_together() -> None:
    assert read(*[OUTBOUND] * 1_001).refused[0].error.code == "too_many_items"
    assert not read(*[OUTBOUND] * 1_000).refused


def test_every_changed_byte_is_refused() -> None:
    request = posted(OUTBOUND)
    conformance.assert_refused("asterisk", conformance.flipped_bodies(request))
    conformance.assert_refused(
        "asterisk", conformance.flipped_headers(request, "x-tassei-signature")
    )
    bare = signed(request.body).removeprefix("sha256=")
    conformance.assert_refused(
        "asterisk",
        (
            replace(request, headers={**request.headers, "x-tassei-signature": one})
            for one in ("", bare, signed(request.body, "another"), f"sha1={bare}")
        ),
    )


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ({"zone": "Asia/Tokyo"}, "/trunks", "required"),
        ({"trunks": ["PJSIP/carrier"]}, "/zone", "required"),
        ({"trunks": [], "zone": "Asia/Tokyo"}, "/trunks", "not_a_list"),
        ({"trunks": ["carrier"], "zone": "Asia/Tokyo"}, "/trunks/0", "not_a_channel"),
        ({"trunks": ["PJSIP/"], "zone": "Asia/Tokyo"}, "/trunks/0", "not_a_channel"),
        ({"trunks": ["PJSIP/x"], "zone": "Tokyo"}, "/zone", "unknown_zone"),
    ],
)
def test_trunks_and_zone_are_asked_for(document: Any, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_settings(PROVIDER.settings, document)
    assert (caught.value.faults[0].pointer, caught.value.faults[0].code) == (pointer, code)


CELLS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=12),
    st.sampled_from(
        [
            CALL,
            "ANSWERED",
            "BUSY",
            TRUNK,
            phone("1001"),
            LOCAL1,
            "2026-12-14 10:00:00",
            "7",
            DID,
            "",
        ]
    ),
)


@given(st.lists(st.lists(CELLS, min_size=13, max_size=15), max_size=3))
def test_any_cells_are_read_or_refused(lines: list[list[str]]) -> None:
    texts = [",".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in lines]
    conformance.read("asterisk", posted(*texts))


@pytest.mark.parametrize("page", ["asterisk.md", "asterisk.ja.md"])
def test_the_line_for_the_switch_writes_the_columns_that_are_read(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "senders" / page).read_text(encoding="utf-8")
    [mapping] = re.findall(r"^ *tassei\.csv => (.+)$", text, re.MULTILINE)
    written = mapping.split(",")
    assert all(one.startswith("${CSV_QUOTE(${CDR(") for one in written)
    assert tuple(re.findall(r"CDR\((\w+)\)", mapping)) == COLUMNS
    assert len(written) == len(COLUMNS)
