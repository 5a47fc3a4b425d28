"""Aliases and leaderboards through HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.usecases.exports import snapshot
from app.views.prometheus import families
from tests.web.example import PLAN, SETTINGS, START, call, settle
from tests.web.service import Service, started

DECEMBER = PLAN | {"alias": "new-business"}
JANUARY = DECEMBER | {"period": {"month": "2027-01"}}
MIDNIGHT = "2027-01-01T00:00:00+09:00"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        settle(running).client.delete("/v1/plans/december", headers={"if-match": '"1"'})
        yield running


def two_months(service: Service) -> Service:
    for key, body in (("dec", DECEMBER), ("jan", JANUARY)):
        assert service.put(f"/v1/plans/{key}", body).status_code == 201
    return service


def asked(service: Service, as_of: str | None = None) -> str:
    key: str = service.progress("new-business", as_of).body["plan"]["key"]
    return key


def test_an_alias_means_the_plan_that_has_it_at_that_moment(service: Service) -> None:
    two_months(service)
    assert asked(service) == "dec"
    assert service.get("/v1/plans/new-business").json()["key"] == "dec"
    service.clock.set(MIDNIGHT)
    assert asked(service) == "jan"
    assert service.get("/v1/plans/new-business").json()["key"] == "jan"
    # Given as a moment, midnight is the end of what has just happened.
    assert asked(service, MIDNIGHT) == "dec"
    assert asked(service, "2026-12-31") == "dec"
    service.clock.set("2027-01-02T00:00:00+09:00")
    assert asked(service, "2027-01-01T00:15:00+09:00") == "jan"
    assert asked(service, "2027-01-01") == "jan"
    assert asked(service, "2026-12-14") == "dec"


def test_a_month_without_a_plan_of_that_alias_is_told_apart_from_no_such_name(
    service: Service,
) -> None:
    two_months(service)
    service.clock.set("2027-02-01T09:00:00+09:00")
    none = service.get("/v1/plans/new-business/progress")
    assert (none.status_code, none.json()["type"]) == (404, "urn:tassei:problem:no-plan-then")
    unknown = service.get("/v1/plans/old-business/progress")
    assert unknown.json()["type"] == "urn:tassei:problem:unknown-plan"
    assert service.progress("jan").body["plan"]["alias"] == "new-business"


def test_progress_by_alias_changes_its_tag_when_the_plan_behind_it_changes(
    service: Service,
) -> None:
    two_months(service)
    service.clock.set("2027-01-01T09:00:00+09:00")
    by_alias = service.get("/v1/plans/new-business/progress?as_of=2026-12-31")
    by_key = service.get("/v1/plans/dec/progress?as_of=2026-12-31")
    assert by_alias.content == by_key.content
    assert by_alias.headers["etag"] == by_key.headers["etag"]
    other = service.get("/v1/plans/new-business/progress")
    assert other.headers["etag"] != by_alias.headers["etag"]


@pytest.mark.parametrize(
    ("key", "body", "code"),
    [
        ("x", DECEMBER, "alias-overlaps"),
        ("x", DECEMBER | {"period": {"quarter": "2027-Q1"}}, "alias-overlaps"),
        ("x", PLAN | {"alias": "dec"}, "alias-is-a-key"),
        ("new-business", PLAN, "key-is-an-alias"),
    ],
)
def test_one_name_never_means_two_plans(service: Service, key: str, body: Any, code: str) -> None:
    two_months(service)
    refused = service.put(f"/v1/plans/{key}", body)
    assert refused.status_code == 409
    assert refused.json()["type"] == f"urn:tassei:problem:{code}"
    assert [plan["key"] for plan in service.get("/v1/plans").json()["items"]] == ["dec", "jan"]


def test_an_archived_plan_gives_its_names_back(service: Service) -> None:
    two_months(service)
    service.client.delete("/v1/plans/dec", headers={"if-match": '"1"'})
    assert service.put("/v1/plans/again", DECEMBER).status_code == 201
    revived = service.put("/v1/plans/dec", DECEMBER)
    assert revived.status_code == 409


def board(service: Service, **query: Any) -> Any:
    answer = service.client.get("/v1/plans/dec/leaderboard", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_leaderboard_measures_everybody_by_their_own_days(service: Service) -> None:
    """Suzuki works from the 8th: fewer calls, but more of what was to be expected."""
    service.replace("/v1/members/suzuki", {
        "name": "suzuki",
        "memberships": [{"team": "east", "from": "2026-12-08"}],
        "identities": [{"source": "crm", "kind": "email", "value": "suzuki@example.co.jp"}],
    })  # fmt: skip
    two_months(service)
    service.counts([call(n) for n in range(20)])
    service.counts([call(100 + n, "suzuki@example.co.jp") for n in range(15)])
    found = board(service, goal="calls", as_of="2026-12-11")
    # Days 23 and 18 of 41, 200 calls: 112.195... and 87.804...; over are 9 and 4 days, so that
    # 9 x 200/41 = 43.902439 and 4 x 200/41 = 19.512195 were to be expected.
    assert [
        (item["rank"], item["member"], item["name"], item["pace"], item["target"], item["actual"])
        for item in found["items"]
    ] == [
        (1, "suzuki", "suzuki", "0.76875", "87.804878", "15"),
        (2, "sato", "sato", "0.455556", "112.195122", "20"),
    ]
    assert (found["plan"]["key"], found["goal"]) == ("dec", "calls")
    assert found["as_of"] == "2026-12-12T00:00:00+09:00"


def test_the_leaderboard_is_the_progress_of_everybody_in_order(service: Service) -> None:
    two_months(service)
    service.counts([call(n) for n in range(20)])
    people = {
        part["scope"]["member"]: part["root"]
        for part in service.progress("dec", "2026-12-11", breakdown="member").body["breakdown"]
    }
    found = board(service, as_of="2026-12-11")
    assert found["goal"] == "deals_won"
    assert [item["rank"] for item in found["items"]] == [1, 1]
    for item in found["items"]:
        same = ("attainment", "pace", "target", "actual", "reasons")
        assert {name: item[name] for name in same} == {
            name: people[item["member"]][name] for name in same
        }


def test_who_is_not_expected_to_have_done_anything_comes_last(service: Service) -> None:
    service.put("/v1/members/sato/absences",
                {"absences": [{"from": "2026-12-01", "to": "2026-12-14"}]})  # fmt: skip
    two_months(service)
    service.counts([call(n) for n in range(20)])
    first, last = board(service, goal="calls", as_of="2026-12-11")["items"]
    assert (first["member"], first["pace"]) == ("suzuki", "0")
    assert (last["member"], last["rank"], last["pace"], last["actual"]) == ("sato", 2, None, "20")
    assert "nothing_expected_yet" in [reason["code"] for reason in last["reasons"]]


def test_the_leaderboard_is_cut_tagged_and_refuses_what_is_not_there(service: Service) -> None:
    two_months(service)
    path = "/v1/plans/new-business/leaderboard"
    whole = service.get(f"{path}?as_of=2026-12-11")
    assert len(board(service, limit=1, as_of="2026-12-11")["items"]) == 1
    tag = whole.headers["etag"]
    again = service.get(f"{path}?as_of=2026-12-11", **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert service.get(f"{path}?as_of=2026-12-11&goal=calls").headers["etag"] != tag
    assert service.get(f"{path}?goal=leads").json()["type"] == "urn:tassei:problem:unknown-goal"
    assert service.get(f"{path}?limit=0").status_code == 422
    whole_workspace = {n: v for n, v in PLAN.items() if n != "assignments"}
    assert service.put("/v1/plans/all", whole_workspace).status_code == 201
    refused = service.get("/v1/plans/all/leaderboard")
    assert refused.json()["type"] == "urn:tassei:problem:plan-has-no-assignments"


def test_an_influence_is_seen_in_plan_progress_and_gauges(service: Service) -> None:
    stages: list[Any] = [dict(stage) for stage in PLAN["funnel"]]
    stages[1]["influences"] = [{"metric": "talk_time", "target": "3600", "weight": "2"}]
    made = service.put("/v1/plans/dec", DECEMBER | {"funnel": stages})
    assert [goal["key"] for goal in made.json()["goals"]] == ["deals_won", "calls", "talk_time"]
    service.counts([call(n) for n in range(3)])
    seen = service.progress("dec", breakdown="member")
    talk = seen.goal("talk_time")
    assert (talk["edge"], talk["weight"], talk["target"], talk["actual"]) == (
        "influence", "2", "3600", "180",
    )  # fmt: skip
    calls = seen.goal("calls")
    assert (calls["edge"], "weight" in calls) == ("conversion", False)
    assert "edge" not in seen.goal("deals_won")
    shares = [part["root"]["children"][0]["children"][0]["target"]
              for part in seen.body["breakdown"]]  # fmt: skip
    assert shares == ["1800", "1800"]
    labels = 'goal="talk_time",plan="new-business",team="",unit="duration",workspace="default"'
    application: Any = service.client.app
    gauges = families(snapshot(application.state.context)).decode()
    assert f"tassei_goal_target{{{labels}}} 3600.0" in gauges.splitlines()


def test_a_fiscal_year_that_moves_one_plan_onto_anothers_days_is_refused(
    service: Service,
) -> None:
    service.replace("/v1/workspace", SETTINGS | {"fiscal_year_start_month": 4})
    body = PLAN | {"alias": "new-business", "assignments": []}
    for key, period in (
        ("autumn", {"quarter": "2026-Q3", "fiscal": True}),  # October to December
        ("january", {"month": "2027-01"}),
    ):
        made = service.put(f"/v1/plans/{key}", body | {"period": period})
        assert made.status_code == 201, made.text
    etag = service.get("/v1/workspace").headers["etag"]
    moved = SETTINGS | {"fiscal_year_start_month": 5}  # November to January
    refused = service.put("/v1/workspace", moved, if_match=etag)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:tassei:problem:aliases-would-overlap"
    named = {"alias": "new-business", "plan": "autumn", "other": "january"}
    assert refused.json()["params"] == named
    assert service.get("/v1/workspace").headers["etag"] == etag
    free = SETTINGS | {"fiscal_year_start_month": 3}  # September to November
    assert service.put("/v1/workspace", free, if_match=etag).status_code == 200
