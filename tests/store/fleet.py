"""Several services on one database, as far as counting goes, and piles of reports that collide."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.revisions import of_number
from app.store import activities
from app.store.committer import Committer
from app.store.engine import Store
from tests import engines
from tests.store.recount import Tally, piles, stored_tallies
from tests.store.worlds import url

Place = tuple[str, str]
# A file is shared by the processes of one machine, a server by all replicas.
SIZES = {engines.SQLITE: 2, engines.POSTGRESQL: 3}
COUNTS: dict[str, list[str] | None] = {"crm": None, "phone": ["call"]}
TIMES = ("2026-10-31T14:59:00Z", "2026-11-01T05:59:59Z", "2026-11-01T06:00:00Z")


@contextmanager
def fleet(folder: Path) -> Iterator[list[tuple[Store, Committer]]]:
    """As many services as fit the engine, all of them taking deliveries."""
    with ExitStack() as stack:
        members = []
        for _ in range(SIZES[engines.chosen()]):
            store = Store(url(folder))
            stack.callback(store.close)
            committer = Committer(store)
            committer.start()
            stack.callback(committer.stop)
            members.append((store, committer))
        yield members


_whom = st.sampled_from(["sato", "suzuki", None])
_deals = st.fixed_dictionaries(
    {KIND: st.just("deal")},
    optional={
        "status": st.sampled_from(["open", "won", "lost"]),
        "created_at": st.sampled_from(TIMES),
        "won_at": st.sampled_from([*TIMES, None]),
        "amount": st.sampled_from(["5", "-70", "9007199254740993", None]),
        "owner": _whom,
        RETRACTED: st.booleans(),
    },
)
_calls = st.fixed_dictionaries(
    {KIND: st.just("call")},
    optional={
        "direction": st.sampled_from(["inbound", "outbound"]),
        "started_at": st.sampled_from(TIMES),
        "talk_seconds": st.integers(0, 9),
        "agent": _whom,
        RETRACTED: st.booleans(),
    },
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Few keys and few revisions, so that most of them meet others of their own revision."""
    fields: dict[str, Any] = draw(st.one_of(_deals, _calls))
    source, key = draw(st.sampled_from(sorted(COUNTS))), draw(st.sampled_from(["a", "b"]))
    revision = draw(st.sampled_from(["", *(of_number(str(number)) for number in range(4))]))
    mapping = draw(st.sampled_from([1, 1, 2]))
    return make_report(source, key, revision, fields, full=draw(st.booleans()), mapping=mapping)


def subsets(found: Sequence[Report], number: int, dice: random.Random) -> list[list[list[Report]]]:
    """For each service some of the reports in an order of its own, cut; none is nobody's."""
    held: list[list[Report]] = [[] for _ in range(number)]
    for one in found:
        for place in dice.sample(range(number), dice.randint(1, number)):
            held[place].append(one)
    return [list(cut(dice.sample(own, len(own)), dice)) for own in held]


def cut(found: Sequence[Report], dice: random.Random) -> Iterator[list[Report]]:
    """A pile as deliveries of some sizes."""
    rest = list(found)
    while rest:
        size = dice.randint(1, len(rest))
        yield rest[:size]
        rest = rest[size:]


def contradicting(found: Iterable[Report]) -> set[tuple[str, str, Any]]:
    """The oracle of conflicts: of one revision and mapping, and about some field they disagree.

    A full report speaks of every field: of those that it does not have it says that they are not.
    """
    return {
        (one.source, one.key, one.stamp)
        for pile in piles(found).values()
        for pair in combinations({report.stamp: report for report in pile}.values(), 2)
        if pair[0].stamp[:2] == pair[1].stamp[:2] and _disagree(*pair)
        for one in pair
    }


def _disagree(one: Report, other: Report) -> bool:
    names = set(one.fields) | set(other.fields)
    if not one.full:
        names &= set(one.fields)
    if not other.full:
        names &= set(other.fields)
    return any(one.fields.get(name) != other.fields.get(name) for name in names)


Face = tuple[Mapping[Place, Any], set[tuple[str, str, Any]], tuple[Tally, Tally]]


def face(store: Store, workspace: str) -> Face:
    """All that can be seen of a workspace: states and what they lack, conflicts, tallies."""
    with store.read() as reading:
        page = activities.page(reading, workspace, None, 500)
        conflicts = activities.page_conflicts(reading, workspace, None, 500)
    assert page.next is conflicts.next is None
    states = {(one.source, one.key): (one.state, set(one.missing)) for one in page.items}
    listed = {(one.source, one.key, one.stamp) for one in conflicts.items}
    return states, listed, stored_tallies(store, workspace)
