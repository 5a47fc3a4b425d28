"""People: teams, members, their dated memberships and identities, and when they are away.

Everything is dated and half-open. A person who moves takes the future along; history stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.domain import kinds
from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.spans import ALWAYS, Span, bounded_span_of, overlapping, span_of

_DECORATION = re.compile(r"[\s().-]")
_E164 = re.compile(r"\+\d{4,15}", re.ASCII)
_EXTENSION = re.compile(r"\d{1,6}", re.ASCII)


class IdentityKind(StrEnum):
    """What an identity is, in the order in which a sender's text is looked up."""

    ID = "id"
    EMAIL = "email"
    EXTENSION = "extension"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a source calls a member; `value` is normalised (`normalised`)."""

    source: str
    kind: IdentityKind
    value: str
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Parent:
    """The team above, while it is."""

    team: str
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Team:
    """A team; at most one parent on any day."""

    key: str
    name: str
    parents: tuple[Parent, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's primary team, while it is."""

    team: str
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Absence:
    """Days away. share: 1 the whole day, 1/2 half of it."""

    span: Span
    share: Fraction
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person who sells. capacity: 1 is a full-time person."""

    key: str
    name: str
    capacity: Fraction = Fraction(1)
    memberships: tuple[Membership, ...] = ()
    identities: tuple[Identity, ...] = ()
    absences: tuple[Absence, ...] = ()


def normalised(kind: IdentityKind, text: str) -> str:
    """How an identity of a kind is compared: e-mails folded, numbers without decoration."""
    match kind:
        case IdentityKind.EMAIL:
            return text.casefold()
        case IdentityKind.PHONE:
            return _DECORATION.sub("", text)
        case _:
            return text


def guessed_kind(identity: str) -> IdentityKind:
    """What an identity that means nobody yet most likely is; for the list of unmatched ones."""
    if "@" in identity:
        return IdentityKind.EMAIL
    if _E164.fullmatch(normalised(IdentityKind.PHONE, identity)):
        return IdentityKind.PHONE
    return IdentityKind.EXTENSION if _EXTENSION.fullmatch(identity) else IdentityKind.ID


def team_of(key: str, document: Mapping[str, object]) -> Team:
    """The team that a document means.

    Raises Invalid: empty_span, overlapping_parents, cyclic_teams for a team above itself.
    """
    node = Node(document)
    parents = gathered(node.at("parents").items(), _parent)
    if any(parent.team == key for parent in parents):
        raise node.at("parents").refused("cyclic_teams", teams=key)
    if overlapping(parents, lambda parent: parent.span):
        raise node.at("parents").refused("overlapping_parents")
    return Team(key, node.at("name").text(), parents)


def _parent(node: Node) -> Parent:
    return Parent(node.at("team").text(), span_of(node))


def member_of(
    key: str, document: Mapping[str, object], absences: Mapping[str, object] | None = None
) -> Member:
    """The member that a member document and an absences document mean.

    Raises Invalid: empty_span, capacity_not_positive, overlapping_memberships, unknown_kind,
    not_a_phone, not_a_name, and what `absences_of` raises (pointers into that document).
    """
    node = Node(document)
    memberships = gathered(node.at("memberships").items(), _membership)
    shared = overlapping(memberships, lambda membership: membership.span)
    if shared:
        teams = ", ".join(membership.team for membership in shared)
        raise node.at("memberships").refused("overlapping_memberships", teams=teams)
    return Member(
        key,
        node.at("name").text(),
        _capacity(node.at("capacity")),
        memberships,
        gathered(node.at("identities").items(), _identity),
        absences_of(absences or {}),
    )


def _capacity(node: Node) -> Fraction:
    capacity = node.decimal() if node.given else Fraction(1)
    if capacity <= 0:
        raise node.refused("capacity_not_positive")
    return capacity


def _membership(node: Node) -> Membership:
    return Membership(node.at("team").text(), span_of(node))


def _identity(node: Node) -> Identity:
    named, value = node.at("kind"), node.at("value")
    if named.text() not in tuple(IdentityKind):
        raise named.refused("unknown_kind", allowed=", ".join(IdentityKind))
    kind = IdentityKind(named.text())
    try:
        # As senders' identities are spelled when they are counted, so that the two meet.
        text = normalised(kind, kinds.identity(value.text()))
    except Invalid as error:
        raise value.refused(error.code) from None
    if kind is IdentityKind.PHONE and not _E164.fullmatch(text):
        raise value.refused("not_a_phone")
    return Identity(node.at("source").text(), kind, text, span_of(node))


def absences_of(document: Mapping[str, object]) -> tuple[Absence, ...]:
    """The absences that a document means. Raises Invalid: not_a_date, empty_span, not_a_share."""
    return gathered(Node(document).at("absences").items(), _absence)


def _absence(node: Node) -> Absence:
    share, reason = node.at("share"), node.at("reason")
    if share.given and share.value not in ("1", "0.5"):
        raise share.refused("not_a_share", allowed="1, 0.5")
    return Absence(
        bounded_span_of(node),
        share.decimal() if share.given else Fraction(1),
        reason.text() if reason.given else None,
    )
