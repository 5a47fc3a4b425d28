"""Answers about what was reported: per item, as it stands, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Page, Params, Told
from app.web.schemas.common import Key
from app.web.schemas.sources import Kind

_Number = Annotated[int, Field(ge=0)]
_Fields = Annotated[
    dict[str, Any],
    Field(description="Canonical: times in UTC, decimals as text, e-mail addresses in lower case."),
]
_Source = Annotated[str, Field(description="The source's key.", examples=["zoom"])]
_ActivityKey = Annotated[
    str, Field(description="The event's `subject`, else its `id`.", examples=["D-1001"])
]


class ProblemError(Told):
    """One thing that is wrong, and where."""

    pointer: Annotated[
        str,
        Field(description="RFC 6901, into the body; empty for the whole. Of CSV: row and column."),
    ]


class Problem(Answer):
    """RFC 9457. `type` is stable, `title` constant per type, `detail` is for people."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599, description="The HTTP status.")]
    detail: Annotated[str, Field(description="In the language of Accept-Language (en, ja).")]
    instance: Annotated[
        str | None,
        Field(description="The request's id, also in the log; none for an item of a batch."),
    ] = None
    params: Params | None = None
    errors: Annotated[
        list[ProblemError] | None, Field(description="Everything that is wrong, not only the first")
    ] = None


class ItemProblem(Answer):
    """What is wrong with one item."""

    index: Annotated[
        int,
        Field(ge=0, description="Its place in the request, from 0; of CSV, the number of its row."),
    ]
    id: Annotated[str | None, Field(description="The event's id; null if it could not be read.")]
    problem: Problem


class EventsAnswer(Answer):
    """What became of the items: each is counted or listed exactly once."""

    accepted: Annotated[_Number, Field(description="New activities.")]
    revised: Annotated[_Number, Field(description="Changes of known activities.")]
    duplicate: Annotated[_Number, Field(description="Known already; nothing happened.")]
    stale: Annotated[_Number, Field(description="Older than what stands; kept, nothing changed.")]
    quarantined: Annotated[_Number, Field(description="Kept for repair; see /v1/quarantine.")]
    pending: Annotated[_Number, Field(description="Stored, counted once their details are known.")]
    rejected: Annotated[list[ItemProblem], Field(description="Unusable, and not stored.")]
    conflicts: Annotated[
        list[ItemProblem],
        Field(
            description="Contradict another report of the same revision. Both are stored; which "
            "stands is decided by content, the same in every order of arrival."
        ),
    ]


class Uncounted(Answer):
    """Why a metric cannot count an activity that it is about."""

    metric: Annotated[Key, Field(examples=["deals_won"])]
    code: Annotated[str, Field(description="What is wrong; stable.")]
    field: Annotated[str, Field(description="The field it is wrong with.", examples=["won_at"])]


class Activity(Answer):
    """An activity as it stands after all reports of it."""

    source: _Source
    key: _ActivityKey
    kind: Kind
    retracted: Annotated[bool, Field(description="A retracted activity counts nowhere.")]
    fields: _Fields
    uncounted: Annotated[
        list[Uncounted], Field(description="The metrics that would count it and cannot.")
    ]
    changed_at: Annotated[Moment, Field(description="When its state last changed, in UTC.")]


class Revision(Answer):
    """A report of an activity, as it was received."""

    revision: Annotated[
        str | None, Field(description="What orders the reports: a number, or an instant in UTC.")
    ]
    full: Annotated[
        bool, Field(description="Whether it replaces the state; a partial one sets its fields.")
    ]
    fields: _Fields
    conflict: Annotated[
        bool, Field(description="Whether another report of the same revision contradicts it.")
    ]
    received_at: Annotated[Moment, Field(description="In UTC.")]


class ActivityPage(Page[Activity]):
    """Activities by source and key."""


class Contradiction(Revision):
    """A report that contradicted another one of the same revision."""

    source: _Source
    key: _ActivityKey


class ConflictPage(Page[Contradiction]):
    """Contradicting reports by source and key."""


class Quarantined(Answer):
    """An authentic item that could not be counted."""

    id: Annotated[str, Field(description="Names the entry.")]
    source: Annotated[str | None, Field(description="null if the item does not tell.")]
    item: Annotated[str | None, Field(description="The sender's id for it; null without one.")]
    code: Annotated[str, Field(description="What is wrong; stable.")]
    message: Annotated[str, Field(description="In the language of Accept-Language (en, ja).")]
    errors: list[ProblemError]
    content: Annotated[str, Field(description="What was sent, secrets redacted, cut at 16 KiB.")]
    count: Annotated[int, Field(ge=1, description="How often the same content came.")]
    first_at: Annotated[Moment, Field(description="In UTC.")]
    last_at: Annotated[Moment, Field(description="In UTC.")]
    delivery: Annotated[
        str | None, Field(description="The latest delivery that brought it; see /v1/deliveries.")
    ]
    resolved_at: Annotated[
        Moment | None,
        Field(
            description="When a replay settled it, or a later report that makes up for it: the "
            "same event, or a whole report of its activity that is not older. In UTC; null while "
            "it is open."
        ),
    ]


class QuarantinePage(Page[Quarantined]):
    """Entries, the newest first."""
