"""The baseline of bulk: a bare script that writes the same final rows, and nothing else.

It decodes the same lines with the same decoder and commits per batch with the same durability. It
knows beforehand that every line is a sound and new outbound call of one workspace, so it checks
nothing, looks nothing up and resolves no order of revisions. `differences` proves that what it
leaves behind is what the service leaves behind.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import jiter
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.domain.instants import QUARTER, day_number, micros, moment_of
from app.store import sqlite
from tests.bench.load import batches

WORKSPACE = "default"
_ZONE = ZoneInfo("Asia/Tokyo")
_SLOTS = ("calls", "connected_calls", "talk_time")
_encoded = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
Moved = dict[tuple[int, int, int], tuple[int, int]]

_ACTIVITY = "INSERT INTO activity VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_REVISION = "INSERT INTO activity_revision VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_CREDIT = "INSERT INTO credit VALUES (?,?,?,?,?)"
_TALLY = """INSERT INTO tally_{0} VALUES (?,?,?,?,?,?)
ON CONFLICT (workspace_id, slot, {0}, actor)
DO UPDATE SET number = number + excluded.number, total = total + excluded.total"""
_HEAD = "UPDATE workspace_head SET seq = seq + 1, at = max(at + 1, ?) RETURNING seq, at"
_HEARD = """INSERT INTO source_state VALUES (?,?,?,?)
ON CONFLICT (workspace_id, source) DO UPDATE SET last_received_at = excluded.last_received_at"""
_JOURNAL = "INSERT INTO journal VALUES (?,?,?,?,?,?,?)"
_WHEN = "INSERT INTO source_heard VALUES (?,?,?,?)"
_DELIVERY = "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_PER_COMMIT = 1_000_000  # an id of a delivery is its commit's number times this


class Script:
    """Writes batches of lines."""

    def __init__(self, path: Path) -> None:
        self.connection: Any = sqlite3.connect(path, isolation_level=None)
        sqlite.configured(cast("DBAPIConnection", self.connection))
        self.know()

    def know(self) -> None:
        """What earlier rounds have numbered."""
        run = self.connection.execute
        self.actors = dict(run("SELECT identity, actor FROM actor").fetchall())
        self.slots = dict(run("SELECT metric, slot FROM metric_slot").fetchall())
        self.days: dict[int, int] = {}

    def write(self, lines: bytes, now: int) -> None:
        """One batch, one commit."""
        run, many = self.connection.execute, self.connection.executemany
        run("BEGIN IMMEDIATE")
        seq, at = run(_HEAD, (now,)).fetchone()
        run("INSERT INTO workspace_commit VALUES (?,?,?)", (WORKSPACE, seq, at))
        activities, revisions, credits_, quarters, days = self._rows(lines, seq)
        many(_ACTIVITY, activities)
        many(_REVISION, revisions)
        many(_TALLY.format("day"), tallied(days))
        many(_TALLY.format("quarter"), tallied(quarters))
        many(_CREDIT, credits_)
        many(_JOURNAL, journalled(quarters, seq))
        source = activities[0][1]
        run(_HEARD, (WORKSPACE, source, "t", now))
        run(_WHEN, (WORKSPACE, source, seq, now))
        run(_DELIVERY, delivered(lines, source, seq, now))
        run("COMMIT")

    def _rows(self, lines: bytes, seq: int) -> tuple[list[Any], list[Any], list[Any], Moved, Moved]:
        activities, revisions, credits_ = [], [], []
        quarters: Moved = {}
        days: Moved = {}
        for line in lines.split(b"\n"):
            event = jiter.from_json(
                line, catch_duplicate_keys=True, float_mode="decimal", allow_inf_nan=False
            )
            source, key, data = event["source"], event["id"], event["data"]
            at = micros(datetime.fromisoformat(data["started_at"]))
            seconds, who = data["talk_seconds"], self._actor(source, event["actor"])
            fields = _fields(event["actor"], data)
            content = f'{{"fields":{fields},"full":true}}'
            digest = hashlib.sha256(content.encode()).digest()[:16]
            stamp = (f"t{at + 10**18:019d}", 1, digest)
            activities.append((WORKSPACE, source, key, "call", fields, *stamp, 0, 0, 0, seq))
            revisions.append(
                (WORKSPACE, source, key, *stamp, 1, content, 0, seq, seq * _PER_COMMIT)
            )
            credits_.append((WORKSPACE, who, at, source, key))
            quarter = at // QUARTER
            day = self.days.get(quarter) or self._day(quarter)
            for name in _SLOTS:
                if name == "connected_calls" and data["outcome"] != "connected":
                    continue
                slot = self.slots.get(name) or self._slot(name)
                total = seconds if name == "talk_time" else 0
                for moved, bucket in ((quarters, quarter), (days, day)):
                    held = moved.get((slot, bucket, who), (0, 0))
                    moved[slot, bucket, who] = (held[0] + 1, held[1] + total)
        return activities, revisions, credits_, quarters, days

    def _actor(self, source: str, identity: str) -> int:
        known = self.actors.get(identity)
        if known is None:
            known = self.actors[identity] = len(self.actors) + 1
            row = (WORKSPACE, source, identity, known)
            self.connection.execute("INSERT INTO actor VALUES (?,?,?,?)", row)
        return known

    def _slot(self, metric: str) -> int:
        slot = self.slots[metric] = len(self.slots) + 1
        row = (WORKSPACE, slot, metric, "")
        self.connection.execute("INSERT INTO metric_slot VALUES (?,?,?,?)", row)
        return slot

    def _day(self, quarter: int) -> int:
        day = day_number(moment_of(quarter * QUARTER, _ZONE).date())
        self.days[quarter] = day
        return day


def _fields(actor: str, data: dict[str, Any]) -> str:
    return _encoded(
        {
            "@kind": "call",
            "@retracted": False,
            "agent": actor,
            "counterpart": data["counterpart"],
            "direction": data["direction"],
            "outcome": data["outcome"],
            "started_at": data["started_at"],
            "talk_seconds": data["talk_seconds"],
        }
    )


def tallied(moved: Moved) -> list[tuple[str, int, int, int, int, int]]:
    return [(WORKSPACE, *place, *moved[place]) for place in sorted(moved)]


def journalled(moved: Moved, seq: int) -> list[tuple[str, int, int, int, int, int, int]]:
    return [
        (WORKSPACE, slot, seq, quarter, actor, *moved[slot, quarter, actor])
        for slot, quarter, actor in sorted(moved)
    ]


def delivered(lines: bytes, source: str, seq: int, now: int) -> tuple[Any, ...]:
    """The request as it came, kept like the service keeps it."""
    outcomes = json.dumps({"accepted": lines.count(b"\n") + 1}, separators=(",", ":"))
    told = ("events", None, f"\n{source}\n", "POST", "", "application/x-ndjson", "{}", outcomes, 0)
    body = zlib.compress(lines, 1)
    return (WORKSPACE, seq * _PER_COMMIT, now, *told, len(lines), 1, body)


SAME: dict[str, str] = {
    "activity": "SELECT source, key, kind, fields, revision, mapping, digest, retracted,"
    " has_partials, uncounted FROM {0}.activity",
    "activity_revision": 'SELECT source, key, revision, mapping, digest, "full", content, conflict'
    " FROM {0}.activity_revision",
    "credit": "SELECT a.source, a.identity, c.at, c.key FROM {0}.credit c"
    " JOIN {0}.actor a USING (workspace_id, actor)",
    "tally_day": "SELECT s.metric, s.currency, t.day, a.source, a.identity, t.number, t.total"
    " FROM {0}.tally_day t JOIN {0}.metric_slot s USING (workspace_id, slot)"
    " JOIN {0}.actor a USING (workspace_id, actor)",
    "tally_quarter": "SELECT s.metric, s.currency, t.quarter, a.source, a.identity, t.number,"
    " t.total FROM {0}.tally_quarter t JOIN {0}.metric_slot s USING (workspace_id, slot)"
    " JOIN {0}.actor a USING (workspace_id, actor)",
    "journal": "SELECT s.metric, s.currency, t.quarter, a.source, a.identity,"
    " sum(t.number), sum(t.total) FROM {0}.journal t"
    " JOIN {0}.metric_slot s USING (workspace_id, slot)"
    " JOIN {0}.actor a USING (workspace_id, actor)"
    " GROUP BY s.metric, s.currency, t.quarter, a.source, a.identity",
    "source_state": "SELECT source, clock FROM {0}.source_state",
    "delivery": "SELECT door, source, sources, method, query, media_type, headers, outcomes,"
    " altered, size, packed, body FROM {0}.delivery",
}


def differences(one: Path, other: Path) -> list[str]:
    """The tables in which two databases differ, but for numbers given in order of arrival."""
    connection = sqlite3.connect(one)
    connection.execute("ATTACH ? AS other", (str(other),))
    found = []
    for table, query in SAME.items():
        mine, theirs = query.format("main"), query.format("other")
        numbers = [_size(connection, q) for q in (mine, theirs)]
        apart = _size(connection, f"{mine} EXCEPT {theirs}")
        if apart or numbers[0] != numbers[1] or not numbers[0]:
            found.append(f"{table}: {numbers[0]} and {numbers[1]} rows, {apart} differ")
    connection.close()
    return found


def _size(connection: sqlite3.Connection, query: str) -> int:
    number: int = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]  # noqa: S608 - our own texts
    return number


def run(path: Path, bodies: Sequence[bytes] | Iterable[bytes]) -> float:
    """Write the batches; seconds of wall clock."""
    script = Script(path)
    started = time.perf_counter()
    for number, body in enumerate(bodies):
        script.write(body, time.time_ns() // 1000 + number)
    seconds = time.perf_counter() - started
    script.connection.close()
    return seconds


def main() -> None:
    """Write one round and print its seconds, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--round", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    asked = parser.parse_args()
    bodies = batches(asked.events, asked.round, asked.batch)
    print(json.dumps(run(asked.database, bodies)))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
