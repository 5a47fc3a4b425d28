"""docs/laws.md names tests that exist, and leaves no law without one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "laws.md").read_text(encoding="utf-8")
ROWS = [
    line for line in TEXT.splitlines() if re.match(r"\| (?!-)", line) and "shown by" not in line
]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def defined_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_all_ten_laws_are_there() -> None:
    assert re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_each_law_and_each_case_names_a_test(row: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py::test_\w+`", row)
    # Whatever looks like a test is one that the next rule checks.
    assert row.count("::") == len(re.findall(r"`tests/[\w/]+\.py::test_\w+`", row))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    assert name in defined_in(ROOT / path)
