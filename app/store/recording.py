"""One transaction that takes in many items: states, revisions, tallies, all or nothing.

Items of many deliveries and workspaces are joined in memory in the order they came, and what
changed is written in a handful of statements, so that the cost of a commit is shared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Invalid, NotFound
from app.store import deliveries, generations, heads, rules, strays
from app.store.batch import Batch, Memory
from app.store.deliveries import Placed, Shelf
from app.store.engine import Store
from app.store.heads import Head
from app.store.strays import Work
from app.store.transactions import Writing

MAX_ACTORS_KNOWN = 200_000


Done = ItemResult | NotFound
# Told of the heads that a transaction moved, once it is on disk.
Moved = Callable[[Mapping[str, Head]], None]


def unheard(_moved: Mapping[str, Head]) -> None:
    """Who is told where nobody listens."""


class Recorder:
    """Records works. Not for two threads at once."""

    def __init__(self, store: Store, moved: Moved = unheard) -> None:
        self._store = store
        self._moved = moved
        self._memories: dict[str, Memory] = {}

    def record(
        self,
        works: Sequence[Work],
        empty: Sequence[Delivery] = (),
        placed: Placed | None = None,
    ) -> list[Done]:
        """Take works in, in one transaction; a result for each, in order.

        Deliveries without any work (`empty`) are kept with them. `placed` remembers deliveries
        between the transactions that their works are spread over.
        A work of a workspace that does not exist has NotFound for its result.
        """
        placed = {} if placed is None else placed
        places: dict[str, list[int]] = defaultdict(list)
        for place, work in enumerate(works):
            places[work.delivery.workspace].append(place)
        bare: dict[str, list[Delivery]] = defaultdict(list)
        for delivery in empty:
            bare[delivery.workspace].append(delivery)
            places[delivery.workspace] += ()
        bodies = _bodies(works, empty, placed)
        placing = dict(placed)
        results: list[Done | None] = [None] * len(works)
        moved: dict[str, Head] = {}
        try:
            with self._store.transaction(ahead=True) as connection:
                for workspace, own in places.items():
                    chosen = [works[place] for place in own]
                    try:
                        writing = heads.move(connection, workspace, _now(chosen, bare[workspace]))
                        shelf = Shelf(writing, placing, bodies)
                        batch = Batch(writing, self._memory(writing), shelf)
                    except NotFound as error:
                        done: Sequence[Done] = [error] * len(own)
                    else:
                        done = batch.record(chosen, bare[workspace])
                        moved[workspace] = Head(writing.seq, writing.at, writing.config_version)
                    for place, result in zip(own, done, strict=True):
                        results[place] = result
        except BaseException:
            # Numbers given inside a transaction that did not happen were never given.
            self._memories.clear()
            raise
        placed |= placing
        self._moved(moved)
        return [result for result in results if result is not None]

    def set_aside(self, work: Work, error: Invalid, placed: Placed) -> ItemResult:
        """Put a work that breaks its transaction into quarantine, in a transaction of its own."""
        delivery, item = work
        result = ItemResult(item.index, item.id, Outcome.QUARANTINED, error)
        bodies = _bodies([work], (), placed)
        placing = dict(placed)
        with self._store.write(delivery.workspace, delivery.taken_at) as writing:
            shelf = Shelf(writing, placing, bodies)
            entry = strays.set_aside(writing, shelf, work, error)
            shelf.count(delivery, result)
            shelf.write()
            strays.resolve(writing, [work], [result], (), {entry})
        placed |= placing
        return result

    def _memory(self, writing: Writing) -> Memory:
        memory = self._memories.get(writing.workspace)
        if memory is None or not self._holds(memory, writing):
            found = rules.load(writing, writing.workspace, writing.config_version)
            memory = Memory(found, writing.seq, writing.at)
            self._memories[writing.workspace] = memory
        elif memory.rules.config_version != writing.config_version:
            memory.rules = rules.load(writing, writing.workspace, writing.config_version)
        elif memory.rules.moving:
            # They move with every chunk of history, and the configuration does not.
            memory.rules = memory.rules.moved(generations.of(writing, writing.workspace))
        memory.follow(writing)
        return memory

    @staticmethod
    def _holds(memory: Memory, writing: Writing) -> bool:
        few = len(memory.numbers.actors) <= MAX_ACTORS_KNOWN
        return few and heads.follows(writing, memory.seq, memory.at)


def _now(works: Sequence[Work], empty: Sequence[Delivery]) -> int:
    return max(delivery.taken_at for delivery in (*(work.delivery for work in works), *empty))


def _bodies(
    works: Sequence[Work], empty: Sequence[Delivery], placed: Placed
) -> dict[int, deliveries.Packed]:
    """The bodies that are to be kept, by the identity of their delivery."""
    brought = {id(delivery): delivery for delivery in (*(work.delivery for work in works), *empty)}
    return {
        known: deliveries.packed(delivery.raw.body)
        for known, delivery in brought.items()
        if delivery.raw is not None and known not in placed
    }
