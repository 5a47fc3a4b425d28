"""Plans that are cut, and plans within plans, through HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.usecases.recurring import begin_next
from tests.web.example import PLAN, START, settle
from tests.web.service import Service, started
from tests.web.test_recurring import context_of

WEEKS = {"by": "week", "shares": ["0.1", "0.2", "0.2", "0.4", "0.1"]}
QUARTER = {"name": "Q4", "period": {"quarter": "2026-Q4"},
           "funnel": [{"metric": "deals_won", "target": "30"}],
           "profile": {"by": "month", "shares": ["0.3", "0.3", "0.4"]}}  # fmt: skip


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def made(service: Service, key: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = service.put(f"/v1/plans/{key}", body)
    assert answer.status_code == status, answer.text
    return answer.json()


def month(name: str, target: str, **rest: Any) -> dict[str, Any]:
    funnel = [{"metric": "deals_won", "target": target}]
    return {"name": name, "period": {"month": name}, "funnel": funnel, "parent": "q4"} | rest


def warned(plan: Any) -> list[dict[str, str]]:
    return [w["params"] for w in plan["warnings"] if w["code"] == "children_do_not_add_up"]


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["code"]) for fault in answer["errors"]]


def test_a_profile_is_answered_by_slice_and_followed_by_progress(service: Service) -> None:
    plan = made(service, "cut", PLAN | {"profile": WEEKS})
    deals = plan["goals"][0]
    assert [(s["from"], s["to"], s["target"], s["target_display"]) for s in deals["slices"]] == [
        ("2026-12-01", "2026-12-07", "1", "1"),
        ("2026-12-07", "2026-12-14", "2", "2"),
        ("2026-12-14", "2026-12-21", "2", "2"),
        ("2026-12-21", "2026-12-28", "4", "4"),
        ("2026-12-28", "2027-01-01", "1", "1"),
    ]
    assert plan["profile"] == WEEKS
    # Two weeks are over, of which the plan asks for three tenths.
    reading = service.progress("cut", "2026-12-14T00:00:00+09:00")
    assert [reading.goal(key)["expected"] for key in ("deals_won", "calls")] == ["3", "60"]
    plain = service.get("/v1/plans/december").json()
    assert "slices" not in plain["goals"][0]
    assert made(service, "cut", plan, 200) == plan


def test_the_parts_of_a_plan_are_held_against_it_and_nothing_is_rescaled(service: Service) -> None:
    quarter = made(service, "q4", QUARTER)
    assert warned(quarter) == []
    october = made(service, "october", month("2026-10", "9"))
    assert warned(october) == []
    november = made(service, "november", month("2026-11", "11"))
    residual = {"plan": "q4", "first": "2026-11-01", "until": "2026-12-01"}
    residual |= {"target": "9", "sum": "11", "residual": "-2"}
    assert warned(november) == warned(service.get("/v1/plans/q4").json()) == [residual]
    assert [goal["target"] for goal in november["goals"]] == ["11"]
    # Two teams share December.
    made(service, "december-a", month("2026-12", "5"))
    both = made(service, "december-b", month("2026-12", "7"))
    assert warned(both) == [residual]
    tried = service.client.post("/v1/plans/preview", json=month("2026-12", "8")).json()
    assert [w["sum"] for w in warned(tried)] == ["11", "20"]


def test_a_part_names_a_plan_that_it_can_be_a_part_of(service: Service) -> None:
    made(service, "q4", QUARTER)
    made(service, "week", month("2026-10", "1", period={"week": "2026-W51"}))
    for key, body, code in (
        ("x", month("2026-12", "1", parent="nothing"), "unknown_parent"),
        ("x", month("2027-01", "1"), "outside_parent"),
        ("x", month("2026-12", "1", parent="x"), "plan_is_its_own_part"),
    ):
        assert codes(made(service, key, body, 422)) == [("/parent", code)]
    etag = service.get("/v1/plans/q4").headers["etag"]
    ring = service.put("/v1/plans/q4", QUARTER | {"parent": "week", "reason": "?"}, if_match=etag)
    assert codes(ring.json()) == [("/parent", "plan_is_its_own_part")]
    tried = service.client.post("/v1/plans/preview", json=month("2027-01", "1"))
    assert codes(tried.json()) == [("/parent", "outside_parent")]


def test_the_next_period_keeps_what_it_can_mean(service: Service) -> None:
    """November has six weeks and December five; it is the quarter's last month."""
    six = {"by": "week", "shares": ["0.1", "0.1", "0.1", "0.1", "0.1", "0.5"]}
    made(service, "q4", QUARTER)
    made(service, "2026-11-new", month("2026-11", "9", alias="new", recurs=True, profile=six))
    service.clock.set("2026-12-14T12:00:00+09:00")
    assert begin_next(context_of(service), "default", "2026-11-new")
    december = service.get("/v1/plans/2026-12-new").json()
    assert (december["parent"], december.get("profile")) == ("q4", None)
    copied = service.client.post(
        "/v1/plans/2026-12-new/copy", json={"period": {"month": "2027-01"}}
    )
    assert (copied.status_code, copied.json().get("parent")) == (201, None)
    twelfths = {"by": "month", "shares": ["0.4", "0.3", "0.3"]}
    made(service, "fiscal", QUARTER | {"profile": twelfths})
    again = service.client.post("/v1/plans/fiscal/copy", json={"period": {"quarter": "2027-Q1"}})
    assert again.json()["profile"] == twelfths
