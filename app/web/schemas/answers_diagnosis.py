"""Why a plan is where it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Quantity
from app.web.schemas.answers_progress import PlanReference, ProgressScope, Unit
from app.web.schemas.common import Key

Effects = Annotated[list[Quantity], Field(description="In the order of `effects`.")]


class DiagnosisSentence(Answer):
    """Which goals are where the plan expected them by now; the first step stands first."""

    code: Literal[
        "nothing_expected_by_now",
        "all_on_pace",
        "all_behind",
        "upstream_reached_downstream_not",
        "downstream_reached_upstream_not",
        "some_behind",
    ]
    on_pace: list[Key]
    behind: list[Key]
    message: str


class StepEffect(Answer):
    """What one step cost or brought."""

    factor: Annotated[
        str,
        Field(
            description="A goal's own volume (`calls`), a goal per the one that converts into it "
            "(`appointments/calls`), or what it has beside its parts (`revenue/other`)."
        ),
    ]
    plan: Annotated[Quantity | None, Field(description="The step to date by the plan.")]
    actual: Annotated[Quantity | None, Field(description="The step as it was; null of nothing.")]
    effect: Annotated[
        Quantity,
        Field(description="In the KGI's unit, rounded so that all of them add up to the gap."),
    ]
    share: Annotated[Quantity | None, Field(description="Of the gap; null without one.")]


class NamedCause(Answer):
    """The step that is the largest part of a shortfall, and a fifth of it or more."""

    factor: str
    share: Quantity
    certainty: Annotated[
        Literal["proven", "likely", "not_yet_distinguishable"],
        Field(description="Proven at an e-value of 100, likely at 20, valid under daily looking."),
    ]
    e_value: Annotated[
        Quantity | None,
        Field(
            description="Evidence against the plan's step less a tenth; null of money and time, "
            "and of a conversion with a lag."
        ),
    ]
    message: str


class Diagnosis(Answer):
    """The gap of the KGI to date, split over the steps below it and over the people."""

    workspace: Key
    plan: PlanReference
    scope: ProgressScope
    as_of: Moment
    known_at: Moment
    time_zone: str
    goal: Key
    unit: Unit
    basis: Literal["plan_to_date"]
    expected: Quantity
    actual: Quantity
    gap: Quantity
    sentence: DiagnosisSentence
    effects: list[StepEffect]
    named: NamedCause | None
    members: dict[Key, Effects]
    rest: Annotated[
        list[Quantity],
        Field(
            description="What is no member's in particular: all of it where the plan has no "
            "assignments, the unassigned where it includes them. Empty where there is none."
        ),
    ]
    mix: Effects = Field(default_factory=list)
