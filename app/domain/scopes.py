"""Whose progress is asked for: the whole plan's, a team's, a member's, or a member's in a team.

A scope is a set of portions, people's parts in the plan. Whole people make up the plan; a person
who moved is divided between the teams, so that teams side by side never count anyone twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from fractions import Fraction

from app.domain.allocation import Person, Stint, split
from app.domain.errors import Invalid, NotFound
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.pacing import Moment, Portion, parts
from app.domain.progress import Scope

WHOLE = Scope()


class Breakdown(StrEnum):
    """Into what an answer is broken down; every entry equals the answer for that scope alone."""

    NONE = "none"
    TEAM = "team"
    MEMBER = "member"


def portions(base: Ground, scope: Scope) -> tuple[Portion, ...]:
    """The people of a scope, by key, with the stints that lie in it."""
    if scope.member is None:
        people: Iterable[Person] = base.persons.values()
    else:
        people = (base.persons[scope.member],) if scope.member in base.persons else ()
    return tuple(_portions(base, people, scope.team))


def _portions(base: Ground, people: Iterable[Person], team: str | None) -> Iterable[Portion]:
    # Who shares all stints (`allocation.people_of`) shares those in a team as well.
    cut: dict[int, tuple[Stint, ...]] = {}
    for person in people:
        inside = cut.get(id(person.stints))
        if inside is None:
            inside = tuple(s for s in person.stints if team is None or team in s.line)
            if len(inside) == len(person.stints):
                inside = person.stints
            cut[id(person.stints)] = inside
        if inside:
            yield Portion(person, base.shares[person.member], inside)


def teams_of(base: Ground, within: str | None = None) -> tuple[str, ...]:
    """The teams of a plan, by key: the assigned ones and those below where somebody stands.

    A member who is assigned alone brings only the own team. `within`: that team and those below.
    """
    assigned = {a.team for a in base.plan.assignments if a.team is not None}
    tops = assigned if within is None else {within}
    found = set(tops)
    for line in {stint.line for person in base.persons.values() for stint in person.stints}:
        reached = [n for n, team in enumerate(line) if team in tops]
        if reached or within is None:
            found.update(line[: max(reached, default=0) + 1])
    return tuple(sorted(found))


def check(base: Ground, scope: Scope, breakdown: Breakdown) -> None:
    """Refuse what the plan cannot answer.

    Raises Invalid `plan_has_no_assignments`: nobody in particular carries it. Raises NotFound
    `team_not_in_plan`, `member_not_in_plan`.
    """
    if not base.plan.assignments and (scope != WHOLE or breakdown is not Breakdown.NONE):
        raise Invalid("plan_has_no_assignments")
    if scope.team is not None and not _known(base, scope.team):
        raise NotFound("team_not_in_plan", team=scope.team)
    if scope.member is not None and not portions(base, scope):
        raise NotFound("member_not_in_plan", member=scope.member)


def _known(base: Ground, team: str) -> bool:
    return team in teams_of(base) or bool(portions(base, Scope(team=team)))


def broken_down(base: Ground, scope: Scope, breakdown: Breakdown) -> tuple[Scope, ...]:
    """The scopes of a breakdown, by key."""
    if breakdown is Breakdown.MEMBER:
        return tuple(Scope(scope.team, p.person.member) for p in portions(base, scope))
    if breakdown is Breakdown.TEAM:
        scopes = (Scope(team, scope.member) for team in teams_of(base, scope.team))
        return tuple(s for s in scopes if scope.member is None or portions(base, s))
    return ()


def name(base: Ground, scope: Scope) -> str:
    """How a scope is called."""
    if scope.member is not None:
        return base.persons[scope.member].name
    if scope.team is not None:
        return base.people.teams[scope.team].name
    return base.plan.name


def portion_display(base: Ground, goal: Goal, whole: Fraction, portion: Portion) -> Fraction:
    """The part of what a person is shown (`whole`) that is shown of one portion.

    The person's number is divided between the lines of teams the person stands in, again by
    largest remainder, so that the teams' numbers add up as the people's do.
    """
    person = portion.person
    if portion.stints is person.stints:
        return whole
    deadline = base.plan.deadlines[goal.key]
    quotas: dict[str, Fraction] = {}
    inside: set[str] = set()
    for line in {stint.line for stint in person.stints}:
        stints = tuple(stint for stint in person.stints if stint.line == line)
        key = "/".join(line)
        part = parts([Portion(person, portion.share, stints)], base.workdays, deadline, NEVER)
        quotas[key] = base.plan.targets[goal.key] * part.target
        if stints[0] in portion.stints:
            inside.add(key)
    shown = split(whole, quotas, goal.unit.decimals)
    return sum((shown[key] for key in inside), Fraction(0))


NEVER = Moment(date.min, Fraction(0))
