"""The baseline of bulk on PostgreSQL: COPY to temporary tables, then INSERT ... SELECT.

It decodes and writes the same rows as the bare script beside it, by the fastest way there is.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import world
from tests.bench.bulk import SAME, WORKSPACE, Script, delivered, journalled, tallied
from tests.bench.load import batches

_COMMIT = "INSERT INTO workspace_commit VALUES (%s,%s,%s)"
_HEAD = "UPDATE workspace_head SET seq = seq + 1, at = greatest(at + 1, %s) RETURNING seq, at"
_HEARD = """INSERT INTO source_state VALUES (%s,%s,%s,%s)
ON CONFLICT (workspace_id, source) DO UPDATE SET last_received_at = excluded.last_received_at"""
_ADDED = """ ON CONFLICT (workspace_id, slot, {0}, actor)
DO UPDATE SET number = m.number + excluded.number, total = m.total + excluded.total"""
_WHEN = "INSERT INTO source_heard VALUES (%s,%s,%s,%s)"
_DELIVERY = f"INSERT INTO delivery VALUES ({'%s,' * 14}%s)"  # noqa: S608 - only placeholders
_CONFLICTS = {
    "activity": "",
    "activity_revision": "",
    "tally_day": _ADDED.format("day"),
    "tally_quarter": _ADDED.format("quarter"),
    "credit": "",
    "journal": "",
}


class _Server:
    """A connection that takes the script's few statements as they are."""

    def __init__(self, url: str) -> None:
        self.psycopg = psycopg.connect(url.replace("+psycopg", ""))

    def execute(self, query: str, values: Sequence[Any] = ()) -> Any:
        return self.psycopg.execute(query.replace("?", "%s").encode(), values)


class Copied(Script):
    """Writes batches of lines to a server."""

    def __init__(self, url: str) -> None:
        self.server = _Server(url)
        self.connection: Any = self.server
        self.know()
        for table in _CONFLICTS:
            made = f"CREATE TEMP TABLE new_{table} (LIKE {table}) ON COMMIT DELETE ROWS"
            self.server.execute(made)
        self.server.psycopg.commit()

    def write(self, lines: bytes, now: int) -> None:
        """One batch, one commit."""
        run = self.server.execute
        seq, at = run(_HEAD, (now,)).fetchone()
        run(_COMMIT, (WORKSPACE, seq, at))
        activities, revisions, credits_, quarters, days = self._rows(lines, seq)
        written = journalled(quarters, seq)
        brought: list[Sequence[Sequence[Any]]] = [activities, revisions]
        brought += [tallied(days), tallied(quarters), credits_, written]
        for table, rows in zip(_CONFLICTS, brought, strict=True):
            self._copy(table, rows)
        source = activities[0][1]
        run(_HEARD, (WORKSPACE, source, "t", now))
        run(_WHEN, (WORKSPACE, source, seq, now))
        run(_DELIVERY, delivered(lines, source, seq, now))
        self.server.psycopg.commit()

    def _copy(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        cursor = self.server.psycopg.cursor()
        with cursor.copy(f"COPY new_{table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        chosen = f"INSERT INTO {table} AS m SELECT * FROM new_{table}"  # noqa: S608 - our own names
        cursor.execute(f"{chosen}{_CONFLICTS[table]}".encode())


def differences(one: Path, other: Path) -> list[str]:
    """The tables in which two folders' databases differ, but for numbers of arrival."""
    mine, theirs = _contents(one), _contents(other)
    return [
        f"{table}: {len(mine[table])} and {len(theirs[table])} rows"
        for table in SAME
        if not mine[table] or mine[table] != theirs[table]
    ]


def _contents(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    store = world.store(folder)
    with store.read() as reading:
        ask = reading.connection.exec_driver_sql
        found = {
            table: sorted((tuple(row) for row in ask(query.format("public"))), key=repr)
            for table, query in SAME.items()
        }
    store.close()
    return found


def main() -> None:
    """Write one round and print its seconds, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--round", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    asked = parser.parse_args()
    bodies = batches(asked.events, asked.round, asked.batch)
    script = Copied(asked.url)
    started = time.perf_counter()
    for number, body in enumerate(bodies):
        script.write(body, time.time_ns() // 1000 + number)
    print(json.dumps(time.perf_counter() - started))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
