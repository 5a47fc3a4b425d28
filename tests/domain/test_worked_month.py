"""December 2026, worked by hand: every figure that people agreed on before there was code."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from app.domain.attribution import Actor, ActorTotal, Grain, counted, segments
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.freshness import source_of
from app.domain.ground import blueprint
from app.domain.instants import instant
from app.domain.progress import GoalProgress, Progress, Scope, Verdict
from app.domain.quantities import written
from app.domain.scopes import Breakdown
from tests.domain.worlds import FUNNEL, december, values

AS_OF = "2026-12-14T18:00:00+09:00"
GOALS = ["revenue", "deals_won", "appointments", "calls"]
ACTORS = {
    n: Actor(*who)
    for n, who in enumerate(
        (source, text)
        for key, extension in (("sato", "301"), ("suzuki", "302"), ("tanaka", "305"))
        for source, text in (("zoom", extension), ("hubspot", f"{key}@example.co.jp"))
    )
}
ROWS = [
    ActorTotal("calls", "", 0, 90, 0),
    ActorTotal("calls", "", 2, 88, 0),
    ActorTotal("calls", "", 4, 84, 0),
    ActorTotal("appointments", "", 1, 20, 0),
    ActorTotal("appointments", "", 3, 18, 0),
    ActorTotal("appointments", "", 5, 16, 0),
    ActorTotal("deals_won", "", 1, 1, 0),
    ActorTotal("revenue", "JPY", 1, 1, 380_000),
]
HEARD = Heard(
    (
        source_of("hubspot", {"counts": ["deal", "meeting"], "expect": {"every": "PT24H"}}),
        source_of("zoom", {"counts": ["call"], "expect": {"every": "PT2H"}}),
    ),
    dict.fromkeys(("hubspot", "zoom"), instant("2026-12-14T17:40:00+09:00")),
)


def read(as_of: str = AS_OF, rows: list[ActorTotal] = ROWS, **question: Any) -> Progress:
    changes = question.pop("plan", {})
    base, at = december(**changes), instant(as_of)
    cuts = segments(base.plan, base.people, base.workspace.calendar, at)
    amounts = counted(base.plan, base.people, base.persons, ACTORS, [(cuts[0], rows)])
    return evaluate(base, Question(at, at, at, **question), amounts, HEARD)


def figures(tree: GoalProgress, *names: str) -> dict[str, tuple[str | None, ...]]:
    def text(value: Fraction | None) -> str | None:
        return None if value is None else written(value)

    return {g.key: tuple(text(getattr(g, name)) for name in names) for g in tree.walk()}


def test_the_plan_needs_5_deals_100_appointments_and_500_calls_in_20_days() -> None:
    made = blueprint(december())
    assert made.working_days == 20
    needed = ["2000000", "5", "100", "500"]
    assert [written(goal.target) for goal in made.goals.values()] == needed
    assert [written(goal.display) for goal in made.goals.values()] == needed
    assert list(made.goals) == GOALS


def test_each_persons_share_is_exact_and_what_is_shown_adds_up() -> None:
    split = blueprint(december()).split
    exact = {m: [written(goals[g].target) for g in GOALS] for m, goals in split.items()}
    shown = {m: [written(goals[g].display) for g in GOALS] for m, goals in split.items()}
    assert exact == {
        "sato": ["689655.172414", "1.724138", "34.482759", "172.413793"],
        "suzuki": ["689655.172414", "1.724138", "34.482759", "172.413793"],
        "tanaka": ["620689.655172", "1.551724", "31.034483", "155.172414"],
    }
    assert shown == {
        "sato": ["689655", "2", "35", "173"],
        "suzuki": ["689655", "2", "34", "172"],
        "tanaka": ["620690", "1", "31", "155"],
    }


def test_the_tenth_working_day_is_read_as_it_was_worked_by_hand() -> None:
    whole = read(scope=Scope(team="east")).whole
    days = whole.working_days
    assert values(days.total, days.elapsed, days.remaining) == (20, 10, 10)
    assert figures(
        whole.root, "target", "actual", "expected", "attainment", "pace", "gap", "required_per_day"
    ) == {
        "revenue": (
            "2000000",
            "380000",
            "1034482.758621",
            "0.19",
            "0.367333",
            "-654482.758621",
            "162000",
        ),
        "deals_won": ("5", "1", "2.586207", "0.2", "0.386667", "-1.586207", "0.4"),
        "appointments": ("100", "54", "51.724138", "0.54", "1.044", "2.275862", "4.6"),
        "calls": ("500", "262", "258.62069", "0.524", "1.013067", "3.37931", "23.8"),
    }
    assert figures(whole.root, "target_display") == {
        "revenue": ("2000000",),
        "deals_won": ("5",),
        "appointments": ("100",),
        "calls": ("500",),
    }
    assert [goal.verdict for goal in whole.root.walk()] == [
        Verdict.OFF_TRACK,
        Verdict.AT_RISK,
        Verdict.ON_TRACK,
        Verdict.ON_TRACK,
    ]
    rates = [
        (g.rate.assumed, written(g.rate.observed or 0), g.rate.sample)
        for g in whole.root.walk()
        if g.rate
    ]
    assert rates == [
        (400_000, "380000", 1),
        (Fraction("0.05"), "0.018519", 54),
        (Fraction("0.2"), "0.206107", 262),
    ]
    assert all(
        goal.deadline.isoformat() == "2027-01-01T00:00:00+09:00" for goal in whole.root.walk()
    )
    assert all(goal.freshness.state == "fresh" for goal in whole.root.walk())
    assert [goal.reasons for goal in whole.root.walk()][2:] == [(), ()]
    assert whole.name == "東日本チーム"


def test_the_whole_plan_and_its_only_team_are_the_same_numbers() -> None:
    assert read().whole.root == read(scope=Scope(team="east")).whole.root
    assert read().whole.name == "December new business"


def test_on_friday_morning_eight_days_of_work_are_expected() -> None:
    root = read("2026-12-11T09:00:00+09:00").whole.root
    assert figures(root, "expected")["calls"] == ("206.896552",)
    assert figures(root, "expected")["revenue"] == ("827586.206897",)


def test_the_members_add_up_to_the_team() -> None:
    progress = read(breakdown=Breakdown.MEMBER)
    assert [entry.scope.member for entry in progress.breakdown] == ["sato", "suzuki", "tanaka"]
    members = [list(entry.root.walk()) for entry in progress.breakdown]
    for n, goal in enumerate(progress.whole.root.walk()):
        for name in ("target", "target_display", "actual", "expected", "gap", "next_period"):
            assert sum(getattr(m[n], name) for m in members) == getattr(goal, name), name


def test_sato_owes_what_is_left_over_the_own_remaining_days() -> None:
    sato = read("2026-12-15T09:00:00+09:00", scope=Scope(member="sato")).whole
    needed = figures(sato.root, "required_per_day")
    assert (needed["calls"], needed["appointments"]) == (("8.241379",), ("1.448276",))
    assert sato.working_days.remaining == 10
    tanaka = read("2026-12-15T09:00:00+09:00", scope=Scope(member="tanaka")).whole
    assert values(tanaka.working_days.total, tanaka.working_days.remaining) == (18, 8)
    assert tanaka.name == "Tanaka"


def test_a_lag_of_14_calendar_days_brings_the_deadline_and_the_expectation_forward() -> None:
    stages: list[dict[str, Any]] = [dict(stage) for stage in FUNNEL]
    stages[2] |= {"lag_days": 14}
    whole = read(plan={"funnel": stages, "assignments": []}).whole
    goals = {goal.key: goal for goal in whole.root.walk()}
    assert goals["appointments"].deadline.isoformat() == "2026-12-18T00:00:00+09:00"
    assert written(goals["appointments"].expected) == "76.923077"
    assert written(goals["deals_won"].expected) == "2.5"


def test_half_of_today_is_expected_at_half_past_one() -> None:
    root = read("2026-12-14T13:30:00+09:00").whole.root
    assert written(root.expected) == written(Fraction(2_000_000) * Fraction("28.5") / 58)
    assert written(root.required_per_day or 0) == written(Fraction(1_620_000) / Fraction("10.5"))


@pytest.mark.parametrize(
    ("as_of", "ends"),
    [
        (AS_OF, ["2026-12-14", "2026-12-15"]),
        ("2026-12-14T00:00:00+09:00", ["2026-12-14"]),
        ("2026-12-01T00:00:00+09:00", []),
        ("2026-11-01T00:00:00+09:00", []),
        ("2026-12-01T00:00:00.000001+09:00", ["2026-12-02"]),
        ("2027-01-01T00:00:00+09:00", ["2027-01-01"]),
        ("2027-03-01T12:00:00+09:00", ["2027-01-01"]),
    ],
)
def test_segments_cover_the_period_up_to_the_moment(as_of: str, ends: list[str]) -> None:
    base = december()
    found = segments(base.plan, base.people, base.workspace.calendar, instant(as_of))
    assert [segment.span.until for segment in found] == [date.fromisoformat(end) for end in ends]
    running = [segment for segment in found if segment.grain is Grain.QUARTERS]
    assert len(running) == (as_of in (AS_OF, "2026-12-01T00:00:00.000001+09:00"))
    for before, after in pairwise(found):
        assert before.span.until == after.span.first


@pytest.mark.parametrize(
    ("as_of", "change"),
    [
        ("2026-11-20T12:00:00+09:00", "2026-12-01T09:01:00+09:00"),
        ("2026-12-14T12:00:00+09:00", "2026-12-14T12:01:00+09:00"),
        ("2026-12-14T18:00:00+09:00", "2026-12-15T09:01:00+09:00"),
        ("2026-12-28T18:00:00+09:00", "2027-01-01T00:00:00+09:00"),
        ("2027-01-01T00:00:00+09:00", "2027-01-04T11:00:00.000001+09:00"),
        ("2027-02-01T00:00:00+09:00", None),
    ],
)
def test_the_answer_says_when_time_alone_will_change_it(as_of: str, change: str | None) -> None:
    base, at = december(), instant(as_of)
    last = instant("2026-12-28T18:00:00+09:00")
    zoom = source_of("zoom", {"counts": ["call"], "expect": {"every": "PT2H"}})
    other = source_of(
        "other", {"counts": ["lead"], "expect": {"every": "PT1S", "within": "always"}}
    )
    heard = Heard((zoom, other), {"zoom": last, "other": last})
    progress = evaluate(base, Question(at, at, at), {}, heard)
    shown = progress.next_change_at
    assert (shown and shown.isoformat()) == change


def test_the_envelope_says_what_was_asked() -> None:
    progress = read()
    assert (progress.workspace, progress.time_zone) == ("example", "Asia/Tokyo")
    assert progress.as_of.isoformat() == AS_OF
    assert progress.known_at == progress.generated_at == progress.as_of
    reference = progress.plan
    assert (reference.key, reference.alias, reference.version) == ("2026-12-new", "2026-12-new", 1)
    assert progress.breakdown == ()
