"""Progress of a large plan: ten goals, a year of 250 working days, a thousand people.

Everybody has something of every goal on every working day so far. One day is told by events; the
others are copies of its tallies, so that what is read is what a year of such days would have left.
The first read of a process adds all of it up; later ones go on from there, also while calls come.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from starlette.testclient import TestClient

from app.domain.deliveries import ItemResult
from app.domain.instants import day_number, instant
from app.domain.progress import Scope
from app.domain.scopes import WHOLE
from app.main import create_app, opened, random_token
from app.settings import Settings
from app.usecases import workspaces
from app.usecases.context import Context
from app.usecases.progress import Asked, report_progress
from app.usecases.recording import record_events
from tests.bench import world
from tests.bench.measured import ROUNDS, Finding, tell

FIRST, TODAY = date(2025, 12, 1), date(2026, 11, 26)
NOW = instant(f"{TODAY}T15:07:00+00:00")
TOLD = TODAY - timedelta(days=1)
BUDGETS = {50: 50, 1_000: 300}  # milliseconds, by people
FIRST_READS = 3
PLAN = "year"
_BATCH = 2_000
_CALLS_PER_ROUND = 3
_BESIDE = (
    "leads",
    "talk_time",
    "connected_calls",
    "meetings_held",
    "deals_created",
    "inbound_calls",
)


def progress(folder: Path) -> list[Finding]:
    """How long it takes, for as many people as there are budgets for."""
    return [one for people in BUDGETS for one in _measured(folder / str(people), people)]


def _measured(folder: Path, people: int) -> Iterator[Finding]:
    folder.mkdir(parents=True)
    _filled(folder, people).store.close()
    firsts = [_first(folder) for _ in range(FIRST_READS)]
    tell(f"{people:,} people, first reads: " + ", ".join(f"{one:.0f} ms" for one in firsts))
    yield _finding("first read", people, firsts, None)
    context = opened(Settings(data_dir=folder), clock=lambda: NOW)
    context.committer.start()
    _timed(context, WHOLE)
    yield _finding("later reads", people, _rounds(context, people, WHOLE), BUDGETS[people])
    own = Scope(member="m0007")
    _timed(context, own)
    yield _finding("one person's", people, _rounds(context, people, own), None)
    context.committer.stop()
    context.store.close()


def _first(folder: Path) -> float:
    """The first read of a process that knows who the people are, and has added nothing up."""
    context = opened(Settings(data_dir=folder), clock=lambda: NOW)
    with context.read() as reading:
        context.organisations.at(reading, "default")
    took = _timed(context, WHOLE)
    context.store.close()
    return took


def _rounds(context: Context, people: int, scope: Scope) -> list[float]:
    """Each round begins with somebody's call of today, and one of last week that comes late."""
    rounds = []
    for number in range(ROUNDS):
        _send(context, [*_calls(number)])
        times = [_timed(context, scope) for _ in range(_CALLS_PER_ROUND)]
        rounds.append(median(times))
        tell(f"{people:,} people, round {number + 1} of {ROUNDS}: {rounds[-1]:.0f} ms")
    return rounds


def _finding(what: str, people: int, times: list[float], budget: float | None) -> Finding:
    return Finding(
        f"progress, 10 goals, {people:,} people, 250 days: {what}",
        f"{median(times):.0f} ms",
        "-",
        times,
        budget,
        at_least=False,
        unit=" ms",
    )


def _timed(context: Context, scope: Scope) -> float:
    started = time.perf_counter()
    answered = report_progress(context, "default", PLAN, Asked(scope=scope)).progress
    took = (time.perf_counter() - started) * 1000
    goals = list(answered.whole.root.walk())
    if len(goals) != 10 or not all(goal.actual for goal in goals):
        raise AssertionError([(goal.key, goal.actual) for goal in goals])
    return took


def _calls(number: int) -> Iterator[dict[str, Any]]:
    for day in (TODAY, TODAY - timedelta(days=7)):
        yield _event("call", f"{number}-{day}-{time.time_ns()}", 3, _call(f"{day}T10:00:00Z"))


def _filled(folder: Path, people: int) -> Context:
    settings = Settings(data_dir=folder)
    context = opened(settings, clock=lambda: NOW)
    workspaces.first_start(context.store, NOW, random_token, world.ADMIN)
    headers = {"authorization": f"Bearer {world.ADMIN}"}
    with TestClient(create_app(settings, context), headers=headers) as client:
        for path, document in _documents():
            assert client.put(path, json=document).status_code == 201, path
        lines = "".join(json.dumps(one) + "\n" for one in _members(people))
        kind = {"content-type": "application/x-ndjson"}
        assert client.put("/v1/members", content=lines, headers=kind).status_code == 200
        assert client.put(f"/v1/plans/{PLAN}", json=_plan()).status_code == 201
    context = opened(settings, clock=lambda: NOW)
    context.committer.start()
    _send(context, list(_events(people)))
    context.committer.stop()
    _copy_days(world.database(folder))
    return context


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "/v1/teams/all", {"name": "All"}
    yield f"/v1/sources/{world.SOURCE}", {"provider": "events", "name": "x", "counts": None}


def _members(people: int) -> Iterator[dict[str, Any]]:
    for number in range(people):
        yield {
            "key": f"m{number:04d}",
            "name": f"Member {number}",
            "memberships": [{"team": "all", "from": "2025-01-01"}],
            "identities": [{"source": world.SOURCE, "kind": "id", "value": f"p{number}"}],
        }


def _plan() -> dict[str, Any]:
    influences = [{"metric": metric, "target": "1000000"} for metric in _BESIDE]
    funnel: list[dict[str, Any]] = [
        {"metric": "revenue", "target": "400000000000", "influences": influences},
        {"metric": "deals_won", "rate": "400000"},
        {"metric": "appointments", "rate": "0.05"},
        {"metric": "calls", "rate": "0.2"},
    ]
    period = {"start": str(FIRST), "end": "2026-12-01"}
    return {"name": "Year", "period": period, "funnel": funnel, "assignments": [{"team": "all"}]}


def _events(people: int) -> Iterator[dict[str, Any]]:
    """One of everything for everybody, on one day."""
    at = f"{TOLD}T10:00:00Z"
    told: list[tuple[str, dict[str, Any]]] = [
        ("call", _call(at)),
        ("call", _call(at) | {"direction": "inbound"}),
        ("meeting", {"status": "held", "booked_at": at, "starts_at": at}),
        ("lead", {"created_at": at}),
        (
            "deal",
            {
                "status": "won",
                "amount": "400000",
                "currency": "USD",
                "created_at": at,
                "won_at": at,
            },
        ),
    ]
    for number in range(people):
        for place, (kind, data) in enumerate(told):
            yield _event(kind, f"{place}-{number}", number, data)


def _call(at: str) -> dict[str, Any]:
    return {
        "outcome": "connected",
        "started_at": at,
        "talk_seconds": 60,
        "direction": "outbound",
    }


def _event(kind: str, key: str, person: int, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{kind}-{key}",
        "source": world.SOURCE,
        "type": kind,
        "actor": f"p{person}",
        "data": data,
    }


def _send(context: Context, events: list[dict[str, Any]]) -> None:
    for start in range(0, len(events), _BATCH):
        body = "\n".join(json.dumps(one) for one in events[start : start + _BATCH]).encode()
        waiting: Future[list[ItemResult]] = Future()
        record_events(context, "default", body, "application/x-ndjson", {}, waiting)
        waiting.result()


def _copy_days(path: Path) -> None:
    """What the one day left, on every weekday of the plan before it."""
    days = [FIRST + timedelta(n) for n in range((TOLD - FIRST).days)]
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TEMP TABLE days (day INTEGER)")
        rows = [(day_number(day),) for day in days if day.weekday() < 5]
        connection.executemany("INSERT INTO days VALUES (?)", rows)
        connection.execute(
            "INSERT INTO tally_day (workspace_id, slot, day, actor, number, total) "
            "SELECT workspace_id, slot, days.day, actor, number, total FROM tally_day, days "
            "ORDER BY workspace_id, slot, days.day, actor"
        )
        (number,) = connection.execute("SELECT count(*) FROM tally_day").fetchone()
        tell(f"{number:,} tallies of days")
    connection.close()
