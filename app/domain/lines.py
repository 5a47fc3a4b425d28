"""The line that expectations follow where it is not the plain one.

A plan with slices asks for their shares in turn, evenly within each. A plan that was revised in
mid-period keeps its old line until the day from which the new version holds, and runs from there
straight, or by its slices, to the new target. All of it is by each person's own effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from app.domain.allocation import Stint, effort, split
from app.domain.goals import Goal
from app.domain.ground import Ground, whole_target
from app.domain.pacing import Moment, Portion, elapsed, everybody, parts
from app.domain.progress import Scope
from app.domain.scopes import WHOLE, portions
from app.domain.slices import ONE, Slice
from app.domain.spans import Span

ZERO = Fraction(0)
# Under which everybody's stands where nobody in particular carries a plan.
NOBODY = ""
# Of each person the part of a target, and how much of the way to it is over, 0 to 1.
Shares = Sequence[tuple[str, Fraction, Fraction]]


@dataclass(frozen=True, slots=True)
class Line:
    """What is expected of a scope by a moment, goal by goal.

    before: the same of the version that this one revises, until the day of the revision
    shares: by deadline
    """

    base: Ground
    now: Moment
    before: Line | None
    shares: Mapping[date, Shares]

    def expected(self, key: str) -> Fraction:
        """What is expected of a goal of the plan."""
        return sum(self.by_member(key).values(), ZERO)

    def by_member(self, key: str) -> Mapping[str, Fraction]:
        """The same of each member; of a plan of the whole workspace under an empty key.

        A goal or a person new since the revision begins at nothing on its day; who is gone is
        gone. As long as the old version holds, everybody of it counts.
        """
        plan = self.base.plan
        if key not in plan.targets:
            return {}
        shares, target = self.shares[plan.deadlines[key]], plan.targets[key]
        begun = self._carried(self.before.by_member(key), shares) if self.before else {}
        if self.before and not _holds(self.base, self.now):
            return begun
        return {
            member: begun.get(member, ZERO) * (1 - done) + target * part * done
            for member, part, done in shares
        }

    def _carried(self, begun: Mapping[str, Fraction], shares: Shares) -> Mapping[str, Fraction]:
        """What was nobody's in particular, or is so from now on, goes on all the same."""
        nobodys = not self.base.plan.assignments
        if nobodys == (NOBODY in begun):
            return begun
        whole = sum(begun.values(), ZERO)
        return {NOBODY: whole} if nobodys else {who: whole * part for who, part, _ in shares}


def line(base: Ground, scope: Scope, now: Moment) -> Line:
    """The line of a scope at a moment."""
    plan = base.plan
    people = portions(base, scope) if plan.assignments else (everybody(plan.span),)
    shares = {
        deadline: tuple(_shares(base, people, deadline, now))
        for deadline in set(plan.deadlines.values())
    }
    return Line(base, now, _before(base, scope, now), shares)


def is_plain(base: Ground) -> bool:
    """Whether expected is a share of the target that is the same for every goal of a deadline."""
    return base.before is None and not base.plan.slices


class Sliced(NamedTuple):
    """What of a goal is meant to come in a slice: exact, and so that what is shown adds up."""

    span: Span
    target: Fraction
    display: Fraction


def sliced(base: Ground) -> dict[str, tuple[Sliced, ...]]:
    """Every whole goal's target by slice, by its key: how much the expected line rises in it.

    So a goal with a lag is asked for earlier than the shares say. They add up to the target.
    """
    ends = [line(base, WHOLE, Moment(piece.span.until, ZERO)) for piece in base.plan.slices]
    goals = base.plan.root.walk() if ends else ()
    return {
        goal.key: _sliced(base, goal, [end.expected(goal.key) for end in ends]) for goal in goals
    }


def _sliced(base: Ground, goal: Goal, ends: Sequence[Fraction]) -> tuple[Sliced, ...]:
    slices, whole = base.plan.slices, whole_target(base, goal)
    rises = [end - begun for begun, end in pairwise([ZERO, *ends])]
    if sum(rises, ZERO) != whole.target:  # nobody works, so nothing is expected of anybody
        rises = [whole.target * piece.share for piece in slices]
    places = [f"{place:04}" for place, _ in enumerate(slices)]
    shown = split(whole.display, dict(zip(places, rises, strict=True)), goal.unit.decimals)
    return tuple(
        Sliced(piece.span, rise, shown[place])
        for piece, rise, place in zip(slices, rises, places, strict=True)
    )


def _before(base: Ground, scope: Scope, now: Moment) -> Line | None:
    if base.before is None or base.plan.effective_from is None:
        return None
    # A plan of the whole workspace knows no teams and members; it is asked as a whole.
    asked = scope if base.before.plan.assignments else WHOLE
    held = Moment(base.plan.effective_from, ZERO) if _holds(base, now) else now
    return line(base.before, asked, held)


def _holds(base: Ground, now: Moment) -> bool:
    return base.plan.effective_from is None or now.day >= base.plan.effective_from


def _shares(
    base: Ground, people: tuple[Portion, ...], deadline: date, now: Moment
) -> Iterator[tuple[str, Fraction, Fraction]]:
    for portion in people:
        plain = parts((portion,), base.workdays, deadline, now)
        way = plain.expected / plain.target if plain.target else ZERO
        if not is_plain(base):
            way = _way(portion, base, deadline, now)
        yield portion.person.member, plain.target, way


def _way(portion: Portion, base: Ground, deadline: date, now: Moment) -> Fraction:
    """How much of the person's own way from the beginning, or revision, to the deadline is over.

    In each team of a person who moved alike, so that teams side by side add up.
    """
    if now.day >= deadline:
        return Fraction(1)
    start = base.plan.span.first
    if base.before is not None and base.plan.effective_from is not None:
        start = base.plan.effective_from
    stints = portion.person.stints
    begun, end = (_run(stints, base, Moment(day, ZERO)) for day in (start, deadline))
    return max(_run(stints, base, now) - begun, ZERO) / (end - begun) if end > begun else ZERO


def _run(stints: Sequence[Stint], base: Ground, now: Moment) -> Fraction:
    """How far somebody has come through the slices by a moment; without slices, by effort alone.

    Within a slice evenly by effort; where it has none, all of it at its end.
    """
    slices = base.plan.slices or (Slice(base.plan.span, ONE),)
    over, run = elapsed(stints, base.workdays, now), ZERO
    for piece in slices:
        first, until = (effort(stints, base.workdays, day) for day in _edges(piece))
        if until > first:
            inside = min(max(over - first, ZERO), Fraction(until - first))
            run += piece.share * inside / (until - first)
        elif now.day >= piece.span.until:
            run += piece.share
    return run


def _edges(piece: Slice) -> tuple[date, date]:
    return piece.span.first, piece.span.until
