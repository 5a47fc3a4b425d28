"""Answers about kinds that two sources count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.overlaps import Agreement
from app.web.schemas.answers import Answer, Moment, Page, Told
from app.web.schemas.common import Key
from app.web.schemas.sources import Kind, SourceBody


class OverlapSource(Answer):
    """One of the two."""

    source: Key
    activities: Annotated[int, Field(ge=0, description="Of the kind, that were compared.")]


class OverlapActivity(Answer):
    """An activity that looks like the other one of its pair."""

    source: Key
    key: str
    at: Moment
    members: Annotated[list[Key], Field(description="Whom it names, as far as they are known.")]


class OverlapExample(Answer):
    """Two activities that look like one."""

    agrees: Annotated[
        list[Agreement],
        Field(
            description="What both say: the same `member`, an `identity` (e-mail address or "
            "number) that is nobody's yet, the same `counterpart`, the same `amount`."
        ),
    ]
    apart_seconds: Annotated[int, Field(ge=0, le=120)]
    activities: Annotated[list[OverlapActivity], Field(min_length=2, max_length=2)]


class RepairRequest(Answer):
    """A request that makes the change. Credentials are left out, and stay as they are."""

    method: Literal["PUT"]
    path: str
    if_match: Annotated[str, Field(description="For the header If-Match.", examples=['"1"'])]
    body: Annotated[SourceBody, Field(description="The whole source as it would be.")]


class Repair(Told):
    """A change after which one source alone counts the kind."""

    source: Annotated[Key, Field(description="Whose `counts` change.")]
    request: RepairRequest
    command: Annotated[str, Field(description="The same on the command line.")]


class SourceOverlap(Answer):
    """A kind that two live sources count, and what both of them saw."""

    kind: Kind
    sources: Annotated[list[OverlapSource], Field(min_length=2, max_length=2)]
    from_: Annotated[Moment, Field(alias="from", description="Since when they were compared.")]
    to: Moment
    complete: Annotated[
        bool,
        Field(description="Whether that reaches back as far as was asked; see the operation."),
    ]
    seen_twice: Annotated[
        int, Field(ge=0, description="Pairs of activities that look like one; each is in one.")
    ]
    examples: Annotated[list[OverlapExample], Field(max_length=5, description="The newest.")]
    repairs: Annotated[
        list[Repair],
        Field(
            min_length=2,
            max_length=2,
            description="Either of them is enough. The first takes the kind from the sender of "
            "more kinds: who sends one only mostly knows it best.",
        ),
    ]


class OverlapPage(Page[SourceOverlap]):
    """Kinds that two sources count, by kind and keys."""
