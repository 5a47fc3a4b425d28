"""The documents of a progress as typed dictionaries, which the web and the terminal share."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class UnitDocument(TypedDict):
    """What a number is a number of; only money has a currency."""

    kind: str
    currency: NotRequired[str]


class EvidenceDocument(TypedDict):
    """The figures behind the word for a drift."""

    e_value: str | None
    highest: str | None
    changed: str | None
    dispersion: str | None


class DriftDocument(TypedDict):
    """Whether a rate has left the plan's, and since which day; its figures when asked for."""

    state: str
    since: str | None
    evidence: NotRequired[EvidenceDocument]


class LagDocument(TypedDict):
    """How long what turned out took, in days, and of how many that was learned."""

    mean_days: str
    longest_days: int
    conversions: int


class MaturedDocument(TypedDict):
    """How many items turned out, of as many as could have by now."""

    converted: int | str
    exposure: str
    rate: str | None
    low: str | None
    high: str | None


class RateDocument(TypedDict):
    """A conversion: assumed by the plan, observed so far and how surely, in how many."""

    assumed: str
    observed: str | None
    low: str | None
    high: str | None
    shrunken: str | None
    sample: int | str
    basis: str
    lag: LagDocument | None
    matured: MaturedDocument | None
    drift: DriftDocument
    edge_state: str | None


class WaitingDocument(TypedDict):
    """What was named and is still to be fetched: how many, and since when."""

    count: int
    oldest: str


class FreshnessDocument(TypedDict):
    """Whether the goal's sources have spoken, when they last did, and what they still owe."""

    state: str
    last_event_at: str | None
    pending: NotRequired[WaitingDocument]


class ReasonDocument(TypedDict):
    """Why: a stable code, its parameters, and the sentence in the reader's language."""

    code: str
    params: dict[str, str | int]
    message: str


class ExcludedDocument(TypedDict):
    """Amounts in another currency, which are never added."""

    currency: str
    count: int | str
    total: str


class ClosedDocument(TypedDict):
    """When the plan's period was closed, and by whom."""

    known_at: str
    closed_at: str
    author: str
    reason: str | None


class EdgeDocument(TypedDict, total=False):
    """How a goal hangs on the one above; the root has no edge, only an influence a weight."""

    edge: str
    weight: str


class WhyDocument(TypedDict, total=False):
    """Why a goal matters, in the plan's own words."""

    why: str


class InFlightDocument(TypedDict):
    """What was begun and has not turned out yet, and what it should still yield."""

    items: int | str
    expected: str


class DayDocument(TypedDict):
    """What a day asks of a goal, from what stood at its midnight, and what was done on it."""

    required: str | None
    required_display: str | None
    required_from_kgi: str | None
    done: str
    left: str | None
    reasons: list[ReasonDocument]


class TodayDocument(DayDocument):
    """The same, and which day it is."""

    date: str


class ForecastDocument(TypedDict):
    """Where a goal will end, between what in 80 of 100 cases, and how surely it is reached."""

    median: str
    low: str
    high: str
    mean: str
    probability: str
    law: str


class GoalDocument(EdgeDocument, WhyDocument):
    """One goal of the tree, with everything below it."""

    key: str
    name: str
    metric: str
    unit: UnitDocument
    target: str
    target_display: str
    deadline: str
    actual: str
    actual_at_close: NotRequired[str]
    next_period: str
    expected: str
    attainment: str | None
    pace: str | None
    gap: str
    gap_beyond_noise: bool
    required_per_day: str | None
    required_from_kgi_per_day: str | None
    in_flight: NotRequired[InFlightDocument]
    forecast: ForecastDocument | None
    rate: RateDocument | None
    unassigned: str
    outside_plan: str
    excluded: list[ExcludedDocument]
    freshness: FreshnessDocument
    verdict: str
    priority: int
    today: NotRequired[TodayDocument]
    reasons: list[ReasonDocument]
    children: list[GoalDocument]


class PlanDocument(TypedDict):
    """Which plan, and which version of it."""

    key: str
    alias: str
    name: str
    version: int


class ScopeDocument(TypedDict, total=False):
    """Whose progress; empty for the whole plan's."""

    team: str
    member: str


class WorkingDaysDocument(TypedDict):
    """Days of the scope's calendar; quantities, because half days exist."""

    total: str
    elapsed: str
    remaining: str


class ScopedDocument(TypedDict):
    """The tree of one team or member."""

    scope: ScopeDocument
    name: str
    working_days: WorkingDaysDocument
    root: GoalDocument


class ProgressDocument(TypedDict):
    """A plan evaluated at a moment. `next_change_at` is null once time alone changes nothing."""

    workspace: str
    plan: PlanDocument
    scope: ScopeDocument
    as_of: str
    known_at: str
    generated_at: str
    time_zone: str
    working_days: WorkingDaysDocument
    next_change_at: str | None
    root: GoalDocument
    breakdown: NotRequired[list[ScopedDocument]]
    closed: NotRequired[ClosedDocument]
