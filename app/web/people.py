"""Teams, members, absences, and identities that are nobody's yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import NotFound, UnsupportedMedia
from app.intake.reading import read_json
from app.store import documents
from app.usecases import people
from app.usecases.organisation import MEMBER, TEAM
from app.usecases.saving import standing
from app.web.auth import Principal, requires
from app.web.lines import NDJSON, body_of_lines, read_each
from app.web.pagination import Paged, page
from app.web.promises import answers, reads, removes, saves
from app.web.resources import (
    Json,
    Parts,
    Seen,
    archived,
    found,
    saved_answer,
    shown,
    written_moment,
)
from app.web.schemas import answers_organisation as organisation
from app.web.schemas.common import Key
from app.web.schemas.people import AbsencesBody, MemberBody, MemberLine, TeamBody
from app.web.service import router

Reader = Annotated[Principal, requires("read")]
Writer = Annotated[Principal, requires("write")]

teams = router("/v1/teams", "people")
members = router("/v1/members", "people")
identities = router("/v1/identities", "people")


@teams.get("", responses=answers(organisation.TeamPage))
def list_teams(parts: Parts, who: Reader, query: Paged) -> Json:
    """Teams by key."""
    return _listed(parts, who, query, TEAM)


@teams.get("/{key}", responses=reads(organisation.Team))
def get_team(request: Request, parts: Parts, who: Reader, key: Key) -> Response:
    """One team."""
    return _one(request, parts, who, TEAM, key)


@teams.put("/{key}", responses=saves(organisation.Team))
def put_team(parts: Parts, who: Writer, seen: Seen, key: Key, body: TeamBody) -> Response:
    """Create or replace a team; parents are dated, so that history stays."""
    return saved_answer(
        people.put_team(parts, who.workspace, key, body.document(), seen, who.key_id)
    )


@teams.delete("/{key}", status_code=204, responses=removes())
def archive_team(parts: Parts, who: Writer, seen: Seen, key: Key) -> Response:
    """Take a team out of use; its history stays."""
    people.archive_team(parts, who.workspace, key, seen, who.key_id)
    return archived()


@members.get("", responses=answers(organisation.MemberPage))
def list_members(parts: Parts, who: Reader, query: Paged) -> Json:
    """Members by key."""
    return _listed(parts, who, query, MEMBER)


async def _lines(request: Request) -> list[MemberLine]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != NDJSON:
        raise UnsupportedMedia("unsupported_media_type", expected=NDJSON)
    lines = (await request.body()).split(b"\n")
    values = [read_json(line, line=n) for n, line in enumerate(lines, 1) if line.strip()]
    return read_each(MemberLine, values)


@members.put("", responses=answers(organisation.Imported), openapi_extra=body_of_lines(MemberLine))
def put_members(
    parts: Parts, who: Writer, lines: Annotated[list[MemberLine], Depends(_lines)]
) -> Json:
    """Create or replace many members, one a line with its key: all of them, or none.

    Members that are not in the list stay as they are.
    """
    bodies = [(line.key, line.member()) for line in lines]
    saved = people.put_members(parts, who.workspace, bodies, who.key_id)
    created = sum(one.created for one in saved)
    changed = sum(one.changed for one in saved) - created
    return {"created": created, "changed": changed, "unchanged": len(saved) - created - changed}


@members.get("/{key}", responses=reads(organisation.Member))
def get_member(request: Request, parts: Parts, who: Reader, key: Key) -> Response:
    """One member."""
    return _one(request, parts, who, MEMBER, key)


@members.put("/{key}", responses=saves(organisation.Member))
def put_member(parts: Parts, who: Writer, seen: Seen, key: Key, body: MemberBody) -> Response:
    """Create or replace a member; an identity mapped here attributes the past as well."""
    return saved_answer(
        people.put_member(parts, who.workspace, key, body.document(), seen, who.key_id)
    )


@members.delete("/{key}", status_code=204, responses=removes())
def archive_member(parts: Parts, who: Writer, seen: Seen, key: Key) -> Response:
    """Say goodbye: memberships and identities end today, what was done stays."""
    people.archive_member(parts, who.workspace, key, seen, who.key_id)
    return archived()


@members.get("/{key}/absences", responses=reads(organisation.Absences))
def get_absences(request: Request, parts: Parts, who: Reader, key: Key) -> Response:
    """A member's absences."""
    return found(request, people.absences(parts, who.workspace, key))


@members.put("/{key}/absences", responses=saves(organisation.Absences))
def put_absences(parts: Parts, who: Writer, seen: Seen, key: Key, body: AbsencesBody) -> Response:
    """Replace a member's absences."""
    return saved_answer(
        people.put_absences(parts, who.workspace, key, body.document(), seen, who.key_id)
    )


@identities.get("/unmatched", responses=answers(organisation.UnmatchedPage))
def list_unmatched(parts: Parts, who: Reader, query: Paged) -> Json:
    """Who is unknown: identities with activities that mean no member."""
    after = query.after(who.workspace, "unmatched") or ""
    with parts.read() as reading:
        zone = parts.organisations.at(reading, who.workspace).workspace.zone
    rest = [one for one in people.unmatched(parts, who.workspace) if _place(one) > after]
    return page(
        rest[: query.limit + 1],
        query,
        who.workspace,
        "unmatched",
        key=_place,
        show=lambda one: {
            "source": one.source,
            "kind": one.kind.value,
            "value": one.value,
            "activities": one.activities,
            "first_at": written_moment(one.first_at, zone),
            "last_at": written_moment(one.last_at, zone),
        },
    )


def _place(one: people.Unmatched) -> str:
    # No source has a space, and none of its letters sorts before one.
    return f"{one.source} {one.value}"


def _listed(parts: Parts, who: Principal, query: Paged, collection: str) -> Json:
    named = (who.workspace, collection)
    with parts.read() as reading:
        items = documents.page(
            reading, who.workspace, collection, query.after(*named), query.limit + 1
        )
    return page(items, query, *named, key=lambda item: item.key, show=shown)


def _one(request: Request, parts: Parts, who: Principal, collection: str, key: str) -> Response:
    with parts.read() as reading:
        document = standing(reading, who.workspace, collection, key)
    if document is None:
        raise NotFound(f"unknown_{collection}", **{collection: key})
    return found(request, document)
