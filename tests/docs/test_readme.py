"""The README is executed: what it tells a newcomer to type does what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import commands, curl
from tests.web.service import started

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def curls() -> list[list[str]]:
    return [command for command in commands(README) if command[0] == "curl"]


@pytest.fixture(scope="module")
def answers() -> Iterator[list[tuple[list[str], Any]]]:
    with started("2026-11-24T12:00:00+09:00") as service:
        yield [(command, curl(service, command)) for command in curls()]


def test_every_curl_command_of_the_readme_succeeds(answers: list[tuple[list[str], Any]]) -> None:
    assert len(answers) >= 8
    refused = {" ".join(c)[:80]: a.text for c, a in answers if a.status_code not in (200, 201)}
    assert refused == {}


def answer_to(answers: list[tuple[list[str], Any]], part: str) -> Any:
    return next(a.json() for command, a in answers if any(part in word for word in command))


def test_the_call_is_counted_and_its_caller_first_unknown_then_sato(
    answers: list[tuple[list[str], Any]],
) -> None:
    assert answer_to(answers, "/v1/events")["accepted"] == 1
    [unknown] = answer_to(answers, "/unmatched")["items"]
    assert (unknown["value"], unknown["activities"]) == ("sato@example.co.jp", 1)
    progress = answer_to(answers, "/progress")
    goal = progress["root"]
    while goal["children"]:
        [goal] = goal["children"]
    assert (goal["key"], goal["actual"], goal["target"]) == ("calls", "1", "500")
    assert progress["breakdown"][0]["root"]["key"] == "revenue"


def test_the_funnel_comes_to_what_the_text_says(answers: list[tuple[list[str], Any]]) -> None:
    goals = {g["key"]: g["target"] for g in answer_to(answers, "/v1/plans/new-business")["goals"]}
    assert goals == {
        "revenue": "2000000",
        "deals_won": "5",
        "appointments": "100",
        "calls": "500",
    }


def test_every_make_target_of_the_readme_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert named >= {"demo", "test", "run", "bench"}
    assert {name for name in named if f"\n{name}:" not in makefile} == set()


def test_every_file_the_readme_links_is_there() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_the_body_that_connects_a_sender_is_json() -> None:
    bodies = [command[command.index("-d") + 1] for command in curls() if "-d" in command]
    assert all(isinstance(json.loads(body), dict) for body in bodies)
