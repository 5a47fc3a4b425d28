"""Members, teams, absences, identities."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.web.schemas.common import (
    Body,
    DateRange,
    DecimalText,
    Key,
    LocalDate,
    Name,
    Reason,
    Resource,
)


class TeamLink(DateRange):
    """Belonging to a team for a time: a person who moves takes the future along."""

    team: Key


class Identity(DateRange):
    """What a sender calls this person. Extensions change hands, so it may be dated."""

    source: Key
    kind: Literal["id", "email", "extension", "phone"]
    value: Annotated[str, Field(min_length=1, max_length=255, examples=["sato@example.co.jp"])]


class TeamBody(Resource):
    """A team; `parents` are dated, so that a reorganisation keeps history."""

    name: Name
    parents: list[TeamLink] = Field(default_factory=list, max_length=100)


class MemberBody(Resource):
    """A person who sells. `capacity` scales the share of a plan: "0.5" for a half-time person."""

    name: Name
    capacity: DecimalText = "1"
    memberships: list[TeamLink] = Field(default_factory=list, max_length=200)
    identities: list[Identity] = Field(default_factory=list, max_length=200)


class Absence(Body):
    """Days off, half-open; share "0.5" means half of each day."""

    from_: LocalDate = Field(alias="from")
    to: LocalDate
    share: Literal["1", "0.5"] = "1"
    reason: Reason | None = None


class AbsencesBody(Resource):
    """All absences of a member; PUT replaces the whole list."""

    absences: Annotated[list[Absence], Field(max_length=1000)]


class MemberLine(MemberBody):
    """One line of an NDJSON import: a member with its key."""

    answered: ClassVar[frozenset[str]] = frozenset({"version"})
    key: Key

    def member(self) -> dict[str, Any]:
        """The member's document: the key is its place, not a part of it."""
        document = self.document()
        del document["key"]
        return document
