"""Any spans of time, replayed in any order and as often as one likes, leave what there was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.instants import MINUTE, written_instant
from app.domain.revisions import of_number
from tests.store.recount import stored_tallies, tallies_of
from tests.web.example import START, settle
from tests.web.fake_sender import Sender, connected, open_entries
from tests.web.service import Service, started

TIMES = ("2026-12-01T14:59:59Z", "2026-12-01T15:00:00Z", "2026-12-02T00:00:00Z")
PEOPLE = ("sato", "abe")


@dataclass(frozen=True)
class Told:
    """An activity as a sender tells of it, and the report that this means."""

    kind: str
    key: str
    revision: int
    merge: bool
    data: dict[str, Any]

    def event(self, source: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": f"{self.key}-{self.revision}",
            "source": source,
            "type": self.kind,
            "subject": self.key,
            "revision": str(self.revision),
            "merge": self.merge,
            "data": self.data,
        }

    def report(self, source: str) -> Report:
        fields = {KIND: self.kind, **self.data}
        revision = of_number(str(self.revision))
        return make_report(source, self.key, revision, fields, full=not self.merge)


_deals: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"status": st.sampled_from(["open", "won"]), "won_at": st.sampled_from(TIMES)},
    optional={
        "amount": st.integers(0, 10**6).map(str),
        "currency": st.sampled_from(["JPY", "USD"]),
        "created_at": st.sampled_from(TIMES),
        "owner": st.sampled_from(PEOPLE),
    },
)
_calls: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"started_at": st.sampled_from(TIMES), "direction": st.sampled_from(["inbound", "outbound"])},
    optional={"talk_seconds": st.integers(0, 900), "agent": st.sampled_from(PEOPLE)},
)


@st.composite
def _told(draw: st.DrawFn) -> Told:
    kind = draw(st.sampled_from(["deal", "call"]))
    key = f"{kind}-{draw(st.sampled_from('ab'))}"
    data: dict[str, Any] = draw(_deals if kind == "deal" else _calls)
    return Told(kind, key, draw(st.integers(1, 5)), draw(st.booleans()), data)


@dataclass(frozen=True)
class Received:
    """A request: at which door, and what it holds; some of it unusable."""

    hook: bool
    told: tuple[Told, ...]
    broken: int


_received = st.builds(
    Received,
    st.booleans(),
    st.lists(_told(), min_size=1, max_size=4).map(tuple),
    st.integers(0, 2),
)
_spans = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 6), st.sampled_from([None, "crm", "shop"])),
    min_size=1,
    max_size=5,
)


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    requests=st.lists(_received, min_size=1, max_size=6),
    spans=_spans,
    limit=st.integers(1, 4),
    archived=st.booleans(),
)
def test_replays_of_any_spans_in_any_order_leave_everything_as_it_was(
    patch: pytest.MonkeyPatch,
    requests: list[Received],
    spans: list[tuple[int, int, str | None]],
    limit: int,
    archived: bool,  # noqa: FBT001 - Hypothesis gives it by name
) -> None:
    with started(START) as service:
        sender = connected(settle(service), patch)
        began = service.clock.now
        reports = _send(service, sender, requests)
        expected = tallies_of(reports, {"crm": None, "shop": None}, "Asia/Tokyo")
        assert stored_tallies(service.store) == expected
        listed, entries = _activities(service), open_entries(service)
        if archived:
            etag = service.get("/v1/sources/shop").headers["etag"]
            service.client.delete("/v1/sources/shop", headers={"if-match": etag})
        for first, length, source in spans * 2:
            span = {
                "from": written_instant(began + first * MINUTE),
                "to": written_instant(began + (first + length) * MINUTE),
                "limit": limit,
            } | ({"source": source} if source else {})
            words = _replayed(service, span)
            assert words <= {"duplicate", "quarantined", "rejected"}
        assert stored_tallies(service.store) == expected
        assert _activities(service) == listed
        assert open_entries(service) == entries
        assert service.mismatches() == []


def _send(service: Service, sender: Sender, requests: list[Received]) -> list[Report]:
    reports: list[Report] = []
    for one in requests:
        source = "shop" if one.hook else "crm"
        unusable = [{"specversion": "1.0", "id": f"bad-{n}"} for n in range(one.broken)]
        events = [*unusable, *(told.event(source) for told in one.told)]
        if one.hook:
            sender.send(*events)
        else:
            service.post_events(events)
        reports += [told.report(source) for told in one.told]
        service.clock.now += MINUTE
    return reports


def _replayed(service: Service, span: dict[str, Any]) -> set[str]:
    """The words of all items in a span, page by page."""
    words: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        answer = service.client.post("/v1/deliveries/replay", json=span | cursor)
        assert answer.status_code == 200, answer.text
        words |= {word for word, number in answer.json()["outcomes"].items() if number}
        if answer.json()["next"] is None:
            return words
        cursor = {"cursor": answer.json()["next"]}


def _activities(service: Service) -> str:
    """Everything that is told of activities, conflicts among it."""
    paths = ("/v1/activities?limit=500", "/v1/activities/conflicts?limit=500")
    found = [service.get(path).json()["items"] for path in paths]
    assert RETRACTED not in str(found)
    return json.dumps(found)
