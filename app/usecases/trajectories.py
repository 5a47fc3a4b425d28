"""A goal day by day: what was there, what was expected, and where it is going."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.calendar import ONE_DAY
from app.domain.goals import Goal
from app.domain.ground import Ground, goal_named
from app.domain.pipeline import NOTHING_LATELY, Lately
from app.domain.trajectory import Facts, Point, trajectory
from app.store.transactions import Access
from app.usecases.cohorts import cohorts_of
from app.usecases.context import Context
from app.usecases.counted import actors_of, counted, counted_daily, rows_daily
from app.usecases.history import experience_of
from app.usecases.pipeline import lately_counted
from app.usecases.progress import Asked, Ready, made_ready
from app.usecases.settling import settling


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Every day of a plan for one goal. basis: all that decides the content."""

    ready: Ready
    goal: Goal
    points: tuple[Point, ...]
    basis: tuple[str | int, ...]

    @property
    def base(self) -> Ground:
        """The plan."""
        return self.ready.base


@settling
def goal_trajectory(
    context: Context, workspace: str, plan: str, goal: str, asked: Asked
) -> Trajectory:
    """A goal's line over the plan's period.

    Raises as `report_progress` does, and NotFound `unknown_goal`.
    """
    now = context.clock()
    with context.read() as reading:
        ready = made_ready(context, reading, (workspace, plan), asked, now)
        chosen = goal_named(ready.base, goal)
        points = trajectory_of(reading, ready, chosen)
    return Trajectory(ready, chosen, points, (*ready.basis, chosen.key))


def trajectory_of(access: Access, ready: Ready, goal: Goal) -> tuple[Point, ...]:
    """The points in this snapshot."""
    found, base, until, known = ready.found, ready.base, ready.at.until, ready.known
    calendar, of = found.workspace.calendar, {goal.metric.key}
    learned = experience_of(access, found, base, ready.question.as_of, known)
    # By items a forecast asks what comes of the goals below as well.
    asked = {one.metric.key for one in goal.walk()} if learned.earned else of
    last, who = calendar.local_day(until - 1), actors_of(access, found.workspace.key)
    facts = Facts(
        ready.question,
        last,
        until >= calendar.midnight(last + ONE_DAY),
        counted(access, found, base, until, known, asked),
        counted_daily(base, who, rows_daily(access, found, base, until, known, of)),
        learned,
        _lately(access, ready) if learned.earned else NOTHING_LATELY,
    )
    return trajectory(base, goal, facts)


def _lately(access: Access, ready: Ready) -> Lately:
    """Single days and items, by which a forecast may go."""
    found, base, until, known = ready.found, ready.base, ready.at.until, ready.known
    cohorts = cohorts_of(access, found, base, until, known)
    return lately_counted(access, found, base, until, cohorts, known, booked=True)
