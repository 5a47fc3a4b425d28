"""What was behind a number then: the activities listed for a knowing are those of that time.

Two oracles that share nothing with how it is read: what the same list answered at that time, and
a recount from the reports that had been received by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.instants import written_instant
from app.store import history
from tests.engines import on_both
from tests.store.own_recount import Document, entries, within
from tests.web.example import PLAN, START, call, deal, settle
from tests.web.service import Service, started
from tests.web.test_explaining import (
    PEOPLE,
    TREE,
    added,
    assert_explained,
    assert_series_explained,
    listed,
)

pytestmark = on_both

HOUR = 3_600_000_000
SPAN: dict[str, Any] = {"from": "2026-12-01", "to": "2026-12-14"}
_DEAL: Document = {"names": {"en": "x"}, "kind": "deal", "roles": ["owner"], "value": "amount"}
_MONEY: Document = _DEAL | {"aggregation": "sum", "unit": "money"}
OWN: Mapping[str, Document] = {
    "stays": _MONEY
    | {"time": "won_at", "where": [{"field": "status", "in": ["won"]}], "holder": "at_time"},
    "shared": _MONEY | {"time": "won_at", "credit": "shared"},
    "stages": _DEAL | {"time": "created_at", "aggregation": "unique", "value": "stage"},
    "open": _MONEY
    | {
        "time": "created_at",
        "stock": {
            "until": ["won_at"],
            "open_while": [{"field": "status", "in": ["open"]}],
        },
    },
}
_days = st.sampled_from(["2026-12-01", "2026-12-04", "2026-12-07", "2026-12-11"])
_whose = st.sampled_from([f"{who}@example.co.jp" for who in (*PEOPLE, "nobody")])
_splits = st.sampled_from(
    [None, [{"identity": "sato@example.co.jp", "share": "0.7"}, {"identity": "x", "share": "0.3"}]]
)


@st.composite
def told(draw: st.DrawFn) -> dict[str, Any]:
    """One of a few activities, in one of a few revisions, so that most of them are corrections."""
    key, who, day = draw(st.integers(0, 3)), draw(_whose), draw(_days)
    event = call(key, who, at=f"{day}T10:00:00+09:00")
    if draw(st.booleans()):
        event = deal(
            key,
            who,
            status=draw(st.sampled_from(["won", "won", "open", "lost"])),
            amount=str(draw(st.integers(0, 400_000))),
            currency=draw(st.sampled_from(["JPY", "JPY", "USD"])),
            won_at=f"{day}T15:00:00+09:00",
            created_at=f"{draw(_days)}T09:00:00+09:00",
            stage=draw(st.sampled_from(["a", "b", None])),
            credits=draw(_splits),
        )
        if draw(st.integers(0, 3)) == 0:
            event |= {"merge": True, "data": {"amount": "7"}}
    retracted = {"retracted": True} if draw(st.integers(0, 5)) == 0 else {}
    return event | {"revision": str(draw(st.integers(1, 9)))} | retracted


@dataclass
class Moment:
    """An instant, and every list as it was answered then."""

    at: str
    lists: dict[str, Any] = field(default_factory=dict)


def asked(service: Service, path: str, **query: str) -> Any:
    items, first = listed(service, path, 2, **query)
    first.pop("known_at", None)
    return items, first | {"next": None, "items": []}


def lists(service: Service, at: str, **known: str) -> dict[str, Any]:
    """Every list there is, counted up to an instant."""
    found: dict[str, Any] = {}
    for goal, part in (
        ("revenue", "actual"), ("revenue", "excluded"), ("calls", "unassigned"),
        ("calls", "outside_plan"), ("stays", "actual"),
    ):  # fmt: skip
        path = f"/v1/plans/team/goals/{goal}/activities"
        found[f"{path} {part}"] = asked(service, path, part=part, as_of=at, **known)
    for metric in ("revenue", "calls", "open_pipeline", *OWN):
        path = f"/v1/metrics/{metric}/activities"
        found[path] = asked(service, path, as_of=at, **SPAN, **known)
    return found


def begun(service: Service) -> Service:
    settle(service)
    for key, document in OWN.items():
        assert service.put(f"/v1/metrics/{key}", document).status_code == 201
    plan = {name: value for name, value in PLAN.items() if name != "funnel"}
    plan |= {"root": TREE | {"influences": [{"metric": "stays", "target": "600"}]}}
    assert service.put("/v1/plans/team", plan).status_code == 201
    return service


@settings(
    max_examples=3,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(st.lists(told(), min_size=1, max_size=5), min_size=3, max_size=5))
def test_a_list_as_known_then_is_the_list_of_then(batches: list[list[dict[str, Any]]]) -> None:
    with started(START) as service:
        begun(service)
        moments: list[Moment] = []
        for batch in batches:
            service.clock.now += HOUR
            service.post_events(batch)
            service.clock.now += HOUR
            at = written_instant(service.clock.now)
            moments.append(Moment(at, lists(service, at)))
        service.clock.now += HOUR
        assert service.mismatches() == []
        for moment in moments:
            assert lists(service, moment.at, known_at=moment.at) == moment.lists
            known = {"as_of": moment.at, "known_at": moment.at}
            assert_explained(service, "team", 500, **known)
            for metric in ("revenue", "open_pipeline", "stays"):
                assert_series_explained(service, metric, "member", SPAN | known)
            assert_recounted(service, moment.at)


def assert_recounted(service: Service, at: str) -> None:
    """What own metrics list is what a recount of the reports received by then counts."""
    instant = int(datetime.fromisoformat(at).timestamp()) * 10**6
    start, end = (
        int(datetime.fromisoformat(f"{day}T00:00:00+09:00").timestamp()) * 10**6
        for day in SPAN.values()
    )
    with service.store.read() as reading:
        rows = reading.connection.exec_driver_sql("SELECT seq, at FROM workspace_commit")
        commits: dict[int, int] = {row[0]: row[1] for row in rows}
        by_then = [
            one.report
            for _, reports in history.every(reading, "default")
            for one in reports
            if commits[one.seq] <= instant
        ]
    for key, document in OWN.items():
        if document["aggregation"] != "sum":
            continue
        found = [one for one in entries(document, by_then) if one.currency == "JPY"]
        mine = within(document, found, start, end)
        path = f"/v1/metrics/{key}/activities"
        items, _ = listed(service, path, 500, as_of=at, known_at=at, **SPAN)
        assert sorted(
            (one["actor"] or "", one["contribution"]["value"]) for one in items
        ) == sorted(
            (one.who, _written(one.share * Decimal(one.value).as_integer_ratio()[0]))
            for one in mine
        )


def _written(value: Any) -> str:
    return (
        f"{Decimal(value.numerator) / value.denominator:f}".rstrip("0").rstrip(".") or "0"
        if value.denominator != 1
        else str(value.numerator)
    )


@pytest.fixture
def service() -> Any:
    with started(START) as running:
        yield settle(running)


GOAL = "/v1/plans/december/goals/calls/activities"
THEN, LATER = "2026-12-14T10:07:00+09:00", "2026-12-14T12:00:00+09:00"


def test_what_came_later_left_or_moved_is_listed_where_it_was(service: Service) -> None:
    at = "2026-12-0{}T10:00:00+09:00"
    events = [call(n, at=at.format(n)) | {"revision": "1"} for n in (1, 2, 3, 4)]
    service.post_events(events)
    service.clock.set(LATER)
    service.post_events(
        [
            call(2, at=at.format(2)) | {"revision": "2", "retracted": True},
            call(3, at=at.format(8)) | {"revision": "2"},
            call(4, "suzuki@example.co.jp", at=at.format(4)) | {"revision": "2"},
            call(5, at=at.format(5)) | {"revision": "1"},
        ]
    )
    now, _ = listed(service, GOAL, 1)
    assert [(one["key"], one["member"]) for one in now] == [
        ("c-1", "sato"),
        ("c-4", "suzuki"),
        ("c-5", "sato"),
        ("c-3", "sato"),
    ]
    for limit in (1, 3, 500):
        then, first = listed(service, GOAL, limit, known_at=THEN)
        assert [(one["key"], one["member"]) for one in then] == [
            (f"c-{n}", "sato") for n in (1, 2, 3, 4)
        ]
        assert first["known_at"] == THEN
        assert first["totals"] == [{"count": 4, "value": "4"}]
    assert added(then) == {"": (4, Decimal(4))}
    metric = "/v1/metrics/calls/activities"
    before, _ = listed(service, metric, known_at="2026-12-13", **SPAN)
    assert before == []


@pytest.mark.parametrize("path", [GOAL, "/v1/metrics/calls/activities?from=2026-12-01"])
def test_a_knowing_that_lies_ahead_or_says_nothing_is_refused(service: Service, path: str) -> None:
    then = "&" if "?" in path else "?"
    for text in ("2027-01-01", "yesterday", "2026-12-14T10:00:00"):
        answer = service.get(f"{path}{then}known_at={text}")
        assert answer.status_code == 422, text
        assert answer.json()["errors"][0]["params"]["parameter"] == "known_at"


def test_a_tag_of_a_knowing_holds_whatever_is_reported(service: Service) -> None:
    service.post_events([call(1)])
    service.clock.set(LATER)
    asked = f"{GOAL}?as_of=2026-12-14T09:00:00%2B09:00&known_at=2026-12-14T11:00:00%2B09:00"
    first = service.get(asked)
    service.post_events([call(1) | {"revision": "2", "retracted": True}, call(2)])
    assert service.get(asked, **{"if-none-match": first.headers["etag"]}).status_code == 304
    assert service.get(asked).content == first.content
