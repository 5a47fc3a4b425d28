"""The line that expectations follow where it is not the plain one.

A plan with slices asks for their shares in turn, evenly within each, or by what the days of the
week weigh. A plan that was revised in mid-period keeps its old line until the day from which the
new version holds, and runs from there straight, or by its slices and weights, to the new target.
All of it is by each person's own effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from app.domain.allocation import split
from app.domain.goals import Goal
from app.domain.ground import NOBODY, Ground, whole_target
from app.domain.pacing import Moment, Parts, Portion, everybody, parts
from app.domain.progress import Scope
from app.domain.scopes import WHOLE, portions
from app.domain.slices import ONE
from app.domain.spans import Span

ZERO = Fraction(0)
# Of each person the part of a target, and how much of the way to it is over, 0 to 1.
Shares = Sequence[tuple[str, Fraction, Fraction]]
# Of each person how much of the whole way is over.
Runs = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Line:
    """What is expected of a scope by a moment, goal by goal.

    before: the same of the version that this one revises, until the day of the revision
    shares: by deadline; over: the part of a target that they come to together
    """

    base: Ground
    now: Moment
    before: Line | None
    shares: Mapping[date, Shares]
    over: Mapping[date, Fraction]

    def expected(self, key: str) -> Fraction:
        """What is expected of a goal of the plan."""
        plan = self.base.plan
        if self.before is None and key in plan.targets:
            return plan.targets[key] * self.over[plan.deadlines[key]]
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
    return _line(base, scope, now, _people(base, scope))


def _people(base: Ground, scope: Scope) -> tuple[Portion, ...]:
    return portions(base, scope) if base.plan.assignments else (everybody(base.plan.span),)


def _line(base: Ground, scope: Scope, now: Moment, people: tuple[Portion, ...]) -> Line:
    deadlines = set(base.plan.deadlines.values())
    runs = _runs(base, people, now) if now.day < max(deadlines) and not is_plain(base) else {}
    shares = {day: tuple(_shares(base, people, runs, day, now)) for day in deadlines}
    over = {deadline: _together(found) for deadline, found in shares.items()}
    return Line(base, now, _before(base, scope, now), shares, over)


def _together(shares: Shares) -> Fraction:
    """Who is equally far is added up first: fractions of unlike denominators add up slowly."""
    parts_by_way: dict[Fraction, Fraction] = {}
    for _, part, done in shares:
        parts_by_way[done] = parts_by_way.get(done, ZERO) + part
    return sum((part * done for done, part in parts_by_way.items()), ZERO)


def is_plain(base: Ground) -> bool:
    """Whether expected follows each person's own working time and nothing else."""
    return base.before is None and not base.plan.slices and base.weighted is base.workdays


class Sliced(NamedTuple):
    """What of a goal is meant to come in a slice: exact, and so that what is shown adds up."""

    span: Span
    target: Fraction
    display: Fraction


def sliced(base: Ground) -> dict[str, tuple[Sliced, ...]]:
    """Every whole goal's target by slice, by its key: how much the expected line rises in it.

    So a goal with a lag is asked for earlier than the shares say. They add up to the target.
    """
    people = _people(base, WHOLE) if base.plan.slices else ()
    days = [Moment(piece.span.until, ZERO) for piece in base.plan.slices]
    ends = [_line(base, WHOLE, day, people) for day in days]
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


def _runs(base: Ground, people: tuple[Portion, ...], now: Moment) -> Runs:
    return {portion.person.member: base.paths[portion.person.member].run(now) for portion in people}


def _shares(
    base: Ground, people: tuple[Portion, ...], runs: Runs, deadline: date, now: Moment
) -> Iterator[tuple[str, Fraction, Fraction]]:
    """In each team of a person who moved the same part of the way is over, so that teams add up."""
    for portion in people:
        member = portion.person.member
        if is_plain(base) or portion.stints is not portion.person.stints:
            plain = parts((portion,), base.workdays, deadline, now)
        else:
            plain = Parts(portion.share, ZERO)
        if now.day >= deadline:
            yield member, plain.target, ONE
        elif is_plain(base):
            yield member, plain.target, plain.expected / plain.target if plain.target else ZERO
        else:
            yield member, plain.target, base.paths[member].part(runs[member], deadline)
