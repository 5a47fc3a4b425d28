"""Where a plan will end, what was said of it before, and how good that was."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.progress import Verdict
from app.domain.scores import Stage
from app.web.schemas.answers import Answer, Moment, Page, Quantity, Told
from app.web.schemas.answers_progress import Forecast, PlanReference, ProgressScope, Unit
from app.web.schemas.common import Key, Name


class GoalForecast(Answer):
    """Where a goal will end."""

    key: Key
    name: Name
    unit: Unit
    deadline: Annotated[Moment, Field(description="At which it is forecast.")]
    target: Quantity
    actual: Quantity
    forecast: Annotated[
        Forecast | None, Field(description="null where nothing tells what to expect.")
    ]
    verdict: Verdict
    reasons: list[Told]


class Forecasts(Answer):
    """Where every goal of a plan will end, the KGI first: the very numbers of its progress."""

    workspace: Key
    plan: PlanReference
    scope: ProgressScope
    as_of: Moment
    known_at: Moment
    time_zone: str
    goals: list[GoalForecast]


class SaidForecast(Forecast):
    """What was forecast at the end of a day, as it was said; later corrections change nothing."""

    date: Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2026-12-14"])]
    kept_at: Annotated[Moment, Field(description="When it was written down.")]
    target: Quantity
    actual: Annotated[Quantity, Field(description="What had come by the end of that day.")]
    other: Annotated[
        Forecast | None,
        Field(description="By the law that was not in force; null where there was only one."),
    ]


class SaidForecastPage(Page[SaidForecast]):
    """Day by day."""


class ForecastScores(Answer):
    """How good forecasts have been."""

    wape: Annotated[
        Quantity | None,
        Field(description="How far off medians were, of all that came; null where nothing came."),
    ]
    crps: Annotated[
        Quantity | None,
        Field(description="The same with the spread: continuous ranked probability score."),
    ]
    cover: Annotated[
        Quantity | None,
        Field(description="How often it ended between `low` and `high`; 0.8 is right."),
    ]
    brier: Annotated[
        Quantity | None,
        Field(description="Of the probability of reaching the target: 0 is perfect."),
    ]


class LawScores(Answer):
    """How good each of two laws was, of the forecasts of a whole goal that were made by both."""

    number: Annotated[int, Field(ge=1, description="How many forecasts.")]
    gamma_poisson: ForecastScores
    pipeline: ForecastScores


class ForecastStanding(Answer):
    """How good the forecasts of a goal were in a third of the period."""

    goal: Key
    of: Annotated[
        Literal["plan", "team", "member"],
        Field(description="Of the whole plan, of its teams, or of its members."),
    ]
    stage: Annotated[Stage, Field(description="In the first, second or last third of the period.")]
    number: Annotated[int, Field(ge=1, description="How many forecasts.")]
    forecast: ForecastScores
    run_rate: Annotated[
        ForecastScores,
        Field(description="Of a run-rate by working days at the same moments, to compare with."),
    ]
    laws: Annotated[
        LawScores | None,
        Field(
            description="By items under way and without; null where nothing was forecast by both. "
            "A goal goes by `pipeline` once its CRPS was lower in 3 of the last 6 periods, and in "
            "all of them together; a sum as the count does that it is converted from."
        ),
    ]


class ForecastJudgement(Answer):
    """How good the forecasts of a plan's earlier periods have been."""

    plan: Annotated[Key, Field(description="The alias.")]
    periods: Annotated[
        list[Key], Field(description="The plans that are judged, the latest first: 24 at most.")
    ]
    items: list[ForecastStanding]
