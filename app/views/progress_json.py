"""Progress as the JSON document that every other face, ours and other people's, reads.

Quantities are decimal strings: a JSON number becomes a binary float in most readers, and then two
faces of one value disagree in the last digit. Keys stand in one fixed order: equal progress is
equal bytes. The typed dictionaries are what the web layer's models and the terminal share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import NotRequired, TypedDict

from app.domain.metrics import Unit
from app.domain.progress import (
    Closed,
    Excluded,
    Freshness,
    GoalProgress,
    PlanReference,
    Progress,
    Rate,
    Reason,
    Scope,
    ScopedProgress,
    WorkingDays,
)
from app.domain.quantities import tallied, written

# Writes a code with its parameters as one sentence of a language ("ja", "en").
Sentence = Callable[[str, Mapping[str, str | int], str], str]


class UnitDocument(TypedDict):
    """What a number is a number of; only money has a currency."""

    kind: str
    currency: NotRequired[str]


class RateDocument(TypedDict):
    """A conversion: assumed by the plan, observed so far, in how many of the child."""

    assumed: str
    observed: str | None
    sample: int | str


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


class GoalDocument(EdgeDocument):
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
    required_per_day: str | None
    rate: RateDocument | None
    unassigned: str
    outside_plan: str
    excluded: list[ExcludedDocument]
    freshness: FreshnessDocument
    verdict: str
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


def progress_document(
    progress: Progress, sentence: Sentence, language: str, *, breakdown: bool = False
) -> ProgressDocument:
    """The document of a progress; `breakdown` says that it was asked for, be it empty."""
    said = _Said(sentence, language)
    whole = progress.whole
    document: ProgressDocument = {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "scope": scope_document(whole.scope),
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "generated_at": progress.generated_at.isoformat(),
        "time_zone": progress.time_zone,
        "working_days": _days(whole.working_days),
        "next_change_at": _time(progress.next_change_at),
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


class _Said:
    """Reasons in one language."""

    def __init__(self, sentence: Sentence, language: str) -> None:
        self._sentence = sentence
        self._language = language

    def __call__(self, reason: Reason) -> ReasonDocument:
        return reason_document(reason, self._sentence, self._language)


def reason_document(reason: Reason, sentence: Sentence, language: str) -> ReasonDocument:
    """A code with its parameters, and in words."""
    message = sentence(reason.code, reason.params, language)
    return {"code": reason.code, "params": dict(reason.params), "message": message}


def _goal(goal: GoalProgress, said: _Said) -> GoalDocument:
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
        "required_per_day": optional(goal.required_per_day),
        "rate": _rate(goal.rate),
        "unassigned": written(goal.unassigned),
        "outside_plan": written(goal.outside_plan),
        "excluded": [_excluded(other) for other in goal.excluded],
        "freshness": _freshness(goal.freshness),
        "verdict": goal.verdict.value,
        "reasons": [said(reason) for reason in goal.reasons],
        "children": [_goal(child, said) for child in goal.children],
    }


class _AtClose(TypedDict, total=False):
    actual_at_close: str


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


def _edge(goal: GoalProgress) -> EdgeDocument:
    document: EdgeDocument = {}
    if goal.edge is not None:
        document["edge"] = goal.edge.value
    if goal.weight is not None:
        document["weight"] = written(goal.weight)
    return document


def _scoped(part: ScopedProgress, said: _Said) -> ScopedDocument:
    return {
        "scope": scope_document(part.scope),
        "name": part.name,
        "working_days": _days(part.working_days),
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


def _days(days: WorkingDays) -> WorkingDaysDocument:
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


def _rate(rate: Rate | None) -> RateDocument | None:
    if rate is None:
        return None
    return {
        "assumed": written(rate.assumed),
        "observed": optional(rate.observed),
        "sample": tallied(rate.sample),
    }


def _excluded(other: Excluded) -> ExcludedDocument:
    return {
        "currency": other.currency,
        "count": tallied(other.count),
        "total": written(other.total),
    }


def _freshness(freshness: Freshness) -> FreshnessDocument:
    state, last, waiting = freshness.state.value, freshness.last_event_at, freshness.pending
    told: FreshnessDocument = {"state": state, "last_event_at": _time(last)}
    if waiting.oldest is not None:
        told["pending"] = {"count": waiting.count, "oldest": waiting.oldest.isoformat()}
    return told


def optional(quantity: Fraction | None) -> str | None:
    """A quantity as text, or null where there is none."""
    return None if quantity is None else written(quantity)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
