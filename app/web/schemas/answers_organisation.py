"""Answers about the workspace, its keys, and its people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.calendar import DayKind
from app.web.schemas.answers import Answer, Moment, Page, Version
from app.web.schemas.common import DecimalText, Key, LocalDate, Name
from app.web.schemas.people import Absence, Identity, TeamLink
from app.web.schemas.workspace import CalendarBody, Retention, Scope

_ENDED = ", ".join(f"`{kind}`" for kind in DayKind if kind is not DayKind.WORKDAY)


class Workspace(Answer):
    """A tenant: its zone, currency, language and calendar."""

    key: Key
    name: Name
    time_zone: Annotated[
        str, Field(description="IANA name; its midnights bound the days.", examples=["Asia/Tokyo"])
    ]
    currency: Annotated[
        str, Field(description="ISO 4217. Amounts in others are never added.", examples=["JPY"])
    ]
    locale: Annotated[str, Field(examples=["ja-JP"])]
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)]
    calendar: CalendarBody
    retention: Annotated[
        Retention | None, Field(description="Left out: deliveries are kept for 90 days.")
    ] = None
    version: Version


class CalendarDay(Answer):
    """Whether a day works, and why not, or why all the same."""

    date: LocalDate
    working: bool
    reason: Annotated[
        str | None,
        Field(
            description="The closure's or holiday's own name, else the kind of day: "
            f"{_ENDED}. Left out on a plain working day."
        ),
    ] = None


class Calendar(Answer):
    """The days of a period, in order."""

    working_days: Annotated[int, Field(ge=0, description="How many of the days work.")]
    days: list[CalendarDay]


class ApiKey(Answer):
    """An API key. Its token cannot be read back."""

    id: Annotated[str, Field(description="Names the key, in logs too; it is no secret.")]
    name: Name
    scopes: list[Scope]
    created_at: Moment
    revoked_at: Annotated[Moment | None, Field(description="null while the key is valid.")]


class IssuedKey(ApiKey):
    """A new key with its token, which is shown this once."""

    token: Annotated[
        str,
        Field(
            pattern=r"^tsk_[a-z0-9][a-z0-9_.-]{0,62}_[A-Za-z0-9]{32,128}$",
            description="Send it as `Authorization: Bearer ...`. Only its digest is stored.",
        ),
    ]


class ApiKeyPage(Page[ApiKey]):
    """Keys by id, the revoked among them."""


class Team(Answer):
    """A team."""

    key: Key
    name: Name
    parents: Annotated[list[TeamLink], Field(description="The teams it belongs to, and when.")]
    version: Version


class TeamPage(Page[Team]):
    """Teams by key."""


class Member(Answer):
    """A person who sells."""

    key: Key
    name: Name
    capacity: Annotated[
        DecimalText, Field(description='Share of a full-time person: "0.5" for half time.')
    ]
    memberships: Annotated[list[TeamLink], Field(description="The person's teams, and when.")]
    identities: Annotated[
        list[Identity], Field(description="What senders call this person, and when.")
    ]
    version: Version


class MemberPage(Page[Member]):
    """Members by key."""


class Imported(Answer):
    """What an import of many members did."""

    created: Annotated[int, Field(description="Members that are new.")]
    changed: Annotated[int, Field(description="Members that were replaced.")]
    unchanged: Annotated[int, Field(description="Members that stood like this before.")]


class Absences(Answer):
    """All absences of a member."""

    key: Annotated[Key, Field(description="The member's key.")]
    absences: list[Absence]
    version: Version


class UnmatchedIdentity(Answer):
    """An identity with activities on days on which it means no member."""

    source: Key
    kind: Annotated[
        Literal["id", "email", "extension", "phone"],
        Field(description="What it most likely is, judged by its form."),
    ]
    value: Annotated[str, Field(description="As the source writes it.", examples=["305"])]
    activities: Annotated[int, Field(ge=1, description="How many activities await a person.")]
    first_at: Annotated[Moment, Field(description="The earliest of them, in the workspace's zone.")]
    last_at: Annotated[Moment, Field(description="The latest of them, in the workspace's zone.")]


class UnmatchedPage(Page[UnmatchedIdentity]):
    """Unknown identities by source and value."""


class Holiday(Answer):
    """A public holiday."""

    date: LocalDate
    name: str


class Almanac(Answer):
    """Public holidays of a plan's period, as they were known when it was made."""

    holidays: Annotated[str, Field(description="The country that keeps them.")]
    made_by: Annotated[str, Field(description="Whose calendar it is, and which version of it.")]
    days: list[Holiday]
