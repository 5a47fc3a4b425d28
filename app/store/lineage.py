"""What grew from what, as rows: links between activities, and where those lie in the tallies.

Only activities that grew from another, or from which one grew, have rows here. All rows of an
activity follow from its reports alone: they are taken away and written anew, with the commits
from which on and before which they hold, whenever something is told of it. So no order of arrival
is another one, a child may come before its parent, and what was known on Friday is a condition.
A workspace in which nothing names an origin runs no statement for it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TypeVar

from sqlalchemy import Column, bindparam, delete, select, union

from app.domain.activities import State, Story
from app.domain.origins import ORIGIN, links
from app.store import actors, heads, history, tallies
from app.store.dialect import AnySelect, Words, among, listed
from app.store.history import LAST, Told
from app.store.rules import Rules
from app.store.standing import stored_standing
from app.store.statements import Prepared, deleting, inserting
from app.store.states import CHUNK, Where
from app.store.tables import link, placed
from app.store.tallies import Numbers, Slot
from app.store.transactions import Access, Writing

_L = link.c
_LINK, _PLACE = inserting(link), inserting(placed)
_UNLINK = deleting(link, "workspace_id", "source", "key")
_DISPLACE = deleting(placed, "workspace_id", "source", "key")

# Metric, currency, quarter hour, identity, and how many of it.
Cell = tuple[str, str, int, str, int]
Span = tuple[int, int]
T = TypeVar("T")


def _named(source: Column[str], key: Column[str], ordinal: str) -> AnySelect:
    return select(key.label("key")).where(
        _L.workspace_id == bindparam(f"workspace{ordinal}", type_=Words),
        source == bindparam(f"source{ordinal}", type_=Words),
        among(key, listed(f"keys{ordinal}")),
    )


_RELATED = Prepared(
    union(_named(_L.source, _L.key, "1"), _named(_L.from_source, _L.from_key, "2")),
    *("workspace1", "source1", "keys1", "workspace2", "source2", "keys2"),
)


def related(access: Access, workspace: str, places: Iterable[Where]) -> set[Where]:
    """Those of some activities that a link names or named, at either end."""
    keys: dict[str, list[str]] = defaultdict(list)
    for source, key in places:
        keys[source].append(key)
    found: set[Where] = set()
    for source, asked in keys.items():
        named = (workspace, source, json.dumps(asked))
        found |= {(source, key) for (key,) in _RELATED.rows(access.connection, *named, *named)}
    return found


def origins(where: Where, state: State) -> set[Where]:
    """The activities that one grew from, as it stands; itself is none of them."""
    if ORIGIN not in state.fields:
        return set()
    return {(one.source or where[0], one.key) for one in links(state.fields)} - {where}


def names_origin(where: Where, told: Sequence[Told]) -> bool:
    """Whether an activity ever grew from another, as far as some commit knew."""
    return any(ORIGIN in one.report.fields for one in told) and any(
        origins(where, state) for _, state in history.states(told)
    )


def follow(writing: Writing, by: Rules, numbers: Numbers, changed: Mapping[Where, State]) -> None:
    """Write anew what a commit may have changed.

    changed: the activities of which it changed what they are or were, as they are now
    """
    named = {where: found for where, state in changed.items() if (found := origins(where, state))}
    if not by.linked and not named:
        return
    targets: set[Where] = set().union(*named.values())
    concerned = {*changed, *targets}
    before = related(writing, writing.workspace, concerned) if by.linked else set()
    write(writing, by, numbers, {*named, *(targets - before), *(before & changed.keys())})
    if not by.linked:
        # From now on every process asks whether what it takes in is linked.
        heads.reconfigure(writing)


def write(writing: Writing, by: Rules, numbers: Numbers, places: AbstractSet[Where]) -> None:
    """Write everything of some linked activities anew, by their reports."""
    if not places:
        return
    told = history.of(writing, writing.workspace, sorted(places))
    linked = {w: _held(own, by, partial(_origins, w)) for w, own in told.items()}
    lying = {w: _held(own, by, partial(_cells, w, by)) for w, own in told.items()}
    _learn(writing, numbers, lying)
    own = [(writing.workspace, *where) for where in sorted(told)]
    _UNLINK.many(writing.connection, own)
    _DISPLACE.many(writing.connection, own)
    _LINK.many(
        writing.connection,
        sorted((writing.workspace, *of, *w, *span) for w, rows in linked.items()
               for of, span in rows),
    )  # fmt: skip
    _PLACE.many(
        writing.connection,
        sorted(
            (writing.workspace, numbers.slots[cell[:2]], cell[2], *where,
             numbers.actors[where[0], cell[3]], *span, cell[4])
            for where, rows in lying.items() for cell, span in rows
        ),
    )  # fmt: skip


def rebuild(writing: Writing, by: Rules, numbers: Numbers, growing: AbstractSet[Where]) -> None:
    """Write all rows of the workspace anew; `growing`: the activities that ever named an origin."""
    clear(writing)
    for some in _some(growing):
        write(writing, by, numbers, some)
    query = select(_L.from_source, _L.from_key).where(_L.workspace_id == writing.workspace)
    named = {(source, key) for source, key in writing.connection.execute(query.distinct())}
    for some in _some(named - growing):
        write(writing, by, numbers, some)


def _origins(where: Where, story: Story) -> set[Where]:
    return origins(where, story.state)


def _cells(where: Where, by: Rules, story: Story) -> set[Cell]:
    metrics = tuple(one for one in by.tallied(where, story.state.kind) if one.additive)
    stands = stored_standing(story.state, metrics, by.currency, story.earlier)
    return {(*cell, number) for cell, (number, _) in stands.cells.items()}


def _held(
    told: Sequence[Told], by: Rules, found: Callable[[Story], set[T]]
) -> list[tuple[T, Span]]:
    """What was found of an activity, and from which commit on until before which."""
    since: dict[T, int] = {}
    done: list[tuple[T, Span]] = []
    for seq, story in history.steps(told, by.remembering):
        now = found(story)
        done += [(one, (since.pop(one), seq)) for one in since.keys() - now]
        since |= dict.fromkeys(now - since.keys(), seq)
    return done + [(one, (start, LAST)) for one, start in since.items()]


def clear(writing: Writing) -> None:
    """Forget all rows."""
    for table in (link, placed):
        writing.connection.execute(delete(table).where(table.c.workspace_id == writing.workspace))


def _some(places: AbstractSet[Where]) -> Iterable[set[Where]]:
    ordered = sorted(places)
    return (set(ordered[n : n + CHUNK]) for n in range(0, len(ordered), CHUNK))


def _learn(
    writing: Writing, numbers: Numbers, lying: Mapping[Where, list[tuple[Cell, Span]]]
) -> None:
    wanted: set[Slot] = set()
    people: set[Where] = set()
    for (source, _), found in lying.items():
        for (metric, currency, _, who, _), _ in found:
            wanted.add((metric, currency))
            people.add((source, who))
    numbers.actors.update(actors.numbers(writing, people - numbers.actors.keys()))
    tallies.learn_slots(writing, numbers, wanted)
