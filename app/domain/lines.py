"""The line that expectations follow where it is not the plain one.

A plan that was revised in mid-period keeps its old line until the day from which the new version
holds, and runs from there straight to the new target. Straight is by each person's own effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.domain.allocation import effort
from app.domain.ground import Ground
from app.domain.pacing import Moment, Portion, elapsed, everybody, parts
from app.domain.progress import Scope
from app.domain.scopes import portions

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


def _before(base: Ground, scope: Scope, now: Moment) -> Line | None:
    if base.before is None or base.plan.effective_from is None:
        return None
    # A plan of the whole workspace knows no teams and members; it is asked as a whole.
    asked = scope if base.before.plan.assignments else Scope()
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
        if base.before is not None:
            way = _way(portion, base, deadline, now)
        yield portion.person.member, plain.target, way


def _way(portion: Portion, base: Ground, deadline: date, now: Moment) -> Fraction:
    """How much of the person's own effort between the revision and the deadline is over.

    In each team of a person who moved alike, so that teams side by side add up.
    """
    start, stints = base.plan.effective_from, portion.person.stints
    if start is None or now.day < start:
        return ZERO
    if now.day >= deadline:
        return Fraction(1)
    begun = effort(stints, base.workdays, start)
    left = effort(stints, base.workdays, deadline) - begun
    return (elapsed(stints, base.workdays, now) - begun) / left if left else ZERO
