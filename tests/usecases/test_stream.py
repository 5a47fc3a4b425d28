"""The hub without HTTP: rounds are run by hand, readers are counters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.errors import NotFound, Unavailable
from app.domain.scopes import WHOLE, Breakdown
from app.usecases import stream
from app.usecases.stream import Hub, State, Subject, Topic
from tests.web.service import Service, started
from tests.web.streaming import PLAN, call, company, plan, put, send

AT = "2026-12-14T10:00:30+09:00"


class Reader:
    def __init__(self, hub: Hub, subject: Subject) -> None:
        self.woken = 0
        self.hub = hub
        self.topic: Topic = hub.follow(subject, self.wake)

    def wake(self) -> None:
        self.woken += 1

    @property
    def state(self) -> State:
        assert self.topic.state is not None
        return self.topic.state


def subject(**different: Any) -> Subject:
    given: dict[str, Any] = {
        "workspace": "default",
        "plan": PLAN,
        "scope": WHOLE,
        "breakdown": Breakdown.NONE,
        "language": "en",
    }
    return Subject(**(given | different))


@pytest.fixture
def service() -> Iterator[Service]:
    with started(AT) as service:
        company(service.client, "2026-12")
        yield service


@pytest.fixture
def hub(service: Service) -> Hub:
    app: Any = service.client.app
    return Hub(app.state.context)  # not started: its rounds are ours


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[Subject]:
    seen: list[Subject] = []
    observe = stream.observe

    def counting(context: Any, subject: Subject) -> stream.Observed:
        seen.append(subject)
        return observe(context, subject)

    monkeypatch.setattr(stream, "observe", counting)
    return seen


def test_a_subject_is_evaluated_once_however_many_follow_and_however_much_moved(
    service: Service, hub: Hub, evaluated: list[Subject]
) -> None:
    readers = [Reader(hub, subject()) for _ in range(50)]
    hub.round()
    assert len(evaluated) == 1
    assert {reader.woken for reader in readers} == {1}
    for number in range(5):
        send(service.client, call(number, "sato", service.clock()))
    hub.round()
    assert len(evaluated) == 2
    assert {(reader.woken, reader.state.number) for reader in readers} == {(2, 2)}
    hub.round()
    assert len(evaluated) == 2


def test_subjects_differ_by_scope_breakdown_and_language(
    hub: Hub, evaluated: list[Subject]
) -> None:
    kinds: list[dict[str, Any]] = [
        {},
        {"language": "ja"},
        {"breakdown": Breakdown.MEMBER},
        {"breakdown": Breakdown.TEAM},
    ]
    readers = [Reader(hub, subject(**kind)) for kind in kinds]
    hub.round()
    assert len(evaluated) == len(kinds)
    assert len({reader.state.whole for reader in readers}) == len(kinds)


def test_what_nobody_follows_is_not_evaluated(hub: Hub, evaluated: list[Subject]) -> None:
    reader, other = Reader(hub, subject()), Reader(hub, subject())
    hub.leave(reader.topic, reader.wake)
    hub.round()
    assert len(evaluated) == 1
    hub.leave(other.topic, other.wake)
    hub.round()
    assert hub.round() == 0.0
    assert len(evaluated) == 1


def test_a_commit_that_changes_nothing_here_wakes_nobody_and_moves_the_id(
    service: Service, hub: Hub
) -> None:
    reader = Reader(hub, subject())
    hub.round()
    before = reader.state
    payment = call("p", "sato", service.clock()) | {"type": "payment", "data": {"amount": "1"}}
    service.client.put(
        "/v1/sources/bank", json={"provider": "events", "name": "Bank", "counts": ["payment"]}
    )
    hub.round()
    woken = reader.woken
    send(service.client, payment | {"source": "bank"})
    hub.round()
    assert (reader.state.number, reader.woken) == (before.number, woken)
    assert reader.state.seq == before.seq + 2
    assert reader.state.whole.startswith(b"id: %d\n" % reader.state.seq)


def test_a_moved_configuration_wakes_readers_though_they_see_no_difference(
    service: Service, hub: Hub
) -> None:
    reader = Reader(hub, subject())
    hub.round()
    service.client.post("/v1/keys", json={"name": "k", "scopes": ["read"]})
    hub.round()
    assert (reader.woken, reader.state.number) == (2, 1)


def test_who_waits_for_a_commit_is_woken_by_it_though_nothing_changed(
    service: Service, hub: Hub
) -> None:
    reader = Reader(hub, subject())
    hub.round()
    seq = reader.state.seq
    assert reader.topic.reached(seq) is reader.state
    assert reader.topic.reached(seq + 1) is None
    unread = call("unread", "sato", service.clock()) | {"type": "demo"}
    send(service.client, unread)
    hub.round()
    assert reader.woken == 2
    assert reader.topic.reached(seq + 1) is reader.state


def test_a_plan_that_is_not_there_ends_its_topic(hub: Hub) -> None:
    reader = Reader(hub, subject(plan="absent"))
    hub.round()
    assert isinstance(reader.topic.error, NotFound)
    assert reader.woken == 1
    assert hub.round() == 0.0


def test_an_outage_refuses_who_waits_and_keeps_who_reads(
    service: Service, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(hub, subject())
    hub.round()
    kept = reader.state

    def away(*_arguments: Any) -> stream.Observed:
        raise Unavailable("store_failed")

    with monkeypatch.context() as broken:
        broken.setattr(stream, "observe", away)
        send(service.client, call(1, "sato", service.clock()))
        late = Reader(hub, subject(language="ja"))
        hub.round()
        assert isinstance(late.topic.error, Unavailable)
        assert reader.topic.error is None
        assert reader.state is kept
    hub.round()
    assert reader.state.number == kept.number + 1


def test_a_fault_of_ours_is_logged_once_and_ends_nothing(
    service: Service, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Log:
        def error(self, event: str, **_more: object) -> None:
            said.append(event)

    monkeypatch.setattr(stream, "logger", lambda _name: Log())
    reader = Reader(hub, subject())
    hub.round()
    service.clock.now += 60_000_000
    with monkeypatch.context() as broken:
        broken.setattr(stream, "evaluated", lambda *_: 1 / 0)
        hub.round()
        hub.round()
    assert len(said) == 1
    assert reader.topic.error is None
    hub.round()
    assert reader.state.number == 2


def test_news_says_who_did_how_much(service: Service, hub: Hub) -> None:
    reader = Reader(hub, subject())
    hub.round()
    events = [call(n, "sato" if n else "suzuki", service.clock()) for n in range(3)]
    send(service.client, *events, call("nobody", "999", service.clock()))
    hub.round()
    rung = [
        json.loads(block.partition("data: ")[2])
        for block in reader.state.news.decode().split("\n\n")
        if "event: activity" in block
    ]
    assert rung == [
        {"kind": "call", "member": "sato", "goal": "calls", "delta": "2"},
        {"kind": "call", "member": "suzuki", "goal": "calls", "delta": "1"},
    ]


def test_an_alias_passes_on_at_midnight_without_a_bell(service: Service, hub: Hub) -> None:
    for key, month in (("this", "2026-12"), ("next", "2027-01")):
        put(service.client, f"/v1/plans/{key}", plan(month) | {"alias": "current"})
    send(service.client, call(1, "sato", service.clock()))
    reader = Reader(hub, subject(plan="current"))
    service.clock.set("2026-12-31T23:50:00+09:00")
    hub.round()
    assert json.loads(reader.state.whole.partition(b"data: ")[2])["plan"]["key"] == "this"
    service.clock.set("2027-01-01T00:00:00+09:00")
    hub.round()
    assert reader.state.news == reader.state.whole
    assert json.loads(reader.state.whole.partition(b"data: ")[2])["plan"]["key"] == "next"
