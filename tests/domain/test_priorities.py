"""Which goal to mend first, against what closing each shortfall would bring."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.progress import GoalProgress, Scope
from tests.domain import worlds
from tests.domain.courses import MONTH, Did, at, goals
from tests.domain.worlds import FUNNEL, december

EVENING = "2026-12-14T18:00:00+09:00"


def ranks(**plan: Any) -> dict[str, int]:
    found = goals(at(december(**plan), EVENING, MONTH))
    return {key: goal.priority for key, goal in found.items()}


def funnel(**given: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage | given.get(stage["metric"], {}) for stage in FUNNEL]


def test_what_costs_the_final_goal_most_comes_first_and_ties_go_from_the_bottom_up() -> None:
    """Behind are revenue by 654,483 and deals by 1.586 x 400,000 = 634,483; the others are not."""
    assert ranks() == {"revenue": 1, "deals_won": 2, "calls": 3, "appointments": 4}


def test_who_is_ahead_is_not_the_less_urgent_the_further_ahead() -> None:
    many = [*MONTH, Did("calls", date(2026, 12, 14), 100)]
    found = goals(at(december(), EVENING, many))
    assert found["calls"].gap > found["appointments"].gap > 0
    assert (found["calls"].priority, found["appointments"].priority) == (3, 4)


@pytest.mark.parametrize("member", ["sato", "suzuki", "tanaka"])
def test_the_ranks_are_those_of_the_effects(member: str) -> None:
    found = goals(at(december(), EVENING, MONTH, scope=Scope(member=member)))
    worth = {"revenue": 1, "deals_won": 400_000, "appointments": 20_000, "calls": 4_000}
    cost = {key: max(goal.expected - goal.actual, Fraction(0)) * worth[key]
            for key, goal in found.items()}  # fmt: skip
    order = sorted(found.values(), key=lambda goal: goal.priority)
    assert [goal.priority for goal in order] == [1, 2, 3, 4]
    assert [cost[goal.key] for goal in order] == sorted(cost.values(), reverse=True)


def test_a_given_rank_stands_and_the_others_take_what_is_left() -> None:
    given = funnel(calls={"priority": 1}, deals_won={"priority": 3})
    assert ranks(funnel=given) == {"calls": 1, "revenue": 2, "deals_won": 3, "appointments": 4}


def test_two_may_be_given_the_same_rank() -> None:
    given = funnel(calls={"priority": 2}, deals_won={"priority": 2})
    assert ranks(funnel=given) == {"revenue": 1, "calls": 2, "deals_won": 2, "appointments": 3}


def test_influences_come_last_the_weightiest_that_is_behind_first() -> None:
    """Nobody knows what they bring, so they move no goal that somebody does."""
    influences = [
        {"metric": "leads", "target": "10", "weight": "1"},
        {"metric": "inbound_calls", "target": "10", "weight": "3"},
        {"metric": "meetings_held", "target": "0", "weight": "9"},
    ]
    assert ranks(funnel=funnel(deals_won={"influences": influences})) == {
        "revenue": 1,
        "deals_won": 2,
        "calls": 3,
        "appointments": 4,
        "inbound_calls": 5,
        "leads": 6,
        "meetings_held": 7,
    }


def test_parts_are_worth_what_they_add() -> None:
    root = {
        "metric": "revenue",
        "target": "2000000",
        "parts": [
            {"key": "small", "metric": "cash_in", "target": "500000"},
            {"key": "deals", "metric": "revenue", "target": "1500000",
             "conversion": {"rate": "50000", "from": {"metric": "leads"}}},
        ],
    }  # fmt: skip
    # Of 30/58 to date: leads lack 15.517 x 50,000 = 775,862, revenue 654,483, deals 395,862 and
    # small 258,621.
    expected = {"leads": 1, "revenue": 2, "deals": 3, "small": 4}
    assert ranks(funnel=None, root=root) == expected


def whys(**plan: Any) -> dict[str, str | None]:
    found: dict[str, GoalProgress] = goals(at(december(**plan), EVENING, MONTH))
    return {key: goal.why for key, goal in found.items()}


def test_why_a_goal_matters_is_told_in_the_plans_words() -> None:
    told = whys(funnel=funnel(calls={"why": "すべては架電から"}))
    assert told == {
        "revenue": None,
        "deals_won": None,
        "appointments": None,
        "calls": "すべては架電から",
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [({"priority": 0}, "out_of_range"), ({"priority": 101}, "out_of_range"),
     ({"priority": "1"}, "not_an_integer"), ({"priority": True}, "not_an_integer"),
     ({"why": ""}, "not_a_text"), ({"why": 7}, "not_a_text")],
)  # fmt: skip
def test_what_is_no_rank_and_no_reason_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        december(funnel=funnel(calls=given))
    (name,) = given
    assert worlds.codes(refused.value) == [(f"/funnel/3/{name}", code)]
