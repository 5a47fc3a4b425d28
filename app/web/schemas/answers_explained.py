"""Answers to where a number comes from, and what became of an activity."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.explanation import Part
from app.web.schemas.answers import Answer, Moment, Page, Quantity, Tallied, Told
from app.web.schemas.answers_events import Activity, Revision
from app.web.schemas.answers_progress import PlanReference, ProgressScope, Unit
from app.web.schemas.common import Key
from app.web.schemas.sources import Kind

_Currency = Annotated[str | None, Field(description="ISO 4217; with money only.", examples=["JPY"])]
_Actor = Annotated[
    str | None,
    Field(
        description="As the source writes it; null: nobody was named.",
        examples=["sato@example.co.jp"],
    ),
]
_Member = Annotated[
    Key | None, Field(description="Whom that meant on its day; null: nobody known.")
]
_Team = Annotated[
    Key | None, Field(description="The one in which the member stood on that day; null: none.")
]


_KnownAt = Annotated[
    Moment | None, Field(description="As asked: what was received until then is counted.")
]


class Contribution(Answer):
    """What one activity adds to a number."""

    count: Annotated[Tallied, Field(description="To the number of activities.")]
    value: Annotated[
        Quantity | None,
        Field(
            description="In the metric's unit: of a count 1, of any other what was measured. Left "
            "out where only distinct texts are counted."
        ),
    ] = None
    text: Annotated[
        str | None, Field(description="Of `unique` only: the text that is told from others.")
    ] = None
    currency: _Currency = None


class CountedActivity(Answer):
    """An activity in a number; its whole story is at /v1/activities/{source}/{key}."""

    source: Annotated[str, Field(description="The source's key.", examples=["zoom"])]
    key: Annotated[str, Field(description="The activity's.", examples=["D-1001"])]
    kind: Kind
    at: Annotated[Moment, Field(description="When it counts, by the metric's time.")]
    actor: _Actor
    member: _Member
    team: _Team
    contribution: Contribution


class GoalActivity(CountedActivity):
    """An activity in a goal's number."""

    in_: Annotated[
        str,
        Field(
            alias="in",
            description="Whose it was: somebody in the plan's, somebody else's, or nobody's known.",
            json_schema_extra={"enum": ["in_plan", "outside_plan", "unassigned"]},
        ),
    ]


class Total(Answer):
    """The whole number, in one currency."""

    count: Annotated[Tallied, Field(description="How many activities.")]
    value: Annotated[Quantity, Field(description="As the progress says it.")]
    currency: _Currency = None


class GoalActivityPage(Page[GoalActivity]):
    """A part of what makes up a goal's number, by `at`, source and key."""

    plan: PlanReference
    scope: ProgressScope
    goal: Key
    metric: Annotated[Key, Field(examples=["calls"])]
    unit: Unit
    part: Part
    until: Annotated[Moment, Field(description="What lies before is counted.")]
    known_at: _KnownAt = None
    time_zone: Annotated[str, Field(description="IANA name.", examples=["Asia/Tokyo"])]
    totals: Annotated[
        list[Total],
        Field(description="The sum over all pages; of `excluded` one for each currency."),
    ]


class MetricActivityPage(Page[CountedActivity]):
    """A part of what a metric counts in a range, by `at`, source and key."""

    metric: Key
    unit: Unit
    from_: Annotated[Moment, Field(alias="from")]
    to: Annotated[Moment, Field(description="Excluded.")]
    known_at: _KnownAt = None
    time_zone: Annotated[str, Field(examples=["Asia/Tokyo"])]


class TracedRevision(Revision):
    """A report, where it came from, and what of it still stands."""

    delivery: Annotated[
        str | None,
        Field(
            description="The request that first brought it, see /v1/deliveries/{id}; null when "
            "that is not kept, or no longer."
        ),
    ]
    stands: Annotated[
        list[str],
        Field(
            description="The fields of the state that are as this report says; `@kind` and "
            "`@retracted` are what it says of the activity itself.",
            examples=[["amount", "status"]],
        ),
    ]


class CountedCell(Answer):
    """What an activity has moved in the tallies of a metric."""

    at: Annotated[Moment, Field(description="When it counts, by the metric's time.")]
    quarter: Annotated[Moment, Field(description="The beginning of the quarter hour it counts in.")]
    day: Annotated[str, Field(description="The local day.", json_schema_extra={"format": "date"})]
    actor: _Actor
    member: _Member
    team: _Team
    number: Annotated[
        Tallied, Field(description="By how much the count was moved; -1: it left again.")
    ]
    total: Annotated[Quantity, Field(description="By how much the sum was moved.")]
    currency: _Currency = None


class Count(Answer):
    """What a metric makes of an activity of its kind."""

    metric: Key
    cells: Annotated[
        list[CountedCell],
        Field(description="Where it counts: one, of a stock two once it has left; or none."),
    ]
    reason: Annotated[
        Told | None,
        Field(
            description="Why it does not count: `retracted`, `kind_not_counted` (by its source), "
            "`filtered` (by `field`), or what is wrong with it; null when it counts."
        ),
    ]


class TracedActivity(Activity):
    """An activity, every report of it, the one of the greatest revision last, and its tallies."""

    revisions: list[TracedRevision]
    counts: Annotated[list[Count], Field(description="One for each metric of the activity's kind.")]
