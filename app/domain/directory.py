"""The directory: whom an identity means on a day, and where in the tree of teams a person stands.

Built once per change of the people and asked for every number, so every question is a dictionary
hit and a look at the few dated entries behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from app.domain.documents import raise_any
from app.domain.errors import Fault, Invalid
from app.domain.people import Identity, IdentityKind, Member, Team, normalised
from app.domain.spans import ALWAYS, Span

_Index = Mapping[tuple[str, IdentityKind, str], tuple[tuple[Span, str], ...]]


@dataclass(frozen=True, slots=True)
class Directory:
    """All teams and members of a workspace, checked against each other. Made by `directory`."""

    teams: Mapping[str, Team]
    members: Mapping[str, Member]
    identities: _Index

    def who(self, source: str, identity: str, day: date) -> str | None:
        """The key of the member whom a source's identity means on a day.

        Tried as id, e-mail, extension and phone, in this order; None when it means nobody.
        """
        for kind in IdentityKind:
            for span, member in self.identities.get((source, kind, normalised(kind, identity)), ()):
                if day in span:
                    return member
        return None

    def unknown_spans(self, source: str, identity: str) -> tuple[Span, ...]:
        """The days on which an identity means nobody, in order; one long span if it never does."""
        known = sorted(
            (span.first, span.until)
            for kind in IdentityKind
            for span, _ in self.identities.get((source, kind, normalised(kind, identity)), ())
        )
        gaps, at = [], ALWAYS.first
        for first, until in known:
            if first > at:
                gaps.append(Span(at, first))
            at = max(at, until)
        return (*gaps, Span(at, ALWAYS.until)) if at < ALWAYS.until else tuple(gaps)

    def team(self, member: str, day: date) -> str | None:
        """The team in which a member stands on a day."""
        return next((m.team for m in self.members[member].memberships if day in m.span), None)

    def ancestors(self, team: str, day: date) -> tuple[str, ...]:
        """The teams above a team on a day, the nearest first."""
        return tuple(_above(self.teams, team, day))

    def line(self, member: str, day: date) -> tuple[str, ...]:
        """The member's team on a day and those above it; empty without a team."""
        team = self.team(member, day)
        return () if team is None else (team, *self.ancestors(team, day))

    def tree_changes(self, span: Span) -> frozenset[date]:
        """The days inside a span on which a team's parent changes."""
        return frozenset(
            day
            for team in self.teams.values()
            for parent in team.parents
            for day in parent.span.edges_within(span)
        )

    def changes(self, span: Span) -> frozenset[date]:
        """The days inside a span on which anybody's identity or place in the tree changes."""
        edges = (day for dated in self._dated() for day in dated.edges_within(span))
        return frozenset(edges) | self.tree_changes(span)

    def identity_changes(self, span: Span) -> frozenset[date]:
        """The days inside a span on which any identity begins or ceases to mean somebody."""
        return frozenset(
            day
            for member in self.members.values()
            for identity in member.identities
            for day in identity.span.edges_within(span)
        )

    def _dated(self) -> Iterator[Span]:
        for member in self.members.values():
            yield from (identity.span for identity in member.identities)
            yield from (membership.span for membership in member.memberships)


def directory(teams: Iterable[Team], members: Iterable[Member]) -> Directory:
    """The directory of these people.

    Raises Invalid with every fault; its params name the member or the teams, its pointer leads
    into that one's document: unknown_team, cyclic_teams, shared_identity.
    """
    by_key = {team.key: team for team in teams}
    people = {member.key: member for member in sorted(members, key=lambda member: member.key)}
    faults = [*_unknown_teams(by_key, people), *_cycles(by_key), *_shared_identities(people)]
    raise_any([Invalid(fault.code, fault, **fault.params) for fault in faults])
    return Directory(by_key, people, _indexed(people))


def _indexed(members: Mapping[str, Member]) -> _Index:
    index: dict[tuple[str, IdentityKind, str], tuple[tuple[Span, str], ...]] = {}
    for member in members.values():
        for known in member.identities:
            place = (known.source, known.kind, known.value)
            index[place] = (*index.get(place, ()), (known.span, member.key))
    return index


def _above(teams: Mapping[str, Team], team: str, day: date) -> Iterator[str]:
    """The teams above, without end where they form a ring."""
    at: str | None = team
    while at is not None:
        parents = teams[at].parents
        at = next((parent.team for parent in parents if day in parent.span), None)
        if at is not None:
            yield at


def _unknown_teams(teams: Mapping[str, Team], members: Mapping[str, Member]) -> Iterator[Fault]:
    for team in teams.values():
        for place, parent in enumerate(team.parents):
            if parent.team not in teams:
                yield Fault(f"/parents/{place}/team", "unknown_team", {"team": parent.team})
    for key, member in members.items():
        for place, membership in enumerate(member.memberships):
            if membership.team not in teams:
                params = {"team": membership.team, "member": key}
                yield Fault(f"/memberships/{place}/team", "unknown_team", params)


def _cycles(teams: Mapping[str, Team]) -> Iterator[Fault]:
    """One fault per ring of teams, on the first day on which it closes."""
    if any(parent.team not in teams for team in teams.values() for parent in team.parents):
        return
    named: set[frozenset[str]] = set()
    for day in sorted({parent.span.first for t in teams.values() for parent in t.parents}):
        for key in teams:
            ring = _ring(teams, key, day)
            if ring and frozenset(ring) not in named:
                named.add(frozenset(ring))
                yield Fault("/parents", "cyclic_teams", {"teams": ", ".join(ring)})


def _ring(teams: Mapping[str, Team], team: str, day: date) -> list[str]:
    """The teams from this one back to itself; empty when the way up ends or rings elsewhere."""
    passed = [team]
    for above in _above(teams, team, day):
        if above == team:
            return passed
        if above in passed:
            break
        passed.append(above)
    return []


def _shared_identities(members: Mapping[str, Member]) -> Iterator[Fault]:
    """Every pair of members whom one identity means on one day: a fault in each one's document."""
    holders: dict[tuple[str, IdentityKind, str], list[tuple[str, int, Identity]]] = {}
    for member in members.values():
        for place, known in enumerate(member.identities):
            meaning = (known.source, known.kind, known.value)
            holders.setdefault(meaning, []).append((member.key, place, known))
    for held in holders.values():
        for one, other in combinations(held, 2):
            if one[0] != other[0] and _meet(one[2].span, other[2].span):
                yield _shared(one, other[0])
                yield _shared(other, one[0])


def _shared(holder: tuple[str, int, Identity], other: str) -> Fault:
    member, place, known = holder
    params = {"member": member, "other": other, "value": known.value}
    return Fault(f"/identities/{place}", "shared_identity", params)


def _meet(one: Span, other: Span) -> bool:
    return one.first < other.until and other.first < one.until
