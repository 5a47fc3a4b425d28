"""Progress: a plan evaluated at a moment. One value, several faces; all quantities exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from app.domain.foreseen import Forecast
from app.domain.metrics import Unit
from app.domain.quantities import Quantity
from app.domain.survival import Learned, Matured


class Verdict(StrEnum):
    """One word for where a goal stands; the first that fits, in this order."""

    REACHED = "reached"
    UNKNOWN = "unknown"
    MISSED = "missed"
    NOT_STARTED = "not_started"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"


class Edge(StrEnum):
    """How a goal hangs on the one above: two ways are arithmetic, an influence is not."""

    CONVERSION = "conversion"
    PART = "part"
    INFLUENCE = "influence"


class FreshnessState(StrEnum):
    """Whether the sources that feed a goal have spoken as often as they should."""

    FRESH = "fresh"
    STALE = "stale"
    PENDING = "pending"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many objects were named and are still to be fetched, and since when the oldest waits."""

    count: int
    oldest: datetime | None


NOTHING_WAITS = Waiting(0, None)


@dataclass(frozen=True, slots=True)
class Freshness:
    """`last_event_at` is the last delivery of any source that counts the goal's kind.

    pending: what these sources have named and not yet told; it may change the goal or not
    """

    state: FreshnessState
    last_event_at: datetime | None
    pending: Waiting = NOTHING_WAITS


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a value is null, or a verdict what it is: a stable code with parameters."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


class DriftState(StrEnum):
    """Whether a conversion has left the plan's rate, as sure as it is however often one looks."""

    NONE = "none"
    UNPROVEN = "unproven"
    SUSPECTED = "suspected"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Drift:
    """What the days of the period tell of a conversion's rate.

    since: the day at whose end it was first as sure as `state` says; None below `suspected`
    e_value, highest: the evidence as it stands and the most there ever was, of which `state` is
        made, since evidence that was once there was no chance; None where no test tells
    changed: the most evidence there ever was that it fell within the period; None with a lag
    dispersion: by how much weeks differ more than by chance, as it was measured or is assumed
    """

    state: DriftState = DriftState.NONE
    since: date | None = None
    e_value: float | None = None
    highest: float | None = None
    changed: float | None = None
    dispersion: float | None = None


NO_DRIFT, UNTESTED = Drift(), Drift(DriftState.UNPROVEN)  # no sample; a sample without a test


class EdgeState(StrEnum):
    """Which of the two goals of a conversion are where they are expected to be by now."""

    BOTH_ON_PACE = "both_on_pace"
    KPI_ON_PACE_KGI_BEHIND = "kpi_on_pace_kgi_behind"
    KPI_BEHIND_KGI_ON_PACE = "kpi_behind_kgi_on_pace"
    BOTH_BEHIND = "both_behind"


class RateBasis(StrEnum):
    """What a rate goes by: what was counted in a period, or items that are followed."""

    PERIOD = "period"
    COHORT = "cohort"


@dataclass(frozen=True, slots=True)
class Rate:
    """A conversion: what the plan assumes and what was seen, and in how many of the child.

    low, high: between which the true rate lies in 80 of 100 cases, of counts of counts; else None
    shrunken: of a person or a team, the rate seen in the light of everybody's; else None
    basis: whether single items are known to have turned out; then how many have of as many as
        could is in `matured`. lag: how long they took, where enough was seen; else None
    """

    assumed: Fraction
    observed: Fraction | None
    sample: Quantity
    low: Fraction | None = None
    high: Fraction | None = None
    drift: Drift = NO_DRIFT
    shrunken: Fraction | None = None
    basis: RateBasis = RateBasis.PERIOD
    lag: Learned | None = None
    matured: Matured | None = None


@dataclass(frozen=True, slots=True)
class InFlight:
    """What a goal may still expect of what has been begun: a conversion that takes time.

    items: how many of the goal below whose time has not come; those that come too late are none
    expected: what they should still yield before the goal's deadline, in the goal's unit
    """

    items: Quantity
    expected: Fraction


@dataclass(frozen=True, slots=True)
class Today:
    """What a day asks of a goal, fixed at its local midnight: working does not move it.

    required: the remainder at midnight / working days from this one on, times this day's own part
    required_display: rounded up to what can be counted or paid
    required_from_kgi: the same of what the final goal still needs, net of what is in flight
    done: on this day; left: what is required less that, never below 0
    Every None, and a day that asks nothing because it is none, comes with an entry in reasons.
    """

    day: date
    required: Fraction | None
    required_display: Fraction | None
    required_from_kgi: Fraction | None
    done: Fraction
    left: Fraction | None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Excluded:
    """What a money goal does not add because it is in another currency."""

    currency: str
    count: Quantity
    total: Fraction


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """One goal of the tree in one scope, evaluated.

    target: the exact requirement; target_display: integers (or minor units) that add up
    deadline: period end less the lags above; expected reaches the target there
    actual: the whole period to as_of; next_period: the part of it after the deadline
    expected: by the people's own working time elapsed
    attainment = actual / target; pace = actual / expected; gap = actual - expected
    gap_beyond_noise: whether chance alone would make such a gap, either way, in less than 1 of 10
    required_per_day: the remainder per remaining working day up to the deadline; 0 when reached
    forecast: where it ends; None where nothing tells what to expect
    rate: the conversion to this goal from its child; None for leaves and sums of parts
    unassigned, outside_plan: counted in the workspace by nobody known, by people not in the plan
    edge: how it hangs on the goal above; None at the root
    weight: how much an influence matters beside its siblings; None for every other edge
    actual_at_close: `actual` as it was known when the period was closed; None while it is open
    required_from_kgi_per_day: as required_per_day, of what the root still needs, taken down the
        chain; None also of influences, which are calculated with nowhere
    in_flight: None where nothing converts into it, or at once
    priority: 1 is what to mend first; why: in the plan's own words, None where it says nothing
    today: None where it was not asked for
    Every other None comes with an entry in reasons.
    """

    key: str
    name: str
    metric: str
    unit: Unit
    target: Fraction
    target_display: Fraction
    deadline: datetime
    actual: Fraction
    next_period: Fraction
    expected: Fraction
    attainment: Fraction | None
    pace: Fraction | None
    gap: Fraction
    gap_beyond_noise: bool
    required_per_day: Fraction | None
    forecast: Forecast | None
    rate: Rate | None
    unassigned: Fraction
    outside_plan: Fraction
    excluded: tuple[Excluded, ...]
    freshness: Freshness
    verdict: Verdict
    reasons: tuple[Reason, ...]
    children: tuple[GoalProgress, ...]
    edge: Edge | None = None
    weight: Fraction | None = None
    actual_at_close: Fraction | None = None
    required_from_kgi_per_day: Fraction | None = None
    in_flight: InFlight | None = None
    priority: int = 1
    why: str | None = None
    today: Today | None = None

    @property
    def converted(self) -> GoalProgress | None:
        """The goal that this one is converted from."""
        below = (child for child in self.children if child.edge is Edge.CONVERSION)
        return next(below, None)

    @property
    def edge_state(self) -> EdgeState | None:
        """How this goal and the one that converts into it stand; None while nothing is expected."""
        child = self.converted
        if child is None or not (self.expected and child.expected):
            return None
        if child.gap >= 0:
            on_pace = self.gap >= 0
            return EdgeState.BOTH_ON_PACE if on_pace else EdgeState.KPI_ON_PACE_KGI_BEHIND
        return EdgeState.KPI_BEHIND_KGI_ON_PACE if self.gap >= 0 else EdgeState.BOTH_BEHIND

    def walk(self) -> Iterator[GoalProgress]:
        """This goal and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose progress: the whole plan's, a team's, or a member's."""

    team: str | None = None
    member: str | None = None


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Days of the scope's calendar: the workspace's for plans and teams, a member's own."""

    total: Fraction
    elapsed: Fraction
    remaining: Fraction


@dataclass(frozen=True, slots=True)
class PlanReference:
    """Which plan, and which version of it."""

    key: str
    alias: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class ScopedProgress:
    """The tree for one team or member."""

    scope: Scope
    name: str
    working_days: WorkingDays
    root: GoalProgress


@dataclass(frozen=True, slots=True)
class Closed:
    """A period that was closed: what was known at `known_at` stands beside what is known now."""

    known_at: datetime
    closed_at: datetime
    author: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A plan evaluated at `as_of` with everything known at `known_at`.

    next_change_at: when time alone will next change the answer; None when it never will
    breakdown: one entry per team or member, in the order of their keys, when asked for
    closed: None while the plan's period is open
    """

    workspace: str
    plan: PlanReference
    as_of: datetime
    known_at: datetime
    generated_at: datetime
    time_zone: str
    next_change_at: datetime | None
    whole: ScopedProgress
    breakdown: tuple[ScopedProgress, ...] = ()
    closed: Closed | None = None
