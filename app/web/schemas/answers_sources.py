"""Answers about sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.usecases.asking import Asking
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
            "should; `stale`: it has been silent for too long; `failing`: its API was "
            "asked several times in a row and did not answer."
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


class Waiting(Answer):
    """Objects that were named and are still to be fetched."""

    count: Annotated[int, Field(ge=0)]
    oldest: Annotated[Moment | None, Field(description="When the oldest was named, in UTC.")]


class Fetching(Answer):
    """How asking the provider of a source stands."""

    state: Annotated[
        Asking,
        Field(
            description="`unsupported`: this provider is never asked; `not_configured`: the "
            "credentials for that are missing; `untried`; `working`; `failing`: the last call "
            "brought nothing, see `problem`."
        ),
    ]
    problem: Annotated[Told | None, Field(description="Why the last call brought nothing.")]
    tried_at: Annotated[Moment | None, Field(description="The last call, in UTC.")]
    succeeded_at: Annotated[Moment | None, Field(description="The last that was answered.")]
    backfill_from: Annotated[
        Moment | None, Field(description="Of a backfill that was asked for and has not begun.")
    ]
    read_up_to: Annotated[
        dict[str, Moment],
        Field(description="By listing: the latest change that was read, by the provider's clock."),
    ]
    reading: Annotated[list[str], Field(description="Listings that are being read through now.")]
    pending: Waiting


class SourcePage(Page[Source]):
    """Sources by key."""
