"""Plans and their progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import Fault, Invalid
from app.domain.ground import Share
from app.domain.instants import instant
from app.domain.progress import Scope
from app.domain.quantities import written
from app.domain.scopes import Breakdown
from app.domain.spans import Span
from app.usecases import plans, progress
from app.usecases.plans import Planned
from app.usecases.progress import Asked
from app.views.messages import sentence
from app.views.progress_json import encoded as encoded_progress
from app.views.progress_json import progress_document
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.pagination import Paged, page
from app.web.promises import answers, reads, removes, saves
from app.web.resources import Json, Parts, Seen, archived, put_answer, shown
from app.web.schemas.answers_plans import PlanPage, SolvedPlan
from app.web.schemas.answers_progress import Progress
from app.web.schemas.common import Key
from app.web.schemas.plans import PlanBody
from app.web.service import router

routes = router("/v1/plans", "plans")
Reader = Annotated[Principal, requires("read")]
Writer = Annotated[Principal, requires("write")]
_DATE_LENGTH = len("2026-12-14")


@routes.get("", responses=answers(PlanPage))
def list_plans(parts: Parts, who: Reader, query: Paged) -> Json:
    """Plans by key, as they were written."""
    named = (who.workspace, "plans")
    items = plans.page_of_plans(parts, who.workspace, query.after(*named), query.limit + 1)
    return page(items, query, *named, key=lambda item: item.key, show=shown)


@routes.get("/{plan}", responses=answers(SolvedPlan))
def get_plan(parts: Parts, who: Reader, plan: Key) -> Response:
    """A plan as it was written, and what it comes to with the people as they are now.

    The ETag is the plan's own, to change it with. What it comes to moves with people and days,
    so there is no 304 here.
    """
    planned = plans.get_plan(parts, who.workspace, plan)
    return put_answer(planned.document, created=False, body=_planned(planned))


@routes.put("/{plan}", responses=saves(SolvedPlan))
def put_plan(parts: Parts, who: Writer, seen: Seen, plan: Key, body: PlanBody) -> Response:
    """Back-calculate a goal tree and split it over its people.

    A change of a plan is a new version and wants a `reason`.
    """
    planned = plans.put_plan(parts, who.workspace, plan, body.document(), seen, who.key_id)
    return put_answer(planned.document, created=planned.created, body=_planned(planned))


@routes.delete("/{plan}", status_code=204, responses=removes())
def archive_plan(parts: Parts, who: Writer, seen: Seen, plan: Key) -> Response:
    """Take a plan out of use; its versions stay."""
    plans.archive_plan(parts, who.workspace, plan, seen, who.key_id)
    return archived()


def _planned(planned: Planned) -> Json:
    body = shown(planned.document)
    blueprint = planned.blueprint
    solved = {
        "period": _period(planned.ground.plan.span),
        "working_days": blueprint.working_days,
        "goals": [
            {"key": key, "target": written(s.target), "target_display": written(s.display)}
            for key, s in blueprint.goals.items()
        ],
        "split": {member: _split(goals) for member, goals in blueprint.split.items()},
    }
    return body | solved


def _split(goals: Mapping[str, Share]) -> Json:
    exact: Json = {key: written(share.target) for key, share in goals.items()}
    return exact | {"display": {key: written(share.display) for key, share in goals.items()}}


def _period(span: Span) -> Json:
    return {"start": span.first.isoformat(), "end": span.until.isoformat()}


class ProgressQuery(NamedTuple):
    """What a reader may ask of a progress."""

    as_of: str | None
    scope: Scope
    breakdown: Breakdown


def _asked(
    as_of: Annotated[
        str | None,
        Query(
            max_length=40,
            description="RFC 3339 on a quarter hour (`+` travels as %2B), or a date, which means "
            "the end of that day. Left out: now.",
        ),
    ] = None,
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    breakdown: Annotated[Literal["team", "member"] | None, Query()] = None,
) -> ProgressQuery:
    return ProgressQuery(as_of, Scope(team, member), Breakdown(breakdown or "none"))


@routes.get("/{plan}/progress", responses=reads(Progress))
def get_progress(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    query: Annotated[ProgressQuery, Depends(_asked)],
) -> Response:
    """The goal tree, evaluated."""
    as_of = None if query.as_of is None else _moment(parts, who.workspace, query.as_of)
    asked = Asked(as_of, query.scope, query.breakdown)
    answered = progress.report_progress(parts, who.workspace, plan, asked)
    broken = query.breakdown is not Breakdown.NONE
    document = progress_document(answered.progress, sentence, language, breakdown=broken)
    # Weak: `generated_at` moves without anything else having changed.
    etag = "W/" + etag_of(*answered.basis, language)
    return tagged(request, etag, encoded_progress(document))


def _moment(parts: Parts, workspace: str, text: str) -> int:
    try:
        if len(text) == _DATE_LENGTH:
            return progress.end_of_day(parts, workspace, text)
        return instant(text)
    except Invalid as error:
        raise Invalid("invalid_request", Fault("", error.code, {"parameter": "as_of"})) from None
