"""Answers about metrics: definitions, and numbers over time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.buckets import Granularity
from app.domain.holders import Holder
from app.domain.metrics import Aggregation, Credit, UnitKind
from app.web.schemas.answers import Answer, Moment, Page, Quantity, Tallied, Told, Version
from app.web.schemas.answers_progress import Unit
from app.web.schemas.common import Key
from app.web.schemas.metrics import Conditions, FieldName, Names, StockBody
from app.web.schemas.sources import Kind


class Metric(Answer):
    """A measure over the activities of a kind."""

    key: Key
    names: Names
    kind: Kind
    aggregation: Aggregation
    where: Annotated[Conditions, Field(description="All of them hold.")]
    unless: Annotated[Conditions, Field(description="None of them holds.")]
    value: Annotated[
        FieldName | None, Field(description="What is measured; left out for a count.")
    ] = None
    less: Annotated[FieldName | None, Field(description="Subtracted from `value`.")] = None
    time: Annotated[FieldName, Field(description="Whose time says when it counts.")]
    roles: Annotated[
        list[FieldName] | None,
        Field(description="Who it was; left out: the fields that a bare `actor` fills."),
    ] = None
    unit: UnitKind
    decimals: Annotated[int, Field(ge=0, le=6)]
    credit: Annotated[
        Credit,
        Field(description="Whether an activity's `credits` divide it; `role`: it counts whole."),
    ]
    holder: Annotated[
        Holder,
        Field(description="`current`: who has the role now; `at_time`: who had it at `time`."),
    ]
    stock: Annotated[
        StockBody | None, Field(description="For what stands rather than happened.")
    ] = None
    preset: Annotated[bool, Field(description="Every workspace has it; it does not change.")]
    state: Annotated[
        Literal["active", "building"],
        Field(
            description="`building`: history is still being counted by this definition. Until it "
            "is, a changed metric gives the numbers of the definition before, a new one none."
        ),
    ]
    counted: Annotated[
        int | None, Field(ge=0, description="While building: activities gone through.")
    ] = None
    of: Annotated[int | None, Field(ge=0, description="While building: of so many.")] = None
    version: Version


class MetricPage(Page[Metric]):
    """Metrics by key: presets and own."""


class ActorName(Answer):
    """Whom a source names."""

    source: Key
    identity: Annotated[str | None, Field(description="As the source writes it; null: nobody.")]


class SeriesItem(Answer):
    """One number. Of `member`, `team` and `actor` there is the one that `group_by` asks for."""

    from_: Annotated[Moment, Field(alias="from")]
    to: Annotated[Moment, Field(description="Excluded.")]
    member: Annotated[
        Key | None,
        Field(
            description="null: nobody known.",
            json_schema_extra={"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
    ] = None
    team: Annotated[
        Key | None,
        Field(
            description="The team in which the member stood; null: nobody known, or no team.",
            json_schema_extra={"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
    ] = None
    actor: ActorName | None = None
    value: Annotated[
        Quantity | None,
        Field(
            description="In the metric's unit; of a stock, what stands at the end of the bucket."
        ),
    ]
    count: Annotated[
        Tallied,
        Field(description="How many activities; of a stock, how many stand at the bucket's end."),
    ]
    reasons: Annotated[
        list[Told] | None, Field(description="Why `value` is null; else left out.")
    ] = None


class Series(Answer):
    """A metric over time, by bucket and then by name, nobody last."""

    metric: Key
    unit: Unit
    granularity: Granularity
    time_zone: Annotated[str, Field(examples=["Asia/Tokyo"])]
    known_at: Annotated[
        Moment | None, Field(description="As asked: what was received until then is counted.")
    ] = None
    items: list[SeriesItem]
    reasons: Annotated[
        list[Told] | None,
        Field(description="Why there are no numbers at all: `building`; else left out."),
    ] = None
    next: Annotated[
        str | None,
        Field(description="The `cursor` of the page that follows; null on the last page."),
    ]
