"""Progress through HTTP: its tag, and sums that hold however people move."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.web.example import PLAN, START, call, member, settle
from tests.web.service import Service, started

PROGRESS = "/v1/plans/december/progress"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def test_a_tag_holds_until_anything_moves(service: Service) -> None:
    tag: str = service.get(PROGRESS).headers["etag"]

    def status() -> int:
        nonlocal tag
        answer = service.client.get(PROGRESS, headers={"if-none-match": tag})
        tag = answer.headers["etag"]
        return int(answer.status_code)

    assert status() == 304
    service.post_events([call(1)])
    assert (status(), status()) == (200, 304)
    service.replace("/v1/members/suzuki", member("suzuki", capacity="0.5"))
    assert (status(), status()) == (200, 304)
    service.clock.set("2026-12-14T09:00:59+09:00")
    assert status() == 304
    service.clock.set("2026-12-14T09:01:00+09:00")
    assert (status(), status()) == (200, 304)
    japanese = service.client.get(PROGRESS, headers={"accept-language": "ja"})
    assert japanese.headers["etag"] != tag
    assert "Accept-Language" in japanese.headers["vary"]


def test_another_question_has_another_tag(service: Service) -> None:
    asked = ["", "?team=east", "?member=sato", "?breakdown=team", "?breakdown=member"]
    asked += ["?as_of=2026-12-11", "?as_of=2026-12-11T09:00:00%2B09:00"]
    tags = {service.get(PROGRESS + query).headers["etag"] for query in asked}
    assert len(tags) == len(asked)


def test_the_past_stays_as_it_was_while_the_clock_runs(service: Service) -> None:
    service.post_events([call(1)])
    past = f"{PROGRESS}?as_of=2026-12-11"
    first = service.get(past)
    service.clock.set("2026-12-14T17:00:00+09:00")
    again = service.client.get(past, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    moving = ("generated_at", "known_at")
    now = service.get(past).json()
    assert {k: v for k, v in now.items() if k not in moving} == {
        k: v for k, v in first.json().items() if k not in moving
    }


PEOPLE = ("sato", "suzuki", "tanaka")
TEAMS = ("east", "north", "west")  # north stands below east; west is outside the plan
DAYS = [f"2026-12-{day:02d}" for day in (1, 4, 5, 7, 10, 11, 14)]
TEAM_NAMES = st.sampled_from(TEAMS)


class Moves(RuleBasedStateMachine):
    """People change teams and senders change their minds; an oracle in plain Python recounts."""

    @initialize()
    def begin(self) -> None:
        self.running = started(START)
        self.service = settle(self.running.__enter__())
        self.service.put("/v1/teams/north", {"name": "n", "parents": [{"team": "east"}]})
        self.service.put("/v1/teams/west", {"name": "w"})
        self.service.put("/v1/members/tanaka", member("tanaka", team="west"))
        self.homes: dict[str, list[tuple[str, str]]] = {
            "sato": [("", "east")],
            "suzuki": [("", "east")],
            "tanaka": [("", "west")],
        }
        everybody = {name: value for name, value in PLAN.items() if name != "assignments"}
        assert self.service.put("/v1/plans/everybody", everybody).status_code == 201
        self.calls: dict[int, tuple[str, str]] = {}
        self.revision = 0

    def teardown(self) -> None:
        if hasattr(self, "running"):
            self.running.__exit__(None, None, None)

    @rule(
        who=st.sampled_from((*PEOPLE, "nobody")), day=st.sampled_from(DAYS), key=st.integers(0, 9)
    )
    def report(self, who: str, day: str, key: int) -> None:
        self.revision += 1
        at = f"{day}T08:00:00+09:00"
        event = call(key, f"{who}@example.co.jp", at=at, revision=str(self.revision))
        self.service.post_events([event, event])
        self.calls[key] = (who, day)

    @rule(key=st.integers(0, 9))
    def retract(self, key: int) -> None:
        self.revision += 1
        if self.calls.pop(key, None):
            event = call(key, revision=str(self.revision), retracted=True)
            self.service.post_events([event])

    @rule(
        who=st.sampled_from(PEOPLE), before=TEAM_NAMES, after=TEAM_NAMES, day=st.sampled_from(DAYS)
    )
    def move(self, who: str, before: str, after: str, day: str) -> None:
        links = [{"team": before, "to": day}, {"team": after, "from": day}]
        self.service.replace(f"/v1/members/{who}", member(who, memberships=links))
        self.homes[who] = [("", before), (day, after)]

    def expected(self) -> dict[str, int]:
        found = dict.fromkeys(("unassigned", "outside", *PEOPLE), 0)
        for who, day in self.calls.values():
            if who == "nobody":
                found["unassigned"] += 1
                continue
            team = max((since, team) for since, team in self.homes[who] if since <= day)[1]
            found["outside" if team == "west" else who] += 1
        return found

    @invariant()
    def sums_hold(self) -> None:
        if not hasattr(self, "calls"):
            return
        expected = self.expected()
        body = self.service.progress("december", breakdown="member").body
        goal = _calls(body["root"])
        inside = sum(expected[who] for who in PEOPLE)
        told = (goal["actual"], goal["unassigned"], goal["outside_plan"])
        assert told == (str(inside), str(expected["unassigned"]), str(expected["outside"]))
        shares = {part["scope"]["member"]: _calls(part["root"]) for part in body["breakdown"]}
        assert {who: int(share["actual"]) for who, share in shares.items()} == {
            who: expected[who] for who in shares
        }
        assert all(expected[who] == 0 for who in PEOPLE if who not in shares)
        for name in ("target", "expected", "actual"):
            whole, parts = Decimal(goal[name]), [Decimal(share[name]) for share in shares.values()]
            # Each written share is rounded at its sixth digit; what they add up to is not.
            assert not shares or abs(sum(parts) - whole) <= Decimal("0.000001") * len(parts)
        teams = self.service.progress("december", breakdown="team").body["breakdown"]
        assert teams or not inside
        workspace = self.service.progress("everybody").goal("calls")["actual"]
        assert int(workspace) == len(self.calls)


def _calls(goal: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = goal["children"][0]
    assert found["key"] == "calls"
    return found


Moves.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestMoves = Moves.TestCase
