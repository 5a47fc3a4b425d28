from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.oracle import Verdict

Noted = Callable[[str, int, Verdict], None]
_ROWS: list[tuple[str, int, int, int, int]] = []


@pytest.fixture
def noted() -> Noted:
    """Remembers a run for the table: its name, how many faults, the verdict."""

    def note(name: str, faults: int, verdict: Verdict) -> None:
        _ROWS.append((name, verdict.acked, faults, verdict.lost, verdict.doubled))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ROWS:
        return
    terminalreporter.section("faults")
    names = ("run", "acked", "faults", "lost", "double")
    terminalreporter.line(f"{names[0]:<44}" + "".join(f"{name:>9}" for name in names[1:]))
    for name, *figures in sorted(_ROWS):
        terminalreporter.line(f"{name:<44}" + "".join(f"{figure:>9}" for figure in figures))
