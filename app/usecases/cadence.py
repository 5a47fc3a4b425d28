"""What is expected of each source: as its document says, else as its own deliveries have taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from app.domain.cadence import UNNOTICED, expectation, window
from app.domain.calendar import WorkCalendar
from app.domain.freshness import Basis, Expectation, Source
from app.store import speaking
from app.store.transactions import Access
from app.usecases.keeping import keep

KEPT = 1_024


class Cadences:
    """What was learned in a workspace, by the source and the day on which it last spoke.

    That never changes: the days before a delivery are over. Only another calendar counts other
    hours, so this is thrown away with its calendar and not with every change of the configuration.
    """

    def __init__(self, calendar: WorkCalendar) -> None:
        self.calendar = calendar
        self._known: dict[tuple[str, date], Expectation] = {}

    def expected(
        self, access: Access, workspace: str, sources: Iterable[Source], last: Mapping[str, int]
    ) -> tuple[Source, ...]:
        """Sources with what is expected of each after its last delivery, as `last` knows it."""
        return tuple(
            replace(source, expect=self._learned(access, workspace, source.key, last[source.key]))
            if source.expect.basis is Basis.DEFAULT and source.key in last
            else source
            for source in sources
        )

    def _learned(self, access: Access, workspace: str, source: str, last: int) -> Expectation:
        day = self.calendar.local_day(last)
        place = (source, day)
        known = self._known.get(place)
        if known is None:
            span = window(self.calendar, day)
            spoke = speaking.spoke(access, workspace, source, span, UNNOTICED)
            known = keep(self._known, place, expectation(spoke, self.calendar, day), KEPT)
        return known
