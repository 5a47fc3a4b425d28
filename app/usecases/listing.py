"""The activities of one metric in one snapshot, by their time, and whose they are."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from app.domain.activities import Story
from app.domain.attribution import Actor, Place
from app.domain.credits import MILLION
from app.domain.errors import Invalid
from app.domain.explanation import Item, Whose, value_of, whose
from app.domain.instants import FLOOR, QUARTER, day_number
from app.domain.metrics import Contribution, Credit, Metric, Uncounted, contributions
from app.store import explained, totals
from app.store.explained import Behind, Credited
from app.store.explained import Range as Stretch
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.counted import actors_of
from app.usecases.organisation import Organisation


def item_of(
    metric: Metric, one: Credited, added: Contribution, whom: Whose, place: Place | None
) -> Item:
    """What an activity adds to a number of its metric; no place where no plan is asked about."""
    return Item(
        one.place.source,
        one.place.key,
        one.place.actor,
        one.story.state.kind,
        one.place.at,
        whom,
        None if place is None else place.standing,
        added.currency,
        metric.counted(added.number),
        value_of(metric, added),
        added.value if value_of(metric, added) is None else None,
    )


class Listed:
    """The activities of one metric behind a place, in one snapshot."""

    def __init__(
        self,
        access: Access,
        found: Organisation,
        metric: Metric,
        page: tuple[Behind, int],
        known: Knowing | None,
    ) -> None:
        self.metric = metric
        self.actors: Mapping[int, Actor] = actors_of(access, found.workspace.key)
        self._access = access
        self._found = found
        self._behind, self._limit = page
        self._known = known
        self._days: dict[int, date] = {}
        self._whose: dict[tuple[int, date], Whose] = {}

    def own(self, currency: str) -> bool:
        """Whether amounts in a currency are added up."""
        return currency == (self.metric.unit_in(self._found.workspace.currency).currency or "")

    def day(self, at: int) -> date:
        """The local day of an instant; every instant of a quarter hour has the same."""
        quarter = at // QUARTER
        if quarter not in self._days:
            self._days[quarter] = self._found.workspace.calendar.local_day(at)
        return self._days[quarter]

    def whose(self, actor: int, at: int) -> Whose:
        """Whom an actor means at an instant."""
        named = (actor, self.day(at))
        if named not in self._whose:
            self._whose[named] = whose(self._found.people, *self.actors[actor], named[1])
        return self._whose[named]

    def stretches(
        self,
        counts: Callable[[str], bool],
        within: tuple[int, int],
        wanted: Callable[[int, int], bool],
    ) -> Iterator[list[Stretch]]:
        """Where the wanted activities of a range of instants stand.

        counts: which currencies do; wanted: whether an actor's activities at an instant are
        """
        workspace = self._found.workspace.key
        slots = explained.slots_of(self._access, workspace, self.metric.key, counts)
        first = max(within[0], self._behind.at) // QUARTER
        return explained.ranges(
            self._access,
            workspace,
            slots,
            (first, within[1] // QUARTER),
            lambda actor, quarter: wanted(actor, quarter * QUARTER),
            self._limit * (1 if self.metric.credit is Credit.ROLE else MILLION),
        )

    def holding(self, end: int, wanted: Callable[[int, int], bool]) -> Iterator[list[Stretch]]:
        """Everything ever of those actors who hold something of a stock at an instant.

        In a cell of a stock, what came and what left may cancel: only the level tells anything.
        """
        metric, workspace = {self.metric.key}, self._found.workspace.key
        dawn = self._found.workspace.calendar.midnight(self.day(end - 1))
        levels: dict[int, int] = {}
        for row in (
            *totals.totals(self._access, workspace, metric, 0, day_number(self.day(end - 1))),
            *totals.quarter_totals(
                self._access, workspace, metric, dawn // QUARTER, end // QUARTER
            ),
        ):
            if self.own(row.currency):
                levels[row.actor] = levels.get(row.actor, 0) + row.number
        yield [
            Stretch(actor, FLOOR, end)
            for actor, level in sorted(levels.items())
            if level and wanted(actor, end - 1)
        ]

    def counted(
        self,
        stretches: Iterator[list[Stretch]],
        belongs: Callable[[int, Contribution], bool],
    ) -> Iterator[tuple[Credited, Contribution]]:
        """The activities that the metric counts there, with what they add, by their places.

        belongs: whether what is added for an actor is asked about
        """
        stands = (
            pair for pair in self._standing(stretches) if belongs(pair[0].place.actor, pair[1])
        )
        if self._known is None:
            return stands
        then = self._corrected(self._known, belongs)
        return heapq.merge(stands, then, key=lambda pair: pair[0].place)

    def _standing(
        self, stretches: Iterator[list[Stretch]]
    ) -> Iterator[tuple[Credited, Contribution]]:
        """What counts now, and did so then."""
        for within in stretches:
            for one in explained.credited(
                self._access,
                self._found.workspace.key,
                self.metric,
                within,
                self._behind,
                self._limit,
                self._known,
            ):
                for part in self._parts(one.story):
                    if self._is_there(one, part):
                        yield one, part

    def _corrected(
        self, known: Knowing, belongs: Callable[[int, Contribution], bool]
    ) -> list[tuple[Credited, Contribution]]:
        """What counted otherwise then, as much of it as a page can show."""
        numbers = {who: number for number, who in self.actors.items()}

        def then() -> Iterator[tuple[Credited, Contribution]]:
            workspace = self._found.workspace.key
            for where, story in explained.corrected(
                self._access, workspace, self.metric.key, known
            ):
                for part in self._parts(story):
                    actor = numbers.get(Actor(where[0], part.identity), -1)
                    place = Behind(part.at, *where, actor)
                    if actor >= 0 and place > self._behind and belongs(actor, part):
                        yield Credited(place, story), part

        return heapq.nsmallest(self._limit, then(), key=lambda pair: pair[0].place)

    def _parts(self, story: Story) -> tuple[Contribution, ...]:
        currency = self._found.workspace.currency
        try:
            added = contributions(self.metric, story.state, currency, story.earlier)
        except Invalid:
            return ()  # another metric counts it then
        return () if added is None or isinstance(added, Uncounted) else added

    def _is_there(self, one: Credited, added: Contribution) -> bool:
        """Whether it is this metric that credits the actor at that instant."""
        return (added.at, added.identity) == (one.place.at, self.actors[one.place.actor].identity)
