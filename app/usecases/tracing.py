"""From an activity to what was reported of it, what of that stands, and what it has moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from zoneinfo import ZoneInfo

from app.domain.activities import State, Story
from app.domain.errors import NotFound
from app.domain.explanation import Whose, whose, why_not
from app.domain.metrics import Contribution, Metric, Uncounted, contributions
from app.domain.progress import Reason
from app.domain.quantities import Quantity
from app.store import activities, history, remembering, rules
from app.store.activities import Activity, Revision
from app.store.rules import Rules
from app.usecases.context import Context
from app.usecases.counted import knowing
from app.usecases.organisation import Organisation
from app.usecases.settling import settling


@dataclass(frozen=True, slots=True)
class Moved:
    """What an activity moved in the tallies of a metric: a cell of a quarter hour and its day.

    at: microseconds since 1970, in that quarter hour; number, total: by how much; of a stock that
    has left, what came and what left cancel
    """

    at: int
    whose: Whose
    currency: str
    number: Quantity
    total: Fraction


@dataclass(frozen=True, slots=True)
class Count:
    """What a metric makes of an activity: where it counts, or why it does not."""

    metric: str
    cells: tuple[Moved, ...]
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report, and the fields of the state that are as it says."""

    revision: Revision
    stands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """An activity's story; reports: the greatest stamp last."""

    activity: Activity
    reports: tuple[Report, ...]
    counts: tuple[Count, ...]
    zone: ZoneInfo


@settling
def trace(
    context: Context, workspace: str, source: str, key: str, known_at: int | None = None
) -> Traced:
    """The story of an activity, as far as it was known. Raises NotFound `unknown_activity`."""
    with context.read() as reading:
        organisation = context.organisations.at(reading, workspace)
        known = knowing(reading, organisation, known_at)
        found = activities.get(reading, workspace, source, key, known)
        if found is None:
            raise NotFound("unknown_activity")
        reports = activities.revisions(reading, workspace, source, key, known)
        counting = rules.load(reading, workspace)
        upto = history.LAST if known is None else known.seq
        where, state = (source, key), found.state
        kinds = counting.remembering
        story = remembering.stories(reading, workspace, kinds, {where: state}, upto)[where]
    return Traced(
        found,
        tuple(Report(one, _standing(state, one)) for one in reports),
        tuple(_counts(counting, organisation, source, story)),
        organisation.workspace.zone,
    )


def _standing(state: State, report: Revision) -> tuple[str, ...]:
    """The fields whose greatest stamp is this report's."""
    stands = (name for name in report.fields if state.stamps.get(name, state.base) == report.stamp)
    return tuple(sorted(stands))


def _counts(counting: Rules, found: Organisation, source: str, story: Story) -> Iterator[Count]:
    state, earlier = story
    counted = {metric.key for metric in counting.metrics_of(source, state.kind)}
    for metric in counting.by_kind.get(state.kind, ()):
        if metric.key not in counted:
            yield Count(metric.key, (), Reason("kind_not_counted"))
            continue
        reason = why_not(metric, state, counting.currency, earlier)
        if reason is not None:
            yield Count(metric.key, (), reason)
            continue
        added = contributions(metric, state, counting.currency, earlier)
        assert not isinstance(added, Uncounted)  # noqa: S101 - else there is a reason
        moved = (_moved(metric, found, source, part) for part in added or ())
        yield Count(metric.key, tuple(chain.from_iterable(moved)), None)


def _moved(
    metric: Metric, found: Organisation, source: str, added: Contribution
) -> Iterator[Moved]:
    number = metric.counted(added.number)
    total = metric.summed(added.total, added.currency)
    steps = [(added.at, 1)] + ([] if added.until is None else [(added.until, -1)])
    for at, sign in steps:
        day = found.workspace.calendar.local_day(at)
        whom = whose(found.people, source, added.identity, day)
        yield Moved(at, whom, added.currency, sign * number, sign * total)
