"""Metrics of one's own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.web.schemas.common import Body, Name, Reason, Resource
from app.web.schemas.sources import Kind

FieldName = Annotated[str, Field(min_length=1, max_length=255, examples=["status"])]
HeldText = Annotated[str, Field(min_length=1, max_length=255, examples=["won"])]


class Names(Body):
    """What people call it; a language that is left out shows the other one."""

    en: Name | None = None
    ja: Name | None = None


class ConditionBody(Body):
    """A field is one of these values; an absent field counts as `default`."""

    field: FieldName
    in_: Annotated[list[HeldText], Field(alias="in", min_length=1, max_length=100)]
    default: HeldText | None = None


class StockBody(Body):
    """What stands, not what happened: it enters at `time` and leaves at the first of `until`."""

    until: Annotated[list[FieldName], Field(min_length=1, max_length=10)]
    open_while: Annotated[
        list[ConditionBody],
        Field(
            max_length=20,
            description="While all of these hold it stands open, whatever `until` says.",
        ),
    ] = Field(default_factory=list)


Conditions = Annotated[list[ConditionBody], Field(max_length=20)]


class MetricBody(Resource):
    """A measure over the activities of a kind."""

    answered: ClassVar[frozenset[str]] = Resource.answered | {"preset", "state", "counted", "of"}

    names: Names
    kind: Kind
    aggregation: Literal["count", "sum", "average", "unique", "min", "max", "latest"]
    where: Conditions = Field(default_factory=list, description="All of them must hold.")
    unless: Conditions = Field(default_factory=list, description="None of them may hold.")
    value: Annotated[
        FieldName | None, Field(description="The field that is measured; `count` has none.")
    ] = None
    less: Annotated[FieldName | None, Field(description="A field subtracted from `value`.")] = None
    time: Annotated[FieldName, Field(description="The field whose time says when it counts.")]
    roles: Annotated[
        list[FieldName] | None,
        Field(
            max_length=10,
            description="The fields that say whose it is, the first that is there; left out: "
            "those that a bare `actor` fills.",
        ),
    ] = None
    unit: Literal["count", "money", "duration", "ratio"] = "count"
    decimals: Annotated[
        int, Field(ge=0, le=6, description="Of the value; money has its currency's.")
    ] = 0
    credit: Annotated[
        Literal["role", "shared"],
        Field(
            description="Whom an activity counts for. `role`: whole, for whom `roles` names. "
            "`shared`: for everybody in its `credits`, by their shares; one without `credits` "
            "whole, for whom `roles` names."
        ),
    ] = "role"
    holder: Annotated[
        Literal["current", "at_time"],
        Field(
            description="Of those who had the role in turn, who is credited. `current`: who has "
            "it now, so a deal moves with its owner, history included. `at_time`: who had it when "
            "the activity came to count at its `time`; a handover or another amount afterwards "
            "leaves it there, and what is lost and won anew is credited anew."
        ),
    ] = "current"
    stock: StockBody | None = None
    reason: Annotated[Reason | None, Field(description="Why; a change wants it.")] = None
