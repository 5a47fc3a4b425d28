"""Single events against an endpoint that only validates, and bulk against a bare script.

Rounds of both sides take turns, and who begins takes turns too: a machine that slows down slows
both. What was sent is looked for afterwards: an event that was not stored was not fast.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench import bulk, copied, scrape, world
from tests.bench.load import Measured
from tests.bench.measured import ROUNDS, Finding, tell

SINGLES = 8_000
CONNECTIONS = 64
BULK = 30_000
BATCH = 1_000
BULK_CONNECTIONS = 4
_PATH = "/v1/events"

Round = Callable[[str, int], Measured]


def singles(folder: Path) -> list[Finding]:
    """Single-event ingest, and the latency of a scrape while the data are there."""
    world.founded(folder)
    with ExitStack() as running:
        port = running.enter_context(world.service(folder))
        against = running.enter_context(world.baseline())
        pairs = rounds(
            "single events",
            lambda name, events: driven(port, _PATH, name, events, 1, CONNECTIONS),
            lambda name, events: driven(against, "/noop", name, events, 1, CONNECTIONS),
            SINGLES,
        )
        latency = scrape.latency(port)
    _check_stored(folder, ROUNDS * SINGLES + SINGLES // 4)
    return [compared("single events", "a no-op FastAPI endpoint", pairs, 1.0), latency]


def in_bulk(folder: Path, aside: Path) -> Finding:
    """NDJSON in batches; both databases must end alike."""
    world.founded(folder)
    shutil.copytree(folder, aside)
    with world.service(folder) as port:
        pairs = rounds(
            "bulk",
            lambda name, events: driven(port, _PATH, name, events, BATCH, BULK_CONNECTIONS),
            lambda name, events: _written(world.database(aside), name, events),
            BULK,
        )
    if apart := bulk.differences(world.database(folder), world.database(aside)):
        raise AssertionError(f"the bare script does not do the same work: {apart}")
    return compared(f"bulk, {BATCH} per batch", "a bare script, in-process", pairs, 0.7)


def in_bulk_on_server(folder: Path, aside: Path) -> Finding:
    """The same on PostgreSQL, each side in a database of its own on one server."""
    world.founded(folder)
    world.founded(aside)
    with world.service(folder) as port:
        pairs = rounds(
            "bulk",
            lambda name, events: driven(port, _PATH, name, events, BATCH, BULK_CONNECTIONS),
            lambda name, events: _copied(aside, name, events),
            BULK,
        )
    if apart := copied.differences(folder, aside):
        raise AssertionError(f"the baseline does not do the same work: {apart}")
    return compared(f"bulk, {BATCH} per batch", "COPY and INSERT ... SELECT", pairs, 0.7)


def rounds(what: str, ours: Round, theirs: Round, events: int) -> list[tuple[Measured, Measured]]:
    # Two rounds that do not count: the first requests build what all others use.
    ours("warm", events // 4), theirs("warm", events // 4)
    pairs = []
    for number in range(ROUNDS):
        name = f"round-{number}"
        if number % 2:
            second = theirs(name, events)
            pair = (ours(name, events), second)
        else:
            pair = (ours(name, events), theirs(name, events))
        pairs.append(pair)
        rates = f"{pair[0].rate:,.0f}/s against {pair[1].rate:,.0f}/s"
        tell(f"{what}, round {number + 1} of {ROUNDS}: {rates}")
    return pairs


def driven(port: int, path: str, name: str, events: int, batch: int, connections: int) -> Measured:
    """One round by the client, counted in events."""
    options = {
        "--port": port, "--path": path, "--key": world.ADMIN, "--round": name,
        "--events": events, "--batch": batch, "--connections": connections,
    }  # fmt: skip
    arguments = [str(part) for option in options.items() for part in option]
    found = Measured(**json.loads(world.module("tests.bench.load", *arguments)))
    if found.failed:
        raise AssertionError(f"{found.failed} requests were refused")
    found.requests *= batch
    return found


def _written(path: Path, name: str, events: int) -> Measured:
    arguments = ["--database", path, "--round", name, "--events", events, "--batch", BATCH]
    seconds = json.loads(world.module("tests.bench.bulk", *map(str, arguments)))
    return Measured(events, 0, seconds, 0.0)


def _copied(folder: Path, name: str, events: int) -> Measured:
    url = world.address(folder)["database_url"]
    arguments = ["--url", url, "--round", name, "--events", events, "--batch", BATCH]
    seconds = json.loads(world.module("tests.bench.copied", *map(str, arguments)))
    return Measured(events, 0, seconds, 0.0)


def _check_stored(folder: Path, events: int) -> None:
    store = world.store(folder)
    with store.read() as reading:
        ask = reading.connection.exec_driver_sql
        stored = ask("SELECT count(*) FROM activity").scalar_one()
        query = "SELECT sum(number) FROM tally_day JOIN metric_slot USING (workspace_id, slot)"
        counted = ask(f"{query} WHERE metric = 'calls'").scalar_one()
    store.close()
    if (stored, counted) != (events, events):
        raise AssertionError(f"sent {events}, stored {stored}, counted {counted}")


def compared(
    what: str, against: str, pairs: list[tuple[Measured, Measured]], budget: float
) -> Finding:
    rates = [median(side.rate for side in sides) for sides in zip(*pairs, strict=True)]
    client = median(ours.client_cpu_seconds / ours.seconds for ours, _ in pairs)
    return Finding(
        what,
        f"{rates[0]:,.0f}/s",
        f"{against}: {rates[1]:,.0f}/s",
        [ours.rate / theirs.rate for ours, theirs in pairs],
        budget,
        at_least=True,
        client=client,
    )
