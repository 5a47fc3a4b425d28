"""What was counted for a plan and what was heard of its sources, in one snapshot.

With a `Knowing`, as it was known then; without one, as it stands: nothing has to be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from app.domain import attribution
from app.domain.attribution import Actor, ActorTotal, Counted, Grain, Segment, segments
from app.domain.calendar import ONE_DAY
from app.domain.documents import Node
from app.domain.errors import Invalid
from app.domain.evaluation import Heard
from app.domain.ground import Ground
from app.domain.instants import QUARTER, day_number, day_of_number, instant, micros, midnight
from app.domain.periods import COUNTABLE
from app.domain.spans import Span
from app.store import actors, daily, fetches, journal, sources, totals
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
    only: Grain | None = None,
) -> Counted:
    """What was counted for a plan before `until`, and whose it is.

    metrics: of the plan's, those that are asked about; None for all
    only: the days that are over, or the running one; None for both
    """
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    parts = segments(base.plan, base.people, found.workspace.calendar, until)
    return attribution.counted(
        base.plan,
        base.people,
        base.persons,
        actors_of(access, found.workspace.key),
        [
            (part, totals_of(access, base, chosen, (part, until), known))
            for part in parts
            if only in (None, part.grain)
        ],
    )


def rows_daily(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    known: Knowing | None = None,
    metrics: AbstractSet[str] | None = None,
) -> dict[date, list[ActorTotal]]:
    """What each actor did before `until`, by day of the plan; empty days are left out.

    A moment at midnight belongs to the day that it ends.
    """
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    last = found.workspace.calendar.local_day(until - 1)
    whole, running = _days_of(base, last, until)
    rows = rows_of_days(access, base, whole, chosen, known)
    if running is not None:
        part = Segment(running, Grain.QUARTERS)
        rows[running.first] = list(totals_of(access, base, chosen, (part, until), known))
    return rows


def rows_of_days(
    access: Access,
    base: Ground,
    span: Span,
    metrics: AbstractSet[str],
    known: Knowing | None = None,
) -> dict[date, list[ActorTotal]]:
    """What each actor did on whole days, by day; empty days are left out."""
    rows: dict[date, list[ActorTotal]] = {}
    days = (day_number(span.first), day_number(span.until))
    found = daily.by_day(access, base.workspace.key, metrics, days, None, known, by_actor=True)
    for metric, currency, number, *rest in sorted(found):
        rows.setdefault(day_of_number(number), []).append(ActorTotal(metric, currency, *rest))
    return rows


def counted_daily(
    base: Ground, who: Mapping[int, Actor], rows: Mapping[date, Iterable[ActorTotal]]
) -> dict[date, Counted]:
    """Whose what was done on each day is. rows: as `rows_daily` gives them."""
    return {
        day: attribution.counted(
            base.plan,
            base.people,
            base.persons,
            who,
            [(Segment(Span(day, day + ONE_DAY), Grain.DAYS), totals)],
        )
        for day, totals in rows.items()
    }


def _days_of(base: Ground, last: date, until: int) -> tuple[Span, Span | None]:
    """The days of a plan that are over at an instant, and the one that runs."""
    span, after = base.plan.span, last + ONE_DAY
    running = last in span and until < base.workspace.calendar.midnight(after)
    end = min(max(last if running else after, span.first), span.until)
    return Span(span.first, end), Span(last, after) if running else None


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
