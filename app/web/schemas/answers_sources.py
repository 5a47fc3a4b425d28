"""Answers about sources."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.domain.freshness import Basis, Within
from app.usecases.asking import Asking
from app.usecases.sources import Liveness
from app.web.schemas.answers import Answer, Moment, Page, Told, Version
from app.web.schemas.answers_events import ProblemError
from app.web.schemas.common import Key, Name
from app.web.schemas.mappings import AnyMapping
from app.web.schemas.sources import Expectation, Kind, SettingsDocument


class Expected(Answer):
    """How long a source may be silent before it is stale, and where that is known from."""

    every: Annotated[
        str,
        Field(
            examples=["PT1H10M"],
            description="ISO 8601. Within working hours a day is one working day, an hour one of "
            "working time.",
        ),
    ]
    within: Within
    from_: Annotated[
        Basis,
        Field(
            alias="from",
            description="`set`: its `expect`; `learned`: from its deliveries of the four weeks "
            "before the day on which it last spoke; `default`: one delivery per working day, until "
            "it has spoken on five working days.",
        ),
    ]
    learned_from_days: Annotated[
        int | None,
        Field(ge=5, description="How many working days taught it; null unless it is learned."),
    ]


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
        Field(description="As it was set; left out where `expectation` is learned."),
    ] = None
    settings: SettingsDocument = None
    mapping: Annotated[
        AnyMapping | None,
        Field(description="How it is read; left out where there is none."),
    ] = None
    state: Annotated[
        Liveness,
        Field(
            description="`pending`: nothing has arrived yet; `active`: it speaks as often as it "
            "should; `stale`: it has been silent for too long; `failing`: its API was "
            "asked several times in a row and did not answer, or its notifications ended and "
            "could not be renewed."
        ),
    ]
    expectation: Expected
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
    retiring_until: Annotated[
        Moment | None,
        Field(
            description="Until then secrets and addresses that a rotation replaced are still "
            "taken; or null."
        ),
    ]
    next: Annotated[list[Told], Field(description="What to do at the provider.")]
    warnings: Annotated[
        list[Told],
        Field(description="What will go wrong if it stays so, such as calls counted twice."),
    ]
    version: Annotated[Version, Field(description="Of the configuration, not of the live state.")]


class PendingObjects(Answer):
    """Objects that were named and are still to be fetched."""

    count: Annotated[int, Field(ge=0)]
    oldest: Annotated[Moment | None, Field(description="When the oldest was named, in UTC.")]


class Channel(Answer):
    """What has a provider go on notifying, where its notifications end by themselves."""

    name: Annotated[str, Field(description="Which of the source's, in the provider's words.")]
    expires_at: Annotated[
        Moment | None, Field(description="When it ends by itself, in UTC; null: none was opened.")
    ]
    renew_at: Annotated[Moment, Field(description="When it is asked for again, in UTC.")]
    failures: Annotated[int, Field(ge=0, description="How many tries in a row failed.")]
    problem: Annotated[Told | None, Field(description="Why the last try failed.")]


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
    pending: PendingObjects
    channels: Annotated[
        list[Channel],
        Field(description="Renewed by themselves; empty where the provider needs none."),
    ]


class SourcePage(Page[Source]):
    """Sources by key."""


class MissingFor(Answer):
    """A metric that is about the activity and cannot count it."""

    metric: Key
    code: Annotated[str, Field(description="Stable, such as `no_time`.")]
    field: Annotated[str, Field(description="What it lacks.")]


class TrialItem(Answer):
    """An activity that the sample means."""

    index: Annotated[int, Field(ge=0, description="Its place; of a table, the number of its row.")]
    key: str
    kind: Kind
    revision: Annotated[str | None, Field(description="As the sender would write it.")]
    merge: Annotated[bool, Field(description="Whether it says some fields only.")]
    retracted: bool
    fields: Annotated[dict[str, Any], Field(description="Canonical, as they would be stored.")]
    counts: Annotated[bool, Field(description="Whether the source counts this kind.")]
    metrics: Annotated[list[Key], Field(description="The metrics that would count it.")]
    uncounted: list[MissingFor]


class TrialProblem(ProblemError):
    """Why something cannot be counted, and where in the mapping (of a table: in the row)."""

    index: Annotated[int, Field(ge=0)]
    item: Annotated[str | None, Field(description="Its key, as far as it could be read.")]


class Trial(Answer):
    """What a sample comes to. Nothing of it was stored."""

    items: list[TrialItem]
    problems: list[TrialProblem]
