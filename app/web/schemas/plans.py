"""Goal trees, in full form and in the short form of a funnel."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from app.web.schemas.common import Body, DecimalText, Key, LocalDate, Name, Reason, Resource


class Period(Body):
    """One of: a month, a quarter, a week of ISO 8601, a year, or days from start to end.

    A fiscal year is called by the year in which it begins.
    """

    month: (
        Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-12"])] | None
    ) = None
    quarter: Annotated[str, Field(pattern=r"^\d{4}-Q[1-4]$", examples=["2026-Q4"])] | None = None
    fiscal: Annotated[bool, Field(description="Of a quarter: it is the fiscal year's.")] = False
    week: (
        Annotated[str, Field(pattern=r"^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$", examples=["2026-W51"])]
        | None
    ) = None
    year: Annotated[str, Field(pattern=r"^\d{4}$", examples=["2026"])] | None = None
    fiscal_year: Annotated[str, Field(pattern=r"^\d{4}$", examples=["2026"])] | None = None
    start: LocalDate | None = None
    end: LocalDate | None = None


LagDays = Annotated[
    int,
    Field(ge=0, le=3660, description="Mean calendar days from this stage to the one above it."),
]


Priority = Annotated[
    int,
    Field(
        ge=1,
        le=100,
        description="What to mend first, 1 before 2, in the place of the rank by the effect on "
        "the KGI.",
    ),
]
Why = Annotated[Reason, Field(description="Why the goal matters; shown to whoever works for it.")]


class Conversion(Body):
    """The goal equals `from` times `rate`."""

    rate: DecimalText
    lag_days: LagDays | None = None
    from_: GoalBody = Field(alias="from")


class GoalBody(Body):
    """A goal: converted from one other goal, or the sum of parts, or a leaf."""

    key: Key | None = None
    name: Name | None = None
    metric: Key
    target: DecimalText | None = None
    pinned: bool = Field(
        default=False,
        description="The target is not solved with but checked against the calculation.",
    )
    priority: Priority | None = None
    why: Why | None = None
    conversion: Conversion | None = None
    parts: Annotated[list[GoalBody], Field(min_length=1, max_length=100)] | None = None
    influences: Influences | None = None


class InfluenceBody(GoalBody):
    """A goal with a target of its own, believed to help the one above; calculated with nowhere."""

    weight: Annotated[
        DecimalText, Field(description="Its rank among the influences of one goal.")
    ] = "1"


Influences = Annotated[list[InfluenceBody], Field(max_length=100)]


class FunnelStage(Body):
    """A stage of a funnel; `rate` and `lag_days` convert it into the stage above it."""

    key: Key | None = None
    name: Name | None = None
    metric: Key
    target: DecimalText | None = None
    pinned: bool = False
    priority: Priority | None = None
    why: Why | None = None
    rate: DecimalText | None = None
    lag_days: LagDays | None = None
    influences: Influences | None = None


class Assignment(Body):
    """A team (with the teams below it) or a member; `weight` multiplies the working days."""

    team: Key | None = None
    member: Key | None = None
    weight: DecimalText = "1"
    targets_follow: Annotated[
        Literal["stay", "move"] | None,
        # The usual is left out: a plan of an older version, sent again, is no change.
        AfterValidator(lambda follow: None if follow == "stay" else follow),
        Field(
            description="Of a team. `stay`: who moves to another team carries the plan only for "
            "the days before, and the others carry the rest. `move`: the target goes along, and "
            "what is done in the other team counts."
        ),
    ] = None


class SliceBody(Body):
    """Some days of the period, up to the next slice, and the share of the targets for them."""

    from_: Annotated[
        LocalDate, Field(alias="from", description="Of the first slice: the period's first day.")
    ]
    share: DecimalText


Weight = Annotated[
    DecimalText | None,
    Field(description="0 to 100, four digits behind the point at most. Left out: 1."),
]


class WeekdaysBody(Body):
    """How much is meant to come on each day of the week, beside the others: only ratios count."""

    mon: Weight = None
    tue: Weight = None
    wed: Weight = None
    thu: Weight = None
    fri: Weight = None
    sat: Weight = None
    sun: Weight = None


class ProfileBody(Body):
    """A share of the targets for each week, month or quarter; or a weight of weekdays; or both."""

    by: Annotated[
        Literal["week", "month", "quarter"] | None,
        Field(
            description="What the shares are of. Weeks begin on Monday. Together with `shares`.",
            examples=["week"],
        ),
    ] = None
    shares: Annotated[
        list[DecimalText] | None,
        Field(
            min_length=1,
            max_length=366,
            description="As many as weeks or months begin in the period, the one it begins in "
            "among them. They add up to 1.",
            examples=[["0.1", "0.2", "0.2", "0.2", "0.3"]],
        ),
    ] = None
    weekdays: Annotated[
        WeekdaysBody | None,
        Field(
            description="Working time counts by these weights, within each share or slice. On one "
            "day of the week at least that works it is above 0.",
            examples=[{"mon": "0.5", "fri": "0.8"}],
        ),
    ] = None


class Thresholds(Body):
    """From which probability of being reached a goal is on track, and at risk."""

    on_track: DecimalText = "0.4"
    at_risk: DecimalText = "0.1"


class PlanBody(Resource):
    """A goal tree with a period and the people who carry it."""

    answered: ClassVar[frozenset[str]] = Resource.answered | {
        "working_days",
        "calendar",
        "goals",
        "needed_for_80_percent",
        "attainability",
        "suggested_rates",
        "suggested_profile",
        "split",
        "unmeasured",
        "warnings",
    }

    name: Name
    alias: Annotated[
        Key | None,
        Field(
            description="The name that stays from period to period; left out, the plan's key. "
            "On any day one plan at most has it, and it is no other plan's key."
        ),
    ] = None
    period: Period
    funnel: Annotated[list[FunnelStage], Field(min_length=1, max_length=20)] | None = None
    root: GoalBody | None = None
    assignments: list[Assignment] = Field(default_factory=list, max_length=1000)
    include_unassigned: bool = False
    recurs: Annotated[
        bool | None,
        # What is not meant is left out: a plan of an older version, sent again, is no change.
        AfterValidator(lambda recurs: recurs or None),
        Field(
            description="When the period is over the same plan begins for the next one, with the "
            "same alias, tree, targets and people. Ends when it is set to false or archived in "
            "the newest."
        ),
    ] = None
    slices: Annotated[
        list[SliceBody] | None,
        Field(
            min_length=1,
            max_length=366,
            description="Shares of every target for parts of the period, which `expected` then "
            "follows. They add up to 1.",
        ),
    ] = None
    profile: Annotated[
        ProfileBody | None,
        Field(
            description="The same by the calendar's weeks or months; and how much less or more "
            "than others a Monday or a Friday is asked for, which may stand beside `slices`."
        ),
    ] = None
    parent: Annotated[
        Key | None,
        Field(
            description="The key of the plan of a longer period that this one is a part of. Where "
            "the parts do not add up to it, `warnings` says by how much; nothing is rescaled."
        ),
    ] = None
    effective_from: Annotated[
        LocalDate | None,
        Field(
            description="Of a change: the day of the period from which it holds. `expected` runs "
            "on the old line until then, and from there straight to the new target. Left out: the "
            "change holds from the beginning."
        ),
    ] = None
    thresholds: Thresholds | None = None
    allow_unmeasured: Annotated[
        bool, Field(description="Take goals, too, whose kind of activity no source counts.")
    ] = False
    reason: Reason | None = None


class PreviewBody(PlanBody):
    """A plan as it might be, and the plan it is compared with."""

    plan: Annotated[
        Key | None, Field(description="Key or alias of a plan to tell the difference from.")
    ] = None


class CopyBody(Body):
    """The period of a plan's copy."""

    period: Period
    key: Annotated[
        Key | None,
        Field(
            description="Left out: the old key with the new period's name in the place of the old "
            "one's (2026-12-new becomes 2027-01-new), else the alias and the new period's name."
        ),
    ] = None
    reason: Reason | None = None


class CloseBody(Body):
    """With what a period is closed, and why."""

    at: Annotated[
        str | None,
        Field(
            max_length=40,
            description="What had been received by then: RFC 3339, or a date, which means the end "
            "of that day. Left out: all that is known.",
            examples=["2027-01-08"],
        ),
    ] = None
    reason: Reason
