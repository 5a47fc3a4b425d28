"""`python -m tests.bench`: every measurement, and one table of what came out."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests import engines
from tests.bench import ingest, large, reading, scrape, soak, streams
from tests.bench.measured import HEAD, ROUNDS, Finding, tell


def _findings(folder: Path) -> list[Finding]:
    one, latency = ingest.singles(folder / "singles")
    bulk = ingest.in_bulk(folder / "bulk", folder / "script")
    progress, measured = reading.progress(folder / "few", folder / "many")
    sized = large.progress(folder / "large")
    followed = streams.streams(folder / "streams")
    return [one, bulk, progress, *sized, scrape.rendering(measured), latency, *followed]


def _on_postgresql(folder: Path) -> list[Finding]:
    found = [ingest.singles(folder / "pg-singles")[0]]
    found.append(ingest.in_bulk_on_server(folder / "pg-bulk", folder / "pg-copied"))
    return [replace(one, what=f"{one.what}, PostgreSQL") for one in found]


def _on_engines(only: str | None, folder: Path) -> list[Finding]:
    findings = []
    if only != engines.POSTGRESQL:
        findings += _findings(folder)
    if only != engines.SQLITE:
        with _on(engines.POSTGRESQL, folder):
            findings += _on_postgresql(folder)
    return findings


@contextmanager
def _on(engine: str, folder: Path) -> Iterator[None]:
    """On PostgreSQL with a server of its own on the same disk, as durable as it is by default."""
    if engine == engines.POSTGRESQL and engines.GIVEN not in os.environ:
        os.environ[engines.GIVEN] = engines.started(folder / "server")
    with engines.use(engine):
        yield


def _machine() -> str:
    return (
        f"SQLite {sqlite3.sqlite_version} (WAL, synchronous=FULL), Python "
        f"{platform.python_version()}, {os.cpu_count()} cores; {ROUNDS} rounds in turn; "
        f"{ingest.CONNECTIONS} connections for single events, {ingest.BULK_CONNECTIONS} for bulk"
    )


def main() -> None:
    """Measure; with --strict, exit 1 when a budget is missed by more than 15 %."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--soak", type=int, metavar="N", help="memory over N events, nothing else")
    parser.add_argument("--large", action="store_true", help="progress of large plans, no more")
    parser.add_argument("--engine", choices=engines.ENGINES, help="nothing but this engine")
    asked = parser.parse_args()
    strict = asked.strict
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        if asked.soak:
            with _on(asked.engine or engines.SQLITE, Path(folder)):
                lines = soak.soak(Path(folder) / "soak", asked.soak)
            sys.stdout.write("\n".join(lines) + "\n")
            return
        if asked.large:
            findings = large.progress(Path(folder) / "large")
        else:
            findings = _on_engines(asked.engine, Path(folder))
    tell(f"took {time.monotonic() - began:.0f} s")
    lines = [HEAD, *(finding.line() for finding in findings), "", _machine()]
    sys.stdout.write("\n".join(lines) + "\n")
    if strict and any(finding.missed for finding in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
