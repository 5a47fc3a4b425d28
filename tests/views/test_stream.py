"""What a stream says of a change, read by a foreign reader of server-sent events."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
import sseclient

from app.domain.progress import Progress
from app.views import stream
from app.views.progress_documents import ProgressDocument
from app.views.progress_json import progress_document
from app.views.stream import Activity, changed_goals
from tests.views.samples import NOW, calls, deals, goal, progress, revenue, said, scoped


def shown(value: Progress) -> ProgressDocument:
    return progress_document(value, said, "en", breakdown=bool(value.breakdown))


MORE = Fraction(263)


def read(raw: bytes) -> list[Any]:
    return list(sseclient.SSEClient(iter([raw])).events())


def test_what_is_written_is_read_by_others_line_breaks_and_all() -> None:
    text = "受注\n\r\u2028 data: end\n\n"
    data = json.dumps({"name": text}, ensure_ascii=False).encode()
    one, two = read(stream.event("snapshot", data, 7) + stream.COMMENT + stream.event("end", data))
    assert (one.event, one.id, json.loads(one.data)) == ("snapshot", "7", {"name": text})
    assert (two.event, two.id) == ("end", None)
    assert stream.retry(500) == b"retry: 500\n\n"


def test_only_the_goals_that_differ_are_told_without_their_children() -> None:
    before = shown(progress(revenue()))
    deep = deals().children[0]
    after = shown(progress(revenue(children=(deals(children=(replace(deep, actual=MORE),)),))))
    changed = changed_goals(before, after)
    assert changed is not None
    (entry,) = changed
    assert entry["goal"]["key"] == "appointments"
    assert entry["goal"]["actual"] == "263"
    assert entry.keys() == {"goal"}
    assert "children" not in entry["goal"]
    (event,) = read(stream.goals_event(changed, 8))
    assert (event.event, event.id, json.loads(event.data)) == ("goals", "8", changed)


def test_a_goal_of_a_breakdown_says_whose_it_is() -> None:
    sato, suzuki = scoped(calls(), member="sato"), scoped(calls(), member="suzuki")
    before = shown(progress(calls(), sato, suzuki))
    after = shown(progress(calls(), sato, replace(suzuki, root=calls(actual=MORE))))
    changed = changed_goals(before, after)
    assert changed is not None
    assert [entry["scope"] for entry in changed] == [{"member": "suzuki"}]


def test_when_it_was_looked_is_no_change() -> None:
    later: dict[str, Any] = {
        name: NOW + timedelta(hours=1) for name in ("as_of", "known_at", "generated_at")
    }
    assert changed_goals(shown(progress(calls())), shown(progress(calls(), **later))) == []


SATO = scoped(calls(), "Sato", member="sato")
DAYS = scoped(calls()).working_days


@pytest.mark.parametrize(
    "other",
    [
        progress(calls(), SATO, plan=replace(progress(calls()).plan, version=4)),
        progress(calls(), SATO, time_zone="Asia/Seoul"),
        progress(calls()),
        progress(calls(), SATO, SATO),
        progress(calls(), replace(SATO, name="Satō")),
        progress(calls(), replace(SATO, working_days=replace(DAYS, elapsed=Fraction(11)))),
        progress(goal("calling"), SATO),
        progress(calls(children=(goal("below"),)), SATO),
    ],
    ids=["version", "zone", "fewer", "more", "name", "days", "key", "child"],
)
def test_where_more_than_goals_differs_only_the_whole_will_do(other: Progress) -> None:
    assert changed_goals(shown(progress(calls(), SATO)), shown(other)) is None


def test_an_activity_says_who_what_and_how_much() -> None:
    rung = [
        Activity("call", "sato", "calls", Fraction(2)),
        Activity("deal", None, "revenue", Fraction(-1, 3)),
    ]
    events = read(stream.activity_events(rung, 9))
    assert [(event.event, event.id) for event in events] == [("activity", "9")] * 2
    assert [json.loads(event.data) for event in events] == [
        {"kind": "call", "member": "sato", "goal": "calls", "delta": "2"},
        {"kind": "deal", "member": None, "goal": "revenue", "delta": "-0.333333"},
    ]
