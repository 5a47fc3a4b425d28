"""Teams, members, absences; and who is still nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.errors import Conflict, NotFound
from app.domain.people import IdentityKind, guessed_kind
from app.store import actors, documents
from app.store.actors import Actor, Credits
from app.store.documents import Document
from app.store.transactions import Access, Writing
from app.usecases import organisation
from app.usecases.context import Context
from app.usecases.organisation import ABSENCES, MEMBER, TEAM, Organisation
from app.usecases.saving import Precondition, Saved, archive, save, standing

Body = dict[str, Any]
EPOCH = date(1970, 1, 1)  # no activity is older, and the calendar's own first day has no midnight


def put_team(
    context: Context, workspace: str, key: str, body: Body, seen: Precondition, author: str
) -> Saved:
    """Create or replace a team. Raises Invalid where the tree would not hold."""
    with context.write(workspace) as writing:
        saved = save(writing, TEAM, key, body, seen, author=author)
        organisation.people(writing, workspace)
        return saved


def put_member(
    context: Context, workspace: str, key: str, body: Body, seen: Precondition, author: str
) -> Saved:
    """Create or replace a member. An identity mapped here attributes the past as well."""
    with context.write(workspace) as writing:
        saved = save(writing, MEMBER, key, body, seen, author=author)
        organisation.people(writing, workspace)
        return saved


def put_members(
    context: Context, workspace: str, bodies: Mapping[str, Body], author: str
) -> list[Saved]:
    """Create or replace many members in one transaction: all of them, or none.

    Whoever imports a list means the whole list, so no versions are asked for.
    """
    with context.write(workspace) as writing:
        saved = [
            save(writing, MEMBER, key, body, _whatever(writing, key), author=author)
            for key, body in bodies.items()
        ]
        organisation.people(writing, workspace)
        return saved


def _whatever(writing: Writing, key: str) -> Precondition:
    current = standing(writing, writing.workspace, MEMBER, key)
    return Precondition(None if current is None else frozenset({str(current.version)}))


def put_absences(
    context: Context, workspace: str, member: str, body: Body, seen: Precondition, author: str
) -> Saved:
    """Replace the absences of a member."""
    with context.write(workspace) as writing:
        _existing(writing, workspace, member)
        saved = save(writing, ABSENCES, member, body, seen, author=author)
        organisation.people(writing, workspace)
        return saved


def absences(context: Context, workspace: str, member: str) -> Document:
    """The absences of a member. Raises NotFound where none were ever said."""
    with context.read() as reading:
        _existing(reading, workspace, member)
        found = standing(reading, workspace, ABSENCES, member)
    if found is None:
        raise NotFound("no_absences", member=member)
    return found


def _existing(access: Access, workspace: str, member: str) -> None:
    if standing(access, workspace, MEMBER, member) is None:
        raise NotFound("unknown_member", member=member)


def archive_team(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a team out of use. Raises Conflict while anybody or any team belongs to it."""
    with context.write(workspace) as writing:
        archive(writing, TEAM, key, seen, author=author)
        today = _today(context, writing, workspace)
        people = organisation.people(writing, workspace)
        if any(people.team(member, today) == key for member in people.members) or any(
            key in people.ancestors(team, today) for team in people.teams
        ):
            raise Conflict("team_in_use", team=key)


def archive_member(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Say goodbye to a member: memberships and identities end today, what was done stays.

    An extension left open would keep the next person from having it.
    """
    with context.write(workspace) as writing:
        current = standing(writing, workspace, MEMBER, key)
        archive(writing, MEMBER, key, seen, author=author)
        if current is not None:
            body = ended(current.body, _today(context, writing, workspace).isoformat())
            documents.put(writing, MEMBER, key, body, author=author)
            documents.archive(writing, MEMBER, key, author=author)


def ended(body: Body, today: str) -> Body:
    """A member's document with nothing in it that goes on after today."""
    return body | {
        name: [
            link | {"to": min(today, link.get("to") or today)}
            for link in body.get(name, [])
            if (link.get("from") or "") < today
        ]
        for name in ("memberships", "identities")
    }


def _today(context: Context, access: Access, workspace: str) -> date:
    calendar = organisation.settings(access, workspace).calendar
    return calendar.local_day(context.clock())


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An identity that means nobody: what it most likely is, and what it did."""

    source: str
    kind: IdentityKind
    value: str
    activities: int
    first_at: int
    last_at: int


def unmatched(context: Context, workspace: str) -> list[Unmatched]:
    """Every identity with activities on days on which it means no member, by source and value."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        known = actors.all_actors(reading, workspace)
        found_credits = actors.credits_within(reading, workspace, strangers(known, found))
    listed = [_unmatched(known[credit.actor], credit) for credit in found_credits]
    return sorted(listed, key=lambda one: (one.source, one.value))


def strangers(known: Mapping[int, Actor], found: Organisation) -> dict[int, list[tuple[int, int]]]:
    """The actors that mean nobody at some time, with the instants between which they do not."""
    spans = {number: _silent_spans(found, who) for number, who in known.items() if who.identity}
    return {number: silent for number, silent in spans.items() if silent}


def _silent_spans(found: Organisation, actor: Actor) -> list[tuple[int, int]]:
    """The instants between which an actor means nobody, half-open."""
    calendar = found.workspace.calendar
    return [
        (calendar.midnight(max(span.first, EPOCH)), calendar.midnight(span.until))
        for span in found.people.unknown_spans(actor.source, actor.identity)
    ]


def _unmatched(actor: Actor, credit: Credits) -> Unmatched:
    kind = guessed_kind(actor.identity)
    return Unmatched(
        actor.source, kind, actor.identity, credit.activities, credit.first_at, credit.last_at
    )
