"""What of an object that was asked for is news."""

from __future__ import annotations

from app.domain.activities import NOTHING, RETRACTED, Report, State, make_report
from app.domain.instants import MINUTE
from app.domain.revisions import of_instant
from app.outbound.api import Api, Object

# An object that does not change for so long stands as it was read, whatever was pushed before.
SETTLED = MINUTE


def news(
    api: Api, found: tuple[str, Object], at: int | None, report: Report, before: State
) -> Report | None:
    """The report as it is to be told; None where nothing of it is news.

    found: what it is of, and the object; at: when it was read, by the provider's clock

    What stands and says the same as of now or later needs no word. Where a notification bears
    a later time than the change that it tells of, what it said can stand before a later change:
    then an object that has been at rest for a while is what it was a moment ago.
    """
    if api.names_only and before == NOTHING and report.fields.get(RETRACTED) is True:
        return None
    if not _stands(before, report):
        return report
    if _agrees(before, report):
        return None
    if not api.pushes_later:
        return report
    changed = api.changed_at(*found)
    if at is None or changed is None or at - changed < SETTLED:
        return None
    revision, mapping = of_instant(at - SETTLED // 2), report.stamp.mapping
    return make_report(
        report.source, report.key, revision, report.fields, full=report.full, mapping=mapping
    )


def _stands(state: State, report: Report) -> bool:
    """Whether all that a report speaks of stands as of now or later, and by the same reader."""
    asked = [state.base]
    if not report.full:
        asked = [state.stamps.get(name, state.base) for name in report.fields]
    stamp = report.stamp
    return all(one.revision >= stamp.revision and one.mapping >= stamp.mapping for one in asked)


def _agrees(state: State, report: Report) -> bool:
    if report.full:
        return state.fields == report.fields
    return all(state.fields.get(name) == value for name, value in report.fields.items())
