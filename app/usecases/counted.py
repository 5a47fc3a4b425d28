"""What was counted for a plan and what was heard of its sources, in one snapshot.

With a `Knowing`, as it was known then; without one, as it stands: nothing has to be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from zoneinfo import ZoneInfo

from app.domain import attribution
from app.domain.attribution import Actor, ActorTotal, Counted, Grain, Segment, segments
from app.domain.documents import Node
from app.domain.errors import Invalid
from app.domain.evaluation import Heard
from app.domain.ground import Ground
from app.domain.instants import QUARTER, day_number, instant, micros, midnight
from app.domain.periods import COUNTABLE
from app.store import actors, fetches, journal, sources, totals
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.organisation import Organisation
from app.usecases.settling import settled


def knowing(access: Access, found: Organisation, known_at: int | None) -> Knowing | None:
    """What had been received by an instant; None for all that ever was.

    In a function that is `settling`.
    """
    if known_at is None:
        return None
    workspace = found.workspace
    at = settled(access, workspace.key, known_at)
    return Knowing(journal.seq_at(access, workspace.key, at), workspace.zone)


def moment_written(text: str, zone: ZoneInfo, days: int = 1) -> int:
    """The instant that a text means; a date is its local midnight, so many days later.

    Raises Invalid: not_a_date, not_a_time, time_without_offset, date_out_of_range.
    """
    if len(text) != len("2026-12-01"):
        return instant(text)
    day = Node(text).day()
    if day not in COUNTABLE:
        raise Invalid("date_out_of_range")
    return micros(midnight(day + timedelta(days=days), zone))


def counted(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    known: Knowing | None = None,
    metrics: AbstractSet[str] | None = None,
) -> Counted:
    """What was counted for a plan before `until`, and whose it is.

    metrics: of the plan's, those that are asked about; None for all
    """
    parts = segments(base.plan, base.people, found.workspace.calendar, until)
    return _counted(access, found, base, (parts, until), known, metrics)


def counted_today(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    known: Knowing | None = None,
    metrics: AbstractSet[str] | None = None,
) -> Counted:
    """The same of the running day alone; nothing at midnight and outside of the period."""
    parts = segments(base.plan, base.people, found.workspace.calendar, until)
    today = tuple(part for part in parts if part.grain is Grain.QUARTERS)
    return _counted(access, found, base, (today, until), known, metrics)


def _counted(
    access: Access,
    found: Organisation,
    base: Ground,
    asked: tuple[tuple[Segment, ...], int],
    known: Knowing | None,
    metrics: AbstractSet[str] | None,
) -> Counted:
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    parts, until = asked
    return attribution.counted(
        base.plan,
        base.people,
        base.persons,
        actors_of(access, found.workspace.key),
        [(part, totals_of(access, base, chosen, (part, until), known)) for part in parts],
    )


def heard(access: Access, found: Organisation, known: Knowing | None = None) -> Heard:
    """The sources, when each was last heard, and what of each is still to be fetched.

    What is expected of them was learned before they last spoke, so it is known of an earlier
    knowing as well. The queue of fetches has no past: of an earlier knowing this tells what still
    waits today.
    """
    workspace = found.workspace.key
    last = sources.last_received(access, workspace, known)
    expected = found.cadences.expected(access, workspace, found.sources, last)
    return Heard(expected, last, fetches.pending(access, workspace))


def actors_of(access: Access, workspace: str) -> Mapping[int, Actor]:
    """Whom senders have named, by number."""
    return {number: Actor(*who) for number, who in actors.all_actors(access, workspace).items()}


def totals_of(
    access: Access,
    base: Ground,
    metrics: AbstractSet[str],
    asked: tuple[Segment, int],
    known: Knowing | None,
) -> Iterable[ActorTotal]:
    """The sums of a segment: of whole days, or of the running day's quarters up to `until`."""
    workspace, (part, until) = base.workspace, asked
    if part.grain is Grain.DAYS:
        days = (day_number(part.span.first), day_number(part.span.until))
        rows = totals.totals(access, workspace.key, metrics, *days, known)
    else:
        first = workspace.calendar.midnight(part.span.first) // QUARTER
        quarters = (first, until // QUARTER)
        rows = totals.quarter_totals(access, workspace.key, metrics, *quarters, known)
    return (ActorTotal(*row) for row in rows)
