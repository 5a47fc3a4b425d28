"""Influences are tracked beside a goal and move no number that is calculated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.goals import MAX_GOALS
from app.domain.ground import blueprint
from app.domain.progress import Edge, GoalProgress
from app.domain.scopes import Breakdown
from tests.domain.test_worked_month import read
from tests.domain.worlds import FUNNEL, codes, december, plan, values

TALK: dict[str, Any] = {"metric": "talk_time", "target": "36000", "weight": "2"}
LEADS: dict[str, Any] = {"metric": "leads", "target": "58"}
ROOT: dict[str, Any] = {"metric": "revenue", "target": "2000000"}


def below(stage: int, *influences: dict[str, Any]) -> list[dict[str, Any]]:
    """The worked funnel with influences on one of its stages."""
    return [s | ({"influences": list(influences)} if n == stage else {}) for n, s in
            enumerate(FUNNEL)]  # fmt: skip


def arithmetic(goal: GoalProgress) -> GoalProgress:
    """A goal without anything that only influences."""
    kept = (arithmetic(child) for child in goal.children if child.edge is not Edge.INFLUENCE)
    return replace(goal, children=tuple(kept))


def refused(**document: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        plan(**document)
    return codes(error.value)


def test_an_influence_has_a_target_of_its_own_and_decides_no_other() -> None:
    made = plan(funnel=below(2, TALK, LEADS))
    assert made.targets == {
        "revenue": 2_000_000,
        "deals_won": 5,
        "appointments": 100,
        "talk_time": 36_000,
        "leads": 58,
        "calls": 500,
    }


def test_each_child_says_by_which_edge_it_hangs() -> None:
    root = {
        "metric": "calls",
        "target": "10",
        "parts": [
            {"key": "a", "metric": "calls", "target": "4"},
            {
                "key": "b",
                "metric": "calls",
                "conversion": {"rate": "0.5", "from": {"metric": "leads"}},
                "influences": [TALK],
            },
        ],
        "influences": [{"metric": "meetings_held", "target": "1"}],
    }
    made = read(plan={"root": root, "funnel": None}).whole.root
    assert (made.edge, made.weight) == (None, None)
    found = [(goal.key, goal.edge, goal.weight) for goal in made.walk()][1:]
    assert found == [
        ("a", Edge.PART, None),
        ("b", Edge.PART, None),
        ("leads", Edge.CONVERSION, None),
        ("talk_time", Edge.INFLUENCE, 2),
        ("meetings_held", Edge.INFLUENCE, 1),
    ]


def test_an_influence_is_split_over_the_people_and_expected_by_their_days() -> None:
    progress = read(plan={"funnel": below(3, LEADS)}, breakdown=Breakdown.MEMBER)
    shares = blueprint(december(funnel=below(3, LEADS))).split
    # 58 leads over 58 days of people: one a day, of which 10 each are over.
    assert {member: goals["leads"].target for member, goals in shares.items()} == {
        "sato": 20,
        "suzuki": 20,
        "tanaka": 18,
    }
    for part in progress.breakdown:
        (leads,) = (goal for goal in part.root.walk() if goal.key == "leads")
        assert leads.expected == 10
    (leads,) = (goal for goal in progress.whole.root.walk() if goal.key == "leads")
    assert values(leads.target, leads.expected, leads.actual) == (58, 30, 0)


def test_an_influence_is_due_when_its_goal_is() -> None:
    stages = below(3, LEADS)
    stages[2] = stages[2] | {"lag_days": 14}
    made = plan(funnel=stages)
    assert made.deadlines["leads"] == made.deadlines["calls"] == date(2026, 12, 18)


def test_an_influence_may_have_a_tree_of_its_own() -> None:
    below_it = {"conversion": {"rate": "0.1", "lag_days": 3, "from": {"metric": "leads"}}}
    made = plan(root=ROOT | {"influences": [TALK | below_it]}, funnel=None)
    assert made.targets["leads"] == 360_000
    assert made.deadlines["leads"] == date(2026, 12, 29)


@pytest.mark.parametrize(
    ("influence", "fault"),
    [
        ({"metric": "leads"}, ("/root/influences/0", "missing_target")),
        (
            {"metric": "leads", "conversion": {"rate": "1", "from": {"metric": "calls",
                                                                      "target": "1"}}},
            ("/root/influences/0", "missing_target"),
        ),
        (LEADS | {"pinned": True}, ("/root/influences/0", "missing_target")),
        (LEADS | {"weight": "0"}, ("/root/influences/0/weight", "weight_not_positive")),
        (LEADS | {"weight": "-1"}, ("/root/influences/0/weight", "weight_not_positive")),
        (LEADS | {"target": "-1"}, ("/root/influences/0/target", "negative_target")),
        ({"metric": "revenue", "target": "1"}, ("/root/influences/0", "cyclic")),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(influence: dict[str, Any], fault: tuple[str, str]) -> None:
    assert refused(root=ROOT | {"influences": [influence]}, funnel=None) == [fault]


def test_the_same_goal_cannot_influence_and_be_calculated_with() -> None:
    twice = refused(funnel=below(0, {"metric": "calls", "target": "1"}))
    assert {code for _, code in twice} == {"duplicate_goal"}


def test_influences_count_among_the_goals_of_a_tree() -> None:
    many = [{"metric": "leads", "key": f"g{n}", "target": "1"} for n in range(MAX_GOALS)]
    assert refused(root=ROOT | {"influences": many}, funnel=None) == [("/root", "too_many_goals")]


@settings(max_examples=40, deadline=None)
@given(
    stage=st.integers(0, 3),
    target=st.integers(0, 10**6),
    weight=st.integers(1, 9),
    as_of=st.sampled_from(["2026-12-01T09:00:00+09:00", "2026-12-14T18:00:00+09:00",
                           "2026-12-28T12:15:00+09:00"]),
)  # fmt: skip
def test_influences_change_no_number_of_the_solved_tree(
    stage: int, target: int, weight: int, as_of: str
) -> None:
    extra = below(stage, TALK | {"target": str(target), "weight": str(weight)}, LEADS)
    without, beside = (
        read(as_of, plan={"funnel": f}, breakdown=Breakdown.MEMBER) for f in (FUNNEL, extra)
    )
    assert arithmetic(beside.whole.root) == without.whole.root
    for plain, more in zip(without.breakdown, beside.breakdown, strict=True):
        assert arithmetic(more.root) == plain.root
    tracked = [goal for goal in beside.whole.root.walk() if goal.key == "talk_time"]
    assert [goal.target for goal in tracked] == [Fraction(target)]
