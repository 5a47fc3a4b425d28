from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import engines
from tests.faults.oracle import Verdict

Noted = Callable[[str, int, Verdict], None]
_ROWS: list[tuple[str, str, int, int, int, int]] = []


@pytest.fixture
def noted() -> Noted:
    """Remembers a run for the table: its name, its engine, how many faults, the verdict."""

    def note(name: str, faults: int, verdict: Verdict) -> None:
        _ROWS.append((name, engines.chosen(), verdict.acked, faults, verdict.lost, verdict.doubled))

    return note


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts and kills programs for long runs with `make faults`, the short rounds always."""
    here = Path(__file__).parent
    for item in items:
        lasting = item.get_closest_marker("slow") and "short" not in item.name
        if lasting and here in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    terminalreporter.section("faults")
    rows: list[tuple[str, ...]] = [("run", "engine", "acked", "faults", "lost", "double")]
    rows += [(name, engine, *map(str, figures)) for name, engine, *figures in sorted(_ROWS)]
    for engine in engines.ENGINES:
        columns = list(zip(*(row[2:] for row in _ROWS if row[1] == engine), strict=True))
        if columns:
            rows.append(("everything", engine, *(str(sum(column)) for column in columns)))
    for name, engine, *figures in rows:
        line = f"{name:<44}{engine:<12}" + "".join(f"{figure:>9}" for figure in figures)
        terminalreporter.line(line)
