"""A metric that is still being counted, over HTTP: what is said of it and what it says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.store import building
from app.usecases import building as carrying
from tests.engines import on_both
from tests.patience import HANG_SECONDS
from tests.web.service import Service, started
from tests.web.test_own_metrics import SIZE, deal, total

pytestmark = on_both

WON = {"status": "won", "won_at": "2026-12-03T10:00:00+09:00"}
WINDOW = {"window": "mtd"}
GOAL = {
    "name": "December",
    "period": {"month": "2026-12"},
    "root": {"metric": "size", "target": "1000"},
}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Five deals, steps of one activity, no patience, and nobody who carries on by himself."""
    monkeypatch.setattr(carrying, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(carrying, "INTERVAL_SECONDS", 3600.0)
    monkeypatch.setattr(building, "CHUNK", 1)
    with started("2026-12-14T18:00:00+09:00") as running:
        settings = running.get("/v1/workspace").json()
        body = {k: v for k, v in settings.items() if k not in {"key", "version"}}
        running.replace("/v1/workspace", body | {"time_zone": "Asia/Tokyo", "currency": "JPY"})
        running.put("/v1/sources/crm", {"provider": "events", "name": "C"})
        running.post_events([deal(key, 1, **WON) for key in "abcde"])
        yield running


def steps(service: Service, number: int = 1000) -> None:
    for _ in range(number):
        if not building.step(service.store, "default", service.clock()).left:
            return


def state(service: Service) -> tuple[Any, ...]:
    shown = service.get("/v1/metrics/size").json()
    return shown["state"], shown.get("counted"), shown.get("of")


def test_a_new_metric_has_no_number_until_everything_is_counted(service: Service) -> None:
    made = service.put("/v1/metrics/size", SIZE)
    assert (made.status_code, made.json()["state"], made.json()["counted"]) == (201, "building", 0)
    steps(service, 2)
    assert state(service) == ("building", 2, 5)
    answer = service.client.get(
        "/v1/metrics/size/series", params=WINDOW, headers={"accept-language": "en"}
    ).json()
    assert (answer["items"], answer["next"]) == ([], None)
    assert [reason["code"] for reason in answer["reasons"]] == ["building"]
    for refused in (
        service.client.get("/v1/metrics/size/activities", params=WINDOW),
        service.put("/v1/plans/december", GOAL),
    ):
        assert refused.status_code == 409, refused.text
        assert refused.json()["type"] == "urn:tassei:problem:metric-building"
    assert service.mismatches() == []
    steps(service)
    assert state(service) == ("active", None, None)
    assert total(service, "size") == "500"
    assert service.put("/v1/plans/december", GOAL).status_code == 201


def test_a_changed_metric_says_the_old_until_the_new_is_whole(service: Service) -> None:
    service.put("/v1/metrics/size", SIZE)
    steps(service)
    count = {k: v for k, v in SIZE.items() if k not in {"value", "unit"}}
    count |= {"aggregation": "count", "reason": "how many"}
    changed = service.put("/v1/metrics/size", count, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    seen = set()
    while service.get("/v1/metrics/size").json()["state"] == "building":
        answer = service.client.get("/v1/metrics/size/series", params=WINDOW).json()
        assert answer["unit"] == {"kind": "money", "currency": "JPY"}
        seen.add(answer["items"][0]["value"])
        steps(service, 1)
    assert seen == {"500"}
    assert total(service, "size") == "5"
    steps(service)
    assert service.mismatches() == []


def test_a_state_that_moves_is_answered_in_full_each_time(service: Service) -> None:
    etag = service.put("/v1/metrics/size", SIZE).headers["etag"]
    asked = {"if-none-match": etag}
    assert service.client.get("/v1/metrics/size", headers=asked).status_code == 200
    steps(service)
    assert service.client.get("/v1/metrics/size", headers=asked).status_code == 304


def test_a_build_starts_over_goes_back_and_ends_with_its_definition(service: Service) -> None:
    service.put("/v1/metrics/size", SIZE)
    steps(service)
    other = SIZE | {"aggregation": "max", "reason": "largest"}
    service.put("/v1/metrics/size", other, if_match='"1"')
    steps(service, 3)
    assert state(service) == ("building", 3, 5)
    again = SIZE | {"aggregation": "min", "reason": "smallest"}
    assert service.put("/v1/metrics/size", again, if_match='"1"').status_code == 412
    assert service.put("/v1/metrics/size", again, if_match='"2"').status_code == 200
    assert state(service) == ("building", 0, 5)
    named = again | {"names": {"en": "Least"}, "reason": "a name"}
    steps(service, 1)
    assert service.put("/v1/metrics/size", named, if_match='"3"').status_code == 200
    assert state(service) == ("building", 1, 5)
    back = SIZE | {"reason": "as it was"}
    assert service.put("/v1/metrics/size", back, if_match='"4"').status_code == 200
    assert state(service) == ("active", None, None)
    assert total(service, "size") == "500"
    service.put("/v1/metrics/size", again, if_match='"5"')
    steps(service, 2)
    gone = service.client.delete("/v1/metrics/size", headers={"if-match": '"6"'})
    assert gone.status_code == 204
    assert service.get("/v1/metrics/size").status_code == 404
    assert service.mismatches() == []
    steps(service)
    assert service.mismatches() == []


def test_a_goal_must_work_with_what_its_metric_is_about_to_be(service: Service) -> None:
    service.put("/v1/metrics/size", SIZE)
    steps(service)
    average = SIZE | {"aggregation": "average", "reason": "the mean"}
    service.put("/v1/metrics/size", average, if_match='"1"')
    assert service.put("/v1/plans/december", GOAL).status_code == 422
    back = SIZE | {"reason": "as it was"}
    service.put("/v1/metrics/size", back, if_match='"2"')
    assert service.put("/v1/plans/december", GOAL).status_code == 201
    refused = service.put("/v1/metrics/size", average, if_match='"3"')
    assert refused.json()["type"] == "urn:tassei:problem:metric-in-use"


def test_what_nobody_carries_on_with_is_carried_on_with(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("/v1/metrics/size", SIZE)
    steps(service, 2)
    monkeypatch.setattr(carrying, "INTERVAL_SECONDS", 0.05)
    app: Any = service.client.app
    builder = carrying.Builder(app.state.context)
    builder.start()
    try:
        until = time.monotonic() + HANG_SECONDS
        while state(service)[0] == "building" and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        builder.stop()
    assert total(service, "size") == "500"
    assert service.mismatches() == []
