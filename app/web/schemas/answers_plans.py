"""Answers about plans: what was written, and what it comes to."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.web.schemas.answers import Answer, Moment, Page, Quantity, Tallied, Told, Version
from app.web.schemas.answers_organisation import Almanac
from app.web.schemas.common import Key, LocalDate, Name
from app.web.schemas.plans import Assignment, FunnelStage, GoalBody, Period, ProfileBody, SliceBody


class _Document(Answer):
    """A plan's document without its period."""

    name: Name
    alias: Annotated[
        Key | None, Field(description="The name that stays from period to period.")
    ] = None
    funnel: Annotated[
        list[FunnelStage] | None, Field(description="The goal tree, if it was written as a funnel.")
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
    recurs: Annotated[
        bool | None,
        Field(description="True where the same plan begins anew with the next period."),
    ] = None
    slices: Annotated[
        list[SliceBody] | None, Field(description="The shares of the target, as they were given.")
    ] = None
    profile: Annotated[
        ProfileBody | None,
        Field(description="The same by weeks, months or quarters, and the weights of weekdays."),
    ] = None
    parent: Annotated[
        Key | None, Field(description="The plan of a longer period that this is a part of.")
    ] = None
    effective_from: Annotated[
        LocalDate | None,
        Field(description="From which day this version holds; `expected` bends there."),
    ] = None
    allow_unmeasured: Annotated[
        bool, Field(description="Whether goals that no source counts are meant.")
    ]


class WrittenPlan(_Document):
    """A plan's document as it was written."""

    period: Period


class Plan(WrittenPlan):
    """A plan as it was written."""

    key: Key
    version: Version


class PlanPage(Page[Plan]):
    """Plans by key, as they were written."""


class Days(Answer):
    """Half-open: `end` is the first day that no longer belongs to it."""

    start: LocalDate
    end: LocalDate


class Success(Answer):
    """What is needed to succeed, not only on average: chance decides what a rate comes to."""

    feeds: Annotated[
        Key, Field(description="The topmost count that is reached from here by counts alone.")
    ]
    rate: Annotated[Quantity, Field(description="From this goal to that one, all steps together.")]
    probability: Annotated[
        Quantity, Field(description="Of reaching that one with exactly `target_display` of this.")
    ]
    known_rate: Annotated[
        Quantity,
        Field(description="With how many it is reached in 80 of 100 cases, if the rate is right."),
    ]
    uncertain_rate: Annotated[
        Quantity | None,
        Field(
            description="The same at the rate that was seen so far, unsure as `sample` is small."
        ),
    ] = None
    sample: Annotated[
        int | None, Field(description="In how many of this goal the rate was seen.")
    ] = None


class AttainabilityBasis(Answer):
    """Out of which days, and into how many spans as long as the plan they were cut."""

    from_: Annotated[LocalDate, Field(alias="from")]
    to: LocalDate
    spans: Annotated[int, Field(ge=1)]


class Attainability(Answer):
    """A target beside what the same people did before, each span by the plan's working days."""

    shown_best: Annotated[Quantity, Field(description="What they did in the best span.")]
    shown_median: Annotated[Quantity, Field(description="And in the median one.")]
    probability: Annotated[
        Quantity | None,
        Field(description="Of reaching the target, as forecast at the plan's beginning."),
    ]
    basis: AttainabilityBasis


class SuggestedRate(Answer):
    """A rate as the half year before the plan has shown it; the plan keeps the assumed one."""

    goal: Annotated[Key, Field(description="The goal that has the conversion.")]
    assumed: Quantity
    observed: Annotated[Quantity, Field(description="More than 0: it can be taken over as it is.")]
    sample: Annotated[Tallied, Field(description="In how many of the child it was observed.")]
    low: Annotated[
        Quantity | None,
        Field(description="Of counts: below which the true rate lies in 10 of 100 cases."),
    ] = None
    high: Annotated[Quantity | None, Field(description="And above which.")] = None


class SliceTarget(Answer):
    """What of a goal is meant to come in a slice of the period; together they are its target."""

    from_: Annotated[LocalDate, Field(alias="from")]
    to: LocalDate
    target: Annotated[
        Quantity,
        Field(description="By how much `expected` of the whole plan rises: a lag asks earlier."),
    ]
    target_display: Annotated[
        Quantity, Field(description="By largest remainder; they add up to the goal's.")
    ]


class SolvedGoal(Answer):
    """What a goal must reach so that the goal above it is reached."""

    key: Key
    target: Annotated[Quantity, Field(description="The exact requirement, in the goal's unit.")]
    target_display: Annotated[
        Quantity,
        Field(description="The requirement rounded up to whole things or the minor unit."),
    ]
    success: Annotated[
        Success | None, Field(description="Of counts that convert into a count; else left out.")
    ] = None
    attainability: Annotated[
        Attainability | None, Field(description="Left out where nothing was counted before.")
    ] = None
    slices: Annotated[
        list[SliceTarget] | None, Field(description="Of a plan with slices or a profile.")
    ] = None


class MemberTargets(Answer):
    """A member's share of each goal: the exact target by goal key, and how to show it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Quantity]

    display: Annotated[
        dict[str, Quantity],
        Field(description="Targets by goal key in whole things; all members' add up."),
    ]


class _Worked(_Document):
    """A plan as it was written, and what it comes to."""

    period: Days
    working_days: Annotated[
        int, Field(ge=0, description="Working days of the workspace's calendar in the period.")
    ]
    calendar: Annotated[
        Almanac | None,
        Field(
            description="The public holidays that this version was made with. Every number goes by "
            "those that are known today; what differs is a warning (`holidays_added`, "
            "`holidays_gone`). Null where the workspace keeps no country's, and of versions older "
            "than this field."
        ),
    ]
    goals: Annotated[list[SolvedGoal], Field(description="Every goal, parents first.")]
    needed_for_80_percent: Annotated[
        dict[str, Quantity],
        Field(
            description="By goal key: with how many the count above is reached in 80 of 100 cases "
            "(`success.known_rate`). `target` reaches it on average, which is every second time."
        ),
    ]
    attainability: Annotated[
        Attainability | None,
        Field(description="The KGI's; null where nothing was counted before (`no_history`)."),
    ]
    suggested_rates: Annotated[
        list[SuggestedRate], Field(description="Rates as they were seen; never applied unasked.")
    ]
    suggested_profile: Annotated[
        ProfileBody | None,
        Field(
            description="Weights of the weekdays as the same people's last four months have shown "
            "them, by the goal of which most was counted; their mean is 1. To be sent as "
            "`profile`, never applied unasked. Left out where the plan's are within a tenth or "
            "what differs may be chance."
        ),
    ] = None
    split: Annotated[
        dict[str, MemberTargets],
        Field(
            description="Each member's targets by member key: shares by own working days x "
            "capacity x weight. Empty for a plan of the whole workspace."
        ),
    ]
    unmeasured: Annotated[
        list[Key], Field(description="Goals whose kind of activity no source counts.")
    ]
    warnings: Annotated[list[Told], Field(description="What is allowed and yet rarely meant.")]


class SolvedPlan(_Worked):
    """A plan as it was written, and what it comes to."""

    key: Key
    alias: Annotated[
        Key, Field(description="The name that stays from period to period; if none, the key.")
    ]
    version: Version


class VersionWritten(Answer):
    """A version of a plan: who wrote it, when and why."""

    version: Version
    author: Annotated[
        str,
        Field(
            description="The id of the key it was written with; `tassei` of a plan that recurred."
        ),
    ]
    reason: Annotated[
        str | None, Field(description="As it was given; the first version needs none.")
    ]
    at: Moment
    archived: Annotated[bool, Field(description="Whether this one took the plan out of use.")]


class PlanVersion(VersionWritten):
    """A version of a plan, and what it says."""

    document: WrittenPlan


class VersionPage(Page[PlanVersion]):
    """Versions of a plan, the first one first."""


class Proposal(Answer):
    """A rate as the old plan's period has shown it; the copy keeps the assumed one."""

    goal: Annotated[Key, Field(description="The goal that has the conversion.")]
    assumed: Quantity
    observed: Annotated[Quantity, Field(description="More than 0: it can be taken over as it is.")]
    sample: Annotated[Tallied, Field(description="In how many of the child it was observed.")]


class CopiedPlan(SolvedPlan):
    """A new plan, and what the old one has taught."""

    proposals: list[Proposal]


class TargetChange(Answer):
    """An exact target; `before` or `after` is left out where the plan has no such goal."""

    before: Quantity | None = None
    after: Quantity | None = None
    change: Annotated[Quantity | None, Field(description="after - before.")] = None


class GoalChange(TargetChange):
    """The change of a whole goal."""

    key: Key


class Compared(Answer):
    """The plan that stands."""

    key: Key
    version: Version


class _Changes(Answer):
    """What is asked instead, of the whole and of everybody."""

    goals: list[GoalChange]
    split: Annotated[
        dict[str, dict[str, TargetChange]], Field(description="By member key, then by goal key.")
    ]


class PlanDifference(_Changes):
    """What would be asked instead; what stays the same is there, too."""

    plan: Compared


class Edit(Answer):
    """A value that stands otherwise in the document; a side where nothing stands is left out."""

    pointer: Annotated[str, Field(description="RFC 6901.", examples=["/funnel/0/target"])]
    before: Any = None
    after: Any = None


class VersionDifference(_Changes):
    """What one version asks for otherwise than another; what stays the same is there, too."""

    key: Key
    from_: Annotated[VersionWritten, Field(alias="from")]
    to: VersionWritten
    document: Annotated[list[Edit], Field(description="What is written otherwise.")]


class PlanPreview(_Worked):
    """What a plan would come to. With `plan` in the request: how that differs from it."""

    key: Annotated[Key | None, Field(description="Of the plan compared with.")] = None
    difference: PlanDifference | None = None
