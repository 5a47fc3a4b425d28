"""The page about plans is executed: every command does what the page says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import blocks, commands, curl
from tests.web.service import started

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plans.md").read_text(encoding="utf-8")
JAPANESE = (ROOT / "docs/plans.ja.md").read_text(encoding="utf-8")

Said = dict[str, Any]


@pytest.fixture(scope="module")
def said() -> Iterator[Said]:
    """What each command answers, by its method and path."""
    with started("2026-12-07T12:00:00+09:00") as service:
        zone = service.client.get("/v1/workspace").json()
        body = {**zone, "time_zone": "Asia/Tokyo", "currency": "JPY"}
        service.replace("/v1/workspace", body)
        found = {}
        for command in commands(PAGE):
            answer = curl(service, command)
            assert answer.status_code in (200, 201), (command, answer.text)
            method = command[command.index("-X") + 1] if "-X" in command else "GET"
            path = next(word for word in command if word.startswith("$URL")).removeprefix("$URL")
            found[f"{method} {path}"] = answer.json()
        found["after"] = service.client.get("/v1/plans/west-march").json()
        yield found


def test_the_japanese_page_says_to_type_the_same() -> None:
    assert blocks(JAPANESE, "bash") == blocks(PAGE, "bash")


def targets(plan: Any) -> dict[str, str]:
    return {goal["key"]: goal["target"] for goal in plan["goals"]}


def test_the_tree_is_solved_and_split(said: Said) -> None:
    december = said["PUT /v1/plans/december"]
    assert targets(december) == {
        "revenue": "2000000", "deals_won": "5", "appointments": "100", "calls": "500",
    }  # fmt: skip
    shares = {who: part["display"]["calls"] for who, part in december["split"].items()}
    assert sorted(shares.values()) == ["166", "334"] or sorted(shares.values()) == ["167", "333"]
    assert int(shares["sato"]) + int(shares["suzuki"]) == 500
    assert set(december["needed_for_80_percent"]) == {"appointments", "calls"}


def test_a_change_is_a_version_that_is_compared(said: Said) -> None:
    assert said["PATCH /v1/plans/december"]["version"] == 2
    told = said["GET /v1/plans/december/difference?from=1&to=2"]
    changes = {goal["key"]: (goal["before"], goal["after"]) for goal in told["goals"]}
    assert changes["revenue"] == ("2000000", "2400000")
    assert changes["calls"] == ("500", "600")


def test_weeks_have_their_shares(said: Said) -> None:
    january = said["PUT /v1/plans/january"]
    deals = january["goals"][0]
    assert [piece["target"] for piece in deals["slices"]] == ["0", "1.6", "1.6", "2", "2.8"]


def test_weekdays_have_their_weights(said: Said) -> None:
    april = said["PUT /v1/plans/april"]
    assert april["profile"] == {"weekdays": {"mon": "0.5", "fri": "0.8"}}
    assert targets(april) == {"calls": "400"}


def test_what_begins_by_itself_and_what_is_copied(said: Said) -> None:
    assert said["PUT /v1/plans/week-51"]["period"] == {"start": "2026-12-14", "end": "2026-12-21"}
    copied = said["POST /v1/plans/december/copy"]
    assert copied["period"] == {"start": "2027-02-01", "end": "2027-03-01"}
    assert targets(copied)["revenue"] == "2400000"


def test_what_does_not_add_up_is_said(said: Said) -> None:
    [warning] = [
        one for one in said["after"]["warnings"] if one["code"] == "children_do_not_add_up"
    ]
    assert {name: warning["params"][name] for name in ("target", "sum", "residual")} == {
        "target": "1200", "sum": "1100", "residual": "100",
    }  # fmt: skip
