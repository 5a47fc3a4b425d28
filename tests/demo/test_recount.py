"""The recount finds every difference; its own figures are checked against pencil and paper."""

from __future__ import annotations

import copy
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from examples.demo.recount import Recount, _text, differences
from examples.demo.sample import Fact, Sample
from examples.demo.team import FUNNEL, PEOPLE, TEAMS, TOKYO, Absence, Period

# Monday 2026-06-01 to Monday 2026-07-06: five weeks without any holiday, 25 working days.
START = datetime(2026, 6, 1, tzinfo=TOKYO)
PERIOD = Period(START.date(), datetime(2026, 7, 6, tzinfo=TOKYO).date())
# Tuesday of the fourth week at half past one: 16 days and half of the 17th.
AS_OF = datetime(2026, 6, 23, 13, 30, tzinfo=TOKYO)


def sample(*facts: Fact, absences: tuple[Absence, ...] = ()) -> Sample:
    return Sample(PERIOD, absences, list(facts))


def calls(person: str, number: int) -> Fact:
    return Fact("calls", person, START.replace(hour=10), Fraction(number))


def document_of(recount: Recount) -> dict[str, Any]:
    """The progress document that agrees with a recount."""

    def scoped(people: Any, own: Any, **scope: str) -> dict[str, Any]:
        goal: dict[str, Any] | None = None
        for level in reversed(range(len(FUNNEL))):
            figures = recount.figures(level, people, own)
            display = -(-figures["target"] // 1) if not scope else figures["target"] // 1
            goal = {
                name: value if value is None or isinstance(value, dict) else _text(value)
                for name, value in figures.items()
            } | {
                "metric": FUNNEL[level][0],
                "target_display": str(display),
                "forecast": {"probability": "1"},
                "children": [goal] if goal else [],
            }
            rate = goal["rate"]
            if rate is not None:
                texts = {name: _text(value) for name, value in rate.items()}
                goal["rate"] = texts | {"sample": int(rate["sample"])}
        days = {name: _text(getattr(own, name)) for name in ("total", "elapsed", "remaining")}
        return {"scope": scope, "working_days": days, "root": goal}

    whole = scoped(recount.shares, recount.calendar)
    teams = [
        scoped([s for s in recount.shares if s.person.team == key], recount.calendar, team=key)
        for key in TEAMS
    ]
    return whole | {"as_of": AS_OF.isoformat(), "breakdown": teams}


def test_the_plan_is_worked_back_from_the_final_goal() -> None:
    recount = Recount(sample(), AS_OF)
    assert recount.targets == {
        "revenue": 2_000_000,
        "deals_won": 5,
        "appointments": 100,
        "calls": 2_000,
    }


def test_expected_and_required_follow_the_working_time() -> None:
    recount = Recount(sample(calls("sato", 1_400)), AS_OF)
    assert recount.calendar.total == 25
    assert recount.calendar.elapsed == Fraction(33, 2)
    figures = recount.figures(3, recount.shares, recount.calendar)
    assert figures["expected"] == 2_000 * Fraction(33, 50)
    assert figures["gap"] == 1_400 - 1_320
    assert figures["required_per_day"] == Fraction(600) / Fraction(17, 2)
    assert figures["verdict"] == "on_track"
    assert _text(figures["required_per_day"]) == "70.588235"


def test_a_half_day_is_half_of_everything_and_shifts_the_split() -> None:
    day = datetime(2026, 6, 3, tzinfo=TOKYO).date()
    half = Absence("sato", day, day.replace(day=4), Fraction(1, 2), "")
    recount = Recount(sample(absences=(half,)), AS_OF)
    (sato,) = [share for share in recount.shares if share.person.key == "sato"]
    assert sato.time.total == Fraction(49, 2)
    assert sato.time.elapsed == 16
    # 6 full people x 25 days, one at three quarters, and sato's 24.5 days.
    assert sato.part == Fraction(49, 2) / (6 * 25 + Fraction(75, 4) + Fraction(49, 2))
    assert sum(share.part for share in recount.shares) == 1


@pytest.mark.parametrize(
    ("number", "chance", "verdict"),
    [
        (2_000, "0", "reached"),
        (1_999, "0.4", "on_track"),
        (1_320, "0.39", "at_risk"),
        (1_320, "0.1", "at_risk"),
        (1_320, "0.09", "off_track"),
    ],
)
def test_verdicts_stand_at_their_limits(number: int, chance: str, verdict: str) -> None:
    recount = Recount(sample(calls("ito", number)), AS_OF)
    figures = recount.figures(3, recount.shares, recount.calendar, Fraction(chance))
    assert figures["verdict"] == verdict


def test_what_began_after_the_running_quarter_hour_does_not_count_yet() -> None:
    def at(minute: int) -> Fact:
        return Fact("calls", "ito", AS_OF.replace(hour=13, minute=minute))

    recount = Recount(sample(at(29), at(44), at(45)), AS_OF)
    assert recount.actual("calls", recount.shares) == 2


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every figure of a document that the recount knows."""
    unknown = {"scope", "metric", "as_of", "forecast"}
    if isinstance(value, dict):
        return [p for key in value if key not in unknown for p in paths(value[key], (*path, key))]
    if isinstance(value, list):
        return [p for n, item in enumerate(value) for p in paths(item, (*path, n))]
    # A team's displayed target is checked by nobody: the members' add up, the teams' follow.
    team_display = path[-1] == "target_display" and path[0] == "breakdown"
    return [] if value is None or team_display else [path]


def test_every_single_figure_that_differs_is_found() -> None:
    facts = [calls(person.key, 150) for person in PEOPLE]
    facts += [Fact("appointments", "sato", START), Fact("deals_won", "ito", START)]
    story = sample(*facts)
    document = document_of(Recount(story, AS_OF))
    assert differences(story, document) == []
    figures = paths(document)
    assert len(figures) > 150
    for path in figures:
        changed = copy.deepcopy(document)
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = "missed" if path[-1] == "verdict" else "123456.5"
        assert differences(story, changed) != [], path
