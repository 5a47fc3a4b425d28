"""Who is ahead, fairly: by pace, because everybody's own target and own days stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.progress import GoalProgress, Progress, ScopedProgress


@dataclass(frozen=True, slots=True)
class Ranked:
    """One member's place. Equal paces share a rank, and the next rank counts them all: 1, 1, 3."""

    rank: int
    member: str
    name: str
    goal: GoalProgress


def leaderboard(progress: Progress, goal: str | None) -> tuple[Ranked, ...]:
    """The members of a progress that is broken down by member, the fastest first.

    Ties stand by key. Of whom nothing is expected yet there is no pace to compare, so they share
    the place behind everybody else. `goal` is the root's where it is None. Raises NotFound
    `unknown_goal`.
    """
    key = progress.whole.root.key if goal is None else goal
    if key not in {found.key for found in progress.whole.root.walk()}:
        raise NotFound("unknown_goal", goal=key)
    entries = [(part, _goal(part, key)) for part in progress.breakdown]
    return tuple(_ranked(sorted(entries, key=_place)))


def _goal(part: ScopedProgress, key: str) -> GoalProgress:
    return next(found for found in part.root.walk() if found.key == key)


def _place(entry: tuple[ScopedProgress, GoalProgress]) -> tuple[bool, object, str]:
    part, goal = entry
    return goal.pace is None, -(goal.pace or 0), part.scope.member or ""


def _ranked(entries: list[tuple[ScopedProgress, GoalProgress]]) -> Iterator[Ranked]:
    rank = 0
    for place, (part, goal) in enumerate(entries, 1):
        if place == 1 or goal.pace != entries[place - 2][1].pace:
            rank = place
        yield Ranked(rank, part.scope.member or "", part.name, goal)
