"""What is said of a plan before it is trusted, and what another plan would change."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from app.domain.comparison import Change, difference
from app.domain.errors import Invalid
from app.domain.freshness import source_of
from app.domain.ground import Ground, blueprint, ground
from app.domain.plans import plan_of
from app.domain.presets import PRESETS
from app.domain.review import refused_as_unmeasured, unmeasured, warnings
from tests.domain.worlds import codes, december, east, plan, plan_document, workspace


def other(**changes: Any) -> Ground:
    made = plan_of("other", plan_document(**changes), workspace(), PRESETS)
    return ground(workspace(), made, 1, east())


def said(base: Ground, *others: Ground) -> list[tuple[str, Any]]:
    return [(warning.code, warning.params) for warning in warnings(base, others)]


def test_a_goal_is_measured_when_some_source_counts_its_kind() -> None:
    root = plan().root
    zoom, crm = source_of("zoom", {"counts": ["call"]}), source_of("crm", {"counts": ["deal"]})
    anything = source_of("any", {})
    assert [goal.key for goal in unmeasured(root, [zoom, crm])] == ["appointments"]
    assert unmeasured(root, [anything]) == ()
    with pytest.raises(Invalid) as refused:
        raise refused_as_unmeasured(unmeasured(root, []))
    assert codes(refused.value) == [(f"/funnel/{n}", "unmeasured") for n in range(4)]
    assert refused.value.params == {
        "goals": "revenue, deals_won, appointments, calls",
        "kind": "deal, meeting, call",
    }


OVERLAP = [("overlapping_plan", {"plan": "other"})]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OVERLAP),
        ({"assignments": [{"member": "sato"}]}, OVERLAP),
        ({"period": {"start": "2026-12-31", "end": "2027-02-01"}}, OVERLAP),
        ({"period": {"month": "2027-01"}}, []),
        ({"assignments": None}, []),
        ({"funnel": [{"metric": "calls", "target": "1"}]}, []),
    ],
)
def test_the_same_people_asked_twice_for_one_thing_are_noticed(
    changes: dict[str, Any], expected: Any
) -> None:
    assert said(december(), other(**changes)) == expected


def test_two_plans_of_the_whole_workspace_ask_the_same_people() -> None:
    assert said(december(assignments=None), other(assignments=None)) == OVERLAP


def test_a_plan_for_people_who_never_work_in_it_is_noticed() -> None:
    closed = {"start": "2026-12-29", "end": "2027-01-01"}
    assert said(december(period=closed)) == [("nobody_works", {})]
    assert said(december(period=closed, assignments=None)) == []


def test_the_difference_names_every_goal_and_person_of_both_plans() -> None:
    before = december()
    after = december(
        funnel=[
            {"metric": "revenue", "target": "2000000"},
            {"metric": "deals_won", "rate": "500000"},
            {"metric": "leads", "rate": "0.5"},
        ],
        assignments=[{"member": "sato"}],
    )
    found = difference(blueprint(before), blueprint(after))
    assert {key: (c.before, c.after, c.by) for key, c in found.goals.items()} == {
        "revenue": (2_000_000, 2_000_000, 0),
        "deals_won": (5, 4, -1),
        "leads": (None, 8, None),
        "appointments": (100, None, None),
        "calls": (500, None, None),
    }
    assert list(found.split) == ["sato", "suzuki", "tanaka"]
    assert found.split["sato"]["deals_won"] == Change(Fraction(5 * 20, 58), Fraction(4))
    assert found.split["tanaka"]["deals_won"] == Change(Fraction(5 * 18, 58), None)
