"""Progress over few and over many activities of the same people, days and kinds.

Only the number per bucket differs, so the ratio shows whether progress reads activities. It is
taken in-process: what HTTP adds would only pull it towards 1.
"""

from __future__ import annotations

import json
import sqlite3
import time
from concurrent.futures import Future
from pathlib import Path
from statistics import median
from typing import Any

from app.domain.deliveries import ItemResult
from app.domain.instants import instant
from app.domain.progress import Progress
from app.domain.scopes import Breakdown
from app.main import opened
from app.settings import Settings
from app.usecases.context import Context
from app.usecases.progress import Asked, report_progress
from app.usecases.recording import record_events
from tests.bench import world
from tests.bench.measured import ROUNDS, Finding, tell

FEW = 10_000
MANY = 300_000
NOW = instant("2026-11-26T15:07:00+09:00")
_DAYS = 25
_KINDS = ("deal", "meeting", "meeting", *("call",) * 7)
_BATCH = 2_000
_CALLS_PER_ROUND = 5


def progress(few: Path, many: Path) -> tuple[Finding, Progress]:
    """The ratio of the times, and the progress that was measured."""
    contexts = [_filled(few, FEW), _filled(many, MANY)]
    if len({_buckets(world.database(folder)) for folder in (few, many)}) != 1:
        raise AssertionError("the buckets are not the same")
    timed = [tuple(_timed(context) for context in contexts) for _ in range(ROUNDS + 1)][1:]
    answered = _asked(contexts[1])
    for context in contexts:
        context.store.close()
    middle = [median(times) * 1000 for times in zip(*timed, strict=True)]
    finding = Finding(
        f"progress, 4 goals, 40 people, {MANY:,} activities",
        f"{middle[1]:.1f} ms",
        f"the same at {FEW:,}: {middle[0]:.1f} ms",
        [large / small for small, large in timed],
        1.2,
        at_least=False,
    )
    return finding, answered


def _filled(folder: Path, events: int) -> Context:
    """A company whose sources have sent so many events; the committer has ended."""
    world.founded(folder, lambda: NOW)
    context = opened(Settings(data_dir=folder), clock=lambda: NOW)
    context.committer.start()
    waiting: list[Future[list[ItemResult]]] = []
    for start in range(0, events, _BATCH):
        lines = (json.dumps(event(number)) for number in range(start, start + _BATCH))
        body = "\n".join(lines).encode()
        waiting.append(Future())
        record_events(context, "default", body, "application/x-ndjson", {}, waiting[-1])
        waiting = waiting[-4:]
        waiting[0].result()
    context.committer.stop()
    tell(f"progress: {events:,} activities are stored")
    return context


def event(number: int) -> dict[str, Any]:
    """Each ten thousand fill the same buckets: person by day by kind, one quarter hour a day."""
    turn, kind = divmod(number // world.PEOPLE // _DAYS, len(_KINDS))
    day = 1 + number // world.PEOPLE % _DAYS
    at = f"2026-11-{day:02d}T14:{turn % 15:02d}:00+09:00"
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": world.SOURCE,
        "type": _KINDS[kind],
        "time": at,
        "actor": world.extension(number),
        "data": _data(_KINDS[kind], at),
    }


def _data(kind: str, at: str) -> dict[str, Any]:
    match kind:
        case "deal":
            return {"status": "won", "amount": "1000", "currency": "JPY", "won_at": at}
        case "meeting":
            return {"status": "booked", "booked_at": at}
    return {"direction": "outbound", "outcome": "connected", "started_at": at, "talk_seconds": 9}


def _buckets(path: Path) -> tuple[int, ...]:
    connection = sqlite3.connect(path)
    tables = ("tally_day", "tally_quarter", "actor")
    sizes = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]  # noqa: S608 - our own names
    connection.close()
    return tuple(sizes)


def _timed(context: Context) -> float:
    times = []
    for _ in range(_CALLS_PER_ROUND):
        started = time.perf_counter()
        _asked(context)
        times.append(time.perf_counter() - started)
    return median(times)


def _asked(context: Context) -> Progress:
    asked = Asked(breakdown=Breakdown.MEMBER)
    return report_progress(context, "default", world.PLAN, asked).progress
