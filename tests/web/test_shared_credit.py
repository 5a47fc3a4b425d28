"""Shared work over HTTP: one deal of two teams by hand, from the event to every face."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.store import ledger
from app.usecases.exporting import Format, export
from app.usecases.exports import snapshot
from app.views.prometheus import families
from tests.web.example import EVENTS, SETTINGS, START, deal, member
from tests.web.service import Service, started

MAIL = {"sato": "sato@example.co.jp", "suzuki": "suzuki@example.co.jp"}
COPIED = ("names", "kind", "aggregation", "where", "value", "time", "roles", "unit")
PLAN: dict[str, Any] = {
    "name": "Shared",
    "period": {"month": "2026-12"},
    "funnel": [{"metric": "shared", "target": "2000000"}, {"metric": "wins", "rate": "400000"}],
    "assignments": [{"team": "east"}, {"team": "west"}],
}


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        running.replace("/v1/workspace", SETTINGS)
        for key, preset in (("shared", "revenue"), ("wins", "deals_won")):
            shown = running.get(f"/v1/metrics/{preset}").json()
            assert shown["credit"] == "role"
            body = {name: shown[name] for name in COPIED if name in shown} | {"credit": "shared"}
            made = running.put(f"/v1/metrics/{key}", body)
            assert (made.status_code, made.json()["credit"]) == (201, "shared")
        for path, body in (
            ("/v1/teams/east", {"name": "東"}),
            ("/v1/teams/west", {"name": "西"}),
            ("/v1/members/sato", member("sato", "east")),
            ("/v1/members/suzuki", member("suzuki", "west")),
            ("/v1/sources/crm", EVENTS),
            ("/v1/plans/shared", PLAN),
        ):
            answer = running.put(path, body)
            assert answer.status_code == 201, answer.text
        yield running


def split(revision: int, *shares: tuple[str, Any], **rest: Any) -> dict[str, Any]:
    """The deal of a million yen, with whoever shares it."""
    named = [{"identity": MAIL.get(who, who), "share": share} for who, share in shares]
    event = deal(1, "boss@example.co.jp", amount="1000000", credits=named or None)
    return event | {"revision": str(revision)} | rest


def actuals(service: Service, breakdown: str, goal: str = "shared") -> dict[str, str]:
    """Of each team or member, the whole under "" and nobody's under "-"."""
    body = service.progress("shared", breakdown=breakdown).body

    def of(tree: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = tree if tree["key"] == goal else of(tree["children"][0])
        return found

    whole = of(body["root"])
    parts = {part["scope"][breakdown]: of(part["root"])["actual"] for part in body["breakdown"]}
    return parts | {"": whole["actual"], "-": whole["unassigned"]}


def series(service: Service, metric: str, group: str) -> list[tuple[Any, str, Any]]:
    path = f"/v1/metrics/{metric}/series?window=mtd&group_by={group}"
    items = service.get(path).json()["items"]
    return [(one[group], one["value"], one["count"]) for one in items]


def test_a_deal_of_two_teams_by_hand(service: Service) -> None:
    assert service.counts([split(1, ("sato", "0.7"), ("suzuki", "0.3"))]) == {"accepted": 1}
    expected = {"sato": "700000", "suzuki": "300000", "": "1000000", "-": "0"}
    assert actuals(service, "member") == expected
    assert actuals(service, "team") == {
        "east": "700000", "west": "300000", "": "1000000", "-": "0",
    }  # fmt: skip
    assert actuals(service, "member", "wins") == {"sato": "0.7", "suzuki": "0.3", "": "1", "-": "0"}
    # Re-split, twice: delivered again it changes nothing.
    again = split(2, ("suzuki", "0.50"), ("sato", 0.5))
    assert service.counts([again]) == {"revised": 1}
    assert service.counts([split(2, ("sato", "0.5"), ("suzuki", "0.5"))]) == {"duplicate": 1}
    assert actuals(service, "team") == {
        "east": "500000", "west": "500000", "": "1000000", "-": "0",
    }  # fmt: skip
    assert service.mismatches() == []
    # A partial report keeps the shares that it does not speak of.
    service.post_events([split(3, merge=True) | {"data": {"amount": "600000"}}])
    assert actuals(service, "member") == {
        "sato": "300000", "suzuki": "300000", "": "600000", "-": "0",
    }  # fmt: skip
    assert service.counts([split(4, retracted=True)]) == {"revised": 1}
    assert set(actuals(service, "member").values()) == {"0"}
    assert service.mismatches() == []


def test_a_third_is_shown_with_six_digits_and_exact_inside(service: Service) -> None:
    third = ("sato", "0.333333"), ("suzuki", "0.333333"), ("stranger", "0.333334")
    service.post_events([split(1, *third)])
    assert actuals(service, "member", "wins") == {
        "sato": "0.333333", "suzuki": "0.333333", "": "0.666666", "-": "0.333334",
    }  # fmt: skip
    assert actuals(service, "member") == {
        "sato": "333333", "suzuki": "333333", "": "666666", "-": "333334",
    }  # fmt: skip
    unmatched = service.get("/v1/identities/unmatched").json()["items"]
    assert {one["value"]: one["activities"] for one in unmatched} == {
        "stranger": 1, "boss@example.co.jp": 1,
    }  # fmt: skip
    # Mapping the stranger gives the share away, history included.
    identity = {"source": "crm", "kind": "id", "value": "stranger"}
    body = member("sato")
    body["identities"].append(identity)
    service.replace("/v1/members/sato", body)
    assert actuals(service, "member", "wins") == {
        "sato": "0.666667", "suzuki": "0.333333", "": "1", "-": "0",
    }  # fmt: skip


def test_a_share_stays_with_the_team_of_its_day(service: Service) -> None:
    service.post_events([split(1, ("sato", "0.7"), ("suzuki", "0.3"))])
    moved = member("sato") | {
        "memberships": [
            {"team": "east", "from": None, "to": "2026-12-12"},
            {"team": "west", "from": "2026-12-12", "to": None},
        ]
    }
    service.replace("/v1/members/sato", moved)
    late = split(1, ("sato", "0.4"), ("suzuki", "0.6"))
    late["data"] |= {"won_at": "2026-12-12T09:00:00+09:00"}
    service.post_events([late | {"id": "d-2", "subject": "d-2"}])
    assert actuals(service, "team") == {
        "east": "700000", "west": "1300000", "": "2000000", "-": "0",
    }  # fmt: skip


def test_every_face_says_the_same_parts(service: Service) -> None:
    service.post_events([split(1, ("sato", "0.7"), ("suzuki", "0.3"))])
    assert series(service, "wins", "member") == [("sato", "0.7", "0.7"), ("suzuki", "0.3", "0.3")]
    assert series(service, "shared", "team") == [
        ("east", "700000", "0.7"), ("west", "300000", "0.3"),
    ]  # fmt: skip
    assert series(service, "deals_won", "member") == [(None, "1", 1)]
    ranks = service.get("/v1/plans/shared/leaderboard").json()["items"]
    assert [(one["member"], one["actual"]) for one in ranks] == [
        ("sato", "700000"), ("suzuki", "300000"),
    ]  # fmt: skip
    root = service.progress("shared", member="sato").body["root"]
    assert root["rate"]["observed"] == "1000000"
    assert root["rate"]["sample"] == "0.7"
    context = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's state
    exposed = text_string_to_metric_families(families(snapshot(context)).decode())
    samples = [one for family in exposed for one in family.samples]
    gauges = {
        (one.labels["goal"], one.labels.get("team")): one.value
        for one in samples
        if one.name == "tassei_goal_actual"
    }
    assert (gauges["wins", "east"], gauges["wins", "west"]) == (0.7, 0.3)


def test_foreign_money_is_excluded_by_its_parts(service: Service) -> None:
    dollars = split(1, ("sato", "0.7"), ("suzuki", "0.3"))
    dollars["data"] |= {"currency": "USD", "amount": "100.01"}
    service.post_events([dollars])
    root = service.progress("shared", member="sato").body["root"]
    assert root["excluded"] == [{"currency": "USD", "count": "0.7", "total": "70.007"}]


def test_an_export_brings_the_shares_along(service: Service) -> None:
    service.post_events([split(1, ("sato", "0.7"), ("suzuki", "0.3"))])
    out = io.StringIO()
    context = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's state
    export(context, "default", "deal", Format.NDJSON, out)
    (line,) = [json.loads(text) for text in out.getvalue().splitlines()]
    parts = (("sato", "0.7"), ("suzuki", "0.3"))
    named = [{"identity": MAIL[who], "share": share} for who, share in parts]
    assert line["data"]["credits"] == named
    shown = service.get("/v1/activities/crm/d-1").json()
    assert shown["fields"]["credits"] == named
    assert service.counts([line]) == {"duplicate": 1}
    ledger.rebuild(service.store, "default", service.clock())
    assert actuals(service, "member", "wins")["sato"] == "0.7"


def test_a_wrong_split_is_refused_alone_and_says_what_is_wrong(service: Service) -> None:
    good, bad = split(1, ("sato", "1")), split(1, ("sato", "0.7"), ("suzuki", "0.4"))
    body = service.post_events([good | {"id": "good"}, bad | {"id": "bad"}]).json()
    assert body["accepted"] == 1
    (rejected,) = body["rejected"]
    (fault,) = rejected["problem"]["errors"]
    assert (rejected["id"], fault["pointer"], fault["code"], fault["params"]) == (
        "bad", "/data/credits", "shares_do_not_sum", {"sum": "1.1"},
    )  # fmt: skip
    assert "1.1" in fault["message"]
    alone = split(1, ("sato", "0.5"), ("Sato@example.co.jp", "0.5"))
    answer = service.client.post(
        "/v1/events",
        json=alone,
        headers={"content-type": "application/cloudevents+json", "accept-language": "ja"},
    )
    (rejected,) = answer.json()["rejected"]
    (fault,) = rejected["problem"]["errors"]
    assert (fault["pointer"], fault["code"]) == ("/data/credits/1/identity", "credited_twice")
    assert fault["message"] == "同じ担当者を 2 回指定することはできません。"


def test_a_metric_turns_to_sharing_and_back_over_all_history(service: Service) -> None:
    service.post_events([split(1, ("sato", "0.7"), ("suzuki", "0.3"))])
    body = service.get("/v1/metrics/shared").json()
    own = {name: body[name] for name in (*COPIED, "credit") if name in body}
    for credit, expected in (("role", ("0", "1000000")), ("shared", ("1000000", "0"))):
        service.replace("/v1/metrics/shared", own | {"credit": credit, "reason": "why not"})
        found = actuals(service, "member")
        assert (found[""], found["-"]) == expected
        assert service.mismatches() == []
    wrong = service.put("/v1/metrics/other", own | {"credit": "half"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/credit")
