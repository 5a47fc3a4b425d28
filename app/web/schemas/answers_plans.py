"""Answers about plans: what was written, and what it comes to."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from app.web.schemas.answers import Answer, Page, Quantity, Version
from app.web.schemas.common import Key, LocalDate, Name, Reason
from app.web.schemas.plans import Assignment, GoalBody, Period, Stage


class _Written(Answer):
    """A plan's document without its period."""

    key: Key
    name: Name
    funnel: Annotated[
        list[Stage] | None, Field(description="The goal tree, if it was written as a funnel.")
    ] = None
    root: Annotated[
        GoalBody | None, Field(description="The goal tree, if it was written in full.")
    ] = None
    assignments: Annotated[
        list[Assignment],
        Field(description="Who carries the plan; empty means the whole workspace."),
    ]
    include_unassigned: Annotated[
        bool, Field(description="Whether activities of nobody known count towards the plan.")
    ]
    reason: Annotated[Reason | None, Field(description="Why this version was made.")] = None
    version: Version


class Plan(_Written):
    """A plan as it was written."""

    period: Period


class PlanPage(Page[Plan]):
    """Plans by key, as they were written."""


class Days(Answer):
    """Half-open: `end` is the first day that no longer belongs to it."""

    start: LocalDate
    end: LocalDate


class SolvedGoal(Answer):
    """What a goal must reach so that the goal above it is reached."""

    key: Key
    target: Annotated[Quantity, Field(description="The exact requirement, in the goal's unit.")]
    target_display: Annotated[
        Quantity,
        Field(description="The requirement rounded up to whole things or the minor unit."),
    ]


class MemberTargets(Answer):
    """A member's share of each goal: the exact target by goal key, and how to show it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Quantity]

    display: Annotated[
        dict[str, Quantity],
        Field(description="Targets by goal key in whole things; all members' add up."),
    ]


class SolvedPlan(_Written):
    """A plan as it was written, and what it comes to."""

    period: Days
    working_days: Annotated[
        int, Field(ge=0, description="Working days of the workspace's calendar in the period.")
    ]
    goals: Annotated[list[SolvedGoal], Field(description="Every goal, parents first.")]
    split: Annotated[
        dict[str, MemberTargets],
        Field(
            description="Each member's targets by member key: shares by own working days x "
            "capacity x weight. Empty for a plan of the whole workspace."
        ),
    ]
