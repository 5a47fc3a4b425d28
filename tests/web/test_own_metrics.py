"""Defining, changing and taking back metrics over HTTP, and what a stock says over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.presets import PRESETS
from tests.engines import on_both
from tests.web.service import Service, started

pytestmark = on_both

SIZE: dict[str, Any] = {
    "names": {"en": "Deal size"},
    "kind": "deal",
    "aggregation": "sum",
    "value": "amount",
    "time": "won_at",
    "unit": "money",
}


@pytest.fixture
def service() -> Iterator[Service]:
    with started("2026-12-14T18:00:00+09:00") as running:
        settings = running.get("/v1/workspace").json()
        body = {k: v for k, v in settings.items() if k not in {"key", "version"}}
        running.replace("/v1/workspace", body | {"time_zone": "Asia/Tokyo", "currency": "JPY"})
        assert (
            running.put("/v1/sources/crm", {"provider": "events", "name": "C"}).status_code == 201
        )
        yield running


def deal(key: str, revision: int, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": key,
        "source": "crm",
        "type": "deal",
        "revision": str(revision),
        "data": {"created_at": "2026-12-01T10:00:00+09:00", "owner": "sato", "amount": "100"}
        | data,
    }


def total(service: Service, metric: str, **asked: str) -> str:
    query = {"window": "mtd"} if "from" not in asked else {}
    answer = service.client.get(
        f"/v1/metrics/{metric}/series", params=query | asked | {"fill": "zero"}
    )
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    value: str = item["value"]
    return value


def test_presets_and_own_metrics_are_listed_together_page_by_page(service: Service) -> None:
    assert service.put("/v1/metrics/deal-size", SIZE).status_code == 201
    found, path = [], "/v1/metrics?limit=5"
    cursor: Any = ""
    while cursor is not None:
        body = service.get(path + (f"&cursor={cursor}" if cursor else "")).json()
        found += [(one["key"], one["preset"]) for one in body["items"]]
        cursor = body["next"]
    assert found == sorted([*((key, True) for key in PRESETS), ("deal-size", False)])


def test_a_metric_counts_all_history_from_the_moment_it_is_defined_and_changed(
    service: Service,
) -> None:
    won = {"status": "won", "won_at": "2026-12-03T10:00:00+09:00"}
    service.post_events([deal("a", 1, **won), deal("b", 1, **won, amount="30", stage="big")])
    made = service.put("/v1/metrics/size", SIZE)
    assert (made.status_code, made.headers["etag"], total(service, "size")) == (201, '"1"', "130")
    assert service.get("/v1/metrics/size").json() == made.json()
    changed = SIZE | {"aggregation": "max", "where": [{"field": "stage", "in": ["big"]}]}
    assert service.put("/v1/metrics/size", changed).status_code == 428
    refused = service.put("/v1/metrics/size", changed, if_match='"1"')
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "reason_required")
    assert total(service, "size") == "130"
    changed |= {"reason": "big ones only"}
    assert service.put("/v1/metrics/size", changed, if_match='"1"').status_code == 200
    assert total(service, "size") == "30"
    assert service.put("/v1/metrics/size", changed, if_match='"1"').status_code == 200
    assert service.put("/v1/metrics/size", SIZE, if_match='"1"').status_code == 412
    assert service.mismatches() == []


def test_a_new_name_is_a_new_version_with_the_same_numbers(service: Service) -> None:
    service.post_events([deal("a", 1, status="won", won_at="2026-12-03T10:00:00+09:00")])
    service.put("/v1/metrics/size", SIZE)
    named = SIZE | {"names": {"ja": "案件規模"}, "reason": "in Japanese"}
    answer = service.put("/v1/metrics/size", named, if_match='"1"')
    assert (answer.json()["version"], total(service, "size")) == (2, "100")


def test_a_metric_that_is_taken_out_of_use_is_gone_and_can_come_back(service: Service) -> None:
    service.post_events([deal("a", 1, status="won", won_at="2026-12-03T10:00:00+09:00")])
    service.put("/v1/metrics/size", SIZE)
    assert service.client.delete("/v1/metrics/size").status_code == 428
    gone = service.client.delete("/v1/metrics/size", headers={"if-match": '"1"'})
    assert gone.status_code == 204
    for path in ("/v1/metrics/size", "/v1/metrics/size/series?window=7d"):
        assert service.get(path).json()["type"] == "urn:tassei:problem:unknown-metric"
    assert service.put("/v1/metrics/size", SIZE).status_code == 201
    assert total(service, "size") == "100"
    assert service.mismatches() == []


def test_a_preset_stands(service: Service) -> None:
    shown = service.get("/v1/metrics/revenue")
    copy = {k: v for k, v in shown.json().items() if k not in {"key", "preset", "version"}}
    for answer in (
        service.put("/v1/metrics/revenue", copy, if_match=shown.headers["etag"]),
        service.client.delete("/v1/metrics/revenue", headers={"if-match": shown.headers["etag"]}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:tassei:problem:preset-fixed",
        )
    assert service.put("/v1/metrics/own-revenue", copy).status_code == 201


def test_a_metric_that_a_plan_has_a_goal_of_stays_and_stays_additive(service: Service) -> None:
    service.put("/v1/metrics/size", SIZE)
    plan = {
        "name": "December",
        "period": {"month": "2026-12"},
        "funnel": [{"metric": "size", "target": "1000"}],
    }
    assert service.put("/v1/plans/december", plan).status_code == 201
    service.post_events([deal("a", 1, status="won", won_at="2026-12-03T10:00:00+09:00")])
    assert service.progress("december").goal("size")["actual"] == "100"
    deleted = service.client.delete("/v1/metrics/size", headers={"if-match": '"1"'})
    average = SIZE | {"aggregation": "average", "reason": "mean"}
    changed = service.put("/v1/metrics/size", average, if_match='"1"')
    for answer in (deleted, changed):
        assert (answer.status_code, answer.json()["params"]["plan"]) == (409, "december")
    assert total(service, "size") == "100"
    assert service.client.delete("/v1/plans/december", headers={"if-match": '"1"'}).is_success
    assert service.client.delete("/v1/metrics/size", headers={"if-match": '"1"'}).is_success


@pytest.mark.parametrize("aggregation", ["average", "max", "unique", "latest"])
def test_what_does_not_add_up_is_no_goal(service: Service, aggregation: str) -> None:
    unit = {"unit": "count"} if aggregation == "unique" else {}
    service.put("/v1/metrics/size", SIZE | {"aggregation": aggregation} | unit)
    for metric in ("size", "open_pipeline"):
        plan = {
            "name": "P",
            "period": {"month": "2026-12"},
            "funnel": [{"metric": metric, "target": "1"}],
        }
        answer = service.put("/v1/plans/p", plan)
        assert answer.json()["errors"][0]["code"] == "not_additive"


def test_the_pipeline_is_what_stood_at_each_moment(service: Service) -> None:
    def stood() -> list[str]:
        days = ("2026-12-01", "2026-12-04", "2026-12-07")
        return [
            total(service, "open_pipeline", **{"from": "2026-11-01", "as_of": day}) for day in days
        ]

    service.post_events([deal("a", 1, status="open"), deal("b", 1, status="open", amount="7")])
    assert stood() == ["107", "107", "107"]
    won = {"status": "won", "won_at": "2026-12-03T10:00:00+09:00"}
    service.post_events([deal("a", 2, **won)])
    assert stood() == ["107", "7", "7"]
    service.post_events([deal("a", 3, status="open", amount="90")])
    assert stood() == ["97", "97", "97"]
    service.post_events([deal("a", 4, status="lost", closed_at="2026-12-05T10:00:00+09:00")])
    assert stood() == ["107", "107", "7"]
    service.post_events([deal("a", 5, status="deleted")])
    assert stood() == ["7", "7", "7"]
    service.post_events([deal("b", 6) | {"retracted": True}])
    assert stood() == ["0", "0", "0"]
    assert service.mismatches() == []


def test_what_is_still_open_follows_whoever_has_the_identity(service: Service) -> None:
    owner = {"source": "crm", "kind": "id", "value": "sato"}
    handed = "2026-12-05"
    for key, span in (("old", {"to": handed}), ("new", {"from": handed})):
        body = {"name": key, "identities": [owner | span]}
        assert service.put(f"/v1/members/{key}", body).status_code == 201
    service.post_events([deal("a", 1, status="open"), deal("b", 1, status="open", owner="x")])
    answer = service.get(
        "/v1/metrics/open_pipeline/series"
        "?from=2026-12-03&to=2026-12-07&granularity=day&group_by=member"
    )
    found = [(one["from"][8:10], one["member"], one["value"]) for one in answer.json()["items"]]
    assert found == [
        (day, who, "100")
        for day, holder in (("03", "old"), ("04", "old"), ("05", "new"), ("06", "new"))
        for who in (holder, None)
    ]


def test_more_metrics_than_every_event_should_be_asked_for_are_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.usecases.metrics.MAX_METRICS", 1)
    assert service.put("/v1/metrics/one", SIZE).status_code == 201
    refused = service.put("/v1/metrics/two", SIZE)
    assert (refused.status_code, refused.json()["params"]) == (409, {"limit": 1})
    assert service.get("/v1/metrics/two").status_code == 404
