"""Answers about how a source is doing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.activities import Outcome
from app.usecases.sources import Liveness
from app.web.schemas.answers import Answer, Moment, Told
from app.web.schemas.common import Key


class RefusedFor(Told):
    """A reason for which requests were refused, and what to do about it."""

    number: Annotated[int, Field(ge=1, description="How many requests.")]
    first_at: Moment
    last_at: Moment


class RecentDelivery(Answer):
    """A request that was taken."""

    id: Annotated[str, Field(description="As in /v1/deliveries.")]
    received_at: Moment
    outcomes: Annotated[
        dict[Outcome, int],
        Field(description="What became of its items; empty: of no interest."),
    ]


class SourceStatus(Answer):
    """Whether what a source sends arrives and counts."""

    key: Key
    state: Annotated[Liveness, Field(description="As in the source.")]
    last_received_at: Moment | None
    refused: Annotated[list[RefusedFor], Field(description="By reason, the latest first.")]
    recent: Annotated[
        list[RecentDelivery],
        Field(max_length=20, description="Among the newest 2,000 of all sources; newest first."),
    ]
    findings: Annotated[list[Told], Field(description="What to do; empty where all is well.")]
