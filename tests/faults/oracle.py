"""What must hold whatever broke: eight laws, checked against a recount from outside.

I1 whatever was acknowledged is stored. I2 each report counts once. I3 what is counted is what the
reports say. I4 any order and any repetition ends the same. I5 nobody sees anything of a
neighbour. I6 no answer is a server's error, but 503 with a time to come again. I7 commits are a
prefix without gaps, and the database is whole. I8 what is exposed can be read and is bounded.

The recount is that of the store's tests, written from the words of the law and not from the
program; `ledger.verify`, which is the program's own, is asked as well.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, inspect, text

from app.domain.activities import Report, Stamp
from app.store import activities, heads, ledger
from app.store.committer import Committer
from app.store.engine import Store
from app.store.transactions import Reading
from tests import engines
from tests.faults.events import Event
from tests.faults.founded import GOALS, PLAN, ask, said_of
from tests.faults.service import KEYS, SOURCE, Service
from tests.store.recount import Tally, fields_of, piles, stored_tallies, tallies_of
from tests.store.worlds import W, delivery, opened

MOST_SERIES = 3_000
_ZONE = "Asia/Tokyo"
_REPORTS = text(
    'SELECT source, key, revision, mapping, digest, "full", content FROM activity_revision'
    " WHERE workspace_id = :workspace"
)
_SHOWN_SECONDS = 20
_OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


@dataclass(frozen=True)
class Told:
    """What a workspace was told, and which of it was answered with 2xx."""

    sent: Sequence[Event]
    acked: Collection[Event]
    workspace: str = W


@dataclass(frozen=True)
class Verdict:
    """Figures of a run: what was promised, what of it is missing, what counts too much."""

    acked: int
    lost: int
    doubled: int


def assert_laws(where: Service | Store, told: Sequence[Told]) -> Verdict:
    """The laws hold of what is stored, and of a service of what it answers as well."""
    if isinstance(where, Store):
        verdicts = [_of_store(where, one) for one in told]
    else:
        with where.store() as store:
            verdicts = [_of_store(store, one) for one in told]
            assert_answers(where, {one.workspace: _numbers(store, one.workspace) for one in told})
    return Verdict(
        sum(one.acked for one in verdicts),
        sum(one.lost for one in verdicts),
        sum(one.doubled for one in verdicts),
    )


def assert_answers(service: Service, numbers: dict[str, dict[str, int]]) -> None:
    """The laws that only a service can break: I5 of what it shows, I6, I8."""
    assert service.broken == [], f"I6: {service.broken[:3]}"
    for workspace in KEYS:
        _sees_only_its_own(service, workspace)
    _the_gauges_are_each_ones_own(service, numbers)


def _of_store(store: Store, told: Told) -> Verdict:
    with store.read() as reading:
        states = _states(reading, told.workspace)
        stored = _reports(reading, told.workspace)
        _the_database_is_whole(reading.connection)
        _commits_are_a_prefix(reading)
    places = Counter((one.key, one.stamp.revision) for one in stored)
    lost = {event.place for event in told.acked} - places.keys()
    verdict = Verdict(len(told.acked), len(lost), _doubled(store, told.workspace, stored))
    assert verdict.lost == 0, f"I1: {verdict} {sorted(lost)[:5]}"
    assert verdict.doubled == 0, f"I2: {verdict}"
    assert max(places.values(), default=1) == 1, "I2: a report is stored twice"
    strange = set(places) - {event.place for event in told.sent}
    assert not strange, f"I5: never told {told.workspace}: {sorted(strange)[:5]}"
    found = ledger.verify(store, told.workspace)
    assert found == [], f"I3: {found[:3]}"
    meant = [event.report for event in told.sent if event.place in places]
    counted = stored_tallies(store, told.workspace)
    assert counted == tallies_of(meant, {SOURCE: None}, _ZONE), "I4: not what was sent"
    assert states == {key: fields_of(pile) for (_, key), pile in piles(meant).items()}, "I4"
    assert _replayed(meant) == (states, counted), "I4: another order ends differently"
    return verdict


def _doubled(store: Store, workspace: str, stored: list[Report]) -> int:
    """How much more is counted than what is stored says, over all days."""
    counted, _ = stored_tallies(store, workspace)
    right, _ = tallies_of(stored, {SOURCE: None}, _ZONE)
    return sum(
        max(0, number - right.get(place, (0, 0))[0]) for place, (number, _) in counted.items()
    )


def _numbers(store: Store, workspace: str) -> dict[str, int]:
    days, _ = stored_tallies(store, workspace)
    return {goal: sum(n for place, (n, _) in days.items() if place[0] == goal) for goal in GOALS}


def _states(reading: Reading, workspace: str) -> dict[str, dict[str, Any]]:
    """Every activity as it stands, by key."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        page = activities.page(reading, workspace, cursor, 5_000)
        found |= {one.key: dict(one.state.fields) for one in page.items}
        if (cursor := page.next) is None:
            return found


def _reports(reading: Reading, workspace: str) -> list[Report]:
    """As they stand in the table, whatever the program makes of it."""
    rows = reading.connection.execute(_REPORTS, {"workspace": workspace})
    return [
        Report(source, key, Stamp(*stamp), bool(full), json.loads(content)["fields"], content)
        for source, key, *stamp, full, content in rows
    ]


def _replayed(meant: list[Report]) -> tuple[dict[str, dict[str, Any]], tuple[Tally, Tally]]:
    """The same reports in another order, some of them twice, into an empty database of a file."""
    dice = random.Random(len(meant))
    again = [*meant, *dice.sample(meant, len(meant) // 5)]
    dice.shuffle(again)
    with TemporaryDirectory() as folder, engines.use(engines.SQLITE):
        store = opened(Path(folder), **{SOURCE: None})
        committer = Committer(store, queue_limit=2 * len(again) + 1, byte_limit=2**40)
        committer.open()
        answers = [committer.submit(delivery(*cut)) for cut in _cut(again, dice)]
        committer.start()
        for answer in answers:
            answer.result(120)
        committer.stop()
        with store.read() as reading:
            states = _states(reading, W)
        counted = stored_tallies(store)
        store.close()
    return states, counted


def _cut(reports: list[Report], dice: random.Random) -> Iterator[list[Report]]:
    while reports:
        size = dice.randint(1, 40)
        yield reports[:size]
        reports = reports[size:]


def _the_database_is_whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("PRAGMA integrity_check").all()
        assert [row[0] for row in found] == ["ok"], f"I7: {found[:3]}"
        return
    for table in inspect(connection).get_table_names():
        # Every page is read, and its checksum with it; and the index tells of the same rows.
        ways = [_rows(connection, table, way) for way in ("seqscan", "indexscan")]
        assert ways[0] == ways[1], f"I7: {table} and its index differ: {ways}"


def _rows(connection: Connection, table: str, way: str) -> Any:
    for other in ("seqscan", "indexscan", "indexonlyscan", "bitmapscan"):
        allowed = "on" if other == way else "off"
        connection.exec_driver_sql(f"SET LOCAL enable_{other} = {allowed}")
    query = f'SELECT count(*), sum(hashtext(x::text)) FROM "{table}" x'  # noqa: S608 - our own names
    if way == "indexscan":
        first = inspect(connection).get_pk_constraint(table)["constrained_columns"][0]
        query += f" WHERE \"{first}\" >= ('')"
    return connection.exec_driver_sql(query).one()


def _commits_are_a_prefix(reading: Reading) -> None:
    """No commit is missing below the head, and none is above it."""
    for workspace, head in heads.all_heads(reading).items():
        rows = reading.connection.exec_driver_sql(
            f"SELECT seq, at FROM workspace_commit WHERE workspace_id = '{workspace}' ORDER BY seq"  # noqa: S608 - our own keys
        ).all()
        assert [row[0] for row in rows] == list(range(1, head.seq + 1)), "I7: a gap in seq"
        instants = [row[1] for row in rows]
        assert instants == sorted(set(instants)), "I7: time ran backwards"
        assert instants[-1] == head.at, "I7: the head is not the last commit"


def _sees_only_its_own(service: Service, workspace: str) -> None:
    """What was set aside; and no activity of others, by whichever key it is asked for."""
    items = ask(service, workspace, "GET", "/v1/quarantine").json()["items"]
    said = [item["content"] for item in items]
    assert len(said) == 1, f"I5: {said}"
    assert said_of(workspace) in said[0], f"I5: {workspace} sees {said}"


def _the_gauges_are_each_ones_own(service: Service, numbers: dict[str, dict[str, int]]) -> None:
    """The snapshot is made within ten seconds; a number that stays wrong is another's, or lost."""
    end = time.monotonic() + _SHOWN_SECONDS
    while (shown := _shown(_families(service))) != numbers and time.monotonic() < end:
        time.sleep(0.2)
    assert shown == numbers, f"I5: {shown} are shown for {numbers}"


def _shown(families: list[Metric]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {workspace: {} for workspace in KEYS}
    for family in families:
        for sample in family.samples:
            if sample.name == "tassei_goal_actual" and sample.labels["plan"] == PLAN:
                found[sample.labels["workspace"]][sample.labels["goal"]] = int(sample.value)
    return found


def _families(service: Service) -> list[Metric]:
    """What is exposed, read by Prometheus's own parsers of both formats."""
    plain = service.ask("GET", "/metrics").body.decode()
    strict = service.ask("GET", "/metrics", headers=_OPENMETRICS).body.decode()
    try:
        read = list(text_string_to_metric_families(plain)), list(openmetrics_families(strict))  # type: ignore[no-untyped-call] # the library's
    except ValueError as error:
        raise AssertionError(f"I8: {error}") from error
    for families in read:
        series = [sample for family in families for sample in family.samples]
        assert 0 < len(series) < MOST_SERIES, f"I8: {len(series)} series"
        names = {(one.name, tuple(sorted(one.labels.items()))) for one in series}
        assert len(names) == len(series), "I8: a series stands twice"
    return read[0]
