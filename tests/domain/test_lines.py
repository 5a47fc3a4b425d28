"""The line that is expected: a plan revised in mid-period, worked by hand and by its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.ground import Ground, ground
from app.domain.instants import QUARTER, instant
from app.domain.progress import Progress, Scope
from app.domain.review import warnings
from app.domain.scopes import WHOLE, Breakdown
from tests.domain.test_evaluation import DAYS, UNTIL, World, worlds
from tests.domain.worlds import codes, december, plan

SATO = {"member": "sato"}
SUZUKI = {"member": "suzuki"}


def made(target: str = "200", people: Any = (SATO,), **changes: Any) -> Ground:
    """Calls in December: 20 working days, 10 of them over on the evening of the 14th."""
    funnel = changes.pop("funnel", [{"metric": "calls", "target": target}])
    return december(funnel=funnel, assignments=list(people), **changes)


def revised(*versions: Ground) -> Ground:
    """Each version following the one before it."""
    before: Ground | None = None
    for version in versions:
        before = replace(version, before=before)
    assert before is not None
    return before


def read(base: Ground, at: str, scope: Scope = WHOLE, **question: Any) -> Progress:
    moment = instant(f"{at}:00+09:00" if "T" in at else f"{at}T00:00:00+09:00")
    return evaluate(base, Question(moment, moment, moment, scope, **question), {}, Heard())


def expected(base: Ground, at: str, goal: str = "calls", member: str | None = None) -> Fraction:
    tree = read(base, at, Scope(member=member)).whole.root
    return next(g.expected for g in tree.walk() if g.key == goal)


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("2026-12-11", 80),  # 1-4 and 7-10: eight days at ten a day
        ("2026-12-14T13:30", 95),
        ("2026-12-15", 100),
        ("2026-12-15T13:30", 110),  # the 200 that are left, over ten days
        ("2026-12-17", 140),
        ("2026-12-22", 200),
        ("2026-12-23", 210),  # the 50 that are left of 250, over five days
        ("2026-12-29", 250),
        ("2027-01-01", 250),
    ],
)
def test_expected_runs_on_the_old_line_and_from_each_revision_straight_to_the_new_target(
    at: str, number: int
) -> None:
    base = revised(
        made(), made("300", effective_from="2026-12-15"), made("250", effective_from="2026-12-22")
    )
    assert expected(base, at) == number
    assert read(base, at).whole.root.target == 250


def test_who_is_new_begins_at_nothing_and_who_is_gone_is_gone() -> None:
    base = revised(
        made(people=(SATO, SUZUKI)),
        made(people=(SUZUKI, {"member": "tanaka"}), effective_from="2026-12-15"),
    )
    # Until then as it was, whoever it was: 100 for each over twenty days.
    assert expected(base, "2026-12-14") == 90
    assert expected(base, "2026-12-15") == expected(base, "2026-12-15", member="suzuki") == 50
    assert expected(base, "2026-12-15", member="tanaka") == 0
    # Suzuki has 20 days in the period and tanaka 18; suzuki ten left, tanaka eight.
    suzuki, tanaka = Fraction(200 * 20, 38), Fraction(200 * 18, 38)
    assert expected(base, "2026-12-16", member="suzuki") == 50 + (suzuki - 50) / 10
    assert expected(base, "2026-12-16", member="tanaka") == tanaka / 8
    assert expected(base, "2026-12-29") == 200


def test_a_goal_that_is_new_begins_at_nothing_and_one_that_is_due_stands_at_its_target() -> None:
    funnel = [{"metric": "appointments", "target": "20"},
              {"metric": "calls", "rate": "0.1", "lag_days": 20}]  # fmt: skip
    base = revised(
        made(funnel=[{"metric": "calls", "target": "100"}]),
        made(funnel=funnel, effective_from="2026-12-15"),
    )
    # Calls are due twenty days before the end, on the 12th: over when the revision begins.
    assert expected(base, "2026-12-14") == 45
    assert expected(base, "2026-12-15") == 200
    assert expected(base, "2026-12-15", "appointments") == 0
    assert expected(base, "2026-12-16", "appointments") == 2


def test_what_was_nobodys_in_particular_is_carried_on_by_those_who_take_it_over() -> None:
    whole = december(funnel=[{"metric": "calls", "target": "200"}], assignments=None)
    divided = made(people=(SATO, SUZUKI), effective_from="2026-12-15")
    base = revised(whole, divided)
    assert expected(base, "2026-12-14") == 90
    assert expected(base, "2026-12-14", member="sato") == 45
    assert expected(base, "2026-12-15", member="sato") == 50
    back = revised(
        made(people=(SATO, SUZUKI)), replace(whole, plan=replace(whole.plan, effective_from=DAY))
    )
    assert [expected(back, f"2026-12-{day}") for day in (14, 15, 16)] == [90, 100, 110]


DAY = date(2026, 12, 15)


@pytest.mark.parametrize("day", ["2026-12-01", "2027-01-01", "2026-11-30"])
def test_a_revision_holds_from_a_day_inside_the_period(day: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(effective_from=day)
    assert codes(refused.value) == [("/effective_from", "revision_outside_period")]


def test_where_the_version_before_is_lost_the_line_is_plain_and_that_is_said() -> None:
    lost = made("300", effective_from="2026-12-15")
    assert expected(lost, "2026-12-15") == 150
    assert [warning.code for warning in warnings(lost, ())] == ["earlier_version_lost"]
    assert list(warnings(revised(made(), lost), ())) == []


def test_time_alone_changes_the_answer_on_the_day_of_a_revision() -> None:
    """On Sunday the 13th nothing works; without the revision Monday morning were next."""
    base = revised(made(), made("300", effective_from="2026-12-13"))
    change = read(base, "2026-12-12").next_change_at
    assert change is not None
    assert change.isoformat() == "2026-12-13T00:00:00+09:00"


def following(world: World, day: date, target: Fraction | None = None) -> Ground:
    """The same plan again from a day on, with another target if one is given."""
    base = world.base
    targets = base.plan.targets
    if target is not None:
        targets = dict.fromkeys(targets, target)
    later = replace(base.plan, effective_from=day, targets=targets)
    return ground(base.workspace, later, 2, base.people, base)


days = st.sampled_from(DAYS[1:])
moments = st.integers(0, 14 * 96).map(lambda n: instant("2026-12-01T00:00:00+09:00") + n * QUARTER)


def lines(base: Ground, at: int) -> dict[str | None, dict[str, Fraction]]:
    """Expected by member and goal; of the whole under None."""
    question = Question(at, at, at, breakdown=Breakdown.MEMBER)
    progress = evaluate(base, question, {}, Heard())
    return {
        part.scope.member: {goal.key: goal.expected for goal in part.root.walk()}
        for part in (progress.whole, *progress.breakdown)
    }


@settings(max_examples=60, deadline=None)
@given(world=worlds(), day=days, at=moments)
def test_a_revision_that_changes_nothing_changes_no_line(world: World, day: date, at: int) -> None:
    assert lines(following(world, day), at) == lines(world.base, at)


@settings(max_examples=60, deadline=None)
@given(world=worlds(), day=days, at=moments, target=st.fractions(0, 50, max_denominator=8))
def test_a_new_line_leaves_the_old_one_without_a_step_and_ends_at_the_new_target(
    world: World, day: date, at: int, target: Fraction
) -> None:
    base = following(world, day, target)
    calendar = base.workspace.calendar
    now, then = lines(base, at), lines(base, calendar.midnight(day))
    for key in base.plan.targets:
        members = [line[key] for member, line in now.items() if member is not None]
        assert sum(members, Fraction(0)) == now[None][key]
        if base.plan.deadlines[key] > day:
            assert then[None][key] == lines(world.base, calendar.midnight(day))[None][key]
    end = lines(base, calendar.midnight(UNTIL + timedelta(1)))[None]
    worked = any(base.shares.values())
    assert end == dict.fromkeys(base.plan.targets, target if worked else 0)
    if calendar.local_day(at) < day:
        assert now == lines(world.base, at)


@settings(max_examples=40, deadline=None)
@given(world=worlds(), day=days, at=moments, target=st.fractions(0, 50, max_denominator=8))
def test_teams_side_by_side_add_up_to_a_person_who_moved(
    world: World, day: date, at: int, target: Fraction
) -> None:
    base = following(world, day, target)
    for member, person in base.persons.items():
        tops = {stint.line[0] for stint in person.stints if stint.line}
        if not all(len(tops & {*stint.line}) == 1 for stint in person.stints):
            continue  # these do not stand side by side
        parts = [
            evaluate(base, Question(at, at, at, Scope(team, member)), {}, Heard()).whole.root
            for team in tops
        ]
        whole = lines(base, at)[member]
        assert sum((root.expected for root in parts), Fraction(0)) == whole[base.plan.root.key]
