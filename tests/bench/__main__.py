"""`python -m tests.bench`: every measurement, and one table of what came out."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import ingest, reading, scrape, streams
from tests.bench.measured import HEAD, ROUNDS, Finding, tell


def _findings(folder: Path) -> list[Finding]:
    one, latency = ingest.singles(folder / "singles")
    bulk = ingest.in_bulk(folder / "bulk", folder / "script")
    progress, measured = reading.progress(folder / "few", folder / "many")
    followed = streams.streams(folder / "streams")
    return [one, bulk, progress, scrape.rendering(measured), latency, *followed]


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
    strict = parser.parse_args().strict
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        findings = _findings(Path(folder))
    tell(f"took {time.monotonic() - began:.0f} s")
    lines = [HEAD, *(finding.line() for finding in findings), "", _machine()]
    sys.stdout.write("\n".join(lines) + "\n")
    if strict and any(finding.missed for finding in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
