"""Nobody comes to belong to a team that is no more; who did belong to it still did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.example import START, member, settle
from tests.web.service import Service, started


@pytest.fixture
def service() -> Iterator[Service]:
    """West was archived on 14 December."""
    with started(START) as running:
        settle(running).put("/v1/teams/west", {"name": "西"})
        answer = running.client.delete("/v1/teams/west", headers={"if-match": '"1"'})
        assert answer.status_code == 204
        running.clock.set("2026-12-20T09:00:00+09:00")
        yield running


def west(**span: str) -> dict[str, Any]:
    return {"team": "west"} | span


@pytest.mark.parametrize(
    "link", [west(), west(to="2026-12-15"), west(**{"from": "2026-12-20"}), west(to="2027-01-01")]
)
def test_no_link_to_an_archived_team_goes_beyond_its_last_day(
    service: Service, link: dict[str, Any]
) -> None:
    before = service.dump()
    told = [
        (service.put("/v1/members/abe", member("abe") | {"memberships": [link]}), "memberships"),
        (service.put("/v1/teams/tokyo", {"name": "東京", "parents": [link]}), "parents"),
    ]
    for answer, links in told:
        assert (answer.status_code, answer.json()["type"]) == (
            422,
            "urn:tassei:problem:team-archived",
        )
        (error,) = answer.json()["errors"]
        assert error["pointer"] == f"/{links}/0/team"
        assert error["params"] == {"team": "west", "on": "2026-12-14"}
    lines = [member("abe"), member("ito") | {"memberships": [link]}]
    body = "\n".join(json.dumps({"key": line["name"]} | line) for line in lines)
    kind = {"content-type": "application/x-ndjson"}
    answer = service.client.put("/v1/members", content=body, headers=kind)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/1/memberships/0/team"]
    assert service.dump() == before


def test_the_past_with_an_archived_team_can_be_written_and_the_team_can_come_back(
    service: Service,
) -> None:
    past = member("abe") | {"memberships": [west(to="2026-12-14")]}
    assert service.put("/v1/members/abe", past).status_code == 201
    service.put("/v1/teams/west", {"name": "西、再び"})
    now = member("abe") | {"memberships": [west()]}
    service.replace("/v1/members/abe", now)
