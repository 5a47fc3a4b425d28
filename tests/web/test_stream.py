"""The stream of progress, read over a real connection by a client that is not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from app.main import random_token
from app.usecases import workspaces
from tests.patience import HANG_SECONDS
from tests.web.streaming import (
    PLAN,
    Copy,
    Live,
    call,
    company,
    headers,
    lasting,
    listening,
    plan,
    put,
    send,
    wait,
)

AT = "2026-12-14T10:00:30+09:00"  # a Monday, in working hours


@pytest.fixture
def live() -> Iterator[Live]:
    with listening(AT) as live:
        yield live


def test_it_begins_with_the_very_document_that_progress_answers(live: Live) -> None:
    live.call(number=3)
    reader = live.reader(breakdown="member")
    first = reader.next()
    assert first.event == "snapshot"
    assert json.loads(first.data) == live.progress(breakdown="member")
    assert first.id == str(live.context.watch.seq("default"))
    assert reader.answer is not None
    told = reader.answer.headers
    assert told["content-type"] == "text/event-stream; charset=utf-8"
    assert (told["cache-control"], told["x-accel-buffering"]) == ("no-store", "no")
    assert "content-encoding" not in told
    assert "content-length" not in told


def test_a_call_brings_the_goals_that_changed_and_rings_the_bell(live: Live) -> None:
    reader = live.reader()
    before = reader.next()
    live.call("suzuki")
    goals = reader.next(1.0)
    assert goals.event == "goals"
    assert int(goals.id) > int(before.id)
    changed = {entry["goal"]["key"]: entry for entry in json.loads(goals.data)}
    assert changed["calls"]["goal"]["actual"] == "1"
    assert "scope" not in changed["calls"]
    assert "children" not in changed["calls"]["goal"]
    bell = reader.next()
    assert (bell.event, bell.id) == ("activity", goals.id)
    told = {"kind": "call", "member": "suzuki", "goal": "calls", "delta": "1"}
    assert json.loads(bell.data) == told


@pytest.mark.parametrize("query", [{}, {"breakdown": "member"}, {"member": "sato"}], ids=str)
def test_what_a_client_puts_together_is_what_progress_answers(
    live: Live, query: dict[str, str]
) -> None:
    reader, copy, total = live.reader(**query), Copy(), 0
    for number in range(6):
        live.call("sato" if number % 2 else "suzuki", number + 1)
        live.clock.now += 11_000_000  # over a minute, in all
        total += 0 if query.get("member") == "sato" and number % 2 == 0 else number + 1
        copy.follow(reader, str(total))
    live.call("sato")
    copy.follow(reader, str(total + 1))
    answered = live.progress(**query)
    if copy.document["as_of"] != answered["as_of"]:  # the last minute is on its way
        copy.take("snapshot", reader.named("snapshot").data)
    assert copy.lasting() == lasting(answered)


def test_a_retraction_rings_with_a_minus(live: Live) -> None:
    live.call("sato", 2)
    reader = live.reader()
    reader.next()
    gone = {
        "specversion": "1.0",
        "id": "gone",
        "subject": "call-0",
        "revision": "2100-01-01T00:00:00Z",
        "source": "phone",
        "type": "call",
        "retracted": True,
    }
    answer = live.client.post(
        "/v1/events", json=gone, headers={"content-type": "application/cloudevents+json"}
    )
    assert answer.json()["revised"] == 1, answer.text
    assert json.loads(reader.named("activity").data)["delta"] == "-1"


def test_a_person_who_is_mapped_rings_no_bell(live: Live) -> None:
    live.call("999")  # nobody's extension
    reader = live.reader()
    reader.next()
    seen = live.client.get("/v1/members/sato")
    body = {k: v for k, v in seen.json().items() if k not in ("key", "version", "absences")}
    body["identities"].append({"source": "phone", "kind": "extension", "value": "999"})
    put(live.client, "/v1/members/sato", body, **{"if-match": seen.headers["etag"]})
    state = reader.next()
    assert state.event in ("goals", "snapshot")
    live.call("sato")
    assert json.loads(reader.named("activity").data)["delta"] == "1"


def test_with_the_id_of_the_head_it_goes_on_and_with_any_other_it_begins_anew(live: Live) -> None:
    live.call()
    head = live.reader().next().id
    for other in (str(int(head) - 1), str(int(head) + 1), "0", "x" * 300, "-1"):
        assert live.reader(last=other).next().event == "snapshot", other
    known = live.reader(last=head)
    assert known.silent(0.5)
    live.call()
    event = known.next(1.0)
    assert (event.event, int(event.id)) == ("goals", int(head) + 1)


def test_who_comes_back_after_minutes_without_a_commit_is_brought_up_to_time(live: Live) -> None:
    live.streams.heartbeat = 0.2
    reader = live.reader()
    head, early = (first := reader.next()).id, json.loads(first.data)
    live.clock.set("2026-12-14T15:00:00+09:00")
    late = reader.named("snapshot")
    assert late.id == head
    assert json.loads(late.data)["root"]["expected"] > early["root"]["expected"]
    assert json.loads(live.reader(last=head).next().data) == json.loads(late.data)


def test_time_alone_moves_it_each_minute_of_working_hours(live: Live) -> None:
    reader = live.reader()
    first = reader.next()
    for minute in (1, 2):
        live.clock.set(f"2026-12-14T10:0{minute}:00+09:00")
        moved = reader.next(2.0)
        assert (moved.event, moved.id) == ("snapshot", first.id)
        document = json.loads(moved.data)
        assert document["as_of"] == f"2026-12-14T10:0{minute}:00+09:00"
        assert document == live.progress()
    live.clock.set("2026-12-14T18:00:00+09:00")
    reader.next(2.0)
    live.clock.set("2026-12-14T18:01:00+09:00")
    assert reader.silent(0.7)


def test_what_is_dated_ahead_comes_in_with_its_quarter_hour(live: Live) -> None:
    live.clock.set("2026-12-14T20:00:00+09:00")  # after work: nothing else moves
    ahead = "2026-12-14T20:20:00+09:00"
    event = {
        "specversion": "1.0",
        "id": "ahead",
        "source": "phone",
        "type": "call",
        "time": ahead,
        "actor": "301",
        "data": {"direction": "outbound", "outcome": "no_answer", "started_at": ahead},
    }
    live.client.post(
        "/v1/events", json=event, headers={"content-type": "application/cloudevents+json"}
    )
    reader = live.reader()
    assert json.loads(reader.next().data)["root"]["children"][0]["children"][0]["actual"] == "0"
    live.clock.set("2026-12-14T20:15:00+09:00")
    assert json.loads(reader.named("activity").data)["delta"] == "1"


def test_a_comment_comes_while_nothing_moves(live: Live) -> None:
    live.streams.heartbeat = 0.1
    reader = live.reader()
    reader.next()
    wait(lambda: reader.raw.endswith(b"\n\n:\n\n:\n\n:\n\n"))
    assert reader.silent(0.1)


def test_a_plan_that_is_archived_ends_its_streams_with_the_reason(live: Live) -> None:
    reader = live.reader()
    reader.next()
    seen = {"if-match": live.client.get(f"/v1/plans/{PLAN}").headers["etag"]}
    assert live.client.delete(f"/v1/plans/{PLAN}", headers=seen).status_code == 204
    end = reader.named("end")
    assert json.loads(end.data)["type"] == "urn:tassei:problem:unknown-plan"
    assert reader.next() is None
    assert reader.complete
    refused = live.reader()
    assert refused.answer is not None
    assert refused.answer.status_code == 404
    wait(lambda: live.streams.number() == 0)


def test_a_plan_that_changes_is_sent_whole(live: Live) -> None:
    reader = live.reader()
    reader.next()
    seen = {"if-match": live.client.get(f"/v1/plans/{PLAN}").headers["etag"]}
    body = plan("2026-12") | {"name": "Renamed", "reason": "a better name"}
    put(live.client, f"/v1/plans/{PLAN}", body, **seen)
    event = reader.next(1.0)
    assert event.event == "snapshot"
    assert json.loads(event.data)["plan"] == live.progress()["plan"]


def test_a_key_that_is_revoked_ends_its_streams_and_no_others(live: Live) -> None:
    issued = live.key("read")
    theirs, ours = live.reader(key=issued["token"]), live.reader()
    theirs.next(), ours.next()
    assert live.client.delete(f"/v1/keys/{issued['id']}").status_code == 204
    end = theirs.next(1.0)
    assert (end.event, json.loads(end.data)["status"]) == ("end", 401)
    assert theirs.next() is None
    assert theirs.complete
    live.call()
    assert ours.named("goals")


def test_a_good_key_keeps_its_stream_at_an_address_that_guesses(live: Live) -> None:
    reader = live.reader(key=live.key("read")["token"])
    reader.next()
    for _ in range(12):
        guess = {"authorization": f"Bearer tsk_default_{'z' * 40}"}
        status = httpx.get(live.url(), headers=guess).status_code
    assert status == 429
    live.key("read")  # the configuration moves: every key is looked at again
    live.call()
    assert reader.named("activity", "end").event == "activity"


def test_no_frame_of_another_workspace_comes_through(live: Live) -> None:
    other = workspace(live, "other")
    with httpx.Client(base_url=str(live.client.base_url), headers=headers(other)) as client:
        company(client, "2026-12")
        ours, theirs = live.reader(), live.reader(key=other)
        assert json.loads(ours.next().data)["workspace"] == "default"
        assert json.loads(theirs.next().data)["workspace"] == "other"
        send(client, call("theirs", "sato", live.clock()))
        assert json.loads(theirs.named("activity").data)["member"] == "sato"
        assert ours.silent(0.6)
    assert b"other" not in ours.raw


def workspace(live: Live, key: str) -> str:
    issued = workspaces.create(live.context.store, key, live.clock(), random_token, None)
    live.context.watch.look()
    return issued.token


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"plan": "absent"}, 404, "unknown-plan"),
        ({"team": "absent"}, 404, "team-not-in-plan"),
        ({"member": "absent"}, 404, "member-not-in-plan"),
        ({"breakdown": "goal"}, 422, "invalid-request"),
        ({"as_of": "2026-12-14"}, 422, "invalid-request"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_refused_before_the_stream(
    live: Live, query: dict[str, str], status: int, code: str
) -> None:
    answer = live.reader(**query).answer
    assert answer is not None
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:tassei:problem:{code}")
    assert live.streams.number() == 0


def test_it_asks_for_a_key_that_may_read(live: Live) -> None:
    assert httpx.get(live.url()).status_code == 401
    reader = live.reader(key=live.key("ingest")["token"])
    assert reader.answer is not None
    assert reader.answer.status_code == 403


def test_head_tells_the_headers_and_ends(live: Live) -> None:
    answer = httpx.head(live.url(), headers=headers(), timeout=HANG_SECONDS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    wait(lambda: live.streams.number() == 0)
