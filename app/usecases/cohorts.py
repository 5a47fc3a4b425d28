"""What is known of single items: how long they take, learned once a day, and which turned out.

A lag is learned from what was known when the local day of the last commit began: half a year is
read once a day, a read repeats all day long, whoever answers it, and an earlier knowing is the
same for ever. It is the whole workspace's, since how long a customer takes is hardly the caller's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction

from app.domain.attribution import Actor, Places
from app.domain.calendar import WorkCalendar
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.instants import QUARTER, day_number, day_of_number
from app.domain.items import NO_COHORTS, RIPENED, Cohorts, Turned, Yardstick
from app.domain.metrics import Aggregation
from app.domain.spans import Span
from app.domain.survival import Cohort, Learned, learned, trusted
from app.store import cohorts, daily, heads, journal
from app.store.journal import Knowing
from app.store.transactions import Access, Writing
from app.usecases.counted import actors_of
from app.usecases.keeping import keep
from app.usecases.organisation import Edge, Followed, Organisation

# Half a year: what turns out later is hardly still the same item.
LOOKED_BACK = 183
# Of what was counted in so many days before, four fifths must say what it grew from: of a quarter,
# and of the last weeks too, since it may have begun to be left out.
RECENT = (91, 28)
COVERED = Fraction(4, 5)
KEPT = 256
# Some edges of some plans, of the last commit or two.
MOST_GROWN = 32


def cohorts_of(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    known: Knowing | None = None,
) -> Cohorts:
    """What is known of the items of a plan before an instant; nothing where nothing is linked.

    Of those that may have been open on any day of the period, or lately.
    """
    if not found.linked:
        return NO_COHORTS
    calendar = found.workspace.calendar
    today = calendar.local_day(until - 1)
    morning = _morning(access, found, known)
    begins = min(today, base.plan.span.first)
    open_on = min(today - timedelta(days=RIPENED), begins)
    lags: dict[str, Learned] = {}
    turned: dict[str, list[Turned]] = {}
    judged: dict[str, Yardstick] = {}
    for goal in base.plan.root.walk():
        if goal.conversion is None:
            continue
        edge = (goal.conversion.child.metric.key, goal.metric.key)
        followed = _followed(access, found, edge, today, morning)
        if followed.lag is None:
            continue
        lags[goal.key] = followed.lag
        if followed.linked >= COVERED and _of_counts(goal.conversion.child):
            before = _followed(access, found, edge, begins, morning).lag
            lag = trusted(before, followed.lag)
            judged[goal.key] = Yardstick(lag, followed.linked)
            first = open_on - timedelta(days=max(followed.lag.longest, lag.longest))
            within = Span(first, today + timedelta(days=1))
            seq = known.seq if known else None
            rows = _grown(access, found, edge, within, until // QUARTER, seq)
            turned[goal.key] = _placed(base, actors_of(access, found.workspace.key), calendar, rows)
    return Cohorts(lags, turned, judged)


def _of_counts(child: Goal) -> bool:
    return child.metric.aggregation is Aggregation.COUNT


def _followed(access: Access, found: Organisation, edge: Edge, today: date, seq: int) -> Followed:
    """What the items of an edge have taught of what turned out before a day."""
    place = (edge, today, seq)
    taught = found.followed.get(place)
    if taught is None:
        learned_now = _learn(access, found, edge, today, Knowing(seq, found.workspace.zone))
        taught = keep(found.followed, place, learned_now, KEPT)
    return taught


def _morning(access: Access, found: Organisation, known: Knowing | None) -> int:
    """The last commit before the local day of the last one that is known."""
    key, calendar = found.workspace.key, found.workspace.calendar
    head = heads.head(access, key)
    last = known.seq if known else (head.seq if head else 0)
    at = heads.commit(access, key, last).at
    return journal.seq_at(access, key, calendar.midnight(calendar.local_day(at)) - 1)


def _learn(
    access: Access, found: Organisation, edge: Edge, today: date, known: Knowing
) -> Followed:
    calendar = found.workspace.calendar
    span = Span(today - timedelta(days=LOOKED_BACK), today)
    until = calendar.midnight(today) // QUARTER
    rows = _grown(access, found, edge, span, until, known.seq)
    if not rows:
        return Followed(None, Fraction(0))
    days = [_days(calendar, row) for row in rows]
    # What began before anybody said what grew from it may have turned out unnoticed.
    first = max(span.first, min(became for _, became in days))
    came: dict[date, Counter[int]] = defaultdict(Counter)
    for row, (begun, became) in zip(rows, days, strict=True):
        came[begun][max((became - begun).days, 0)] += row.number
    begun_by_day, became_by_day = (_numbers(access, found, metric, span, known) for metric in edge)
    scale, scale_of_ends = (round(1 / found.metric(key).counted(1)) for key in edge)
    lag = learned(
        Cohort(
            number // scale,
            {age: n // scale for age, n in came[day].items()},
            (today - day).days,
        )
        for day, number in begun_by_day.items()
        if day >= first
    )
    linked = [
        (became, Fraction(row.number, scale)) for row, (_, became) in zip(rows, days, strict=True)
    ]
    counted = [(day, Fraction(n, scale_of_ends)) for day, n in became_by_day.items()]
    since = (today - timedelta(days=length) for length in RECENT)
    return Followed(lag, min(_part(linked, counted, day) for day in since))


def _part(
    linked: Iterable[tuple[date, Fraction]], counted: Iterable[tuple[date, Fraction]], since: date
) -> Fraction:
    """What part of all that was counted since a day says what it grew from; all of nothing."""
    some, whole = (sum(n for day, n in those if day >= since) for those in (linked, counted))
    return min(Fraction(some) / whole, Fraction(1)) if whole > 0 else Fraction(1)


def _grown(
    access: Access,
    found: Organisation,
    edge: Edge,
    days: Span,
    until: int,
    seq: int | None,
) -> list[cohorts.Grown]:
    calendar = found.workspace.calendar
    first, end = (calendar.midnight(day) // QUARTER for day in (days.first, days.until))
    asked = (found.workspace.key, edge, (first, end), until, seq)
    if isinstance(access, Writing):
        return cohorts.grown(access, *asked)
    # Of one commit many ask: of each team and person, each plan, each stream.
    place = (*asked, heads.standing(access, found.workspace.key))
    rows = found.grown.get(place)
    if rows is None:
        rows = keep(found.grown, place, cohorts.grown(access, *asked), MOST_GROWN)
    return rows


def _numbers(
    access: Access, found: Organisation, metric: str, span: Span, known: Knowing
) -> dict[date, int]:
    days = (day_number(span.first), day_number(span.until))
    numbers: dict[date, int] = {}
    rows = daily.by_day(access, found.workspace.key, {metric}, days, None, known)
    for _, _, number, _, done, _ in rows:
        day = day_of_number(number)
        numbers[day] = numbers.get(day, 0) + done
    return numbers


def _days(calendar: WorkCalendar, row: cohorts.Grown) -> tuple[date, date]:
    return calendar.local_day(row.begun * QUARTER), calendar.local_day(row.became * QUARTER)


def _placed(
    base: Ground, who: Mapping[int, Actor], calendar: WorkCalendar, rows: list[cohorts.Grown]
) -> list[Turned]:
    places = Places(base.plan, base.people, who, base.persons)
    found: list[Turned] = []
    for row in rows:
        begun, became = _days(calendar, row)
        found.append(Turned(begun, places.place(row.actor, begun), row.number, became))
    return found
