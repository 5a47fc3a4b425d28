"""Whoever is mapped or moved, whenever: members make up teams, teams and nobody the workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, settings
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
ASSIGNED = {"east": {"east", "north"}, "west": {"west"}, "both": set(TEAMS), "all": None}

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
                for plan, teams in (
                    ("east", ["east"]), ("west", ["west"]), ("both", ["east", "west"]),
                )
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
    def map_anew(
        self, extension: str, people: list[str], days: list[str], *, last: bool
    ) -> None:
        """From hand to hand on some days; before the first or after the last perhaps nobody's."""
        edges = [None, *days, None] if last or len(days) < 2 else days
        pairs = zip(edges, edges[1:], strict=False)
        self.known[extension] = []
        self.save(*PEOPLE)  # what one gives up before another has it
        self.known[extension] = [(who, *pair) for who, pair in zip(people, pairs, strict=False)]
        self.save(*PEOPLE)

    @rule(extension=st.sampled_from(EXTENSIONS))
    def forget(self, extension: str) -> None:
        self.known[extension] = []
        self.save(*PEOPLE)

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
        for metric in ("calls", "wins"):
            own = [part for parts in self.parts.values() for part in parts if part.metric == metric]
            whose = (("member", self.member), ("team", self.team), ("actor", lambda one: one.who))
            for by, of in whose:
                assert self.series(metric, by) == summed(own, of)
            total = self.series(metric, None)
            assert total == summed(own, lambda _: None)
            for plan in ASSIGNED:
                self.assert_adds_up(plan, metric, own)

    def series(self, metric: str, by: str | None) -> dict[Any, Fraction]:
        query = f"from=2026-12-01&{f'group_by={by}' if by else ''}".rstrip("&")
        items = self.service.get(f"/v1/metrics/{metric}/series?{query}").json()["items"]
        groups = [item[by] if by else None for item in items]
        names = [one["identity"] if isinstance(one, dict) else one for one in groups]
        assert len(set(names)) == len(names)
        return dict(zip(names, (Fraction(item["value"]) for item in items), strict=True))

    def assert_adds_up(self, plan: str, metric: str, own: list[Part]) -> None:
        """Each of the three parts, and each person's and team's, is the recount's."""
        teams = ASSIGNED[plan]

        def standing(part: Part) -> str:
            if self.member(part) is None:
                return "actual" if teams is None else "unassigned"
            return "actual" if teams is None or self.team(part) in teams else "outside_plan"

        whole, shown = self.tree(plan, metric, "member")
        expected = summed(own, standing)
        if teams is not None:
            for name in ("actual", "unassigned", "outside_plan"):
                assert Fraction(whole[name]) == expected.get(name, 0), name
        else:
            assert Fraction(whole["actual"]) == sum(expected.values())
        inside = [part for part in own if self.member(part) and standing(part) == "actual"]
        mine = summed(inside, self.member)
        for who, goal in shown.items():
            assert Fraction(goal["actual"]) == mine.pop(who, 0), who
        assert mine == {} or teams is None
        _, shown = self.tree(plan, metric, "team")
        direct = summed(inside, self.team)
        for team, goal in shown.items():
            below = direct.get("north", 0) if team == "east" else 0
            assert Fraction(goal["actual"]) == direct.get(team, 0) + below, team
        if teams is not None:
            assert {team for team, sums in direct.items() if sums} <= set(shown)

    def tree(self, plan: str, metric: str, by: str) -> tuple[Any, dict[str, Any]]:
        body = self.service.progress(plan, breakdown=by).body
        shown = {one["scope"][by]: goal_of(one["root"], metric) for one in body["breakdown"]}
        return goal_of(body["root"], metric), shown


def goal_of(root: dict[str, Any], metric: str) -> Any:
    return next(goal for goal in goals(root) if goal["metric"] == metric)


def goals(goal: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield goal
    for child in goal["children"]:
        yield from goals(child)


def dated(what: dict[str, Any], first: str | None, until: str | None) -> dict[str, Any]:
    return what | {"from": first, "to": until}


_SETTINGS = settings(
    max_examples=4,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_members_make_up_teams_and_teams_and_nobody_the_workspace_whoever_moved_when() -> None:
    run_state_machine_as_test(Company, settings=_SETTINGS)
