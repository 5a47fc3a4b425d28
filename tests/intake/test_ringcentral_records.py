"""RingCentral's call log: how long was talked, what became of a call, what events told wrongly."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Item, Refused
from app.domain.instants import SECOND, instant, written_instant
from app.intake.providers.ringcentral import PROVIDER, read_fetched
from app.intake.source_settings import read_settings
from tests.intake.ringcentral_events import (
    CUSTOMER,
    INBOUND,
    OURS,
    OUTBOUND,
    QUEUE,
    SATO,
    SESSION,
    TANAKA,
    event,
    posted,
    rung,
)
from tests.intake.senders import NOW
from tests.intake.test_ringcentral import RUNG, TAKEN, read
from tests.outbound.ringcentral_account import leg, logged

Record = dict[str, Any]
AT = "2026-12-14T01:05:43.000Z"


def second(number: int) -> str:
    return written_instant(instant(AT) + number * SECOND)


def result_of(record: Record, **settings: Any) -> Item | Refused | None:
    read_ = read_settings(PROVIDER.settings, settings)
    found = read_fetched("call-log", record, read_, source="rc", now=NOW)
    assert found is None or isinstance(found, Item | Refused)
    return found


def report(record: Record, **settings: Any) -> Report:
    found = result_of(record, **settings)
    assert isinstance(found, Item), found
    return found.report


def fields(record: Record, **settings: Any) -> dict[str, Any]:
    found = report(record, **settings).fields
    return {name: value for name, value in found.items() if name != KIND}


def events(*told: Any) -> list[Report]:
    return [item.report for one in told for item in read(posted(one)).items]


def inbound(result: str = "Accepted", *legs: Record, **more: Any) -> Record:
    return logged(SESSION, AT, 31, result, *legs, **more)


ACCEPT = leg("Accept", AT, 31, "Accepted", extension=SATO, master=True)
TO_SATO = leg("PstnToSip", second(17), 14, "Accepted", extension=SATO, direction="Outbound")


def test_an_inbound_call_with_the_time_that_was_talked() -> None:
    found = report(inbound("Accepted", ACCEPT, TO_SATO))
    assert (found.source, found.key, found.full) == ("rc", SESSION, False)
    assert fields(inbound("Accepted", ACCEPT, TO_SATO)) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-14T01:05:43Z",
        "ended_at": "2026-12-14T01:06:14Z",
        "duration_seconds": 31,
        "talk_seconds": 14,
        "counterpart": CUSTOMER,
        "agent": SATO,
    }


def outbound(result: str, *legs: Record, **more: Any) -> Record:
    known = {"direction": "Outbound", "extension": {"id": int(SATO)}} | more
    return logged(SESSION, AT, 55, result, *legs, **known)


def to_customer(result: str, kind: str = "SipToPstnUnmetered", seconds: int = 55) -> Record:
    return leg(kind, AT, seconds, result, extension=SATO, direction="Outbound")


def test_an_outbound_call_is_whose_who_dialled() -> None:
    found = fields(outbound("Call connected", to_customer("Call connected")))
    assert (found["direction"], found["outcome"], found["agent"]) == (
        "outbound",
        "connected",
        SATO,
    )
    assert (found["talk_seconds"], found["counterpart"]) == (55, CUSTOMER)
    bare = outbound("Call connected", extension=None) | {"from": {"extensionId": SATO}}
    assert (fields(bare)["agent"], fields(bare)["talk_seconds"]) == (SATO, 55)


def test_what_the_log_says_stands_over_events_in_any_order() -> None:
    for stream, record in (
        (INBOUND, inbound("Accepted", ACCEPT, TO_SATO)),
        (OUTBOUND, outbound("Call connected", to_customer("Call connected"))),
    ):
        told, asked = events(*stream), report(record)
        expected = joined([*told, asked])
        assert {name: expected.fields[name] for name in asked.fields} == asked.fields
        assert joined([asked, *told]) == joined([*told[::-1], asked, asked]) == expected
        half = len(told) // 2
        assert joined([*told[half:], asked, *told[:half]]) == expected
        # Alike in all that both say but for the seconds' fractions.
        seen = joined(told)
        same = ("direction", "outcome", "counterpart", "agent")
        assert [expected.fields[name] for name in same] == [seen.fields[name] for name in same]


def test_its_revision_is_of_the_events_width_and_nobody_elses() -> None:
    told = [one.stamp.revision for one in events(*INBOUND, *OUTBOUND, *RUNG, *TAKEN)]
    asked = report(inbound("Accepted", ACCEPT)).stamp.revision
    assert {len(one) for one in told} == {len(asked)}
    assert asked > max(told)


def test_of_two_records_of_one_session_the_one_that_was_changed_last_stands() -> None:
    first = inbound("Missed", lastModifiedTime="2026-12-14T01:07:00.000Z")
    later = inbound("Accepted", ACCEPT, TO_SATO, lastModifiedTime="2026-12-14T01:07:01.335Z")
    other = inbound("Busy", id="another", lastModifiedTime="2026-12-14T01:07:01.334Z")
    reports = [report(one) for one in (first, later, other)]
    assert len({one.stamp.revision for one in reports}) == 3
    for order in itertools.permutations(reports):
        assert joined(order).fields["outcome"] == "connected"
    assert len({report(first).stamp, report(first | {"id": "b"}).stamp}) == 2


def test_a_queue_is_of_the_member_who_took_the_call() -> None:
    queue = leg("Accept", AT, 31, "Accepted", extension=QUEUE, master=True)
    missed = leg("PstnToSip", AT, 0, "Missed", extension=TANAKA)
    # As RingCentral shows them: both begin with the call.
    taken = leg("PstnToSip", AT, 18, "Accepted", extension=SATO)
    for legs in itertools.permutations((queue, missed, taken)):
        found = fields(inbound("Accepted", *legs))
        assert (found["outcome"], found["agent"], found["talk_seconds"]) == ("connected", SATO, 18)


def test_ringing_on_the_way_to_another_telephone_is_no_talk() -> None:
    """The record of RingCentral's documentation: 54 seconds, of which 50 were talked."""
    nobody = leg("Accept", AT, 54, "Accepted")
    accepted = leg("Accept", AT, 54, "Accepted", extension=SATO)
    followed = leg("FindMe", second(4), 50, "Accepted", extension=SATO, direction="Outbound")
    found = fields(inbound("Accepted", nobody, accepted, followed))
    assert (found["talk_seconds"], found["agent"]) == (50, SATO)
    assert fields(inbound("Accepted", nobody, accepted))["talk_seconds"] == 54
    assert fields(inbound("Accepted"))["talk_seconds"] == 31


def test_a_transfer_is_talked_by_both_and_is_the_last_ones() -> None:
    first = leg("PstnToSip", second(5), 30, "Accepted", extension=SATO)
    then = leg("TransferCall", second(30), 60, "Accepted", extension=TANAKA)
    found = fields(inbound("Accepted", ACCEPT, first, then))
    # Five seconds of both at once are five.
    assert (found["agent"], found["talk_seconds"]) == (TANAKA, 85)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 90)), min_size=1, max_size=6))
def test_the_time_talked_is_every_second_that_any_leg_covers(spans: list[tuple[int, int]]) -> None:
    legs = [
        leg("PstnToSip", second(begins), seconds, "Accepted", extension=SATO)
        for begins, seconds in spans
    ]
    covered = {n for begins, seconds in spans for n in range(begins, begins + seconds)}
    assert fields(inbound("Accepted", *legs))["talk_seconds"] == len(covered)


def test_what_a_machine_took_was_nobodys_call() -> None:
    menu = leg("Accept", AT, 31, "Accepted", extension=QUEUE, master=True)
    assert fields(inbound("Accepted", menu))["agent"] == QUEUE
    told = {"machine_extension_ids": [QUEUE]}
    found = fields(inbound("Accepted", menu), **told)
    assert (found["outcome"], found["agent"], found["talk_seconds"]) == ("no_answer", None, 0)
    own = fields(inbound("Accepted", extension={"id": int(QUEUE)}), **told)
    assert (own["outcome"], own["agent"]) == ("no_answer", None)
    assert fields(inbound("Accepted", menu, TO_SATO), **told)["agent"] == SATO
    box = fields(inbound("Voicemail", extension={"id": int(QUEUE)}), **told)
    assert (box["outcome"], box["agent"]) == ("voicemail", None)


@pytest.mark.parametrize(
    ("result", "inbound_", "outbound_"),
    [
        ("Accepted", "connected", "connected"),
        ("Call connected", "connected", "connected"),
        ("Missed", "no_answer", "no_answer"),
        ("No Answer", "no_answer", "no_answer"),
        ("Busy", "busy", "busy"),
        ("Hang Up", "no_answer", "canceled"),
        ("Hang up", "no_answer", "canceled"),
        ("Stopped", "no_answer", "canceled"),
        ("Wrong Number", "failed", "failed"),
        ("IP Phone offline", "failed", "failed"),
        ("Blocked", "failed", "failed"),
    ],
)
def test_what_a_result_means(result: str, inbound_: str, outbound_: str) -> None:
    assert fields(inbound(result))["outcome"] == inbound_
    assert fields(outbound(result))["outcome"] == outbound_
    assert (fields(inbound(result))["talk_seconds"] == 0) is (inbound_ != "connected")


def test_a_missed_call_is_nobodys_whoever_events_named() -> None:
    told = events(event(8, "01:06:00.001", rung(3, QUEUE, "Answered")))
    state = joined([*told, report(inbound("Missed", extension={"id": int(SATO)}))])
    assert (state.fields["outcome"], state.fields["agent"]) == ("no_answer", None)


def test_a_voicemail_is_of_its_mailbox() -> None:
    left = leg("Accept", AT, 31, "Voicemail", extension=SATO, master=True)
    found = fields(inbound("Voicemail", left))
    assert (found["outcome"], found["agent"], found["talk_seconds"]) == ("voicemail", SATO, 0)


def test_a_result_that_is_not_known_leaves_it_to_the_events() -> None:
    for record in (inbound("Beamed up", ACCEPT), outbound("Beamed up"), inbound("")):
        assert {"outcome", "talk_seconds"} & fields(record).keys() == set()
    state = joined([*events(*INBOUND), report(inbound("Beamed up"))])
    assert (state.fields["outcome"], state.fields["agent"]) == ("connected", SATO)
    assert state.fields["duration_seconds"] == 31


def test_a_fax_that_looked_like_a_missed_call_is_none() -> None:
    told = events(*INBOUND[:2])
    fax = report(inbound("Received", type="Fax"))
    assert fax.fields == {KIND: "call", RETRACTED: True}
    for order in itertools.permutations([*told, fax], len(told) + 1):
        assert joined(order).retracted
    assert result_of(inbound("Received", type="SMS")) is None


@pytest.mark.parametrize(
    "record",
    [
        inbound("In Progress"),
        inbound("ResultInProgress"),
        inbound("Accepted", **{"from": {"extensionNumber": "102", "name": "田中"}}),
        inbound("Accepted", **{"from": {"phoneNumber": "102"}}),
        outbound("Call connected", to={"extensionId": TANAKA, "phoneNumber": OURS}),
        outbound(
            "Call connected",
            leg("ExtensionToExtension", AT, 9, "Call connected", master=True),
        ),
    ],
)
def test_what_is_under_way_and_what_is_among_ours_is_no_call(record: Record) -> None:
    assert result_of(record) is None


def test_whoever_withholds_the_number_is_outside() -> None:
    found = fields(inbound("Accepted", TO_SATO, **{"from": {"name": "Anonymous"}}))
    assert (found["direction"], "counterpart" in found) == ("inbound", False)


def test_a_ring_out_is_answered_only_by_the_customer() -> None:
    own = to_customer("Call connected", "RingOutWebToCaller", 60)
    reached = to_customer("Call connected", "RingOutWebToSubscriber", 40)
    found = fields(outbound("Call connected", own, reached))
    assert (found["outcome"], found["talk_seconds"]) == ("connected", 40)
    busy = to_customer("Busy", "RingOutWebToSubscriber", 0)
    found = fields(outbound("Call connected", own, busy))
    assert (found["outcome"], found["talk_seconds"]) == ("busy", 0)
    found = fields(outbound("Call connected", own))
    assert (found["outcome"], found["talk_seconds"]) == ("no_answer", 0)


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"telephonySessionId": None}, "/telephonySessionId", "required"),
        ({"telephonySessionId": "s" * 256}, "/telephonySessionId", "not_a_name"),
        ({"lastModifiedTime": None}, "/lastModifiedTime", "required"),
        ({"lastModifiedTime": "2026-12-14T01:00:00"}, "/lastModifiedTime", "time_without_offset"),
        ({"id": ""}, "/id", "required"),
        ({"direction": "Sideways"}, "/direction", "unknown_value"),
        ({"startTime": None}, "/startTime", "required"),
        ({"startTime": "2026-12-16T01:00:00Z"}, "/startTime", "time_too_far_ahead"),
        ({"duration": -1}, "/duration", "not_an_integer"),
        ({"duration": 10**14}, "/duration", "out_of_range"),
        ({"from": "me"}, "/from", "not_an_object"),
        ({"legs": {}}, "/legs", "not_a_list"),
        ({"legs": [{"duration": 3}]}, "/legs/0/startTime", "required"),
    ],
)
def test_an_unusable_record_is_refused_with_its_place(
    more: Record, pointer: str, code: str
) -> None:
    found = result_of(inbound("Accepted", ACCEPT) | more)
    assert isinstance(found, Refused)
    assert (pointer, code) in [(one.pointer, one.code) for one in found.error.faults]


def test_other_objects_are_of_no_interest() -> None:
    settings = read_settings(PROVIDER.settings, {})
    assert read_fetched("message", inbound(), settings, source="rc", now=NOW) is None


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.just([None])
    | st.just({"id": [1], "phoneNumber": 5})
)


@given(
    st.dictionaries(st.sampled_from(sorted(inbound())), JUNK),
    st.dictionaries(st.sampled_from(sorted(TO_SATO)), JUNK),
    st.sampled_from(["Inbound", "Outbound"]),
)
def test_any_values_of_a_record_are_read_or_refused(
    changed: Record, of_leg: Record, direction: str
) -> None:
    record = inbound("Accepted", ACCEPT, TO_SATO | of_leg, direction=direction) | changed
    found = result_of(record)
    if isinstance(found, Item):
        assert found.report.key == changed.get("telephonySessionId", SESSION)
