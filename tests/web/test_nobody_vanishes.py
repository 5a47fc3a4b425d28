"""Whoever is mapped or moved, whenever: members make up teams, teams and nobody the workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.engines import on_both
from tests.web.example import EVENTS, SETTINGS, START, call, deal
from tests.web.service import Service, started

pytestmark = on_both

PEOPLE = ("sato", "suzuki", "tanaka")
TEAMS = ("east", "north", "west")  # north is below east
EXTENSIONS = ("301", "302", "303")
DAYS = [f"2026-12-{day:02d}" for day in (1, 3, 4, 8, 11, 14)]
SPLITS = (("1",), ("0.5", "0.5"), ("0.7", "0.3"), ("0.2", "0.3", "0.5"))
WINS = {
    "names": {"en": "Wins"}, "kind": "deal", "aggregation": "count", "time": "won_at",
    "roles": ["owner"], "where": [{"field": "status", "in": ["won"]}], "credit": "shared",
}  # fmt: skip
PLAN: dict[str, Any] = {
    "name": "December",
    "period": {"month": "2026-12"},
    "funnel": [{"metric": "wins", "target": "9"}, {"metric": "calls", "rate": "0.5"}],
}
ASSIGNED = {"east": {"east", "north"}, "both": set(TEAMS)}

METRICS = ("calls", "wins")

_people, _teams, _days = (st.sampled_from(some) for some in (PEOPLE, TEAMS, DAYS))
Stay = tuple[str, str | None, str | None]  # what, from, to


@dataclass(frozen=True)
class Part:
    """Somebody's share of one activity, as the sender named the person."""

    metric: str
    day: str
    who: str
    share: Fraction


def at(stays: Iterable[Stay], day: str) -> str | None:
    """What holds on a day, of half-open stays. Dates sort as text."""
    for what, first, until in stays:
        if (first is None or first <= day) and (until is None or day < until):
            return what
    return None


def summed(parts: Iterable[Part], by: Callable[[Part], Hashable]) -> dict[Any, Fraction]:
    found: Counter[Any] = Counter()
    for part in parts:
        found[by(part)] += part.share  # type: ignore[assignment] # a counter of fractions
    return dict(found)


class Company(RuleBasedStateMachine):
    """Calls and shared deals come and change; extensions are mapped, people moved, in the past."""

    @initialize()
    def begin(self) -> None:
        self.running = started(START)
        self.service: Service = self.running.__enter__()
        self.parts: dict[str, list[Part]] = {}
        self.known: dict[str, list[Stay]] = {extension: [] for extension in EXTENSIONS}
        self.stays: dict[str, list[Stay]] = {who: [("east", None, None)] for who in PEOPLE}
        self.revision = 0
        self.service.replace("/v1/workspace", SETTINGS)
        for path, body in (
            ("/v1/teams/east", {"name": "e"}),
            ("/v1/teams/north", {"name": "n", "parents": [{"team": "east"}]}),
            ("/v1/teams/west", {"name": "w"}),
            *((f"/v1/members/{who}", self.document(who)) for who in PEOPLE),
            ("/v1/sources/crm", EVENTS),
            ("/v1/metrics/wins", WINS),
            ("/v1/plans/all", PLAN),
            *(
                (f"/v1/plans/{plan}", PLAN | {"assignments": [{"team": team} for team in teams]})
                for plan, teams in (("east", ["east"]), ("both", ["east", "west"]))
            ),
        ):  # fmt: skip
            answer = self.service.put(path, body)
            assert answer.status_code == 201, answer.text

    def teardown(self) -> None:
        if hasattr(self, "revision"):
            try:
                assert self.service.mismatches() == []
            finally:
                self.running.__exit__(None, None, None)

    def document(self, who: str) -> dict[str, Any]:
        return {
            "name": who,
            "memberships": [dated({"team": team}, a, b) for team, a, b in self.stays[who]],
            "identities": [
                dated({"source": "crm", "kind": "extension", "value": extension}, a, b)
                for extension, stays in self.known.items()
                for member, a, b in stays
                if member == who
            ],
        }

    def save(self, *people: str) -> None:
        for who in people:
            self.service.replace(f"/v1/members/{who}", self.document(who))

    def send(self, event: dict[str, Any], parts: list[Part]) -> None:
        self.revision += 1
        event |= {"revision": str(self.revision), "retracted": not parts}
        self.service.post_events([event, event])
        self.parts[event["id"]] = parts

    @rule(key=st.integers(0, 5), who=st.sampled_from((*EXTENSIONS, "999")), day=_days,
          stands=st.sampled_from((True, True, True, False)))  # fmt: skip
    def report_call(self, key: int, who: str, day: str, *, stands: bool) -> None:
        parts = [Part("calls", day, who, Fraction(1))] if stands else []
        self.send(call(key, who, at=f"{day}T00:00:00+09:00"), parts)

    @rule(key=st.integers(0, 5), split=st.sampled_from(SPLITS), day=_days,
          order=st.permutations((*EXTENSIONS, "999")))  # fmt: skip
    def report_deal(self, key: int, split: tuple[str, ...], day: str, order: list[str]) -> None:
        shared = list(zip(order, split, strict=False))
        event = deal(
            key, won_at=f"{day}T00:00:00+09:00",
            credits=[{"identity": who, "share": share} for who, share in shared],
        )  # fmt: skip
        self.send(event, [Part("wins", day, who, Fraction(share)) for who, share in shared])

    @rule(extension=st.sampled_from(EXTENSIONS), people=st.permutations(PEOPLE),
          days=st.lists(_days, unique=True, max_size=2).map(sorted),
          last=st.booleans())  # fmt: skip
    def map_anew(self, extension: str, people: list[str], days: list[str], *, last: bool) -> None:
        """From hand to hand on some days; before the first or after the last perhaps nobody's."""
        edges = [None, *days, None] if last or len(days) < 2 else days
        self.forget(extension)  # what one gives up before another has it
        stays = zip(people, pairwise(edges), strict=False)
        self.known[extension] = [(who, *pair) for who, pair in stays]
        self.save(*(who for who, *_ in self.known[extension]))

    @rule(extension=st.sampled_from(EXTENSIONS))
    def forget(self, extension: str) -> None:
        known, self.known[extension] = self.known[extension], []
        self.save(*(who for who, *_ in known))

    @rule(who=_people, before=_teams, after=_teams, day=_days, gap=_days)
    def move(self, who: str, before: str, after: str, day: str, gap: str) -> None:
        """On a day of the past, perhaps without a team for some days."""
        self.stays[who] = [(before, None, min(day, gap)), (after, max(day, gap), None)]
        self.save(who)

    def member(self, part: Part) -> str | None:
        return at(self.known.get(part.who, ()), part.day)

    def team(self, part: Part) -> str | None:
        who = self.member(part)
        return at(self.stays[who], part.day) if who else None

    @invariant()
    def everybody_is_somewhere(self) -> None:
        if not hasattr(self, "revision"):
            return
        everything = [part for parts in self.parts.values() for part in parts]
        own = {name: [one for one in everything if one.metric == name] for name in METRICS}
        whose = (("member", self.member), ("team", self.team), ("actor", lambda one: one.who))
        whole = self.service.progress("all").body["root"]
        for metric, parts in own.items():
            for by, of in whose:
                assert self.series(metric, by) == summed(parts, of)
            assert self.series(metric, None) == summed(parts, lambda _: None)
            actual = Fraction(goal_of(whole, metric)["actual"])
            assert actual == sum(part.share for part in parts)
        for plan in ASSIGNED:
            self.assert_adds_up(plan, own)

    def series(self, metric: str, by: str | None) -> dict[Any, Fraction]:
        query = f"from=2026-12-01&{f'group_by={by}' if by else ''}".rstrip("&")
        items = self.service.get(f"/v1/metrics/{metric}/series?{query}").json()["items"]
        groups = [item[by] if by else None for item in items]
        names = [one["identity"] if isinstance(one, dict) else one for one in groups]
        assert len(set(names)) == len(names)
        return dict(zip(names, (Fraction(item["value"]) for item in items), strict=True))

    def assert_adds_up(self, plan: str, own: dict[str, list[Part]]) -> None:
        """Each of the three parts, each person's and each team's are the recount's."""
        by_member = self.service.progress(plan, breakdown="member").body
        by_team = self.service.progress(plan, breakdown="team").body
        for metric, parts in own.items():
            whole = goal_of(by_member["root"], metric)
            expected = summed(parts, lambda part: self.standing(part, ASSIGNED[plan]))
            for name in ("actual", "unassigned", "outside_plan"):
                assert Fraction(whole[name]) == expected.get(name, 0), name
            inside = [one for one in parts if self.standing(one, ASSIGNED[plan]) == "actual"]
            assert shown(by_member, "member", metric) == summed(inside, self.member)
            direct = summed(inside, self.team)
            below = {"east": direct.get("north", 0)}
            teams = {team: direct.get(team, 0) + below.get(team, 0) for team in TEAMS}
            assert shown(by_team, "team", metric) == {k: v for k, v in teams.items() if v}

    def standing(self, part: Part, teams: set[str]) -> str:
        if self.member(part) is None:
            return "unassigned"
        return "actual" if self.team(part) in teams else "outside_plan"


def shown(body: dict[str, Any], by: str, metric: str) -> dict[str, Fraction]:
    """What each part of a breakdown did; those who did nothing left out."""
    found = {
        one["scope"][by]: Fraction(goal_of(one["root"], metric)["actual"])
        for one in body["breakdown"]
    }
    return {who: number for who, number in found.items() if number}


def goal_of(root: dict[str, Any], metric: str) -> Any:
    return next(goal for goal in goals(root) if goal["metric"] == metric)


def goals(goal: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield goal
    for child in goal["children"]:
        yield from goals(child)


def dated(what: dict[str, Any], first: str | None, until: str | None) -> dict[str, Any]:
    return what | {"from": first, "to": until}


_SETTINGS = settings(
    max_examples=3,
    stateful_step_count=7,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_members_make_up_teams_and_teams_and_nobody_the_workspace_whoever_moved_when() -> None:
    run_state_machine_as_test(Company, settings=_SETTINGS)
