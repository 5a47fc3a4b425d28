"""The page about imports is executed: its files, its commands, and what it says comes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import commands, curl, tassei
from tests.web.service import Service, started_in

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/import.md").read_text(encoding="utf-8")
FILES: list[tuple[str, str]] = re.findall(r"```(?:csv|toml) (\S+)\n(.*?)```", PAGE, re.DOTALL)


def run(service: Service, command: list[str], folder: Path) -> Any:
    if command[0] == "tassei":
        return tassei(command)
    answer = curl(service, command, folder)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_every_command_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with started_in(tmp_path / "data", "2026-11-24T12:00:00+09:00") as service:
        said = {" ".join(words): run(service, words, tmp_path) for words in commands(PAGE)}
        assert said.keys() >= {"tassei import csv payments.csv --source shop"}
        assert "duplicate 2" in tassei("tassei import csv deals.csv --mapping deals.toml".split())
        assert service.mismatches() == []
    accepted = [
        re.findall(r"accepted (\d+) .* rejected 0", text)
        for command, text in said.items()
        if "--mapping" in command
    ]
    assert accepted == [["1"], ["2"], ["2"]]
    [posted] = [answer for command, answer in said.items() if "/v1/events" in command]
    assert (posted["accepted"], posted["rejected"]) == (2, [])
    assert "duplicate 2" in said["tassei import csv payments.csv --source shop"]
    assert not list(tmp_path.glob("*.refused.csv"))
    deals = (tmp_path / "deals.ndjson").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["data"]["amount"] for line in deals] == ["1200.5", "300"]
    members = said["tassei export --kind members --format ndjson"].splitlines()
    assert [json.loads(line)["key"] for line in members] == ["ken-abe", "mei-sato"]
    teams = said["tassei export --kind teams --format csv"].splitlines()
    assert teams == ["key,name,parents", "east,East,[]"]
