"""The evaluator against a recount that walks every activity and every person day by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.allocation import split
from app.domain.attribution import Actor, ActorTotal, Segment, counted, segments
from app.domain.directory import directory
from app.domain.errors import Invalid, NotFound
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.ground import Ground, blueprint, ground
from app.domain.instants import instant
from app.domain.metrics import Metric
from app.domain.pacing import required_per_day
from app.domain.people import Absence, Identity, IdentityKind, Member, Membership, Parent, Team
from app.domain.plans import Assignment, Unassigned, plan_of
from app.domain.presets import PRESETS
from app.domain.progress import Excluded, GoalProgress, Progress, Scope, ScopedProgress, Verdict
from app.domain.quantities import rounded_up
from app.domain.scopes import Breakdown
from app.domain.spans import Span
from tests.domain.worlds import december, east, plan_document, values, workspace

FIRST, UNTIL = date(2026, 12, 1), date(2026, 12, 15)
DAYS = [FIRST + timedelta(n) for n in range(14)]
HALF = Fraction(1, 2)
TEAMS = "abc"
WORKSPACE = workspace(calendar={"closures": [{"from": "2026-12-10", "to": "2026-12-11"}]})


@dataclass(frozen=True)
class Event:
    """One activity: a call or an appointment, in the morning or at night."""

    metric: str
    day: date
    night: bool
    actor: int


@dataclass(frozen=True)
class World:
    base: Ground
    actors: Mapping[int, Actor]
    events: tuple[Event, ...]


def between(first: int, until: int) -> Span:
    return Span(FIRST + timedelta(first), FIRST + timedelta(until))


cut = st.integers(0, 14)
weight = st.sampled_from([Fraction(1), Fraction(2), HALF])


@st.composite
def worlds(draw: st.DrawFn, metrics: Mapping[str, Metric] = PRESETS) -> World:
    turn = FIRST + timedelta(draw(cut))
    above = draw(st.sampled_from([(), (Parent("c"),), (Parent("c", Span(turn)),)]))
    teams = [Team("a", "A", above), Team("b", "B", (Parent("c"),)), Team("c", "C")]
    owners = {f"x{n}": _owners(draw) for n in range(4)}
    members = [_member(draw, n, owners) for n in range(4)]
    named = draw(st.sets(st.sampled_from("abc0123"), min_size=1, max_size=3))
    assignments = tuple(
        Assignment(who, None, draw(weight))
        if who in TEAMS
        else Assignment(None, f"m{who}", draw(weight))
        for who in sorted(named)
    )
    document = plan_document(
        period={"start": FIRST.isoformat(), "end": UNTIL.isoformat()},
        funnel=[
            {"metric": "appointments", "target": draw(st.sampled_from(["10", "7.3", "1"]))},
            {"metric": "calls", "rate": "0.3", "lag_days": draw(st.integers(0, 13))},
        ],
        assignments=None,
    )
    made = replace(
        plan_of("p", document, WORKSPACE, metrics),
        assignments=assignments,
        unassigned=draw(st.sampled_from(Unassigned)),
    )
    texts = [*owners, "stranger", ""]
    event = st.builds(
        Event,
        st.sampled_from(["calls", "appointments"]),
        st.sampled_from(DAYS),
        st.booleans(),
        st.integers(0, len(texts) - 1),
    )
    events = tuple(draw(st.lists(event, max_size=40)))
    base = ground(WORKSPACE, made, 1, directory(teams, members))
    return World(base, {n: Actor("s", text) for n, text in enumerate(texts)}, events)


def _owners(draw: st.DrawFn) -> tuple[int, int, int]:
    before, after, *_ = draw(st.permutations(range(4)))
    return draw(cut), before, after


def _member(draw: st.DrawFn, n: int, owners: Mapping[str, tuple[int, int, int]]) -> Member:
    start, move, end = sorted(draw(st.tuples(cut, cut, cut)))
    stays = [
        (draw(st.sampled_from(TEAMS)), between(*span)) for span in ((start, move), (move, end))
    ]
    away = [
        Absence(between(first, first + 2), draw(st.sampled_from([HALF, Fraction(1)])))
        for first in draw(st.lists(st.integers(0, 12), max_size=3))
    ]
    return Member(
        f"m{n}",
        f"M{n}",
        draw(st.sampled_from([Fraction(1), HALF])),
        tuple(Membership(team, span) for team, span in stays if span.first < span.until),
        tuple(_identities(n, owners)),
        tuple(away),
    )


def _identities(n: int, owners: Mapping[str, tuple[int, int, int]]) -> Iterator[Identity]:
    for text, (day, before, after) in owners.items():
        if n == before:
            yield Identity("s", IdentityKind.ID, text, Span(until=FIRST + timedelta(day)))
        if n == after:
            yield Identity("s", IdentityKind.ID, text, Span(first=FIRST + timedelta(day)))


class Recount:
    """What the documents say, read day by day without any of the evaluator's shortcuts."""

    def __init__(self, world: World, day: date, share: Fraction) -> None:
        self.world, self.base, self.day, self.share = world, world.base, day, share
        plan = world.base.plan
        self.own = {a.member: a.weight for a in plan.assignments if a.member}
        self.teams = {a.team: a.weight for a in plan.assignments if a.team}
        self.members = world.base.people.members

    def who(self, actor: int, day: date) -> str | None:
        for member in self.members.values():
            for known in member.identities:
                if known.value == self.world.actors[actor].identity and day in known.span:
                    return member.key
        return None

    def line(self, member: str, day: date) -> list[str]:
        found = [m.team for m in self.members[member].memberships if day in m.span]
        while found:
            parents = [p.team for p in self.base.people.teams[found[-1]].parents if day in p.span]
            if not parents:
                break
            found += parents
        return found

    def weight(self, member: str, day: date) -> Fraction | None:
        if member in self.own:
            return self.own[member]
        return next((self.teams[t] for t in self.line(member, day) if t in self.teams), None)

    def effort(self, member: str, day: date) -> Fraction:
        if day.weekday() >= 5 or day == date(2026, 12, 10):
            return Fraction(0)
        away = sum(a.share for a in self.members[member].absences if day in a.span)
        return (self.weight(member, day) or Fraction(0)) * max(1 - away, Fraction(0))

    def efforts(self, member: str, until: date, scope: Scope = Scope()) -> Fraction:  # noqa: B008 - a frozen value
        days = (d for d in DAYS if d < until and self.inside(member, d, scope))
        return sum((self.effort(member, d) for d in days), Fraction(0))

    def inside(self, member: str, day: date, scope: Scope) -> bool:
        return (
            self.weight(member, day) is not None
            and scope.member in (None, member)
            and (scope.team is None or scope.team in self.line(member, day))
        )

    def shares(self) -> dict[str, Fraction]:
        loads = {m: self.efforts(m, UNTIL) * self.members[m].capacity for m in self.members}
        whole = sum(loads.values())
        return {m: load / whole if whole else Fraction(0) for m, load in loads.items()}

    def target(self, member: str, deadline: date, scope: Scope) -> Fraction:
        share = self.shares()[member]
        basis = deadline if self.efforts(member, deadline) else UNTIL
        if not self.efforts(member, basis):
            return Fraction(0)
        return share * self.efforts(member, basis, scope) / self.efforts(member, basis)

    def expected(self, member: str, deadline: date, scope: Scope) -> Fraction:
        if self.day >= deadline:
            return self.target(member, deadline, scope)
        own = self.efforts(member, deadline)
        if not own:
            return Fraction(0)
        done = self.efforts(member, self.day, scope)
        if self.day in DAYS and self.inside(member, self.day, scope):
            done += self.effort(member, self.day) * self.share
        return self.shares()[member] * done / own

    def counts(self, metric: str, scope: Scope, since: date = FIRST) -> dict[str, int]:
        found = {"in": 0, "unassigned": 0, "outside": 0}
        for event in self.world.events:
            if event.metric == metric and self.happened(event) and event.day >= since:
                member = self.who(event.actor, event.day)
                if member is None:
                    found["unassigned"] += 1
                elif self.weight(member, event.day) is None:
                    found["outside"] += 1
                elif self.inside(member, event.day, scope):
                    found["in"] += 1
        return found

    def happened(self, event: Event) -> bool:
        return event.day < self.day or (
            event.day == self.day and not event.night and self.share > 0
        )


def totals(world: World, recount: Recount, segment: Segment) -> list[ActorTotal]:
    found = [e for e in world.events if e.day in segment.span and recount.happened(e)]
    return [ActorTotal(e.metric, "", e.actor, 1, 0) for e in found]


def answered(world: World, day: date, share: Fraction, **question: Any) -> tuple[Progress, Recount]:
    recount, base = Recount(world, day, share), world.base
    clock = "13:30:00" if share else "00:00:00"
    at = instant(f"{day.isoformat()}T{clock}+09:00")
    cuts = segments(base.plan, base.people, WORKSPACE.calendar, at)
    rows = [(segment, totals(world, recount, segment)) for segment in cuts]
    amounts = counted(base.plan, base.people, base.persons, world.actors, rows)
    return evaluate(base, Question(at, at, at, **question), amounts, Heard()), recount


moments = st.tuples(st.sampled_from([*DAYS, UNTIL]), st.sampled_from([Fraction(0), HALF]))


def assert_recounted(world: World, recount: Recount, tree: ScopedProgress) -> None:
    plan, scope = world.base.plan, tree.scope
    inside = plan.unassigned is Unassigned.INSIDE and scope == Scope()
    for goal in tree.root.walk():
        deadline, whole = plan.deadlines[goal.key], plan.targets[goal.key]
        people = world.base.persons
        due = sum((recount.expected(m, deadline, scope) for m in people), Fraction(0))
        part = sum((recount.target(m, deadline, scope) for m in people), Fraction(0))
        assert goal.expected == whole * due
        assert goal.target == (whole if scope == Scope() else whole * part)
        seen, late = (
            recount.counts(goal.metric, scope),
            recount.counts(goal.metric, scope, deadline),
        )
        assert goal.actual == seen["in"] + (seen["unassigned"] if inside else 0)
        assert goal.next_period == late["in"] + (late["unassigned"] if inside else 0)
        assert values(goal.unassigned, goal.outside_plan) == (seen["unassigned"], seen["outside"])
        assert goal.gap == goal.actual - goal.expected


@settings(max_examples=50, deadline=None)
@given(worlds(), moments)
def test_every_tree_equals_a_recount_day_by_day(world: World, now: tuple[date, Fraction]) -> None:
    for breakdown in (Breakdown.MEMBER, Breakdown.TEAM):
        progress, recount = answered(world, *now, breakdown=breakdown)
        for tree in (progress.whole, *progress.breakdown):
            assert_recounted(world, recount, tree)


@settings(max_examples=30, deadline=None)
@given(worlds(), moments)
def test_nobody_vanishes(world: World, now: tuple[date, Fraction]) -> None:
    progress, recount = answered(world, *now, breakdown=Breakdown.MEMBER)
    for n, goal in enumerate(progress.whole.root.walk()):
        members = [list(entry.root.walk())[n] for entry in progress.breakdown]
        mine = sum((m.actual for m in members), Fraction(0))
        everything = sum(e.metric == goal.metric and recount.happened(e) for e in world.events)
        assert mine + goal.unassigned + goal.outside_plan == everything
        if any(world.base.shares.values()):
            assert sum(m.target for m in members) == goal.target
            assert sum(m.expected for m in members) == goal.expected
            assert sum(m.target_display for m in members) == goal.target_display
        for member in members:
            assert abs(member.target_display - member.target) < 1


@settings(max_examples=20, deadline=None)
@given(worlds(), moments)
def test_a_breakdown_entry_is_the_answer_for_that_scope_alone(
    world: World, now: tuple[date, Fraction]
) -> None:
    progress, _ = answered(world, *now, breakdown=Breakdown.TEAM)
    for entry in progress.breakdown:
        alone, _ = answered(world, *now, scope=entry.scope, breakdown=Breakdown.MEMBER)
        assert alone.whole == entry
        for n, goal in enumerate(entry.root.walk()):
            members = [list(member.root.walk())[n] for member in alone.breakdown]
            for name in ("target", "target_display", "actual", "expected", "next_period"):
                assert sum(getattr(m, name) for m in members) == getattr(goal, name), name


@settings(max_examples=20, deadline=None)
@given(worlds())
def test_expected_never_falls_and_is_the_target_at_the_deadline(world: World) -> None:
    runs: dict[str, list[Fraction]] = {}
    for now in [(day, share) for day in (*DAYS, UNTIL) for share in (Fraction(0), HALF)]:
        progress, _ = answered(world, *now)
        for goal in progress.whole.root.walk():
            runs.setdefault(goal.key, []).append(goal.expected)
            if now[0] >= world.base.plan.deadlines[goal.key] and any(world.base.shares.values()):
                assert goal.expected == goal.target
    assert all(run == sorted(run) for run in runs.values())


@given(
    quotas=st.lists(st.fractions(0, 1000, max_denominator=97), min_size=1, max_size=12),
    decimals=st.integers(0, 3),
)
def test_shown_shares_are_floor_or_ceiling_and_add_up(
    quotas: list[Fraction], decimals: int
) -> None:
    named = {f"m{n:02}": quota for n, quota in enumerate(quotas)}
    total, unit = rounded_up(sum(quotas, Fraction(0)), decimals), Fraction(1, 10**decimals)
    shown = split(total, named, decimals)
    assert sum(shown.values()) == total
    for key, quota in named.items():
        assert quota - unit < shown[key] < quota + unit
        assert shown[key] % unit == 0


def test_a_tie_goes_to_the_smaller_key() -> None:
    third = Fraction(1, 3)
    assert split(Fraction(1), {"c": third, "a": third, "b": third}, 0) == {"a": 1, "b": 0, "c": 0}
    assert list(split(Fraction(1), {"c": third, "a": third, "b": third}, 0)) == ["a", "b", "c"]


def at(text: str, base: Ground, rows: list[ActorTotal], **question: Any) -> Progress:
    actors = {0: Actor("zoom", "301"), 1: Actor("zoom", ""), 2: Actor("zoom", "999")}
    when = instant(text)
    cuts = segments(base.plan, base.people, base.workspace.calendar, when)
    data = [(cuts[0], rows)] if cuts else []
    amounts = counted(base.plan, base.people, base.persons, actors, data)
    return evaluate(base, Question(when, when, when, **question), amounts, Heard())


def calls(actor: int, number: int) -> ActorTotal:
    return ActorTotal("calls", "", actor, number, 0)


CALLS: dict[str, Any] = {"root": {"metric": "calls", "target": "100"}, "funnel": None}
MIDDLE, OVER = "2026-12-14T18:00:00+09:00", "2027-01-01T00:00:00+09:00"


@pytest.mark.parametrize(
    ("when", "number", "word"),
    [
        (MIDDLE, 100, Verdict.REACHED),
        (OVER, 100, Verdict.REACHED),
        (OVER, 99, Verdict.MISSED),
        # Half of 100 after half the days: reached with 0.497; with 49, 48, 43 and 42: 0.428, 0.360,
        # 0.108 and 0.079, by the law's definition, worked out beside the service.
        (MIDDLE, 50, Verdict.ON_TRACK),
        (MIDDLE, 49, Verdict.ON_TRACK),
        (MIDDLE, 48, Verdict.AT_RISK),
        (MIDDLE, 43, Verdict.AT_RISK),
        (MIDDLE, 42, Verdict.OFF_TRACK),
        (MIDDLE, 0, Verdict.OFF_TRACK),
        ("2026-12-01T08:00:00+09:00", 0, Verdict.NOT_STARTED),
        ("2026-12-01T08:00:00+09:00", 1, Verdict.ON_TRACK),
        ("2026-11-01T08:00:00+09:00", 0, Verdict.NOT_STARTED),
    ],
)
def test_the_verdict_is_the_first_word_that_fits(when: str, number: int, word: Verdict) -> None:
    base = december(None, **CALLS, assignments=[])
    assert at(when, base, [calls(0, number)]).whole.root.verdict is word


def reasons(goal: GoalProgress) -> list[str]:
    return [reason.code for reason in goal.reasons]


def test_every_null_says_why() -> None:
    base = december(assignments=[])
    early = at("2026-12-01T08:00:00+09:00", base, []).whole.root
    assert values(early.pace, early.rate and early.rate.observed) == (None, None)
    assert reasons(early) == ["nothing_expected_yet", "no_sample", "never_heard"]
    late = at("2026-12-28T18:00:00+09:00", base, []).whole.root
    assert late.required_per_day is None
    assert reasons(late) == ["no_days_left", "no_sample", "never_heard", "probability_below"]
    zero = december(root={"metric": "calls", "target": "0"}, funnel=None, assignments=[])
    nothing = at(MIDDLE, zero, []).whole.root
    assert values(nothing.attainment, nothing.verdict, nothing.required_per_day) == (
        None,
        Verdict.REACHED,
        0,
    )
    assert reasons(nothing) == ["target_zero", "nothing_expected_yet", "never_heard"]
    risky = at(MIDDLE, december(None, **CALLS, assignments=[]), [calls(0, 45)]).whole.root
    assert [dict(r.params) for r in risky.reasons if r.code == "probability_below"] == [
        {"threshold": "0.4"}
    ]


def test_a_plan_for_an_empty_team_has_a_target_and_nobody_to_carry_it() -> None:
    people = directory([*east().teams.values(), Team("new", "New")], east().members.values())
    base = december(people, assignments=[{"team": "new"}])
    root = at(MIDDLE, base, [calls(0, 5)]).whole.root
    assert values(root.target, root.expected, root.pace) == (2_000_000, 0, None)
    assert "nobody_carries_it" in reasons(root)
    assert blueprint(base).split == {}
    team = at(MIDDLE, base, [], scope=Scope(team="new")).whole
    assert values(team.name, team.root.target, team.root.target_display) == ("New", 0, 0)


def test_a_plan_without_assignments_is_the_whole_workspace() -> None:
    base = december(None, **CALLS, assignments=[])
    root = at(MIDDLE, base, [calls(0, 20), calls(1, 3), calls(2, 4)]).whole.root
    assert values(root.actual, root.unassigned, root.outside_plan, root.expected) == (27, 7, 0, 50)
    for question in (
        {"scope": Scope(team="east")},
        {"scope": Scope(member="sato")},
        {"breakdown": Breakdown.TEAM},
    ):
        with pytest.raises(Invalid, match="plan_has_no_assignments"):
            at(MIDDLE, base, [], **question)


def test_unassigned_work_stands_beside_the_plan_unless_it_is_asked_for() -> None:
    rows = [calls(0, 20), calls(2, 4)]
    beside = at(MIDDLE, december(None, **CALLS), rows).whole.root
    inside = at(MIDDLE, december(None, **CALLS, include_unassigned=True), rows).whole.root
    assert values(beside.actual, beside.unassigned) == (20, 4)
    assert values(inside.actual, inside.unassigned) == (24, 4)


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (Scope(team="west"), "team_not_in_plan"),
        (Scope(member="nobody"), "member_not_in_plan"),
        (Scope(team="east", member="nobody"), "member_not_in_plan"),
    ],
)
def test_whoever_is_not_in_the_plan_is_not_found(scope: Scope, code: str) -> None:
    with pytest.raises(NotFound) as missing:
        at(MIDDLE, december(), [], scope=scope)
    assert missing.value.code == code


def test_a_member_in_a_team_is_broken_down_by_the_own_teams_only() -> None:
    base = december(assignments=[{"team": "east"}, {"member": "sato"}])
    only = at(MIDDLE, base, [], scope=Scope(member="sato"), breakdown=Breakdown.TEAM)
    assert [entry.scope for entry in only.breakdown] == [Scope("east", "sato")]


def test_a_team_is_broken_down_into_itself_and_the_teams_below_it() -> None:
    tree = [
        Team("all", "All"),
        Team("east", "East", (Parent("all"),)),
        Team("west", "West", (Parent("all"),)),
    ]
    folk = [Member(key, key, memberships=(Membership(key),)) for key in ("east", "west")]
    base = december(directory(tree, folk), assignments=[{"team": "all"}])
    teams = {
        team: [
            e.scope.team
            for e in at(MIDDLE, base, [], scope=Scope(team), breakdown=Breakdown.TEAM).breakdown
        ]
        for team in (None, "all", "east")
    }
    assert teams == {
        None: ["all", "east", "west"],
        "all": ["all", "east", "west"],
        "east": ["east"],
    }


def test_money_in_other_currencies_is_listed_and_never_added() -> None:
    base = december(root={"metric": "revenue", "target": "100"}, funnel=None)
    rows = [
        ActorTotal("revenue", "JPY", 0, 1, 30),
        ActorTotal("revenue", "USD", 0, 2, 12_345),
        ActorTotal("revenue", "USD", 0, 1, 5),
        ActorTotal("revenue", "EUR", 0, 0, 0),
        ActorTotal("revenue", "KWD", 1, 1, 1),
    ]
    root = at(MIDDLE, base, rows).whole.root
    assert root.actual == 30
    assert root.excluded == (Excluded("USD", 3, Fraction("123.50")),)


def test_a_half_day_away_accrues_at_half_rate_all_day() -> None:
    absences = (Absence(Span(date(2026, 12, 14), date(2026, 12, 15)), HALF),)
    people = directory(east().teams.values(), [replace(east().members["sato"], absences=absences)])
    base = december(people, root={"metric": "calls", "target": "39"}, funnel=None)
    days = [
        at(f"2026-12-14T{hour}:00+09:00", base, []).whole.root.expected
        for hour in ("09:00", "13:30", "18:00")
    ]
    assert days == [18, Fraction("18.5"), 19]


def test_only_the_days_inside_the_assigned_membership_are_a_persons_own() -> None:
    joined = (Membership("east", Span(date(2026, 12, 14))),)
    people = directory(east().teams.values(), [replace(east().members["sato"], memberships=joined)])
    sato = at(MIDDLE, december(people), [], scope=Scope(member="sato")).whole
    assert values(sato.working_days.total, sato.working_days.elapsed) == (11, 1)


def test_a_person_in_the_plan_by_team_and_by_name_counts_once_with_the_own_weight() -> None:
    base = december(assignments=[{"team": "east"}, {"member": "sato", "weight": "2"}])
    assert base.shares == {
        "sato": Fraction(40, 78),
        "suzuki": Fraction(20, 78),
        "tanaka": Fraction(18, 78),
    }


def test_money_is_split_to_its_minor_unit() -> None:
    shown = split(Fraction("100.00"), dict.fromkeys("abc", Fraction(100, 3)), 2)
    assert shown == {"a": Fraction("33.34"), "b": Fraction("33.33"), "c": Fraction("33.33")}


def test_nothing_is_required_once_the_target_is_reached_even_without_days() -> None:
    assert required_per_day(Fraction(5), Fraction(5), Fraction(0)) == 0
    assert required_per_day(Fraction(5), Fraction(3), Fraction(0)) is None
    assert required_per_day(Fraction(5), Fraction(3), HALF) == 4


def test_a_person_who_moved_is_shown_in_two_teams_and_counted_once() -> None:
    halfway = date(2026, 12, 15)
    moves = (Membership("east", Span(until=halfway)), Membership("west", Span(halfway)))
    folk = [Member("mover", "M", memberships=moves), Member("stay", "S", memberships=moves[:1])]
    teams = [Team("east", "East"), Team("west", "West")]
    base = december(directory(teams, folk), **CALLS, assignments=[{"team": t.key} for t in teams])
    progress = at(MIDDLE, base, [], breakdown=Breakdown.TEAM)
    shown = {entry.scope.team: entry.root.target_display for entry in progress.breakdown}
    # 20 days of the mover and 10 of the other: shares of 66.7 and 33.3, the mover's one half each.
    assert shown == {"east": 67, "west": 33}
    assert sum(entry.root.target for entry in progress.breakdown) == 100
