"""docs/reliability.md names a test for each fault: every one of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = {
    int(number): rest for number, rest in re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, re.MULTILINE)
}
WITHOUT_A_TEST = {111}


def named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    }


def test_every_fault_has_its_row() -> None:
    assert sorted(ROWS) == [*range(1, 59), 81, 82, *range(95, 113)]


@pytest.mark.parametrize("number", sorted(ROWS))
def test_every_test_that_is_named_exists(number: int) -> None:
    fault, happens, shown = (part.strip() for part in ROWS[number].split(" |", 2))
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    assert fault
    assert happens
    assert named or (number in WITHOUT_A_TEST and "does not apply" in happens)
    assert [name for path, name in named if name not in named_in(ROOT / path)] == []
