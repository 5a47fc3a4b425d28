"""What a plan stands on, worked out once per change of the plan, the people or the calendar.

`blueprint` is what is known before anything has happened: every goal's target and whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from app.domain.allocation import Person, people_of, shares, split
from app.domain.backcalc import display
from app.domain.calendar import Workdays
from app.domain.directory import Directory
from app.domain.errors import NotFound
from app.domain.goals import Goal
from app.domain.pacing import everybody
from app.domain.paths import Path
from app.domain.plans import Plan
from app.domain.weekdays import EVEN
from app.domain.workspace import Workspace

# Under which everybody's stands where nobody in particular carries a plan.
NOBODY = ""


@dataclass(frozen=True)
class Ground:
    """A plan (and which version of it), its people with their shares, and its working days.

    persons: everyone in the plan, by key; none where the plan is the whole workspace's
    shares: of each person; they sum to 1 unless nobody works
    weighted: the same days as `workdays`, each as often as its day of the week weighs; they are
    the very same object where all weigh alike
    before: the version that the plan held until its `effective_from`, if there was one
    """

    workspace: Workspace
    plan: Plan
    version: int
    people: Directory
    persons: Mapping[str, Person]
    shares: Mapping[str, Fraction]
    workdays: Workdays
    weighted: Workdays
    before: Ground | None = None

    @cached_property
    def paths(self) -> Mapping[str, Path]:
        """How far each person comes; of a plan of the whole workspace everybody under NOBODY.

        From the beginning on, or from the day on which the version before it ends.
        """
        plan, start = self.plan, self.plan.span.first
        if self.before is not None and plan.effective_from is not None:
            start = plan.effective_from
        stints = {key: person.stints for key, person in self.persons.items()}
        if not plan.assignments:
            stints = {NOBODY: everybody(plan.span).stints}
        return {key: Path(plan, self.weighted, own, start) for key, own in stints.items()}


def ground(
    workspace: Workspace,
    plan: Plan,
    version: int,
    people: Directory,
    before: Ground | None = None,
) -> Ground:
    """Prepare a plan for any number of evaluations."""
    calendar, even = workspace.calendar, plan.weights == EVEN
    workdays = calendar.workdays(plan.span)
    persons = people_of(plan, people)
    return Ground(
        workspace,
        plan,
        version,
        people,
        {person.member: person for person in persons},
        shares(persons, workdays),
        workdays,
        workdays if even else calendar.workdays(plan.span, plan.weights),
        before,
    )


def goal_named(base: Ground, key: str) -> Goal:
    """A goal of the plan. Raises NotFound."""
    for goal in base.plan.root.walk():
        if goal.key == key:
            return goal
    raise NotFound("unknown_goal", goal=key)


@dataclass(frozen=True, slots=True)
class Share:
    """A target: the exact one, and as it is shown."""

    target: Fraction
    display: Fraction


@dataclass(frozen=True, slots=True)
class Blueprint:
    """goals: by goal key, in the order of the tree; split: by member, then by goal key."""

    working_days: int
    goals: Mapping[str, Share]
    split: Mapping[str, Mapping[str, Share]]


def blueprint(base: Ground) -> Blueprint:
    """The solved plan: exact and displayed targets, of the whole and of every person."""
    goals = {goal.key: whole_target(base, goal) for goal in base.plan.root.walk()}
    shown = {goal.key: member_displays(base, goal) for goal in base.plan.root.walk()}
    by_member = {
        member: {
            key: Share(whole.target * part, shown[key][member]) for key, whole in goals.items()
        }
        for member, part in base.shares.items()
    }
    return Blueprint(base.workdays.total, goals, by_member)


def whole_target(base: Ground, goal: Goal) -> Share:
    """A goal's target for the whole plan; shown, it is rounded up."""
    target = base.plan.targets[goal.key]
    return Share(target, display(goal, target))


def member_displays(base: Ground, goal: Goal) -> dict[str, Fraction]:
    """What each person is shown of a goal: together exactly what the whole plan is shown."""
    whole = whole_target(base, goal)
    quotas = {member: whole.target * part for member, part in base.shares.items()}
    return split(whole.display, quotas, goal.unit.decimals)
