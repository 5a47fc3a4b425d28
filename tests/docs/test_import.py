"""The page about imports is executed: its files, its commands, and what it says comes of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/import.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.slow


def run(folder: Path, command: str) -> str:
    program, *arguments = command.split()
    assert program == "tassei"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TASSEI_")}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", *arguments],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    for name, text in re.findall(r"```(?:csv|toml) (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    run(tmp_path, "tassei init")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    said = [run(tmp_path, command) for command in commands]
    accepted = [re.findall(r"accepted (\d+) .* rejected 0", text) for text in said[:3]]
    assert accepted == [["1"], ["2"], ["2"]]
    assert "duplicate 2" in run(tmp_path, commands[2])
    assert not list(tmp_path.glob("*.refused.csv"))
    deals = (tmp_path / "deals.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["data"]["amount"] for line in deals] == ["1200.5", "300"]
    members = [json.loads(line) for line in said[4].splitlines()]
    assert [one["key"] for one in members] == ["ken-abe", "mei-sato"]
    assert said[5].splitlines() == ["key,name,parents", "east,East,[]"]
