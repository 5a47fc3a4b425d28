"""Progress over shared work, while people move between teams and identities change hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, JsonValue, Report, joined, make_report
from app.domain.attribution import ActorTotal, Segment, counted, segments
from app.domain.belonging import contributions
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.instants import QUARTER, instant
from app.domain.metrics import Credit
from app.domain.plans import Unassigned
from app.domain.presets import PRESETS
from app.domain.progress import Scope, ScopedProgress
from app.domain.revisions import of_number
from app.domain.scopes import Breakdown
from app.domain.tallies import cells
from tests.domain.test_evaluation import DAYS, UNTIL, WORKSPACE, Recount, World, worlds

METRICS = {
    key: replace(PRESETS[key], credit=Credit.SHARED) for key in ("appointments", "calls")
} | {key: metric for key, metric in PRESETS.items() if key not in {"appointments", "calls"}}
NAMES = ["x0", "x1", "x2", "x3", "stranger"]
_SPLITS = st.lists(st.integers(1, 999_999), max_size=3, unique=True)


@dataclass(frozen=True)
class Said:
    """What a revision says of an activity. Without parts it is all the owner's."""

    metric: str
    key: str
    revision: int
    day: date
    owner: str
    parts: tuple[tuple[str, int], ...]
    retracted: bool

    @property
    def stamp(self) -> tuple[str, str]:
        return self.metric, self.key

    def report(self) -> Report:
        at, role = ("booked_at", "booked_by"), ("started_at", "agent")
        when, who = at if self.metric == "appointments" else role
        kind = "meeting" if self.metric == "appointments" else "call"
        shared: list[JsonValue] = [
            {"identity": name, "share": f"{part / 10**6:.6f}"} for name, part in self.parts
        ]
        fields: dict[str, JsonValue] = {
            KIND: kind,
            RETRACTED: self.retracted,
            when: f"{self.day.isoformat()}T01:00:00Z",
            who: self.owner,
            "direction": "outbound",
        }
        if shared:
            fields["credits"] = shared
        return make_report("s", self.key, of_number(str(self.revision)), fields, full=True)


@st.composite
def _said(draw: st.DrawFn) -> Said:
    people = draw(st.permutations(NAMES))
    cuts = sorted(draw(_SPLITS))
    edges = [0, *cuts, 10**6] if cuts else []
    parts = [
        (name, end - start) for name, start, end in zip(people, edges, edges[1:], strict=False)
    ]
    metric = draw(st.sampled_from(["appointments", "calls"]))
    return Said(
        metric,
        f"{metric}-{draw(st.integers(0, 5))}",
        draw(st.integers(0, 10**6)),
        draw(st.sampled_from(DAYS)),
        draw(st.sampled_from([*NAMES, ""])),
        tuple(parts),
        draw(st.integers(0, 5)) == 0,
    )


histories = st.lists(
    _said(), max_size=25, unique_by=lambda one: (one.metric, one.key, one.revision)
)


def last_of(history: list[Said]) -> list[Said]:
    """What stands in the end."""
    found: dict[tuple[str, str], Said] = {}
    for one in sorted(history, key=lambda one: one.revision):
        found[one.stamp] = one
    return [one for one in found.values() if not one.retracted]


class Shares:
    """Who did how much of what, by fractions, person by person and day by day."""

    def __init__(self, world: World, recount: Recount, history: list[Said]) -> None:
        self._numbers = {actor.identity: number for number, actor in world.actors.items()}
        self._recount = recount
        self._parts = [
            (one.metric, name, one.day, Fraction(part, 10**6))
            for one in last_of(history)
            for name, part in (one.parts or ((one.owner, 10**6),))
            if one.day < recount.day
        ]

    def of(self, metric: str, scope: Scope) -> dict[str, Fraction]:
        found = dict.fromkeys(("in", "unassigned", "outside"), Fraction(0))
        for named, who, day, share in self._parts:
            if named == metric and (where := self._where(who, day, scope)):
                found[where] += share
        return found

    def _where(self, who: str, day: date, scope: Scope) -> str | None:
        member = self._recount.who(self._numbers[who], day) if who else None
        if member is None:
            return "unassigned"
        if self._recount.weight(member, day) is None:
            return "outside"
        return "in" if self._recount.inside(member, day, scope) else None

    def everything(self, metric: str) -> Fraction:
        return sum((share for named, _, _, share in self._parts if named == metric), Fraction(0))


def tallied(world: World, reports: list[Report]) -> list[tuple[int, ActorTotal]]:
    """What the tallies hold: a quarter hour, and an actor's sums in it."""
    numbers = {actor.identity: number for number, actor in world.actors.items()}
    piles: dict[str, list[Report]] = {}
    for report in reports:
        piles.setdefault(report.key, []).append(report)
    return [
        (cell.quarter, ActorTotal(cell.metric, cell.currency, numbers[cell.identity], *step))
        for pile in piles.values()
        for cell, step in cells(joined(pile), METRICS.values(), "JPY").items()
    ]


def within(rows: list[tuple[int, ActorTotal]], segment: Segment) -> list[ActorTotal]:
    calendar = WORKSPACE.calendar
    return [row for quarter, row in rows if calendar.local_day(quarter * QUARTER) in segment.span]


def by_key(tree: ScopedProgress) -> Mapping[str, Fraction]:
    return {goal.key: goal.actual for goal in tree.root.walk()}


@settings(max_examples=60, deadline=None)
@given(
    worlds(METRICS), histories, st.sampled_from([*DAYS, UNTIL]), st.randoms(use_true_random=False)
)
def test_shares_are_conserved_over_people_and_teams_whoever_moves(
    world: World, history: list[Said], day: date, dice: Any
) -> None:
    base, recount = world.base, Recount(world, day, Fraction(0))
    oracle = Shares(world, recount, history)
    reports = [one.report() for one in (*history, *history[:3])]
    dice.shuffle(reports)
    at = instant(f"{day.isoformat()}T00:00:00+09:00")
    rows = tallied(world, reports)
    cuts = segments(base.plan, base.people, WORKSPACE.calendar, at)
    found = [(one, within(rows, one)) for one in cuts]
    amounts = counted(base.plan, base.people, base.persons, world.actors, found)
    inside = base.plan.unassigned is Unassigned.INSIDE
    for breakdown in (Breakdown.MEMBER, Breakdown.TEAM):
        progress = evaluate(base, Question(at, at, at, breakdown=breakdown), amounts, Heard())
        for tree in (progress.whole, *progress.breakdown):
            for goal in tree.root.walk():
                seen = oracle.of(goal.metric, tree.scope)
                own = seen["unassigned"] if inside and tree.scope == Scope() else 0
                assert goal.actual == seen["in"] + own
                assert goal.unassigned == seen["unassigned"]
                assert goal.outside_plan == seen["outside"]
                if goal.rate is not None:
                    assert goal.rate.sample == by_key(tree)["calls"]
    members = evaluate(base, Question(at, at, at, breakdown=Breakdown.MEMBER), amounts, Heard())
    for goal in members.whole.root.walk():
        mine = sum((by_key(entry)[goal.key] for entry in members.breakdown), Fraction(0))
        whole = mine + goal.unassigned + goal.outside_plan
        assert whole == oracle.everything(goal.metric)
        owned = contributions(base, Scope(), amounts)
        assert sum((p for (_, key), p in owned.items() if key == goal.key), Fraction(0)) == (
            goal.actual
        )
