"""Why a plan is where it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Quantity
from app.web.schemas.answers_progress import PlanReference, ProgressScope, Unit
from app.web.schemas.common import Key, LocalDate

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
            "and of a conversion with a lag whose past is not known."
        ),
    ]
    message: str


class Signal(Answer):
    """A step of somebody's that is not as planned, and hardly by chance."""

    member: Annotated[Key | None, Field(description="null: nobody's in particular.")]
    factor: Annotated[str, Field(description="A rate (`appointments/calls`), or a volume.")]
    plan: Annotated[Quantity, Field(description="The plan's rate; of a volume what is expected.")]
    actual: Quantity
    e_value: Annotated[Quantity, Field(description="The evidence as it stands.")]
    message: str


class Needed(Answer):
    """A goal below a rate that has drifted."""

    goal: Key
    target: Annotated[Quantity, Field(description="As planned.")]
    needed: Annotated[Quantity, Field(description="At the rate that was seen; exact.")]
    needed_display: Annotated[Quantity, Field(description="The same, rounded up.")]


class DriftProposal(Answer):
    """What a rate that is proven to have drifted calls for; nothing is changed by itself."""

    goal: Key
    factor: str
    assumed: Quantity
    observed: Quantity
    since: Annotated[LocalDate, Field(description="The day at whose end it was proven.")]
    needed: Annotated[
        list[Needed] | None,
        Field(
            description="The goals from which this one is reached, the nearest first, if this rate "
            "alone is as observed; null where it is 0: then no number would do."
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
    signals: Annotated[
        list[Signal],
        Field(
            description="What stands out among the rates and volumes of all people (of the whole "
            "plan, where it has none): by e-BH at most one in twenty of them is wrong on average."
        ),
    ]
    proposals: Annotated[
        list[DriftProposal],
        Field(description="Of the rates whose `drift` is proven, in the scope that is asked for."),
    ]
    mix: Effects = Field(default_factory=list)
