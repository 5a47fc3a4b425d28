"""Who moves to another team in mid-period: what was assigned stays with the team, or goes along."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any
from unittest.mock import Mock

import pytest

from app.domain import pacing
from app.domain.allocation import effort, people_of
from app.domain.attribution import Actor, ActorTotal, counted, segments
from app.domain.directory import Directory, directory
from app.domain.errors import Invalid
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.ground import Ground
from app.domain.instants import instant
from app.domain.pacing import Moment, Parts, parts
from app.domain.people import member_of, team_of
from app.domain.progress import Progress, Scope
from app.domain.scopes import WHOLE, Breakdown, portions
from tests.domain.worlds import codes, december, member_document, plan, values

ACTORS = {1: Actor("zoom", "301"), 2: Actor("zoom", "302")}


def people(*memberships: tuple[str, str | None, str | None]) -> Directory:
    """sato's teams; suzuki stays in east. Ten of December's 20 working days are before the 15th."""
    sato = member_document("sato", "301") | {
        "memberships": [{"team": t, "from": since, "to": to} for t, since, to in memberships]
    }
    teams = [team_of(key, {"name": key}) for key in ("east", "west", "north")]
    return directory(
        teams, [member_of("sato", sato), member_of("suzuki", member_document("suzuki", "302"))]
    )


MOVED = people(("east", None, "2026-12-15"), ("west", "2026-12-15", None))


def made(folk: Directory = MOVED, **assignment: str) -> Ground:
    return december(
        folk,
        funnel=[{"metric": "calls", "target": "300"}],
        assignments=[{"team": "east", **assignment}],
    )


def read(base: Ground, scope: Scope, at: str = "2026-12-29T00:00:00+09:00") -> Progress:
    """sato has called 30 times in east and 40 times in west, suzuki 100 times."""
    moment = instant(at)
    cuts = segments(base.plan, base.people, base.workspace.calendar, moment)
    turn = date(2026, 12, 15)
    rows = [
        (cut, [ActorTotal("calls", "", 1, 30 if cut.span.until <= turn else 40, 0),
               ActorTotal("calls", "", 2, 50, 0)])
        for cut in cuts if turn in {cut.span.first, cut.span.until}
    ]  # fmt: skip
    amounts = counted(base.plan, base.people, base.persons, ACTORS, rows)
    return evaluate(base, Question(moment, moment, moment, scope), amounts, Heard())


def told(base: Ground, **scope: str) -> tuple[object, ...]:
    root = read(base, Scope(**scope)).whole.root
    return values(root.target, root.expected, root.actual)


def test_what_stays_is_carried_by_those_who_are_there() -> None:
    for base in (made(), made(targets_follow="stay")):
        assert base.shares == {"sato": Fraction(1, 3), "suzuki": Fraction(2, 3)}
        assert told(base, member="sato") == (100, 100, 30)
        assert told(base) == (300, 300, 130)


def test_what_moves_goes_along_and_what_is_done_elsewhere_counts() -> None:
    base = made(targets_follow="move")
    assert base.shares == {"sato": Fraction(1, 2), "suzuki": Fraction(1, 2)}
    assert told(base, member="sato") == (150, 150, 70)
    assert told(base) == (300, 300, 170)
    # Half of sato's days are in each of the teams, and they add up.
    assert told(base, team="east") == (225, 225, 130)
    assert told(base, team="west") == (75, 75, 40)


def test_who_leaves_all_teams_takes_nothing_along_and_who_was_gone_before_had_nothing() -> None:
    gone = people(("east", None, "2026-12-15"))
    assert made(gone, targets_follow="move").shares == made(gone).shares
    earlier = people(("east", None, "2026-12-01"), ("west", "2026-12-01", None))
    assert set(made(earlier, targets_follow="move").shares) == {"suzuki"}


def test_the_weight_goes_along_until_an_assigned_team_has_one_of_its_own() -> None:
    tour = people(
        ("east", None, "2026-12-08"),
        ("west", "2026-12-08", "2026-12-15"),
        ("north", "2026-12-15", None),
    )
    base = december(
        tour,
        funnel=[{"metric": "calls", "target": "300"}],
        assignments=[
            {"team": "east", "weight": "2", "targets_follow": "move"},
            {"team": "north", "weight": "0.5"},
        ],
    )
    [sato, suzuki] = people_of(base.plan, tour)
    assert [(stint.line[0], stint.weight) for stint in sato.stints] == [
        ("east", 4), ("west", 4), ("north", 1),
    ]  # fmt: skip
    assert {stint.weight for stint in suzuki.stints} == {4}
    end = instant("2026-12-29T00:00:00+09:00")
    progress = evaluate(base, Question(end, end, end, WHOLE, Breakdown.TEAM), {}, Heard())
    assert {part.scope.team for part in progress.breakdown} == {"east", "west", "north"}
    expected = [part.root.expected for part in progress.breakdown]
    assert sum(expected, Fraction(0)) == progress.whole.root.expected == 300


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ({"member": "sato", "targets_follow": "move"}, "follows_anyway"),
        ({"team": "east", "targets_follow": "both"}, "unknown_kind"),
    ],
)
def test_only_a_teams_targets_can_follow(assignment: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(assignments=[assignment])
    assert codes(refused.value) == [("/assignments/0/targets_follow", code)]


@pytest.mark.parametrize("scope", [WHOLE, Scope(team="east"), Scope(team="west")])
def test_who_works_alike_is_one_sum_whatever_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, scope: Scope
) -> None:
    """A department that moves on one day: a thousand people are asked for their days once."""

    def asked(number: int) -> tuple[int, Parts]:
        looked = Mock(wraps=effort)
        monkeypatch.setattr(pacing, "effort", looked)
        base = made(department(number), targets_follow="move")
        day = Moment(date(2026, 12, 16), Fraction(1, 2))
        found = parts(portions(base, scope), base.workdays, base.plan.span.until, day)
        return looked.call_count, found

    assert asked(9) == asked(1)


def department(number: int) -> Directory:
    """So many people, each of whom goes from east to west on the 15th."""
    moved = [
        {"team": "east", "from": "2026-04-01", "to": "2026-12-15"},
        {"team": "west", "from": "2026-12-15", "to": None},
    ]
    teams = [team_of(key, {"name": key}) for key in ("east", "west")]
    people = {f"m{n}": member_document(f"m{n}", str(300 + n)) for n in range(number)}
    moving = [member_of(key, one | {"memberships": moved}) for key, one in people.items()]
    return directory(teams, moving)
