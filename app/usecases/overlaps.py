"""Kinds that two senders count: whether both saw the same, and the change that mends it.

Bounded however much there is: of each kind the newest tallies say where its newest activities are,
and only those are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import Any

from app.domain.credits import MILLION
from app.domain.instants import DAY, QUARTER
from app.domain.metrics import Credit, Metric
from app.domain.overlaps import Overlap, Pair, Sighting, overlaps, pairs, sighting, time_of, without
from app.intake.registry import PROVIDERS
from app.store import documents, explained, tallies
from app.store.documents import Document
from app.store.explained import START, Cell
from app.store.explained import Range as Stretch
from app.store.tallies import Slot
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.counted import actors_of
from app.usecases.organisation import SOURCE, Organisation
from app.usecases.source_mapping import MAPPING_VERSION
from app.usecases.sources import SECRETS_VERSION

# Of each kind so many activities are compared at most; what is older is not looked at.
MOST = 1_000
EXAMPLES = 5
_EVERY = 1_000
_OWN = frozenset({SECRETS_VERSION, MAPPING_VERSION})


@dataclass(frozen=True, slots=True)
class Repair:
    """A change of what one source counts, after which the other one counts the kind alone.

    body: the source's whole document as it would be; version: that which it changes
    """

    overlap: Overlap
    source: str
    other: str
    provider: str
    counts: tuple[str, ...]
    body: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at of a kind: activities by source since an instant.

    complete: whether that is all there was since the instant that was asked for
    """

    since: int
    until: int
    complete: bool
    seen: Mapping[str, tuple[Sighting, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """A kind that two sources count. repairs: either is enough; the first is the better one."""

    overlap: Overlap
    looked: Looked
    activities: tuple[int, int]
    seen_twice: int
    examples: tuple[Pair, ...]
    repairs: tuple[Repair, Repair]
    zone: tzinfo


def page_of_overlaps(
    context: Context, workspace: str, days: int, after: str | None, limit: int
) -> list[Found]:
    """Up to so many kinds that two sources count, behind `after`, as of the last so many days."""
    until = context.clock()
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        kinds = {metric.kind for metric in found.metrics.values()}
        every = overlaps(found.sources, kinds)
        behind = [one for one in every if after is None or place(one) > after][:limit]
        documented = {one.key: one for one in documents.all_of(reading, workspace, SOURCE)}
        asking = _Asking(reading, found, (until - days * DAY, until))
        return [asking.found(one, documented, kinds) for one in behind]


def place(one: Overlap) -> str:
    """Where it stands in the order of all."""
    # No kind and no key has a space, and none of their letters sorts before one.
    return f"{one.kind} {one.one} {one.other}"


class _Asking:
    """The evidence of one snapshot; what was read of a kind serves all pairs of its sources."""

    def __init__(self, access: Access, found: Organisation, window: tuple[int, int]) -> None:
        self._access = access
        self._found = found
        self._window = window
        self._slots = tallies.serving(access, found.workspace.key)
        self._actors = actors_of(access, found.workspace.key)
        self._looked: dict[str, Looked] = {}

    def found(
        self, one: Overlap, documented: Mapping[str, Document], kinds: Iterable[str]
    ) -> Found:
        if one.kind not in self._looked:
            self._looked[one.kind] = self._look(one.kind)
        looked = self._looked[one.kind]
        seen = (looked.seen.get(one.one, ()), looked.seen.get(one.other, ()))
        alike = pairs(*seen)
        numbers = (len(seen[0]), len(seen[1]))
        return Found(
            one,
            looked,
            numbers,
            len(alike),
            tuple(alike[-EXAMPLES:]),
            _repairs(one, documented, numbers, tuple(kinds)),
            self._found.workspace.zone,
        )

    def _look(self, kind: str) -> Looked:
        workspace = self._found.workspace.key
        metrics = [one for one in self._found.metrics.values() if one.kind == kind]
        units = _units(metrics, self._slots)
        quarters = (self._window[0] // QUARTER, self._window[1] // QUARTER + 1)
        cells = {
            slot: explained.newest(self._access, workspace, slot, quarters, MOST + 1)
            for slot in units
        }
        live = {source.key for source in self._found.sources if source.feeds(kind)}
        actors = {number for number, who in self._actors.items() if who.source in live}
        chosen = _newest(cells, units, actors)
        # Where none was left out the window is as it was asked for, to the microsecond.
        since = max(self._window[0], chosen.first * QUARTER)
        read = list(islice(self._sightings(metrics[0], chosen.stretches(since)), MOST))
        seen: dict[str, dict[str, Sighting]] = {}
        for one in read:
            seen.setdefault(one.source, {})[one.key] = one
        by_source = {key: tuple(held.values()) for key, held in seen.items()}
        return Looked(since, self._window[1], chosen.complete and len(read) < MOST, by_source)

    def _sightings(self, metric: Metric, within: list[Stretch]) -> Iterator[Sighting]:
        found = self._found
        for one in explained.credited(
            self._access, found.workspace.key, metric, within, START, MOST
        ):
            (_, source, key, _), state = one.place, one.story.state
            at = time_of(state, one.place.at)
            day = found.workspace.calendar.local_day(one.place.at)
            yield sighting(source, key, state, at, found.people, day)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Cells whose activities are looked at. first: the quarter hour since which they are all."""

    first: int
    complete: bool
    cells: frozenset[tuple[int, int]]

    def stretches(self, since: int) -> list[Stretch]:
        """The same as instants of each actor, quarter hours that follow each other as one."""
        found: list[Stretch] = []
        for actor, quarter in sorted((actor, quarter) for quarter, actor in self.cells):
            begin, end = max(since, quarter * QUARTER), (quarter + 1) * QUARTER
            if found and (found[-1].actor, found[-1].until) == (actor, begin):
                begin = found.pop().since
            found.append(Stretch(actor, begin, end))
        return found


def _newest(
    cells: Mapping[int, list[Cell]], units: Mapping[int, int], actors: AbstractSet[int]
) -> _Chosen:
    """The newest quarter hours that hold as many activities as are compared, one at least.

    cells: the newest of each slot; units: as what one activity is tallied there
    """
    # A slot with as many cells as were asked for may have more in the oldest of their hours.
    cut = [found[-1].quarter + 1 for found in cells.values() if len(found) > MOST]
    first = max(cut, default=0)
    numbers: dict[int, dict[int, int]] = {}
    for slot, found in cells.items():
        for quarter, actor, number in found:
            if quarter >= first and actor in actors:
                held = numbers.setdefault(quarter, {})
                held[actor] = max(held.get(actor, 0), -(-abs(number) // units[slot]))
    chosen: set[tuple[int, int]] = set()
    total = 0
    for quarter in sorted(numbers, reverse=True):
        total += sum(numbers[quarter].values())
        if chosen and total > MOST:
            return _Chosen(quarter + 1, complete=False, cells=frozenset(chosen))
        chosen |= {(quarter, actor) for actor in numbers[quarter]}
    return _Chosen(first, complete=not cut, cells=frozenset(chosen))


def _units(metrics: Iterable[Metric], slots: Mapping[Slot, int]) -> dict[int, int]:
    """The slots of some metrics, and as what one activity is tallied there."""
    units = {metric.key: 1 if metric.credit is Credit.ROLE else MILLION for metric in metrics}
    return {slot: units[key] for (key, _), slot in slots.items() if key in units}


def _repairs(
    one: Overlap,
    documented: Mapping[str, Document],
    numbers: tuple[int, int],
    kinds: tuple[str, ...],
) -> tuple[Repair, Repair]:
    """Who sends one kind only knows it best: whoever sends more kinds leaves it to the other.

    Where that does not tell, whoever counts more kinds does, else who saw less.
    """
    keys = (one.one, one.other)
    ranks = [
        (*_breadth(documented[key]), number) for key, number in zip(keys, numbers, strict=True)
    ]
    if ranks[0] > ranks[1]:
        keys = (one.other, one.one)
    first, second = keys
    return (
        _repair(one, documented[first], second, kinds),
        _repair(one, documented[second], first, kinds),
    )


def _breadth(document: Document) -> tuple[int, int]:
    """How much a source's provider may send and the source counts; what sends most comes first."""
    sent, counted = PROVIDERS[document.body["provider"]].counts, document.body.get("counts")
    return -_number(sent), -_number(counted)


def _number(kinds: Sequence[str] | None) -> int:
    # None is every kind, more than any list.
    return _EVERY if kinds is None else len(kinds)


def _repair(one: Overlap, document: Document, other: str, kinds: Iterable[str]) -> Repair:
    given = document.body.get("counts")
    counts = without(None if given is None else frozenset(given), one.kind, kinds)
    body = {name: value for name, value in document.body.items() if name not in _OWN}
    return Repair(
        one,
        document.key,
        other,
        document.body["provider"],
        tuple(counts),
        body | {"counts": counts},
        document.version,
    )
