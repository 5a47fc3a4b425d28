"""From a number to the activities that make it up, in one snapshot with the number itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from zoneinfo import ZoneInfo

from app.domain.attribution import NOTHING, Amount, Place, Places
from app.domain.errors import NotFound
from app.domain.explanation import Item, Part, Whose, lies_in_part
from app.domain.goals import Goal
from app.domain.ground import Ground, goal_named
from app.domain.metrics import Contribution, Metric, Unit
from app.domain.progress import Scope
from app.domain.scopes import Breakdown, check
from app.store import heads
from app.store.explained import Behind
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases import series
from app.usecases.context import Context
from app.usecases.counted import counted, knowing
from app.usecases.listing import Listed, item_of
from app.usecases.organisation import Organisation
from app.usecases.plan_names import plan_named
from app.usecases.progress import Asked, check_known_at, moment_asked
from app.usecases.series import Range
from app.usecases.settling import settling


@dataclass(frozen=True, slots=True)
class GoalActivities:
    """A page of what makes up a number of a goal.

    totals: the whole number, from the tallies: count and sum at the metric's scale, by currency
    """

    base: Ground
    goal: Goal
    scope: Scope
    part: Part
    until: int
    known_at: int | None
    totals: Mapping[str, Amount]
    items: tuple[Item, ...]
    basis: tuple[str | int, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's."""
        return self.base.workspace.zone


@dataclass(frozen=True, slots=True)
class MetricActivities:
    """A page of what makes up a metric in a range; of a stock, what stands at its end."""

    metric: Metric
    unit: Unit
    range: Range
    known_at: int | None
    zone: ZoneInfo
    items: tuple[Item, ...]
    basis: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Whose activities; None: anybody's. identity: "" is nobody's.

    team: the one in which the member stands itself
    """

    member: str | None = None
    team: str | None = None
    source: str | None = None
    identity: str | None = None

    def fits(self, source: str, found: Whose) -> bool:
        """Whether an activity of a source is one of them."""
        return (
            self.member in (None, found.member)
            and self.team in (None, found.team)
            and self.source in (None, source)
            and self.identity in (None, found.identity)
        )


@settling
def goal_activities(
    context: Context,
    workspace: str,
    plan: str,
    goal: str,
    part: Part,
    asked: Asked,
    page: tuple[Behind, int],
) -> GoalActivities:
    """Up to so many activities of a goal's number behind a place, as its progress counts them.

    With `known_at`, as it counted them then.

    Raises as `report_progress` does, and NotFound `unknown_goal`.
    """
    now = context.clock()
    at = moment_asked(asked.as_of, now)
    check_known_at(asked.known_at, now)
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        known = knowing(reading, found, asked.known_at)
        counted_last = at.as_of if asked.as_of is None else at.as_of - 1
        named_then = known if asked.version is None else None
        document = plan_named(reading, found, plan, counted_last, asked.version, named_then)
        base = found.ground(reading, document)
        check(base, asked.scope, Breakdown.NONE)
        chosen = goal_named(base, goal)
        number = _Number(base, chosen, asked.scope, part, known)
        sums = _totals(reading, found, number, at.until)
        items = tuple(islice(_goal_items(reading, found, number, at.until, page), page[1]))
        head = heads.head(reading, workspace)
    moved = (known.seq if known else head.seq, head.config_version) if head else ()
    which = (workspace, document.key, document.version, goal)
    basis = (*which, *moved, at.until, repr(asked), part.value, repr(page))
    return GoalActivities(
        base, chosen, asked.scope, part, at.until, asked.known_at, sums, items, basis
    )


@settling
def metric_activities(
    context: Context,
    workspace: str,
    key: str,
    asked: series.Asked,
    chosen: Filter,
    page: tuple[Behind, int],
) -> MetricActivities:
    """Up to so many activities of a metric behind a place, as its series counts them.

    Raises as `series` does, NotFound: unknown_member, unknown_team; and Conflict `metric_building`.
    """
    now = context.clock()
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        metric = found.metric(key)
        _check(found, chosen)
        zone = (
            found.workspace.zone if asked.time_zone is None else series.zone_asked(asked.time_zone)
        )
        within = series.range_asked(asked, zone, now)
        known_at = series.known_asked(asked, zone, now)
        known = knowing(reading, found, known_at)
        listed = Listed(reading, found, metric, page, known)
        items = tuple(islice(_metric_items(listed, chosen, within), page[1]))
        head = heads.head(reading, workspace)
    moved = (known.seq if known else head.seq, head.config_version) if head else ()
    basis = (workspace, key, *moved, within.until, repr(asked), repr(chosen), repr(page))
    unit = metric.unit_in(found.workspace.currency)
    return MetricActivities(metric, unit, within, known_at, zone, items, basis)


def _check(found: Organisation, chosen: Filter) -> None:
    if chosen.member is not None and chosen.member not in found.people.members:
        raise NotFound("unknown_member", member=chosen.member)
    if chosen.team is not None and chosen.team not in found.people.teams:
        raise NotFound("unknown_team", team=chosen.team)


@dataclass(frozen=True, slots=True)
class _Number:
    """One of a goal's numbers in one scope, as known then or now."""

    base: Ground
    goal: Goal
    scope: Scope
    part: Part
    known: Knowing | None

    def counts(self, currency: str) -> bool:
        """Whether amounts in a currency are in it."""
        own = currency == (self.goal.unit.currency or "")
        return own is (self.part is not Part.EXCLUDED)

    def holds(self, place: Place) -> bool:
        """Whether what was counted at a place is in it."""
        return lies_in_part(self.base.plan, self.scope, self.part, place)


def _totals(
    access: Access, found: Organisation, number: _Number, until: int
) -> Mapping[str, Amount]:
    """The number itself, from where the progress has it."""
    metric = number.goal.metric.key
    sums: dict[str, Amount] = {}
    amounts_by_place = counted(access, found, number.base, until, number.known, {metric})
    for place, amounts in amounts_by_place.items():
        if number.holds(place):
            for key, amount in amounts.items():
                if number.counts(key.currency):
                    sums[key.currency] = sums.get(key.currency, NOTHING).plus(amount)
    return {currency: amount for currency, amount in sorted(sums.items()) if amount.number}


def _goal_items(
    access: Access,
    found: Organisation,
    number: _Number,
    until: int,
    page: tuple[Behind, int],
) -> Iterator[Item]:
    base, calendar = number.base, found.workspace.calendar
    listed = Listed(access, found, number.goal.metric, page, number.known)
    places = Places(base.plan, base.people, listed.actors, base.persons)
    known: dict[tuple[int, date], Place] = {}

    def place(actor: int, at: int) -> Place:
        named = (actor, listed.day(at))
        if named not in known:
            known[named] = places.place(*named)
        return known[named]

    first = calendar.midnight(base.plan.span.first)
    end = min(until, calendar.midnight(base.plan.span.until))
    stretches = listed.stretches(
        number.counts, (first, end), lambda actor, at: number.holds(place(actor, at))
    )

    def belongs(actor: int, added: Contribution) -> bool:
        lies_there = first <= added.at < end and number.counts(added.currency)
        return lies_there and number.holds(place(actor, added.at))

    for one, added in listed.counted(stretches, belongs):
        at = one.place.at
        whom = listed.whose(one.place.actor, at)
        yield item_of(listed.metric, one, added, whom, place(one.place.actor, at))


def _metric_items(listed: Listed, chosen: Filter, within: Range) -> Iterator[Item]:
    end = min(within.end, within.until)
    last = end - 1  # what still stands at the end belongs to whom its actor means then
    standing = listed.metric.stock is not None

    def wanted(actor: int, at: int) -> bool:
        whom = listed.whose(actor, last if standing else at)
        return chosen.fits(listed.actors[actor].source, whom)

    if standing:
        stretches = listed.holding(end, wanted)
    else:
        stretches = listed.stretches(listed.own, (within.start, end), wanted)

    def belongs(actor: int, added: Contribution) -> bool:
        if standing:
            there = added.at < end and (added.until is None or added.until >= end)
        else:
            there = within.start <= added.at < end
        return there and listed.own(added.currency) and wanted(actor, added.at)

    for one, added in listed.counted(stretches, belongs):
        whom = listed.whose(one.place.actor, last if standing else one.place.at)
        yield item_of(listed.metric, one, added, whom, None)
