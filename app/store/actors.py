"""Actors: identities as sent, each with a small number per workspace.

Tallies hold the number, never a member: who a number means is a dated relation that the reader
resolves, so mapping a person later moves no row. The identity "" stands for "nobody named".
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Subquery, bindparam, exists, func, select

from app.store.dialect import AnySelect, Words, among, listed, tabled, whole
from app.store.statements import Prepared, inserting
from app.store.tables import actor, credit
from app.store.transactions import Access, Writing, once_a_snapshot

Who = tuple[str, str]  # source and identity
Gaps = Sequence[tuple[int, int]]  # half-open, in instants


class Actor(NamedTuple):
    """Who a source named."""

    source: str
    identity: str


class Credits(NamedTuple):
    """How many activities credit an actor, and the first and last of their instants."""

    actor: int
    activities: int
    first_at: int
    last_at: int


_A, _C = actor.c, credit.c
_CREATE = inserting(actor)
_FIND = Prepared(
    select(_A.identity, _A.actor).where(
        _A.workspace_id == bindparam("workspace", type_=Words),
        _A.source == bindparam("source", type_=Words),
        among(_A.identity, listed("identities")),
    ),
    "workspace",
    "source",
    "identities",
)


@once_a_snapshot
def all_actors(access: Access, workspace: str) -> Mapping[int, Actor]:
    """Every actor of a workspace by number."""
    query = select(_A.actor, _A.source, _A.identity).where(_A.workspace_id == workspace)
    found = access.connection.execute(query)
    return {number: Actor(source, identity) for number, source, identity in found}


def credits_of(access: Access, workspace: str, actors: Iterable[int]) -> list[Credits]:
    """What some actors are credited with, by number; actors without activities are left out."""
    query = _credits(workspace).where(among(_C.actor, listed("actors", whole)))
    found = access.connection.execute(query, {"actors": json.dumps(list(actors))})
    return [Credits(*row) for row in found]


def credits_within(access: Access, workspace: str, gaps: Mapping[int, Gaps]) -> list[Credits]:
    """What actors are credited with between some instants, by number; nobody with nothing."""
    gap = _gaps()
    query = _credits(workspace).join(
        gap, (gap.c.actor == _C.actor) & (_C.at >= gap.c.since) & (_C.at < gap.c.until)
    )
    found = access.connection.execute(query, {"gaps": _written(gaps)})
    return [Credits(*row) for row in found]


def _credits(workspace: str) -> AnySelect:
    # An activity that counts at several instants is one; no source's key holds a line's end.
    each = (_C.source + "\n" + _C.key).distinct()
    return (
        select(_C.actor, func.count(each), func.min(_C.at), func.max(_C.at))
        .where(_C.workspace_id == workspace)
        .group_by(_C.actor)
        .order_by(_C.actor)
    )


def count_within(access: Access, workspace: str, gaps: Mapping[int, Gaps]) -> int:
    """How many of the actors are credited with anything between those instants.

    Looks for one credit each, so it costs the same however many activities there are.
    """
    gap = _gaps()
    credited = exists().where(
        _C.workspace_id == workspace,
        _C.actor == gap.c.actor,
        _C.at >= gap.c.since,
        _C.at < gap.c.until,
    )
    query = select(func.count(gap.c.actor.distinct())).where(credited)
    return access.connection.execute(query, {"gaps": _written(gaps)}).scalar_one()


def _gaps() -> Subquery:
    return tabled("gaps", whole, "actor", "since", "until").subquery()


def _written(gaps: Mapping[int, Gaps]) -> str:
    return json.dumps([(actor, *gap) for actor, found in gaps.items() for gap in found])


def numbers(writing: Writing, wanted: Iterable[Who]) -> Mapping[Who, int]:
    """The numbers of identities, given to those that are new."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, identity in sorted(wanted):
        by_source[source].append(identity)
    found: dict[Who, int] = {}
    for source, identities in by_source.items():
        values = (writing.workspace, source, json.dumps(identities))
        rows = _FIND.rows(writing.connection, *values)
        known: dict[str, int] = dict(rows)
        found |= {(source, identity): number for identity, number in known.items()}
        new = [identity for identity in identities if identity not in known]
        found |= _given(writing, source, new) if new else {}
    return found


def _given(writing: Writing, source: str, identities: list[str]) -> dict[Who, int]:
    highest = select(func.max(_A.actor)).where(_A.workspace_id == writing.workspace)
    first = (writing.connection.execute(highest).scalar() or 0) + 1
    given = {(source, identity): first + place for place, identity in enumerate(identities)}
    rows = [(writing.workspace, *who, number) for who, number in given.items()]
    _CREATE.many(writing.connection, rows)
    return given
