"""What streams cost who writes, and how soon they show what was written.

`python -m tests.bench.streams` measures these two alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench import world
from tests.bench.ingest import CONNECTIONS, compared, driven, rounds
from tests.bench.listen import Delays
from tests.bench.load import Measured
from tests.bench.measured import HEAD, Finding, tell

OPEN = 200
FOLLOWED = 50
SINGLES = 8_000
_SECONDS = 6
_ROUNDS = 3
_BUDGET_MS = 250


def streams(folder: Path) -> list[Finding]:
    """Ingest beside two hundred streams against ingest alone, and the delay of fifty."""
    world.founded(folder)
    with world.service(folder) as port:

        def alone(name: str, events: int) -> Measured:
            return driven(port, "/v1/events", f"alone-{name}", events, 1, CONNECTIONS)

        def beside(name: str, events: int) -> Measured:
            with _listening(port):
                return driven(port, "/v1/events", f"beside-{name}", events, 1, CONNECTIONS)

        what = f"single events beside {OPEN} streams"
        pairs = rounds(what, beside, alone, SINGLES)
        cost = compared(what, "the same without streams", pairs, 0.9)
        half = median(measured.rate for _, measured in pairs) / 2
        return [cost, _delay(port, half)]


@contextmanager
def _listening(port: int) -> Iterator[None]:
    """Streams that are read by a process of their own."""
    command = [sys.executable, "-m", "tests.bench.listen", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*command, "--streams", str(OPEN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"open\n":
            raise AssertionError("the streams could not be opened")
        yield
    finally:
        process.communicate()


def _delay(port: int, rate: float) -> Finding:
    found = []
    for number in range(_ROUNDS):
        options = {
            "--port": port, "--streams": FOLLOWED, "--rate": rate,
            "--round": f"delay-{number}", "--events": int(rate * _SECONDS),
        }  # fmt: skip
        arguments = [str(part) for option in options.items() for part in option]
        found.append(Delays(**json.loads(world.module("tests.bench.listen", *arguments))))
        tell(f"delay of streams, round {number + 1} of {_ROUNDS}: {found[-1]}")
    middle = median(delay.median for delay in found)
    reached = median(delay.rate for delay in found)
    return Finding(
        f"from ack to {FOLLOWED} streams, 99 of 100",
        f"half of them within {middle:.0f} ms",
        f"at {reached:,.0f} events/s, half of what is possible",
        [delay.p99 for delay in found],
        _BUDGET_MS,
        at_least=False,
        unit=" ms",
    )


def main() -> None:
    """Measure streams alone."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        lines = [HEAD, *(finding.line() for finding in streams(Path(folder)))]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
