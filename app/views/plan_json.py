"""Plans as JSON: what a plan comes to, and how two plans differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from app.domain.comparison import Change, Difference
from app.domain.ground import Blueprint, Ground, Share
from app.domain.progress import Reason
from app.domain.quantities import written
from app.domain.spans import Span
from app.views.progress_documents import ReasonDocument
from app.views.progress_json import (
    Sentence,
    reason_document,
)

Split = dict[str, str | dict[str, str]]


class PeriodDocument(TypedDict):
    """Half-open days."""

    start: str
    end: str


class SolvedGoalDocument(TypedDict):
    """What a goal has to reach."""

    key: str
    target: str
    target_display: str


class WorkedDocument(TypedDict):
    """What a plan comes to, before anything has happened."""

    period: PeriodDocument
    working_days: int
    goals: list[SolvedGoalDocument]
    split: dict[str, Split]
    unmeasured: list[str]
    warnings: list[ReasonDocument]


class ChangeDocument(TypedDict):
    """A target before and after; what is absent is not in that plan."""

    before: NotRequired[str]
    after: NotRequired[str]
    change: NotRequired[str]


class GoalChangeDocument(ChangeDocument):
    """The change of a whole goal."""

    key: str


class DifferenceDocument(TypedDict):
    """What would be asked instead, of the whole and of everybody."""

    goals: list[GoalChangeDocument]
    split: dict[str, dict[str, ChangeDocument]]


def worked_document(
    base: Ground,
    blueprint: Blueprint,
    unmeasured: Iterable[str],
    warnings: Iterable[Reason],
    told: tuple[Sentence, str],
) -> WorkedDocument:
    """The part of an answer that is calculated; `told`: who writes sentences, in which language."""
    return {
        "period": _period(base.plan.span),
        "working_days": blueprint.working_days,
        "goals": [
            {"key": key, "target": written(s.target), "target_display": written(s.display)}
            for key, s in blueprint.goals.items()
        ],
        "split": {member: _split(goals) for member, goals in blueprint.split.items()},
        "unmeasured": list(unmeasured),
        "warnings": [reason_document(warning, *told) for warning in warnings],
    }


def difference_document(difference: Difference) -> DifferenceDocument:
    """Every goal and person, those that stay the same among them."""
    return {
        "goals": [{"key": key, **_change(change)} for key, change in difference.goals.items()],
        "split": {
            member: {key: _change(change) for key, change in goals.items()}
            for member, goals in difference.split.items()
        },
    }


def _change(change: Change) -> ChangeDocument:
    document: ChangeDocument = {}
    if change.before is not None:
        document["before"] = written(change.before)
    if change.after is not None:
        document["after"] = written(change.after)
    if change.by is not None:
        document["change"] = written(change.by)
    return document


def _split(goals: Mapping[str, Share]) -> Split:
    exact: Split = {key: written(share.target) for key, share in goals.items()}
    return exact | {"display": {key: written(share.display) for key, share in goals.items()}}


def _period(span: Span) -> PeriodDocument:
    return {"start": span.first.isoformat(), "end": span.until.isoformat()}
