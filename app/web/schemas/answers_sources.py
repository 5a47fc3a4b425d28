"""Answers about sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.usecases.sources import Liveness
from app.web.schemas.answers import Answer, Moment, Page, Told, Version
from app.web.schemas.common import Key, Name
from app.web.schemas.mappings import MappingBody
from app.web.schemas.sources import Expectation, Kind, SettingsDocument


class Source(Answer):
    """How a sender is connected, and whether it speaks. Credentials are never answered."""

    key: Key
    provider: Annotated[str, Field(examples=["events"])]
    name: Name
    counts: Annotated[
        list[Kind] | None,
        Field(description="The kinds this source counts; left out when it counts every kind."),
    ] = None
    expect: Annotated[
        Expectation | None,
        Field(description="Left out when the source is expected once a working day."),
    ] = None
    settings: SettingsDocument = None
    mapping: Annotated[
        MappingBody | None,
        Field(description="Of the provider `csv` only; left out where there is none yet."),
    ] = None
    state: Annotated[
        Liveness,
        Field(
            description="`pending`: nothing has arrived yet; `active`: it speaks as often as it "
            "should; `stale`: it has been silent for too long."
        ),
    ]
    last_received_at: Annotated[
        Moment | None,
        Field(description="The last delivery, in the workspace's zone; null before the first."),
    ]
    hook_url: Annotated[
        str | None,
        Field(
            description="Where the provider posts to. It is a secret. null for senders that use "
            "/v1/events with an API key."
        ),
    ]
    secret: Annotated[
        str | None,
        Field(description="A signing secret that was made just now; shown this once, else null."),
    ]
    next: Annotated[list[Told], Field(description="What to do at the provider.")]
    warnings: Annotated[
        list[Told],
        Field(description="What will go wrong if it stays so, such as calls counted twice."),
    ]
    version: Annotated[Version, Field(description="Of the configuration, not of the live state.")]


class SourcePage(Page[Source]):
    """Sources by key."""
