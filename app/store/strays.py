"""Items that cannot be taken in: set aside, and let go once a replay finds nothing wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.activities import Outcome
from app.domain.deliveries import About, Delivery, Item, ItemResult, Refused
from app.domain.errors import Invalid
from app.store import quarantine
from app.store.deliveries import Shelf
from app.store.quarantine import Mark, Origin, Reread, Stray
from app.store.transactions import Writing


class Work(NamedTuple):
    """One item and the delivery that brought it."""

    delivery: Delivery
    item: Item | Refused


def set_aside(writing: Writing, shelf: Shelf, work: Work, error: Invalid) -> Mark:
    """Put an item into quarantine; what marks its entry."""
    delivery, item = work
    origin = _origin(shelf, work)
    stray = _stray(item, error)
    again = delivery.replay is not None
    return quarantine.keep(writing, stray, delivery.received_at, origin, again=again)


def _origin(shelf: Shelf, work: Work) -> Origin:
    delivery, item = work
    place = shelf.place(delivery)
    if place is None and delivery.fetched:
        # What could not be fetched is in no body; a replay of what named it has it fetched again.
        return Origin(delivery.fetched[0].delivery, delivery.fetched[0].position)
    return Origin(place, item.index)


def resolve(
    writing: Writing,
    works: Sequence[Work],
    results: Sequence[ItemResult],
    empty: Iterable[Delivery],
    still: set[Mark],
) -> None:
    """Settle entries of replayed items that are refused no longer, or for another reason now."""
    deliveries = [*(work.delivery for work in works), *empty]
    if all(delivery.replay is None for delivery in deliveries):
        return
    refused: dict[int, dict[int, bool]] = defaultdict(dict)
    every: dict[int, frozenset[int]] = {}
    for delivery in deliveries:
        if delivery.replay is not None and delivery.replay.delivery not in every:
            places = [*(item.index for item in delivery.items)]
            places += (item.index for item in delivery.refused)
            every[delivery.replay.delivery] = frozenset(places)
    for (delivery, item), result in zip(works, results, strict=True):
        if delivery.replay is not None:
            is_refused = result.outcome is Outcome.QUARANTINED
            refused[delivery.replay.delivery][item.index] = is_refused
    for number, indexes in every.items():
        quarantine.resolve(writing, number, Reread(indexes, refused[number]), still)


def _stray(item: Item | Refused, error: Invalid) -> Stray:
    if isinstance(item, Refused):
        return Stray(item.source, item.id, error, item.content, item.about)
    report = item.report
    about = About(report.key, report.stamp.revision)
    return Stray(report.source, item.id, error, report.content, about)
