"""The goal gauges follow what is counted, cost a scrape nothing, and outlive a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from app.store.engine import Store
from app.usecases import exports
from app.views.prometheus import Snapshot
from tests.web.service import Service, started
from tests.web.tree import ATTAINMENT, create, report

# Longer than a commit may take to be shown, by what a busy machine adds.
PATIENCE = exports.LONGEST_SECONDS + 10.0


@pytest.fixture
def service() -> Iterator[Service]:
    with started("2026-12-14T09:00:00+09:00") as running:
        create(running.client, {"month": "2026-12"})
        yield running


def gauge(service: Service, name: str, **labels: str) -> float | None:
    """The one sample of that name with these labels."""
    text = service.get("/metrics").text
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1
    return found[0] if found else None


def seconds_until(told: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not told():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)
    return time.monotonic() - began


def calls(service: Service) -> float | None:
    return gauge(service, "tassei_goal_actual", goal="calls", team="")


def test_a_commit_is_shown_within_the_longest_rest(service: Service) -> None:
    seconds_until(lambda: calls(service) == 0)
    report(service.client, "2026-12-14T08:00:00+09:00", calls=3)
    # A second to make it.
    assert seconds_until(lambda: calls(service) == 3) < exports.LONGEST_SECONDS + 1.0


@pytest.mark.parametrize(
    ("spent", "rest"), [(0.0, 1.0), (0.02, 1.0), (0.05, 2.5), (0.2, 10.0), (5.0, 10.0)]
)
def test_a_dear_snapshot_is_made_less_often(spent: float, rest: float) -> None:
    assert exports.between(spent) == pytest.approx(rest)


def test_time_alone_moves_what_was_to_be_expected(service: Service) -> None:
    report(service.client, "2026-12-14T08:00:00+09:00", calls=3)
    seconds_until(lambda: calls(service) == 3)
    before = gauge(service, "tassei_goal_expected", goal="calls", team="")
    assert before is not None
    taken = gauge(service, "tassei_snapshot_timestamp_seconds")
    service.clock.set("2026-12-14T09:01:00+09:00")
    seconds_until(lambda: gauge(service, "tassei_snapshot_timestamp_seconds") != taken)
    after = gauge(service, "tassei_goal_expected", goal="calls", team="")
    assert after is not None
    assert after > before


def test_a_scrape_never_asks_the_store(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = Store.read

    def watched(store: Store) -> Any:
        asked.append(threading.current_thread().name)
        return read(store)

    monkeypatch.setattr(Store, "read", watched)
    service.get("/v1/plans/new-business/progress")
    assert set(asked) - {"watch", "gauges"}  # the trap works
    asked.clear()
    for _ in range(20):
        assert service.get("/metrics").status_code == 200
    assert set(asked) <= {"watch", "gauges"}


def test_a_failing_snapshot_leaves_the_last_one_and_is_logged_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(service.client, "2026-12-14T08:00:00+09:00", calls=3)
    seconds_until(lambda: calls(service) == 3)
    tried: list[int] = []

    def failing(_context: object) -> Snapshot:
        tried.append(1)
        raise ZeroDivisionError

    with capture_logs() as log, monkeypatch.context() as broken:
        broken.setattr(exports, "snapshot", failing)
        report(service.client, "2026-12-14T08:10:00+09:00", calls=1)
        seconds_until(lambda: len(tried) >= 2)
        assert calls(service) == 3
        assert service.get("/readyz").status_code == 200
    assert seconds_until(lambda: calls(service) == 4) < 2.0
    assert [entry["event"] for entry in log] == ["the gauges could not be made"]


def test_a_service_starts_without_gauges_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(exports, "snapshot", lambda _context: 1 / 0)
        with started("2026-12-14T09:00:00+09:00") as running:
            assert running.get("/readyz").status_code == 200
            create(running.client, {"month": "2026-12"})
            report(running.client, "2026-12-14T08:00:00+09:00", calls=3)
            assert calls(running) is None
            broken.undo()
            seconds_until(lambda: calls(running) == 3)


def test_gauges_say_what_the_progress_says(service: Service) -> None:
    report(service.client, "2026-12-14T08:00:00+09:00", calls=37)
    seconds_until(lambda: calls(service) == 37)
    goal = service.progress("new-business").goal("calls")
    assert gauge(service, ATTAINMENT, goal="calls", team="") == float(goal["attainment"])
