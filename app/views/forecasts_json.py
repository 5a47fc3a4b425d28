"""Forecasts as JSON: as they stand, as they were said, and how good they have been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from fractions import Fraction
from typing import TypedDict

from app.domain.foreseen import ForecastLaw
from app.domain.instants import moment_of
from app.domain.progress import GoalProgress, Progress
from app.domain.quantities import written
from app.domain.scores import Judgement, Made, Said, Scores, Standing
from app.views.progress_documents import (
    ForecastDocument,
    PlanDocument,
    ReasonDocument,
    ScopeDocument,
    UnitDocument,
)
from app.views.progress_json import (
    Sentence,
    forecast_document,
    plan_reference,
    reason_document,
    scope_document,
    unit_document,
)


class GoalForecastDocument(TypedDict):
    """Where a goal will end."""

    key: str
    name: str
    unit: UnitDocument
    deadline: str
    target: str
    actual: str
    forecast: ForecastDocument | None
    verdict: str
    reasons: list[ReasonDocument]


class ForecastsDocument(TypedDict):
    """Where every goal of a plan will end, the KGI first."""

    workspace: str
    plan: PlanDocument
    scope: ScopeDocument
    as_of: str
    known_at: str
    time_zone: str
    goals: list[GoalForecastDocument]


class SaidDocument(ForecastDocument):
    """What was forecast at the end of a day."""

    date: str
    kept_at: str
    target: str
    actual: str
    other: ForecastDocument | None


class ScoresDocument(TypedDict):
    """How good forecasts have been; null where nothing came."""

    wape: str | None
    crps: str | None
    cover: str | None
    brier: str | None


class LawsDocument(TypedDict):
    """How good each of two laws was, of the forecasts that were made by both."""

    number: int
    gamma_poisson: ScoresDocument
    pipeline: ScoresDocument


class StandingDocument(TypedDict):
    """How good those of a goal were in a third of the period, beside a run-rate."""

    goal: str
    of: str
    stage: str
    number: int
    forecast: ScoresDocument
    run_rate: ScoresDocument
    laws: LawsDocument | None


class JudgementDocument(TypedDict):
    """How good the forecasts of an alias's periods have been."""

    plan: str
    periods: list[str]
    items: list[StandingDocument]


def forecasts_document(progress: Progress, told: tuple[Sentence, str]) -> ForecastsDocument:
    """The forecasts of a progress; `told`: who writes sentences, in which language."""
    return {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "scope": scope_document(progress.whole.scope),
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "time_zone": progress.time_zone,
        "goals": [_goal(goal, told) for goal in progress.whole.root.walk()],
    }


def _goal(goal: GoalProgress, told: tuple[Sentence, str]) -> GoalForecastDocument:
    return {
        "key": goal.key,
        "name": goal.name,
        "unit": unit_document(goal.unit),
        "deadline": goal.deadline.isoformat(),
        "target": written(goal.target),
        "actual": written(goal.actual),
        "forecast": forecast_document(goal.forecast),
        "verdict": goal.verdict.value,
        "reasons": [reason_document(reason, *told) for reason in goal.reasons],
    }


def said_document(said: Said, zone: tzinfo) -> SaidDocument:
    """A forecast as it was said."""
    made, other = said.made, said.other
    return {
        "date": said.day.isoformat(),
        "kept_at": moment_of(said.at, zone).isoformat(),
        "target": _written(made.target),
        "actual": _written(made.done),
        **_made(made, said.law),
        "other": None if other is None else _made(other, said.law.other),
    }


def _made(made: Made, law: ForecastLaw) -> ForecastDocument:
    return {
        "median": _written(made.median),
        "low": _written(made.low),
        "high": _written(made.high),
        "mean": _written(made.mean),
        "probability": _written(made.probability),
        "law": law.value,
    }


def judgement_document(judgement: Judgement) -> JudgementDocument:
    """How good forecasts have been."""
    return {
        "plan": judgement.alias,
        "periods": list(judgement.periods),
        "items": _standings(judgement.items),
    }


def _standings(items: Iterable[Standing]) -> list[StandingDocument]:
    return [
        {
            "goal": one.goal,
            "of": one.level,
            "stage": one.stage.value,
            "number": one.forecast.number,
            "forecast": _scores(one.forecast),
            "run_rate": _scores(one.run_rate),
            "laws": _laws(one.laws) if one.laws else None,
        }
        for one in items
    ]


def _laws(laws: Mapping[ForecastLaw, Scores]) -> LawsDocument:
    usual, by_items = laws[ForecastLaw.GAMMA_POISSON], laws[ForecastLaw.PIPELINE]
    return {
        "number": usual.number,
        "gamma_poisson": _scores(usual),
        "pipeline": _scores(by_items),
    }


def _scores(scores: Scores) -> ScoresDocument:
    shown = (scores.wape, scores.crps, scores.cover, scores.brier)
    wape, crps, cover, brier = (None if one is None else _written(one) for one in shown)
    return {"wape": wape, "crps": crps, "cover": cover, "brier": brier}


def _written(value: float) -> str:
    return written(Fraction(value))
