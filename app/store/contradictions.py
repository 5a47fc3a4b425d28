"""Reports of one revision that contradict each other: each of them is listed, whoever came first.

Listing only the later one would make the list depend on the order of arrival; and asking only what
stands would miss the two when a newer revision came in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from app.domain.activities import Report, contradict
from app.store import states
from app.store.states import Mark
from app.store.transactions import Writing

Version = tuple[str, str, str, int]  # source, key, revision, mapping


class Contradictions:
    """Among the reports that one transaction brings and those that were recorded before."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._told: dict[Version, list[Report]] = {}
        self._found: set[Mark] = set()

    def load(self, source: str, reports: Iterable[Report], known: AbstractSet[Mark]) -> None:
        """Remember what was told at the revisions of reports that are new among known ones."""
        taken = {(where, key, *stamp.version) for where, key, stamp in known}
        new = [
            report
            for report in reports
            if _version(report) in taken and (source, report.key, report.stamp) not in known
        ]
        if new:
            for other in states.told(self._writing, self._writing.workspace, source, new):
                self._told.setdefault(_version(other), []).append(other)

    def meet(self, report: Report) -> None:
        """A report that was not told before comes in."""
        told = self._told.setdefault(_version(report), [])
        for other in told:
            if contradict(report, other):
                self._found |= {(one.source, one.key, one.stamp) for one in (report, other)}
        told.append(report)

    def write(self) -> None:
        """List those that were found, all of which are recorded by now."""
        if self._found:
            states.list_conflicts(self._writing, self._found)


def _version(report: Report) -> Version:
    return report.source, report.key, report.stamp.revision, report.stamp.mapping
