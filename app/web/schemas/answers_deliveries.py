"""Answers about deliveries: what was received, and what a replay came to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Page

_Number = Annotated[int, Field(ge=0)]


class Outcomes(Answer):
    """How many items became what."""

    accepted: _Number
    revised: _Number
    duplicate: _Number
    stale: _Number
    conflict: _Number
    pending: Annotated[int, Field(ge=0, description="Named only; counted once fetched.")]
    quarantined: _Number
    rejected: _Number


class ListedDelivery(Answer):
    """A request that was received, without its body."""

    id: Annotated[str, Field(description="Names the delivery.")]
    received_at: Annotated[Moment, Field(description="In UTC.")]
    door: Annotated[
        Literal["events", "hook", "fetch"],
        Field(description="POST /v1/events, a provider's hook, or that we asked the provider."),
    ]
    sources: Annotated[list[str], Field(description="Whose items it brought.")]
    media_type: Annotated[str, Field(description="Content-Type as received.")]
    size: Annotated[int, Field(ge=0, description="Bytes of the body.")]
    redacted: Annotated[
        bool,
        Field(description="Whether secrets were taken out; such a delivery cannot be replayed."),
    ]
    outcomes: Annotated[Outcomes, Field(description="Its items, as they were answered.")]


class Delivery(ListedDelivery):
    """A request that was received."""

    method: str
    query: Annotated[str, Field(description="Of the address, without the question mark.")]
    headers: Annotated[
        dict[str, str], Field(description="Those that reading needs (`ce-`); never authorization.")
    ]
    encoding: Annotated[
        Literal["text", "base64"], Field(description="How `body` is written: base64 unless UTF-8.")
    ]
    body: str


class DeliveryPage(Page[ListedDelivery]):
    """Deliveries, the newest first."""


class ReplaySummary(Answer):
    """What a replay came to."""

    deliveries: Annotated[int, Field(ge=0, description="How many were read again.")]
    skipped: Annotated[
        int,
        Field(
            ge=0,
            description="How many could not be: redacted, of a source that is gone or has no "
            "mapping any more, or unreadable by today's rules.",
        ),
    ]
    outcomes: Outcomes
    next: Annotated[str | None, Field(description="`cursor` of the next request; null at the end.")]
