"""A sender of ids only: what it names is stored, shown as pending, and not counted yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.deliveries import Delivery, Reference
from app.intake import registry
from app.intake.requests import Hook, HookRequest, Provider, hook_delivery
from tests.engines import on_both
from tests.web.example import settle
from tests.web.service import Service, started

AT = "2026-12-01T09:00:00Z"


def read(request: HookRequest) -> Delivery:
    names = json.loads(request.body)
    found = [Reference(place, "deal", name) for place, name in enumerate(names)]
    return hook_delivery(request, references=tuple(found))


@pytest.fixture
def service(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    assert engine
    hook = Hook(lambda _request: None, read, lambda _url: ())
    monkeypatch.setitem(registry.PROVIDERS, "thin", Provider("thin", ("deal",), hook=hook))
    with started(AT) as service:
        settle(service)
        yield service


def connected(service: Service) -> str:
    answer = service.put("/v1/sources/thin", {"provider": "thin", "name": "Thin"})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["hook_url"]
    return url[url.index("/v1/hooks/") :]


def named(service: Service, path: str, *names: Any) -> None:
    answer = service.client.post(path, content=json.dumps(names))
    assert answer.status_code == 204, answer.text


def deals_plan(service: Service) -> None:
    funnel = [{"metric": "deals_won", "target": "10"}, {"metric": "calls", "rate": "0.2"}]
    body = {"name": "Plan", "period": {"month": "2026-12"}, "funnel": funnel}
    answer = service.put("/v1/plans/deals", body)
    assert answer.status_code == 201, answer.text


@on_both
def test_what_is_named_is_pending_on_the_goals_its_source_feeds(service: Service) -> None:
    path = connected(service)
    deals_plan(service)
    before = service.progress("deals")
    assert "pending" not in before.goal("deals_won")["freshness"]
    etag = service.get("/v1/plans/deals/progress").headers["etag"]
    named(service, path, "1", "2")
    service.clock.now += 60_000_000
    named(service, path, "2", "3")
    after = service.progress("deals")
    freshness = after.goal("deals_won")["freshness"]
    assert freshness["state"] == "pending"
    assert freshness["pending"] == {"count": 3, "oldest": "2026-12-01T18:00:00+09:00"}
    assert freshness["last_event_at"] == "2026-12-01T18:01:00+09:00"
    assert "pending" not in after.goal("calls")["freshness"]
    assert after.goal("deals_won")["actual"] == "0"
    assert service.get("/v1/plans/deals/progress", if_none_match=etag).status_code == 200
    items = service.get("/v1/deliveries?source=thin").json()["items"]
    assert [item["outcomes"]["pending"] for item in items] == [2, 2]
    assert 'tassei_events_total{outcome="pending"} 4.0' in service.get("/metrics").text


@on_both
def test_a_replay_has_what_was_named_fetched_again(service: Service) -> None:
    path = connected(service)
    named(service, path, "1")
    window = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
    answer = service.client.post("/v1/deliveries/replay", json=window)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outcomes"]["pending"] == 1


@on_both
@pytest.mark.parametrize("name", ["", " 1", "1\x00", "x" * 256, 7, None, ["1"]])
def test_a_name_that_cannot_be_stored_is_set_aside_alone(service: Service, name: Any) -> None:
    path = connected(service)
    named(service, path, "1", name)
    (entry,) = service.get("/v1/quarantine").json()["items"]
    assert entry["source"] == "thin"
    (item,) = service.get("/v1/deliveries?source=thin").json()["items"]
    assert (item["outcomes"]["pending"], item["outcomes"]["quarantined"]) == (1, 1)
