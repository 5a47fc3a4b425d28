"""What a scrape costs: the rendering of ten thousand series, and GET /metrics as it is served."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from app.domain.progress import Progress
from app.views.prometheus import Snapshot, families
from tests.bench.measured import ROUNDS, Finding, tell

SERIES = 10_000
_PLANS = 300
_BUDGET_MS = 100
_SCRAPES_PER_ROUND = 20


def rendering(progress: Progress) -> Finding:
    """Rendering a real progress under the aliases of as many plans as fill the series."""
    snapshot = Snapshot(progress.as_of, tuple(_plans(progress)))
    times = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        text = families(snapshot, SERIES)
        times.append((time.perf_counter() - started) * 1000)
        tell(f"scrape, round {number + 1} of {ROUNDS}: {times[-1]:.0f} ms")
    shown = sum(
        line.startswith((b"tassei_goal", b"tassei_conversion")) for line in text.splitlines()
    )
    if not 0.95 * SERIES <= shown <= SERIES:
        raise AssertionError(f"{shown} series were rendered")
    return _within_budget(f"rendering {SERIES:,} goal series, in the background", times)


def _plans(progress: Progress) -> Iterator[Progress]:
    for number in range(_PLANS):
        yield replace(progress, plan=replace(progress.plan, alias=f"plan-{number}"))


def latency(port: int) -> Finding:
    """GET /metrics of the running service, a new connection each, as a scraper may do."""
    _scraped(port)
    rounds = [[_scraped(port) for _ in range(_SCRAPES_PER_ROUND)] for _ in range(ROUNDS)]
    return _within_budget("GET /metrics", [median(times) for times in rounds])


def _scraped(port: int) -> float:
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200 or b"tassei_goal_target" not in text:
        raise AssertionError(answer.status)
    return (time.perf_counter() - started) * 1000


def _within_budget(what: str, times: list[float]) -> Finding:
    return Finding(what, f"{median(times):.1f} ms", "", times, _BUDGET_MS, False, unit=" ms")
