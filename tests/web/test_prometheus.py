"""A real Prometheus scrapes a real service; both formats are read by the makers' own tools."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import HANG_SECONDS
from tests.prometheus_tools import prometheus, promtool
from tests.web.service import ADMIN
from tests.web.test_cli import ROOT, free_port
from tests.web.tree import ATTAINMENT, AWKWARD, PLAN, create, report

__all__ = ["prometheus", "promtool"]
pytestmark = pytest.mark.slow

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
VERDICTS = ("reached", "unknown", "on_track", "at_risk", "off_track", "missed", "not_started")
GAUGES = {
    "tassei_goal_target": "target",
    "tassei_goal_actual": "actual",
    "tassei_goal_expected": "expected",
    "tassei_goal_gap": "gap",
    "tassei_goal_required_per_day": "required_per_day",
    "tassei_goal_attainment_ratio": "attainment",
    "tassei_goal_pace_ratio": "pace",
}
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True)
class Live:
    """A service in a process of its own, with a plan that runs today and some of it done."""

    port: int
    client: httpx.Client

    def progress(self) -> dict[str, Any]:
        answer = self.client.get(f"/v1/plans/{PLAN}/progress", params={"breakdown": "team"})
        document: dict[str, Any] = answer.raise_for_status().json()
        return document

    def metrics(self, accept: str = "") -> str:
        answer = self.client.get("/metrics", headers={"Accept": accept})
        return answer.raise_for_status().text

    def report(self, *, calls: int = 0, deals: int = 0) -> None:
        now = datetime.now(UTC)  # noqa: TID251 - the service has its own clock, the machine's
        report(self.client, (now - timedelta(minutes=1)).isoformat(), calls=calls, deals=deals)


@contextmanager
def program(*command: str | Path, log: Path, **settings: str) -> Iterator[None]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TASSEI_")}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - programs of ours
            command, cwd=ROOT, env=clean | settings, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(HANG_SECONDS)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    port = free_port()
    settings = {
        "TASSEI_DATA_DIR": str(folder),
        "TASSEI_PORT": str(port),
        "TASSEI_ADMIN_KEY": ADMIN,
    }
    today = datetime.now(UTC).date()  # noqa: TID251 - as above
    period = {
        "start": (today - timedelta(days=20)).isoformat(),
        "end": (today + timedelta(days=20)).isoformat(),
    }
    headers = {"Authorization": f"Bearer {ADMIN}"}
    with (
        program(sys.executable, "-m", "app", "serve", log=folder / "service.log", **settings),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client,
    ):
        until(lambda: answers(client, "/readyz"))
        create(client, period)
        running = Live(port, client)
        running.report(calls=37, deals=2)
        yield running


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def until(told: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def of_goals(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(("tassei_goal_", "tassei_conversion_"))
    }


def expected_of(document: dict[str, Any]) -> Series:
    """Every gauge that a progress document calls for, and no other."""
    series: Series = {}
    for part in [document, *document["breakdown"]]:
        goal = part["root"]
        while goal is not None:
            labels = {
                "workspace": document["workspace"],
                "plan": document["plan"]["alias"],
                "goal": goal["key"],
                "team": part["scope"].get("team", ""),
                "unit": goal["unit"]["kind"],
            }
            series |= expected_of_goal(goal, labels)
            goal = goal["children"][0] if goal["children"] else None
    return series


def expected_of_goal(goal: dict[str, Any], labels: dict[str, str]) -> Series:
    def named(family: str, /, **more: str) -> tuple[str, frozenset[tuple[str, str]]]:
        return family, frozenset((labels | more).items())

    values = {name: goal[field] for name, field in GAUGES.items()}
    series = {named(name): float(v) for name, v in values.items() if v is not None}
    if goal["forecast"] is not None:
        said = goal["forecast"].items()
        told = {stat: float(text) for stat, text in said if stat != "law"}
        series[named("tassei_goal_reach_probability_ratio")] = told["probability"]
        for stat in ("low", "median", "high"):
            series[named("tassei_goal_forecast", stat=stat)] = told[stat]
    for verdict in VERDICTS:
        series[named("tassei_goal_verdict", verdict=verdict)] = float(verdict == goal["verdict"])
    info = {"currency": goal["unit"].get("currency", ""), "name": goal["name"]}
    series[named("tassei_goal_info", **info)] = 1.0
    for basis in ("assumed", "observed"):
        if goal["rate"] and goal["rate"][basis] is not None:
            name = named("tassei_conversion_ratio", basis=basis)
            series[name] = float(goal["rate"][basis])
    return series


def at_one_moment(live: Live, accept: str = "") -> tuple[dict[str, Any], str]:
    """A progress document and a scrape that speak of the same minute and the same events."""
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        before, text, after = live.progress(), live.metrics(accept), live.progress()
        (taken,) = [
            float(line.split()[1])
            for line in text.splitlines()
            if line.startswith("tassei_snapshot_timestamp_seconds ")
        ]
        minute = datetime.fromisoformat(before["as_of"])
        same = before["as_of"] == after["as_of"] and taken // 60 * 60 == minute.timestamp()
        calls = f'tassei_goal_actual{{goal="calls",plan="{PLAN}",team=""'
        if same and any(line.startswith(calls) for line in text.splitlines()):
            return before, text
        assert time.monotonic() < deadline, (before["as_of"], after["as_of"], taken)
        time.sleep(0.2)


def test_promtool_finds_nothing_to_say_about_all_that_is_exposed(
    live: Live, promtool: Path
) -> None:
    _, text = at_one_moment(live)
    # Everything has to be there, for the check to mean everything.
    for name in ("tassei_http_requests_total", "tassei_events_total", ATTAINMENT):
        assert f"\n{name}{{" in text
    assert 'tassei_commit_batch_deliveries_bucket{le="' in text
    checked = subprocess.run(  # noqa: S603 - a program of ours with fixed arguments
        [promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_openmetrics_variant_is_read_by_the_strict_parser(live: Live) -> None:
    _, text = at_one_moment(live, OPENMETRICS)
    assert text.endswith("# EOF\n")
    parse = openmetrics.text_string_to_metric_families
    families = {family.name: family for family in parse(text)}  # type: ignore[no-untyped-call] # the library's
    assert families["tassei_events"].type == "counter"
    assert families["tassei_http_request_duration_seconds"].type == "histogram"
    assert families[ATTAINMENT].type == "gauge"
    _, plain = at_one_moment(live)
    described = {
        line.split()[2].removesuffix("_total")
        for line in plain.splitlines()
        if line.startswith("# TYPE")
    }
    # OpenMetrics calls what Prometheus knows as the gauge build_info the info build.
    assert described == {
        "tassei_build_info" if name == "tassei_build" else name for name in families
    }


def test_the_goal_gauges_are_the_numbers_of_the_progress_document(live: Live) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    shown: Series = {}
    expected: Series = {("nothing", frozenset()): 0.0}
    while shown != expected and time.monotonic() < deadline:
        # What was reported a moment ago is in the document already.
        document, text = at_one_moment(live)
        shown, expected = of_goals(text), expected_of(document)
    assert shown == expected
    assert len(expected) > 2 * 4 * len(GAUGES)


def test_what_is_received_and_committed_is_counted(live: Live) -> None:
    def value(name: str) -> float:
        lines = live.metrics().splitlines()
        return float(next(line.split()[-1] for line in lines if line.startswith(name)))

    names = (
        'tassei_events_total{outcome="accepted"}',
        "tassei_commit_batch_deliveries_sum",
        "tassei_commit_duration_seconds_count",
    )
    before = [value(name) for name in names]
    live.report(calls=5)
    assert [value(name) - old for name, old in zip(names, before, strict=True)] == [5, 1, 1]


CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: tassei
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def test_prometheus_scrapes_it_and_answers(live: Live, prometheus: Path, tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(port=live.port))
    port = free_port()
    command = (
        prometheus,
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with (
        program(*command, log=tmp_path / "prometheus.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):

        def query(text: str) -> list[dict[str, Any]]:
            answer = client.get("/api/v1/query", params={"query": text})
            found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
            return found

        def agrees() -> bool:
            shown = {
                # To Prometheus an empty label is none.
                (r["metric"]["goal"], r["metric"].get("team")): float(r["value"][1])
                for r in query(ATTAINMENT)
            }
            named = said()
            whole = {goal: v for (goal, team), v in shown.items() if team is None}
            return bool(named) and whole == named

        def said() -> dict[str, float]:
            series = expected_of(live.progress() | {"breakdown": []})
            return {dict(who)["goal"]: v for (name, who), v in series.items() if name == ATTAINMENT}

        until(lambda: answers(client, "/-/ready"))
        until(agrees)
        assert [r["value"][1] for r in query("up")] == ["1"]
        (info,) = query('tassei_goal_info{goal="calls",team=""}')
        assert info["metric"]["name"] == AWKWARD
        before = said()
        live.report(calls=4, deals=1)
        assert all(said()[goal] > before[goal] for goal in ("calls", "deals_won", "revenue"))
        until(agrees)
