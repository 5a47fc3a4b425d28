"""`make fuzz`: every provider for a few minutes in all, and what was found: none, one hopes.

Each provider has a process of its own. What it kept, because it reached a line that nothing had
reached, is in the end committed to a real database of each engine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.intake.fuzzing import blind
from tests.intake.fuzzing.committing import Known, committed
from tests.intake.fuzzing.findings import Finding, Findings, read_findings
from tests.intake.fuzzing.inputs import HOOKED

# Atheris has no wheel for every Python and every machine (pyproject.toml says for which).
GUIDED = find_spec("atheris") is not None
_LARGEST = 16 * 1024
_SLOWEST_SECONDS = 20
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_COVERED = re.compile(r"\bcov: (\d+)")


class Told(NamedTuple):
    """What a provider's run came to. reached: places in the code; None where nobody looked."""

    provider: str
    executions: int
    reached: int | None
    findings: tuple[Finding, ...]
    kept: tuple[bytes, ...] = ()


def guided(name: str, folder: Path, seed: int, limit: str) -> Told:
    """A run that libFuzzer leads and ends: `limit` is its option that says when."""
    corpus, file = folder / name, folder / f"{name}.jsonl"
    options = [limit, f"-seed={seed}", f"-max_len={_LARGEST}", f"-timeout={_SLOWEST_SECONDS}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={folder}/{name}-"]
    ran = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", f"{__package__}.guided", name, str(file), str(corpus), *options],
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    findings = list(read_findings(file))
    if ran.returncode:
        # It hung or was ended: libFuzzer leaves the input behind.
        left = sorted(folder.glob(f"{name}-*"))
        data = left[0].read_bytes() if left else b""
        findings.append(Finding(name, f"the run ended: {ran.stderr[-500:]}", "libFuzzer", data))
    executed, covered = _EXECUTED.search(ran.stderr), _COVERED.findall(ran.stderr)
    return Told(
        name,
        int(executed[1]) if executed else 0,
        int(covered[-1]) if covered else None,
        tuple(findings),
        tuple(one.read_bytes() for one in sorted(corpus.iterdir())),
    )


def by_chance(name: str, seed: int, more: Callable[[int], bool]) -> Told:
    """A run that nothing leads."""
    run = blind.run(name, seed, more)
    return Told(name, run.executions, None, run.findings, run.kept)


def _run(name: str, folder: Path, asked: argparse.Namespace, seconds: float) -> Told:
    if GUIDED:
        limit = f"-runs={asked.runs}" if asked.runs else f"-max_total_time={int(seconds)}"
        return guided(name, folder, asked.seed, limit)
    ends = time.monotonic() + seconds
    if asked.runs:
        return by_chance(name, asked.seed, lambda executions: executions < asked.runs)
    return by_chance(name, asked.seed, lambda _: time.monotonic() < ends)


def _stored(told: Iterable[Told], folder: Path) -> tuple[int, list[Finding]]:
    """How many of the kept inputs were committed to both engines, and which could not be."""
    known = []
    for one in told:
        again = Findings(one.provider)
        tried = [(data, again.tried(data)) for data in one.kept]
        known += [Known(one.provider, data, came) for data, came in tried if came is not None]
    return len(known), committed(known, folder)


def _say(words: object) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    """Run; 1 where anything was found."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}")
    parser.add_argument("providers", nargs="*", default=HOOKED, help="nothing but these")
    parser.add_argument("--minutes", type=float, default=5, help="in all; several at once")
    parser.add_argument("--runs", type=int, help="so many inputs a provider, however long it takes")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    at_once = min(os.cpu_count() or 1, len(asked.providers)) if GUIDED else 1
    seconds = max(asked.minutes * 60 * at_once / len(asked.providers), 1)
    _say("led by the lines that are reached" if GUIDED else "by chance: there is no Atheris here")
    with tempfile.TemporaryDirectory() as made, ThreadPoolExecutor(at_once) as pool:
        folder = Path(made)
        _say(f"{'provider':<20}{'executions':>12}{'reached':>10}{'findings':>10}")
        told = []
        for one in pool.map(lambda name: _run(name, folder, asked, seconds), asked.providers):
            told.append(one)
            reached = "-" if one.reached is None else one.reached
            row = f"{one.provider:<20}{one.executions:>12}{reached:>10}{len(one.findings):>10}"
            _say(row)
        count, unstored = _stored(told, folder / "store")
    findings = [finding for one in told for finding in one.findings] + unstored
    _say(f"committed to both engines: {count}")
    _say(f"{sum(one.executions for one in told)} executions, findings: {len(findings) or 'none'}")
    for finding in findings:
        _say(finding)
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
