"""3CX: what the template that we ship makes 3CX post, and what is counted of it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND
from app.domain.deliveries import Delivery
from app.domain.errors import TasseiError
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.providers.threecx import PROVIDER
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.senders import HOOK
from tests.intake.threecx_events import (
    NEVER,
    PARAMETERS,
    TOKEN,
    call,
    expanded,
    moment,
    posted,
    rendered,
    reported,
    scenario,
)


def read(request: HookRequest) -> Delivery:
    return conformance.read("threecx", request)


def fields(*requests: HookRequest) -> dict[str, object]:
    """What tellings of one call come to, in any order."""
    deliveries = [read(request) for request in requests]
    conformance.assert_any_order_ends_alike(deliveries, rounds=20)
    [state] = conformance.states(deliveries).values()
    return {name: value for name, value in state.fields.items() if name != KIND}


def counted(*requests: HookRequest) -> tuple[int, int, int]:
    states = conformance.states([read(request) for request in requests]).values()
    out, connected, inbound = (
        sum(isinstance(contribution(PRESETS[label], s, "JPY"), Contribution) for s in states)
        for label in ("calls", "connected_calls", "inbound_calls")
    )
    return out, connected, inbound


CALL = {
    "direction": "inbound",
    "outcome": "connected",
    "started_at": "2026-12-14T01:00:00Z",
    "ended_at": "2026-12-14T01:01:35Z",
    "talk_seconds": 75,
    "counterpart": "+819012345678",
    "agent": "101",
}


@pytest.mark.parametrize(
    ("kind", "direction", "outcome", "talk", "counts"),
    [
        ("Inbound", "inbound", "connected", 75, (0, 0, 1)),
        ("Missed", "inbound", "no_answer", 0, (0, 0, 1)),
        ("Outbound", "outbound", "connected", 75, (1, 1, 0)),
        ("Notanswered", "outbound", "no_answer", 0, (1, 0, 0)),
    ],
)
def test_each_type_of_call_as_the_template_posts_it(
    kind: str, direction: str, outcome: str, talk: int, counts: tuple[int, int, int]
) -> None:
    request = reported(kind)
    expected = {"direction": direction, "outcome": outcome, "talk_seconds": talk}
    assert fields(request) == CALL | expected
    assert counted(request) == counts
    assert request.url == HOOK


def test_the_template_posts_what_is_read_and_nothing_else() -> None:
    body = json.loads(reported("Outbound").body)
    assert set(body) == {
        "call_type",
        "number",
        "agent",
        "duration",
        "started_at",
        "answered_at",
        "ended_at",
    }
    changed: dict[str, Any] = {
        "call_type": "Inbound",
        "number": "+8180",
        "agent": "102",
        "started_at": "2026-12-14T01:00:01Z",
        "answered_at": "2026-12-14T01:00:30Z",
        "ended_at": "2026-12-14T01:01:36Z",
    }
    for label, value in changed.items():
        assert read(posted(body | {label: value})).items != read(posted(body)).items, label
    unanswered = body | {"answered_at": "[CallEstablishedTimeUTC]"}
    longer = unanswered | {"duration": "00:02:00"}
    assert read(posted(longer)).items != read(posted(unanswered)).items


def test_the_template_has_the_parts_that_3cx_asks_for() -> None:
    root = scenario("ReportCall")
    assert [child.tag for child in root] == ["Request"]
    lookup = scenario("")
    headers = [[v.text for v in one.iterfind("Request/Headers/Value")] for one in (root, lookup)]
    assert headers == [["Bearer [Secret]"]] * 2
    assert [child.tag for child in lookup] == ["Request", "Rules", "Variables", "Outputs"]


def test_the_header_of_the_template_is_the_proof() -> None:
    other = rendered("ReportCall", call("Inbound"), PARAMETERS | {"Secret": TOKEN[:-1] + "x"})
    assert other
    conformance.assert_refused("threecx", [other, replace(reported("Inbound"), headers={})])
    conformance.assert_refused(
        "threecx", conformance.flipped_headers(reported("Inbound"), "authorization")
    )
    assert PROVIDER.hook
    PROVIDER.hook.verify(reported("Inbound"))


def test_journaling_that_is_switched_off_posts_nothing_and_nobody_is_looked_up() -> None:
    for enabled in (True, False):
        assert rendered("", {}, PARAMETERS | {"ReportCallEnabled": enabled}) is None
    off = PARAMETERS | {"ReportCallEnabled": False}
    assert rendered("ReportCall", call("Inbound"), off) is None


def test_a_caller_whom_3cx_asks_about_all_the_same_is_nobody() -> None:
    delivery = read(posted({"lookup": "none"}))
    assert (delivery.items, delivery.refused) == ((), ())
    assert PROVIDER.hook
    answer = PROVIDER.hook.answer(posted({"lookup": "none"}))
    assert (answer.status, json.loads(answer.body)) == (200, {"contacts": []})


def test_the_interpreter_needs_two_passes_for_a_time() -> None:
    text = '[[CallStartTimeUTC].ToString("yyyy-MM-ddTHH:mm:ssZ")]'
    variables = call("Inbound")
    assert expanded(text, variables, 2) == "2026-12-14T01:00:00Z"
    assert expanded(text, variables, 1) != "2026-12-14T01:00:00Z"
    assert expanded("[Nothing] [Agent]", variables, 1) == "[Nothing] 101"
    once = json.loads(reported("Inbound").body) | {"started_at": expanded(text, variables, 1)}
    assert read(posted(once)).refused[0].error.faults[0].code == "required"


def test_a_queue_that_rings_many_is_one_call_of_who_answered() -> None:
    rang = [reported("Missed", Agent=str(extension)) for extension in range(102, 122)]
    answered = reported("Inbound")
    assert fields(*rang, answered) == CALL
    assert counted(*rang, answered) == (0, 0, 1)
    later = reported("Missed", CallEndTimeUTC=moment("2026-12-14T10:03:00+09:00"))
    assert fields(answered, later)["outcome"] == "connected"
    assert fields(*rang)["outcome"] == "no_answer"


def test_a_call_that_is_passed_on_is_one_call_of_the_last_who_talked() -> None:
    second = reported(
        "Inbound",
        Agent="103",
        CallEstablishedTimeUTC=moment("2026-12-14T10:01:40+09:00"),
        CallEndTimeUTC=moment("2026-12-14T10:05:00+09:00"),
    )
    state = fields(reported("Inbound"), second)
    assert (state["agent"], state["talk_seconds"]) == ("103", 200)
    assert counted(reported("Inbound"), second) == (0, 0, 1)


def test_calls_that_differ_in_what_identifies_them_are_calls_of_their_own() -> None:
    one_second_later = moment("2026-12-14T10:00:01+09:00")
    requests = [
        reported("Outbound"),
        reported("Outbound", Agent="102"),
        reported("Outbound", Number="+819000000000"),
        reported("Outbound", CallStartTimeUTC=one_second_later),
        reported("Inbound"),
        reported("Inbound", Number="+819000000000"),
        reported("Inbound", CallStartTimeUTC=one_second_later),
    ]
    keys = {item.report.key for request in requests for item in read(request).items}
    assert len(keys) == len(requests)
    assert all(len(key) == 32 and "8190" not in key for key in keys)


def test_a_repetition_is_the_same_report() -> None:
    later = replace(reported("Inbound"), received_at=reported("Inbound").received_at + 10**9)
    assert read(later).items == read(reported("Inbound")).items
    renamed = reported("Inbound", Name="鈴木", AgentEmail="x@example.co.jp", EntityId="9")
    assert read(renamed).items == read(reported("Inbound")).items


def test_tellings_that_differ_have_revisions_of_their_own_and_of_one_width() -> None:
    tellings = [
        reported("Inbound"),
        reported("Inbound", Agent="102"),
        reported("Inbound", CallEstablishedTimeUTC=moment("2026-12-14T10:00:21+09:00")),
        reported("Missed"),
        reported("Missed", Agent="102"),
    ]
    found = [item.report.stamp.revision for one in tellings for item in read(one).items]
    assert len(set(found)) == len(found) == 5
    assert len({len(revision) for revision in found}) == 1


@pytest.mark.parametrize(
    ("more", "talk"),
    [
        ({"CallEstablishedTimeUTC": NEVER}, 75),
        ({"CallEndTimeUTC": NEVER}, 75),
        ({"CallEstablishedTimeUTC": NEVER, "Duration": "1.02:03:04"}, 93_784),
        ({"CallEstablishedTimeUTC": NEVER, "Duration": "00.01.15"}, 75),
        ({"CallEstablishedTimeUTC": NEVER, "Duration": "00:00:09.5"}, 9),
        ({"CallEstablishedTimeUTC": moment("2026-12-14T11:00:00+09:00")}, 75),
        ({"CallEstablishedTimeUTC": NEVER, "Duration": "[Duration]"}, None),
    ],
)
def test_talk_is_from_the_answer_or_as_3cx_says(more: dict[str, Any], talk: int | None) -> None:
    assert fields(reported("Inbound", **more)).get("talk_seconds") == talk


def test_what_3cx_did_not_fill_is_unknown() -> None:
    body = {
        "call_type": "Inbound",
        "number": "[Number]",
        "agent": "[Agent]",
        "duration": "[Duration]",
        "started_at": "2026-12-14T01:00:00Z",
        "answered_at": "0001-01-01T00:00:00Z",
        "ended_at": '[[CallEndTimeUTC].ToString("yyyy-MM-ddTHH:mm:ssZ")]',
    }
    expected = {"direction", "outcome", "started_at"}
    assert set(fields(posted(body))) == expected


def test_a_language_that_writes_times_with_points_is_read() -> None:
    body = json.loads(reported("Inbound").body)
    points = {k: v.replace(":", ".") if k.endswith("_at") else v for k, v in body.items()}
    assert read(posted(points)).items == read(posted(body)).items


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"call_type": "Internal"}, ("/call_type", "unknown_value")),
        ({"call_type": "[CallType]"}, ("/call_type", "unknown_value")),
        ({"call_type": None}, ("/call_type", "unknown_value")),
        ({"call_type": 1}, ("/call_type", "not_a_text")),
        ({"started_at": "0001-01-01T00:00:00Z"}, ("/started_at", "required")),
        ({"started_at": "2026-12-14 01:00:00"}, ("/started_at", "not_a_time")),
        ({"started_at": "2026-02-30T01:00:00Z"}, ("/started_at", "not_a_time")),
        ({"started_at": "1970-01-01T00:00:00Z"}, ("/started_at", "time_before_1980")),
        ({"started_at": "2026-12-16T01:00:00Z"}, ("/started_at", "time_too_far_ahead")),
        ({"ended_at": "soon"}, ("/ended_at", "not_a_time")),
        ({"answered_at": "", "duration": "75 s"}, ("/duration", "not_hours_minutes_seconds")),
        ({"agent": "a\x00b"}, ("/agent", "not_a_name")),
        ({"number": "a\x00b"}, ("/number", "nul_in_text")),
    ],
)
def test_an_unusable_call_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    body = json.loads(reported("Inbound").body) | more
    [refused] = read(posted(body)).refused
    assert (refused.error.faults[0].pointer, refused.error.faults[0].code) == expected


def test_a_body_that_is_no_object_is_refused() -> None:
    for body in (b"", b"[]", b"[CallType]", b'{"call_type": "Inbound", "call_type": "Missed"}'):
        assert read(posted(body)).refused


def test_all_permutations_of_three_tellings_end_alike() -> None:
    tellings = [reported("Missed", Agent="102"), reported("Inbound"), reported("Missed")]
    ends = [fields(*order) for order in itertools.permutations(tellings)]
    assert all(end == CALL for end in ends)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(st.characters(max_codepoint=0x2FF), max_size=12),
    st.sampled_from(["Inbound", "Missed", "[Agent]", "00:00:01", "2026-12-14T01:00:00Z", ""]),
)
LABELS = ["call_type", "number", "agent", "duration", "started_at", "answered_at", "ended_at"]


@given(st.dictionaries(st.sampled_from(LABELS), VALUES))
def test_any_values_are_read_or_refused(values: dict[str, Any]) -> None:
    body = json.loads(reported("Inbound").body) | values
    try:
        read(posted(body))
    except TasseiError as error:
        raise AssertionError(body) from error
