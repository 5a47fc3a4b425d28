"""Tallies of whole days, added up: read once, then moved by the journal.

A year of a thousand people is millions of tallies, and what is over moves by corrections alone.
So sums are kept with the commit that they are of, and whoever asks adds what the journal tells of
since. They depend on nothing but the tallies: whose an actor is, who belongs to a plan and which
plan it is, is asked of the answer.

That they are exactly what would be read rests on this. Tallies move by the journal alone, except
where a metric, a zone or everything is counted anew, which is a new config version. A commit is
named by number and instant and looked up in the very snapshot that asks, so of a database that
went back nothing is taken for known. A snapshot older than what is kept reads for itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from sqlalchemy import Column, bindparam, select

from app.store import dating, heads, journal
from app.store.dialect import AnySelect, Whole, Words, halves, joined, listed, summed, whole
from app.store.journal import Window
from app.store.kept import Asked, Commit, Kept, Place, Rows, State
from app.store.tables import tally_day
from app.store.transactions import Access, Reading, Writing, once_a_snapshot

_D = tally_day.c
# Moved so far, it is kept anew: what has to be added stays little, and requests that began a
# little earlier or later find one that is not ahead of them.
_COMMITS = 32
_CELLS = 200
# How far a day of some zone may begin from UTC's, in quarter hours.
_APART = 16 * 4
_A_DAY = 24 * 4


def sums(
    access: Access,
    workspace: str,
    slots: Collection[int],
    days: Window,
    of: Collection[int] | None = None,
    *,
    by_day: bool = False,
    by_actor: bool = False,
) -> Rows:
    """Number and sum of some slots over some local days, apart by day, by actor or neither.

    of: of some actors only. Places that came to nothing may be among them.
    """
    if not slots or days[0] >= days[1] or (of is not None and not of):
        return {}
    actors = None if of is None else frozenset(of)
    asked = Asked(workspace, 0, frozenset(slots), actors, *days, by_day, by_actor)
    if isinstance(access, Writing) or access.kept is None:
        return _read(access, asked)
    return _known(access, access.kept, asked)


def _known(access: Reading, kept: Kept, asked: Asked) -> Rows:
    standing = heads.standing(access, asked.workspace)
    if standing is None:
        return _read(access, asked)
    now, config_version = standing
    asked = asked._replace(config_version=config_version)
    rows = _moved(access, kept, asked, now)
    if rows is None:
        rows = _completed(access, kept, asked, now)
        kept.put(asked, State(now, rows))
    return rows


def _completed(access: Reading, kept: Kept, asked: Asked, now: Commit) -> Rows:
    """From what is known of fewer days or actors, or else all of it."""
    for part in kept.parts_of(asked):
        known = _moved(access, kept, part, now)
        if known is None:
            continue
        rows = dict(known)
        for lacking in _lacking(part, asked):
            _add(rows, _read(access, lacking).items())
        return rows
    return _read(access, asked)


def _lacking(part: Asked, asked: Asked) -> Iterator[Asked]:
    if part.until < asked.until:
        yield part._replace(first=part.until, until=asked.until)
    if part.of is not None and asked.of is not None and part.of < asked.of:
        yield asked._replace(of=asked.of - part.of)


def _moved(access: Reading, kept: Kept, asked: Asked, now: Commit) -> Rows | None:
    """What is kept of it with what came since; None where this snapshot can use nothing of it."""
    known = next((one for one in kept.of(asked) if one.commit.seq <= now.seq), None)
    if known is None:
        return None
    if known.commit == now:
        return known.rows
    if dating.day_of(access, asked.workspace) is None or not heads.stands(
        access, asked.workspace, known.commit
    ):
        kept.forget(asked.workspace)
        return None
    came = list(_since(access, asked, known.commit.seq))
    rows = dict(known.rows) if came else known.rows
    if isinstance(rows, dict):
        _add(rows, came)
    if now.seq - known.commit.seq >= _COMMITS or len(came) >= _CELLS:
        kept.put(asked, State(now, rows))
    return rows


def _since(access: Access, asked: Asked, seq: int) -> Iterator[tuple[Place, tuple[int, int]]]:
    by_day, by_actor, of = asked.by_day, asked.by_actor, asked.of
    window = (asked.first, asked.until)
    for slot, day, actor, number, total in _came(access, asked.workspace, asked.slots, seq, window):
        if of is None or actor in of:
            place = (slot, day if by_day else 0, actor if by_actor else 0)
            yield place, (number, total)


@once_a_snapshot  # who is to know them by day asks after who is to know them by actor
def _came(
    access: Access, workspace: str, slots: frozenset[int], seq: int, days: Window
) -> list[tuple[int, int, int, int, int]]:
    """What came after a commit into some local days: slot, day, actor, number and sum."""
    day_of = dating.day_of(access, workspace)
    quarters = (days[0] * _A_DAY - _APART, days[1] * _A_DAY + _APART)
    found = journal.since_each(access, workspace, slots, seq, quarters)
    return [
        (slot, day, actor, number, total)
        for slot, quarter, actor, number, total in found
        if day_of is not None and days[0] <= (day := day_of(quarter)) < days[1]
    ]


def _add(
    rows: dict[Place, tuple[int, int]], some: Collection[tuple[Place, tuple[int, int]]]
) -> None:
    for place, (number, total) in some:
        before = rows.get(place, (0, 0))
        rows[place] = (before[0] + number, before[1] + total)


def _read(access: Access, asked: Asked) -> Rows:
    """What stands in the table."""
    if asked.by_day and asked.by_actor:
        # That is the table's own key: there is nothing to add up.
        cells = _among(select(_D.slot, _D.day, _D.actor, _D.number, _D.total), asked)
        found = access.connection.execute(cells, _bound(asked)).all()
        return {(slot, day, actor): (n, total) for slot, day, actor, n, total in found}
    keys: list[Column[int]] = [_D.slot]
    keys += [_D.day] if asked.by_day else []
    keys += [_D.actor] if asked.by_actor else []
    query = _among(select(*keys, summed(_D.number), *halves(_D.total)), asked).group_by(*keys)
    rows: dict[Place, tuple[int, int]] = {}
    for *place, number, upper, lower in access.connection.execute(query, _bound(asked)).all():
        day, actor = (place[-1] if told else 0 for told in (asked.by_day, asked.by_actor))
        rows[place[0], day, actor] = (number, joined(upper, lower))
    return rows


def _among(query: AnySelect, asked: Asked) -> AnySelect:
    query = query.where(
        _D.workspace_id == bindparam("workspace", type_=Words),
        _D.slot.in_(sorted(asked.slots)),
        _D.day >= bindparam("first", type_=Whole),
        _D.day < bindparam("until", type_=Whole),
    )
    if asked.of is None:
        return query
    return query.where(_D.actor.in_(listed("actors", whole)))


def _bound(asked: Asked) -> dict[str, object]:
    return {
        "workspace": asked.workspace,
        "actors": json.dumps(sorted(asked.of or ())),
        "first": asked.first,
        "until": asked.until,
    }
