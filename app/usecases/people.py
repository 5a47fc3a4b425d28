"""Teams, members, absences; and who is still nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.documents import Node, gathered
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.people import IdentityKind, guessed_kind, member_of
from app.domain.spans import span_of
from app.store import actors, documents
from app.store.actors import Actor, Credits
from app.store.documents import Document
from app.store.transactions import Access, Writing
from app.usecases import organisation
from app.usecases.context import Context
from app.usecases.organisation import ABSENCES, MEMBER, TEAM, Organisation
from app.usecases.saving import ANY, Precondition, Saved, archive, save, standing

Body = dict[str, Any]
EPOCH = date(1970, 1, 1)  # no activity is older, and the calendar's own first day has no midnight


def put_team(
    context: Context, workspace: str, key: str, body: Body, seen: Precondition, author: str
) -> Saved:
    """Create or replace a team. Raises Invalid where the tree would not hold."""
    with context.write(workspace) as writing:
        saved = save(writing, TEAM, key, body, seen, author=author)
        organisation.people(writing, workspace)
        if saved.changed:
            _refuse_archived(_ends(writing), body, "parents")
        return saved


def put_member(
    context: Context, workspace: str, key: str, body: Body, seen: Precondition, author: str
) -> Saved:
    """Create or replace a member. An identity mapped here attributes the past as well."""
    with context.write(workspace) as writing:
        saved = save(writing, MEMBER, key, body, seen, author=author)
        _check_people(writing, {key: ""})
        if saved.changed:
            _refuse_archived(_ends(writing), body, "memberships")
        return saved


def put_members(
    context: Context, workspace: str, bodies: Sequence[tuple[str, Body]], author: str
) -> list[Saved]:
    """Create or replace many members in one transaction: all of them, or none.

    Whoever imports a list means the whole list, so no versions are asked for. Raises Invalid
    with pointers that begin with the place in the list.
    """
    places = _places([key for key, _ in bodies])
    gathered((Node(body, places[key]) for key, body in bodies), _readable)
    with context.write(workspace) as writing:
        saved = [
            save(writing, MEMBER, key, body, _whatever(writing, key), author=author)
            for key, body in bodies
        ]
        _check_people(writing, places)
        ends = _ends(writing)
        for (key, body), one in zip(bodies, saved, strict=True):
            if one.changed:
                _refuse_archived(ends, body, "memberships", places[key])
        return saved


def _places(keys: Sequence[str]) -> dict[str, str]:
    if not keys:
        raise Invalid("no_members")
    places = {key: f"/{place}" for place, key in reversed(list(enumerate(keys)))}
    again = [(n, key) for n, key in enumerate(keys) if places[key] != f"/{n}"]
    if again:
        faults = (Fault(f"/{n}/key", "duplicate_member", {"member": key}) for n, key in again)
        raise Invalid("duplicate_member", *faults)
    return places


def _readable(node: Node) -> None:
    assert isinstance(node.value, dict)  # noqa: S101 - a body, from the schema
    try:
        member_of("", node.value)
    except Invalid as error:
        raise error.below(node.pointer) from None


def _whatever(writing: Writing, key: str) -> Precondition:
    current = standing(writing, writing.workspace, MEMBER, key)
    return Precondition(None if current is None else frozenset({ANY}))


def _check_people(writing: Writing, places: Mapping[str, str]) -> None:
    """Whether everybody still fits together; faults point into what the caller has sent.

    `places` has the pointer of each member that was sent. Who shares an identity with another
    one learns of it in their own document: the other's was sent by somebody else.
    """
    try:
        organisation.people(writing, writing.workspace)
    except Invalid as error:
        own = [
            Fault(places[str(fault.params["member"])] + fault.pointer, fault.code, fault.params)
            for fault in error.faults
            if fault.params.get("member") in places
        ]
        if len(own) == 1:
            raise Invalid(own[0].code, *own, **own[0].params) from None
        raise (Invalid(error.code, *own) if own else error) from None


def _ends(writing: Writing) -> dict[str, date]:
    """The teams that were archived, and on which day."""
    calendar = organisation.settings(writing, writing.workspace).calendar
    return {
        team.key: calendar.local_day(team.changed_at)
        for team in documents.all_of(writing, writing.workspace, TEAM)
        if team.archived
    }


def _refuse_archived(ends: Mapping[str, date], body: Body, links: str, place: str = "") -> None:
    """Whoever belonged to a team that was archived did so until that day at the latest."""
    for number, link in enumerate(body.get(links, [])):
        end = ends.get(link["team"])
        if end is not None and span_of(Node(link)).until > end:
            params = {"team": link["team"], "on": end.isoformat()}
            fault = Fault(f"{place}/{links}/{number}/team", "team_archived", params)
            raise Invalid("team_archived", fault, **params)


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


def _existing(access: Access, workspace: str, member: str) -> Document:
    found = standing(access, workspace, MEMBER, member)
    if found is None:
        raise NotFound("unknown_member", member=member)
    return found


def archive_team(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a team out of use. Raises Conflict while anybody belongs to it or is going to."""
    with context.write(workspace) as writing:
        archive(writing, TEAM, key, seen, author=author)
        today = _today(context, writing, workspace)
        people = organisation.people(writing, workspace)
        spans = [
            *(m.span for one in people.members.values() for m in one.memberships if m.team == key),
            *(p.span for one in people.teams.values() for p in one.parents if p.team == key),
        ]
        if any(span.until > today for span in spans):
            raise Conflict("team_in_use", team=key)


def archive_member(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Say goodbye to a member: memberships and identities end today, what was done stays.

    An extension left open would keep the next person from having it.
    """
    with context.write(workspace) as writing:
        current = _existing(writing, workspace, key)
        seen.check(current)
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
