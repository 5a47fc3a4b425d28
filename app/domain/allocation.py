"""Whose plan it is, and how much of it each person carries.

Assignments are teams (with all below them) and members; however they overlap, a person stands in
the plan once. What a person carries is measured in effort: working days inside the assigned
membership, less absences, times the assignment's weight, times the person's capacity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from app.domain.calendar import Workdays
from app.domain.directory import Directory
from app.domain.people import Absence
from app.domain.plans import Assignment, Follow, Plan
from app.domain.spans import Span

WHOLE_DAY = 2  # halves


@dataclass(frozen=True, slots=True)
class Stint:
    """Days on which nothing about a person's part in the plan changes.

    line: the person's team and those above it, the nearest first
    weight: of the assignment that counts, as a multiple of what all of the plan's have in common
    halves: of each day at work; 2, or 1 on half a day away, or 0
    """

    span: Span
    line: tuple[str, ...]
    weight: int
    halves: int

    @property
    def effort(self) -> int:
        """What one working day of it carries: an integer, since only ratios of efforts count."""
        return self.weight * self.halves


@dataclass(frozen=True, slots=True)
class Person:
    """A member in the plan, with the stints during which that is so, in order."""

    member: str
    name: str
    capacity: Fraction
    stints: tuple[Stint, ...]


def people_of(plan: Plan, people: Directory) -> tuple[Person, ...]:
    """Everyone who is in the plan on any day of it, by key.

    A member's own assignment decides the weight; else that of the nearest assigned team above;
    else that of the last one whose targets move with who leaves it for another team.
    """
    scale = lcm(*(a.weight.denominator for a in plan.assignments))
    members = {a.member: int(a.weight * scale) for a in plan.assignments if a.member is not None}
    teams = {a.team: a for a in plan.assignments if a.team is not None}
    moves = people.tree_changes(plan.span)
    found: list[Person] = []
    # Whoever works alike shares one tuple, so that who asks for that need not compare days.
    alike: dict[tuple[Stint, ...], tuple[Stint, ...]] = {}
    for key, member in people.members.items():
        weights = _Weights(members.get(key), teams, scale)
        stints = tuple(_stints(plan.span, key, people, moves, weights))
        if stints:
            stints = alike.setdefault(stints, stints)
            found.append(Person(key, member.name, member.capacity, stints))
    return tuple(found)


class _Weights(NamedTuple):
    """own: of a member who is assigned by name; teams: the assigned ones, by key."""

    own: int | None
    teams: Mapping[str, Assignment]
    scale: int

    def of(self, line: tuple[str, ...], brought: int | None) -> int | None:
        """The weight of a stint. brought: what was taken along from an earlier one."""
        return self.own or self._nearest(line) or (brought if line else None)

    def taken(self, line: tuple[str, ...]) -> int | None:
        """What a mover takes along out of a stint."""
        team = self._team(line)
        return self._nearest(line) if team and team.follow is Follow.MOVE else None

    def _team(self, line: tuple[str, ...]) -> Assignment | None:
        return next((self.teams[team] for team in line if team in self.teams), None)

    def _nearest(self, line: tuple[str, ...]) -> int | None:
        team = self._team(line)
        return None if team is None else int(team.weight * self.scale)


def _stints(
    span: Span, key: str, people: Directory, moves: frozenset[date], weights: _Weights
) -> Iterator[Stint]:
    brought: int | None = None
    member = people.members[key]
    dated = (*(m.span for m in member.memberships), *(a.span for a in member.absences))
    edges = {day for entry in dated for day in entry.edges_within(span)}
    for first, until in pairwise(sorted({span.first, span.until} | edges | moves)):
        line = people.line(key, first)
        weight = weights.of(line, brought)
        brought = weights.taken(line) or brought
        if weight is not None:
            yield Stint(Span(first, until), line, weight, _halves(member.absences, first))


def _halves(absences: Iterable[Absence], day: date) -> int:
    away = sum(int(absence.share * WHOLE_DAY) for absence in absences if day in absence.span)
    return max(WHOLE_DAY - away, 0)


def effort(stints: Iterable[Stint], workdays: Workdays, until: date) -> int:
    """The effort of the working days before a day."""
    return sum(
        workdays.between(stint.span.first, min(stint.span.until, until)) * stint.effort
        for stint in stints
        if stint.span.first < until
    )


def shares(people: Sequence[Person], workdays: Workdays) -> dict[str, Fraction]:
    """Each person's exact share of the plan. They sum to 1, or are all 0 if nobody ever works."""
    until = workdays.span.until
    loads = {p.member: effort(p.stints, workdays, until) * p.capacity for p in people}
    whole = sum(loads.values(), Fraction(0))
    return {member: load / whole if whole else load for member, load in loads.items()}


def split(total: Fraction, quotas: Mapping[str, Fraction], decimals: int) -> dict[str, Fraction]:
    """Quotas as multiples of 10^-decimals that add up to `total`, by largest remainder.

    Each is the floor or the ceiling of its quota; a tie goes to the smaller key. `total` is the
    quotas' sum rounded up or down to such a multiple; quotas that are all 0 stay so.
    """
    scale = 10**decimals
    # One denominator for all, so that a thousand remainders compare as integers.
    base = lcm(*(quota.denominator for quota in quotas.values()))
    parts = {
        key: divmod(quota.numerator * scale * (base // quota.denominator), base)
        for key, quota in quotas.items()
    }
    left = int(total * scale) - sum(floor for floor, _ in parts.values())
    by_remainder = sorted((-rest, key) for key, (_, rest) in parts.items() if rest)
    lucky = {key for _, key in by_remainder[:left]}
    return {
        key: Fraction(floor + (key in lucky), scale) for key, (floor, _) in sorted(parts.items())
    }
