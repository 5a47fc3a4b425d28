"""Where a plan will end, what was said of it day by day, and how good that has been."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import Fault, Invalid
from app.domain.instants import day_number
from app.domain.progress import Scope
from app.usecases import forecast_log, progress
from app.usecases.progress import Asked
from app.views.forecasts_json import forecasts_document, judgement_document, said_document
from app.views.messages import sentence
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.pagination import Paged, page
from app.web.plans import OfWhom, Reader, TwoClocks
from app.web.promises import answers, reads
from app.web.resources import Json, Parts, encoded
from app.web.schemas.answers_forecasts import ForecastJudgement, Forecasts, SaidForecastPage
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")
Team = Annotated[Key | None, Query()]
Member = Annotated[Key | None, Query()]


@routes.get("/{plan}/forecast", responses=reads(Forecasts))
def get_forecast(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    clocks: TwoClocks,
    query: OfWhom,
) -> Response:
    """Where every goal will end, how surely, and the probability of reaching its target.

    Nothing is drawn at random: the same question has the same answer.
    """
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, query.scope, version=query.version, known_at=known_at)
    answered = progress.report_progress(parts, who.workspace, plan, asked)
    document = forecasts_document(answered.progress, (sentence, language))
    etag = etag_of(*answered.basis, "forecast", language)
    return tagged(request, etag, encoded(document))


@routes.get("/{plan}/forecasts", responses=answers(SaidForecastPage))
def list_forecasts(
    parts: Parts,
    who: Reader,
    plan: Key,
    query: Paged,
    goal: Annotated[Key | None, Query(description="Left out: the KGI.")] = None,
    team: Team = None,
    member: Member = None,
) -> Json:
    """What was forecast of a goal at the end of each day, as it was said then."""
    named = (who.workspace, "plans", plan, "forecasts", goal or "", team or "", member or "")
    after = query.after(*named)
    behind = -1 if after is None else _day(after)
    found = forecast_log.said(
        parts, who.workspace, plan, goal, Scope(team, member), behind, query.limit + 1
    )
    return page(
        found.items,
        query,
        *named,
        key=lambda one: one.day.isoformat(),
        show=lambda one: said_document(one, found.zone),
    )


@routes.get("/{plan}/forecasts/scores", responses=answers(ForecastJudgement))
def get_forecast_scores(parts: Parts, who: Reader, plan: Key) -> Json:
    """How good the forecasts of this plan's periods have been, beside a run-rate.

    Periods are judged three days after they end, by what is known then. What they teach widens the
    forecasts of the next ones where they were too sure.
    """
    return dict(judgement_document(forecast_log.judgement(parts, who.workspace, plan)))


def _day(text: str) -> int:
    """The number of a day in a cursor."""
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise Invalid(
            "invalid_cursor", Fault("", "invalid_cursor", {"parameter": "cursor"})
        ) from None
