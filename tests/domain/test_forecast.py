"""Forecasts of people and teams: they agree with the whole's, and learn from history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribution import Actor, ActorTotal, Amount, counted, segments
from app.domain.directory import Directory, directory
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.experience import Experience, experience
from app.domain.ground import Ground
from app.domain.history import History, Single, months_before
from app.domain.instants import instant
from app.domain.people import member_of, team_of
from app.domain.progress import GoalProgress, Progress, Scope, ScopedProgress
from app.domain.scopes import WHOLE, Breakdown
from tests.domain.worlds import december, member_document

EXTENSIONS = {"a": "1", "b": "2", "c": "3", "d": "4"}
MIDDLE = "2026-12-14T18:00:00+09:00"


def four() -> Directory:
    """a and b in the east, c in the west, d goes from east to west on the 16th."""
    moved = member_document("d", "4") | {
        "memberships": [
            {"team": "east", "from": "2026-04-01", "to": "2026-12-16"},
            {"team": "west", "from": "2026-12-16", "to": None},
        ]
    }
    return directory(
        [
            team_of("all", {"name": "All"}),
            team_of("east", {"name": "East", "parents": [{"team": "all"}]}),
            team_of("west", {"name": "West", "parents": [{"team": "all"}]}),
        ],
        [
            member_of("a", member_document("a", "1")),
            member_of("b", member_document("b", "2")),
            member_of("c", member_document("c", "3", "west")),
            member_of("d", moved),
        ],
    )


def base(**changes: Any) -> Ground:
    return december(four(), **({"assignments": [{"team": "all"}]} | changes))


def seen(
    ground: Ground,
    done: Mapping[str, tuple[int, int, int, int]],
    breakdown: Breakdown = Breakdown.NONE,
    known: Experience | None = None,
    when: str = MIDDLE,
    scope: Scope = WHOLE,
) -> Progress:
    """A progress in which each extension has so many calls, appointments, deals, and revenue."""
    at = instant(when)
    actors = {n: Actor("zoom", e) for n, e in enumerate(EXTENSIONS.values())}
    rows = []
    for number, extension in enumerate(EXTENSIONS.values()):
        calls, appointments, deals, revenue = done.get(extension, (0, 0, 0, 0))
        rows += [
            ActorTotal("calls", "", number, calls, 0),
            ActorTotal("appointments", "", number, appointments, 0),
            ActorTotal("deals_won", "", number, deals, 0),
            ActorTotal("revenue", "JPY", number, deals, revenue),
        ]
    cuts = segments(ground.plan, ground.people, ground.workspace.calendar, at)
    amounts = counted(ground.plan, ground.people, ground.persons, actors, [(cuts[0], rows)])
    question = Question(at, at, at, scope, breakdown)
    return evaluate(ground, question, amounts, Heard(), None, known)


def goals(part: ScopedProgress) -> dict[str, GoalProgress]:
    return {goal.key: goal for goal in part.root.walk()}


COUNTS = st.tuples(
    st.integers(0, 200), st.integers(0, 60), st.integers(0, 6), st.integers(0, 3_000_000)
)


@given(st.fixed_dictionaries(dict.fromkeys(EXTENSIONS.values(), COUNTS)))
def test_the_means_of_people_and_of_teams_add_up_to_the_plans(
    done: dict[str, tuple[int, int, int, int]],
) -> None:
    ground = base()
    whole = goals(seen(ground, done).whole)
    people = seen(ground, done, Breakdown.MEMBER).breakdown
    teams = [
        part for part in seen(ground, done, Breakdown.TEAM).breakdown if part.scope.team != "all"
    ]
    for key, goal in whole.items():
        assert goal.forecast is not None
        for parts in (people, teams):
            means = [found.mean for part in parts if (found := goals(part)[key].forecast)]
            assert float(sum(means)) == pytest.approx(float(goal.forecast.mean), rel=1e-9)


@given(st.fixed_dictionaries(dict.fromkeys(EXTENSIONS.values(), COUNTS)))
def test_every_forecast_is_in_order_and_begins_where_one_stands(
    done: dict[str, tuple[int, int, int, int]],
) -> None:
    progress = seen(base(), done, Breakdown.MEMBER)
    for part in (progress.whole, *progress.breakdown):
        for goal in part.root.walk():
            found = goal.forecast
            assert found is not None
            assert goal.actual <= found.low <= found.median <= found.high
            assert 0 <= found.probability <= 1
            assert (found.probability * 100).denominator == 1
            if goal.actual >= goal.target:
                assert found.probability == 1


def test_a_breakdown_entry_is_the_answer_for_that_scope_alone() -> None:
    done = {"1": (60, 12, 1, 400_000), "2": (20, 2, 0, 0), "4": (50, 9, 1, 250_000)}
    ground = base()
    for entry in seen(ground, done, Breakdown.MEMBER).breakdown:
        assert goals(seen(ground, done, scope=entry.scope).whole) == goals(entry)


def lived(
    per_day: Mapping[str, int], first: date = date(2026, 6, 1), amount: int = 300_000
) -> History:
    """History in which each person makes so many calls on each weekday, and wins on Fridays."""
    months = tuple(month for month in months_before(date(2026, 12, 1)) if month.first >= first)
    calls: dict[date, Amount] = {}
    wins: dict[date, Amount] = {}
    day = months[-1].first
    while day < date(2026, 12, 1):
        if day.weekday() < 5:
            calls[day] = Amount(sum(per_day.values()), 0)
        if day.weekday() == 4:
            wins[day] = Amount(1, amount)
        day += timedelta(1)
    recent = {member: Amount(number * 65, 0) for member, number in per_day.items()}
    singles = tuple(Single("a", 1, amount) for _ in range(17))
    return History(
        months, {"calls": calls, "revenue": wins}, {"calls": recent}, {"revenue": singles}
    )


def test_the_level_before_the_period_is_what_history_shows() -> None:
    """12 calls a day for half a year: about 12 more on each of the ten days that are left."""
    ground = base()
    known = experience(ground, lived({"a": 6, "b": 3, "c": 3, "d": 0}))
    level = known.levels["calls"].level
    assert level.dispersion == 1
    assert level.weeks == pytest.approx(0.01 * 4 / (4 + 30), rel=0.2)  # no week differed
    done = {"1": (60, 0, 0, 0), "2": (30, 0, 0, 0), "3": (30, 0, 0, 0)}
    forecast = goals(seen(ground, done, known=known).whole)["calls"].forecast
    assert forecast is not None
    assert float(forecast.mean) == pytest.approx(240, rel=0.05)
    plan_alone = goals(seen(ground, done).whole)["calls"].forecast
    assert plan_alone is not None
    assert forecast.high - forecast.low < plan_alone.high - plan_alone.low


def test_a_person_is_expected_to_bring_what_that_person_brought() -> None:
    ground = base()
    known = experience(ground, lived({"a": 6, "b": 3, "c": 3, "d": 0}))
    morning = "2026-12-01T09:00:00+09:00"
    people = seen(ground, {}, Breakdown.MEMBER, known, morning).breakdown
    means = {
        part.scope.member: float(found.mean)
        for part in people
        if (found := goals(part)["calls"].forecast)
    }
    assert means["a"] > 1.7 * means["b"] > 0
    assert means["b"] == pytest.approx(means["c"])
    assert 0 < means["d"] < 0.1 * means["b"]


def test_amounts_are_expected_to_be_what_they_were() -> None:
    """The plan assumes 400,000 yen a deal; seventeen were of 300,000."""
    known = experience(base(), lived({"a": 1}))
    forecast = goals(seen(base(), {}, known=known).whole)["revenue"].forecast
    assert forecast is not None
    assert forecast.median % 300_000 == 0


def test_what_is_late_for_the_goal_is_not_forecast_into_it() -> None:
    """Appointments are due 14 days before the end: 95 of 100 by then is where they end."""
    funnel = [
        {"metric": "deals_won", "target": "5"},
        {"metric": "appointments", "rate": "0.05", "lag_days": 14},
    ]
    ground = base(funnel=funnel)
    done = {"1": (0, 95, 0, 0)}
    late = goals(seen(ground, done, when="2026-12-21T18:00:00+09:00").whole)["appointments"]
    assert late.forecast is not None
    assert (late.forecast.median, late.forecast.probability) == (Fraction(95), Fraction(0))
