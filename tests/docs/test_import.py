"""The page about imports is executed: its files, its commands, and what it says comes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/import.md").read_text(encoding="utf-8")


def run(command: str) -> str:
    program, *arguments = command.split()
    assert program == "tassei"
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_command_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"```(?:csv|toml) (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    run("tassei init")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    said = [run(command) for command in commands]
    accepted = [re.findall(r"accepted (\d+) .* rejected 0", text) for text in said[:3]]
    assert accepted == [["1"], ["2"], ["2"]]
    assert "duplicate 2" in run(commands[2])
    assert not list(tmp_path.glob("*.refused.csv"))
    deals = (tmp_path / "deals.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["data"]["amount"] for line in deals] == ["1200.5", "300"]
    members = [json.loads(line) for line in said[4].splitlines()]
    assert [one["key"] for one in members] == ["ken-abe", "mei-sato"]
    assert said[5].splitlines() == ["key,name,parents", "east,East,[]"]
