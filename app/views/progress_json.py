"""Progress as the JSON document that every other face, ours and other people's, reads.

Quantities are decimal strings: a JSON number becomes a binary float in most readers, and then two
faces of one value disagree in the last digit. Keys stand in one fixed order: equal progress is
equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import TypedDict

from app.domain.foreseen import Forecast
from app.domain.metrics import Unit
from app.domain.progress import (
    Closed,
    Drift,
    Excluded,
    Freshness,
    GoalProgress,
    PlanReference,
    Progress,
    Rate,
    Reason,
    Scope,
    ScopedProgress,
    Today,
    WorkingDays,
)
from app.domain.quantities import tallied, written
from app.views.cohorts_json import cohort_documents
from app.views.progress_documents import (
    ClosedDocument,
    DayDocument,
    DriftDocument,
    EdgeDocument,
    ExcludedDocument,
    ForecastDocument,
    FreshnessDocument,
    GoalDocument,
    InFlightDocument,
    PlanDocument,
    ProgressDocument,
    RateDocument,
    ReasonDocument,
    ScopedDocument,
    ScopeDocument,
    TodayDocument,
    UnitDocument,
    WhyDocument,
    WorkingDaysDocument,
)

MOST_EVIDENCE = 1e15

# Writes a code with its parameters as one sentence of a language ("ja", "en").
Sentence = Callable[[str, Mapping[str, str | int], str], str]


def progress_document(
    progress: Progress,
    sentence: Sentence,
    language: str,
    *,
    breakdown: bool = False,
    evidence: bool = False,
) -> ProgressDocument:
    """The document of a progress; `breakdown` says that it was asked for, be it empty.

    evidence: with the figures that words are made of
    """
    said = Told(sentence, language, evidence=evidence)
    whole = progress.whole
    document: ProgressDocument = {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "scope": scope_document(whole.scope),
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "generated_at": progress.generated_at.isoformat(),
        "time_zone": progress.time_zone,
        "working_days": days_document(whole.working_days),
        "next_change_at": time_document(progress.next_change_at),
        "root": _goal(whole.root, said),
    }
    if breakdown:
        document["breakdown"] = [_scoped(part, said) for part in progress.breakdown]
    if progress.closed is not None:
        document["closed"] = _closed(progress.closed)
    return document


def encoded(document: ProgressDocument) -> bytes:
    """The document's bytes: UTF-8, no blanks, keys as they stand."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class Told:
    """Reasons in one language, and whether figures are told with words."""

    def __init__(self, sentence: Sentence, language: str, *, evidence: bool = False) -> None:
        self._sentence = sentence
        self._language = language
        self.evidence = evidence

    def __call__(self, reason: Reason) -> ReasonDocument:
        return reason_document(reason, self._sentence, self._language)


def reason_document(reason: Reason, sentence: Sentence, language: str) -> ReasonDocument:
    """A code with its parameters, and in words."""
    message = sentence(reason.code, reason.params, language)
    return {"code": reason.code, "params": dict(reason.params), "message": message}


def goal_document(goal: GoalProgress, sentence: Sentence, language: str) -> GoalDocument:
    """A goal and everything below it."""
    return _goal(goal, Told(sentence, language))


def _goal(goal: GoalProgress, said: Told) -> GoalDocument:
    return {
        "key": goal.key,
        **_edge(goal),
        "name": goal.name,
        "metric": goal.metric,
        "unit": unit_document(goal.unit),
        "target": written(goal.target),
        "target_display": written(goal.target_display),
        "deadline": goal.deadline.isoformat(),
        "actual": written(goal.actual),
        **_at_close(goal),
        "next_period": written(goal.next_period),
        "expected": written(goal.expected),
        "attainment": optional(goal.attainment),
        "pace": optional(goal.pace),
        "gap": written(goal.gap),
        "gap_beyond_noise": goal.gap_beyond_noise,
        "required_per_day": optional(goal.required_per_day),
        "required_from_kgi_per_day": optional(goal.required_from_kgi_per_day),
        **_in_flight(goal),
        "forecast": forecast_document(goal.forecast),
        "rate": None if goal.rate is None else _rate(goal, goal.rate, said),
        "unassigned": written(goal.unassigned),
        "outside_plan": written(goal.outside_plan),
        "excluded": [_excluded(other) for other in goal.excluded],
        "freshness": _freshness(goal.freshness),
        "verdict": goal.verdict.value,
        "priority": goal.priority,
        **why_document(goal),
        **_today(goal, said),
        "reasons": [said(reason) for reason in goal.reasons],
        "children": [_goal(child, said) for child in goal.children],
    }


class _AtClose(TypedDict, total=False):
    actual_at_close: str


class _InFlight(TypedDict, total=False):
    in_flight: InFlightDocument


class _Today(TypedDict, total=False):
    today: TodayDocument


def _closed(closed: Closed) -> ClosedDocument:
    return {
        "known_at": closed.known_at.isoformat(),
        "closed_at": closed.closed_at.isoformat(),
        "author": closed.author,
        "reason": closed.reason,
    }


def _at_close(goal: GoalProgress) -> _AtClose:
    at_close = goal.actual_at_close
    return {} if at_close is None else {"actual_at_close": written(at_close)}


def _in_flight(goal: GoalProgress) -> _InFlight:
    flight = goal.in_flight
    if flight is None:
        return {}
    return {"in_flight": {"items": tallied(flight.items), "expected": written(flight.expected)}}


def why_document(goal: GoalProgress) -> WhyDocument:
    """Why a goal matters, where the plan says it."""
    return {} if goal.why is None else {"why": goal.why}


def _today(goal: GoalProgress, said: Told) -> _Today:
    day = goal.today
    return (
        {} if day is None else {"today": {"date": day.day.isoformat(), **day_document(day, said)}}
    )


def day_document(today: Today, said: Told) -> DayDocument:
    """What a day asks of a goal."""
    return {
        "required": optional(today.required),
        "required_display": optional(today.required_display),
        "required_from_kgi": optional(today.required_from_kgi),
        "done": written(today.done),
        "left": optional(today.left),
        "reasons": [said(reason) for reason in today.reasons],
    }


def _edge(goal: GoalProgress) -> EdgeDocument:
    document: EdgeDocument = {}
    if goal.edge is not None:
        document["edge"] = goal.edge.value
    if goal.weight is not None:
        document["weight"] = written(goal.weight)
    return document


def _scoped(part: ScopedProgress, said: Told) -> ScopedDocument:
    return {
        "scope": scope_document(part.scope),
        "name": part.name,
        "working_days": days_document(part.working_days),
        "root": _goal(part.root, said),
    }


def plan_reference(plan: PlanReference) -> PlanDocument:
    """Which plan it is."""
    return {"key": plan.key, "alias": plan.alias, "name": plan.name, "version": plan.version}


def scope_document(scope: Scope) -> ScopeDocument:
    """Whose it is; empty for the whole plan's."""
    document: ScopeDocument = {}
    if scope.team is not None:
        document["team"] = scope.team
    if scope.member is not None:
        document["member"] = scope.member
    return document


def days_document(days: WorkingDays) -> WorkingDaysDocument:
    """How many there are, are over and are left."""
    return {
        "total": written(days.total),
        "elapsed": written(days.elapsed),
        "remaining": written(days.remaining),
    }


def unit_document(unit: Unit) -> UnitDocument:
    """What a number is a number of."""
    if unit.currency is None:
        return {"kind": unit.kind.value}
    return {"kind": unit.kind.value, "currency": unit.currency}


def forecast_document(forecast: Forecast | None) -> ForecastDocument | None:
    """Where a goal ends, or null."""
    if forecast is None:
        return None
    return {
        "median": written(forecast.median),
        "low": written(forecast.low),
        "high": written(forecast.high),
        "mean": written(forecast.mean),
        "probability": written(forecast.probability),
        "law": forecast.law.value,
    }


def _rate(goal: GoalProgress, rate: Rate, said: Told) -> RateDocument:
    state = goal.edge_state
    return {
        "assumed": written(rate.assumed),
        "observed": optional(rate.observed),
        "low": optional(rate.low),
        "high": optional(rate.high),
        "shrunken": optional(rate.shrunken),
        "sample": tallied(rate.sample),
        **cohort_documents(rate),
        "drift": _drift(rate.drift, evidence=said.evidence),
        "edge_state": None if state is None else state.value,
    }


def _drift(drift: Drift, *, evidence: bool) -> DriftDocument:
    since = None if drift.since is None else drift.since.isoformat()
    told: DriftDocument = {"state": drift.state.value, "since": since}
    if evidence:
        told["evidence"] = {
            "e_value": figure(drift.e_value),
            "highest": figure(drift.highest),
            "changed": figure(drift.changed),
            "dispersion": figure(drift.dispersion),
        }
    return told


def figure(statistic: float | None) -> str | None:
    """A statistic as text; evidence beyond all doubt is told as 10^15."""
    return None if statistic is None else written(Fraction(min(statistic, MOST_EVIDENCE)))


def _excluded(other: Excluded) -> ExcludedDocument:
    return {
        "currency": other.currency,
        "count": tallied(other.count),
        "total": written(other.total),
    }


def _freshness(freshness: Freshness) -> FreshnessDocument:
    state, last, waiting = freshness.state.value, freshness.last_event_at, freshness.pending
    told: FreshnessDocument = {"state": state, "last_event_at": time_document(last)}
    if waiting.oldest is not None:
        told["pending"] = {"count": waiting.count, "oldest": waiting.oldest.isoformat()}
    return told


def optional(quantity: Fraction | None) -> str | None:
    """A quantity as text, or null where there is none."""
    return None if quantity is None else written(quantity)


def time_document(moment: datetime | None) -> str | None:
    """A moment as RFC 3339, or null where there is none."""
    return None if moment is None else moment.isoformat()
