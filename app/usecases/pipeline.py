"""What was counted day by day lately: today, and what may still be in flight, in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date

from app.domain import attribution
from app.domain.attribution import Actor, Counted, Grain, Segment
from app.domain.calendar import ONE_DAY
from app.domain.ground import Ground
from app.domain.items import NO_COHORTS, Cohorts
from app.domain.pipeline import Lately, wanted
from app.domain.spans import Span
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.counted import actors_of, counted_daily, rows_of_days, totals_of
from app.usecases.organisation import Organisation


def lately_counted(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    cohorts: Cohorts,
    known: Knowing | None = None,
    *,
    today: bool = False,
    booked: bool = False,
) -> Lately:
    """What evaluating a plan wants to know of single days, all counted before `until`.

    Of a plan without lags nothing, unless what the last day asks for is asked: then that day.
    A moment at midnight belongs to the day that it ends. booked: as `wanted` has it.
    """
    last = found.workspace.calendar.local_day(until - 1)
    items = cohorts if last < base.plan.span.until else NO_COHORTS
    fed, before = wanted(base.plan, last, items.lags, booked=booked)
    metrics = {goal.metric.key for goal in base.plan.root.walk()} if today else fed
    if not metrics:
        return Lately(last, {})
    who = actors_of(access, found.workspace.key)
    rows = rows_of_days(access, base, before, fed, known) if fed else {}
    days = counted_daily(base, who, rows)
    days[last] = _running(access, base, metrics, (last, until), who, known)
    return Lately(last, days, items)


def _running(
    access: Access,
    base: Ground,
    metrics: AbstractSet[str],
    to: tuple[date, int],
    who: Mapping[int, Actor],
    known: Knowing | None,
) -> Counted:
    day, until = to
    over = until == base.workspace.calendar.midnight(day + ONE_DAY)
    segment = Segment(Span(day, day + ONE_DAY), Grain.DAYS if over else Grain.QUARTERS)
    rows = totals_of(access, base, metrics, (segment, until), known)
    return attribution.counted(base.plan, base.people, base.persons, who, [(segment, rows)])
