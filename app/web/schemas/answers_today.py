"""What a day asks for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.progress import Verdict
from app.web.schemas.answers import Answer, Moment
from app.web.schemas.answers_progress import (
    Day,
    PlanReference,
    Priority,
    ProgressScope,
    Unit,
    WorkingDays,
)
from app.web.schemas.common import Key, LocalDate, Name, Reason


class AskedToday(Day):
    """What the day asks of one goal; quantities are in its unit."""

    key: Key
    name: Name
    metric: Key
    unit: Unit
    deadline: Moment
    verdict: Verdict
    priority: Priority
    why: Annotated[Reason | None, Field(description="As the plan says it.")] = None


class TodaySentence(Answer):
    """What the day asks, in words: the goals of which it is a whole one or more."""

    code: Literal[
        "today_asks",
        "today_done",
        "today_day_off",
        "today_without_weight",
        "today_not_begun",
        "today_reached",
        "today_no_days_left",
    ]
    message: str


Goals = Annotated[list[AskedToday], Field(description="From the bottom of the tree up.")]


class TodayOfMember(Answer):
    """What the day asks of one member, by the own share and the own days."""

    member: Key
    name: Name
    working_days: WorkingDays
    sentence: TodaySentence
    goals: Goals


class TodayList(Answer):
    """What a day asks of a plan, a team or a member."""

    workspace: Key
    plan: PlanReference
    scope: ProgressScope
    name: Name
    as_of: Moment
    known_at: Moment
    time_zone: str
    date: Annotated[LocalDate, Field(description="The day that asks, in the workspace's zone.")]
    working_days: WorkingDays
    next_change_at: Moment | None
    sentence: TodaySentence
    goals: Goals
    people: Annotated[
        list[TodayOfMember],
        Field(description="Members by key; empty for a member's own, and of a plan of everybody."),
    ]
