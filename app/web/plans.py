"""Plans and their progress."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from fastapi import Body, Depends, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.domain.progress import Scope
from app.domain.quantities import INT64
from app.domain.scopes import Breakdown
from app.usecases import plans, progress
from app.usecases.plans import Planned
from app.usecases.progress import Asked
from app.usecases.working_out import Worked
from app.views.messages import sentence
from app.views.plan_json import Beside, worked_document
from app.views.progress_json import (
    encoded as encoded_progress,
)
from app.views.progress_json import progress_document
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.faults import in_body, refused
from app.web.includes import Include, Included, included
from app.web.pagination import Paged, page
from app.web.promises import answers, reads, removes, replaces, saves, shows
from app.web.resources import Json, Parts, Seen, archived, put_answer, shown
from app.web.schemas.answers_plans import PlanPage, SolvedPlan
from app.web.schemas.answers_progress import Progress
from app.web.schemas.common import Key
from app.web.schemas.plans import PlanBody
from app.web.service import router

routes = router("/v1/plans", "plans")
Reader = Annotated[Principal, requires("read")]
Writer = Annotated[Principal, requires("write")]
Version = Annotated[
    int | None,
    Query(ge=1, le=INT64, description="A version's number. Left out: the one that stands."),
]
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="RFC 3339 on a quarter hour (`+` travels as %2B), or a date, which means "
        "the end of that day. Left out: now.",
    ),
]
KnownAt = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Only what had been received by then is counted: RFC 3339 (`+` travels as "
        "%2B), or a date, which means the end of that day. Left out: everything.",
    ),
]


class Clocks(NamedTuple):
    """The two clocks of a question, as they are written: what is counted up to, and known when."""

    as_of: str | None
    known_at: str | None

    def read(self, parts: Parts, workspace: str) -> tuple[int | None, int | None]:
        """Their instants."""
        as_of = progress.moment_of_text(parts, workspace, self.as_of)
        return as_of, progress.moment_of_text(parts, workspace, self.known_at, "known_at")


def _clocks(as_of: AsOf = None, known_at: KnownAt = None) -> Clocks:
    return Clocks(as_of, known_at)


TwoClocks = Annotated[Clocks, Depends(_clocks)]
MergePatch = Annotated[Json, Body(media_type="application/merge-patch+json")]


@routes.get("", responses=answers(PlanPage))
def list_plans(parts: Parts, who: Reader, query: Paged) -> Json:
    """Plans by key, as they were written."""
    named = (who.workspace, "plans")
    items = plans.page_of_plans(parts, who.workspace, query.after(*named), query.limit + 1)
    return page(items, query, *named, key=lambda item: item.key, show=shown)


@routes.get("/{plan}", responses=shows(SolvedPlan))
def get_plan(
    parts: Parts, who: Reader, plan: Key, language: Language, version: Version = None
) -> Response:
    """A plan as it was written, and what it comes to with the people as they are now.

    Named by its key, or by the alias it has today. The ETag is the plan's own, to change it with.
    What it comes to moves with people and days, so there is no 304 here.
    """
    planned = plans.get_plan(parts, who.workspace, plan, version)
    return plan_answer(planned, language)


@routes.put("/{plan}", responses=saves(SolvedPlan))
def put_plan(
    parts: Parts, who: Writer, seen: Seen, plan: Key, language: Language, body: PlanBody
) -> Response:
    """Back-calculate a goal tree and split it over its people.

    A change of a plan is a new version and wants a `reason`. Goals whose kind of activity no
    source counts are refused unless the body says `allow_unmeasured`.
    """
    planned = plans.put_plan(parts, who.workspace, plan, body.document(), seen, who.key_id)
    return plan_answer(planned, language)


@routes.patch("/{plan}", responses=replaces(SolvedPlan))
def patch_plan(
    parts: Parts, who: Writer, seen: Seen, plan: Key, language: Language, patch: MergePatch
) -> Response:
    """Change parts of a plan by JSON Merge Patch (RFC 7396); the whole is checked as by PUT.

    Wants If-Match and a `reason`. A list is replaced as a whole; null takes a member away.
    """
    planned = plans.patch_plan(parts, who.workspace, plan, patch, shaped, seen, who.key_id)
    return plan_answer(planned, language)


@routes.delete("/{plan}", status_code=204, responses=removes())
def archive_plan(parts: Parts, who: Writer, seen: Seen, plan: Key) -> Response:
    """Take a plan out of use; its versions stay."""
    plans.archive_plan(parts, who.workspace, plan, seen, who.key_id)
    return archived()


def plan_answer(planned: Planned, language: str) -> Response:
    """The answer of a plan, with the ETag to change it with."""
    body = planned_document(planned, language)
    return put_answer(planned.document, created=planned.created, body=body)


def planned_document(planned: Planned, language: str) -> Json:
    """A plan as it was written, and what it comes to."""
    alias = {"alias": planned.worked.ground.plan.alias}
    return shown(planned.document) | alias | worked_shown(planned.worked, language)


def worked_shown(worked: Worked, language: str) -> Json:
    """What a plan comes to."""
    return dict(
        worked_document(
            worked.ground,
            worked.blueprint,
            worked.unmeasured,
            worked.warnings,
            Beside(
                worked.needed,
                worked.slices,
                worked.attainable,
                worked.rates,
                worked.weekdays,
                worked.almanac,
            ),
            (sentence, language),
        )
    )


def shaped(document: object) -> Json:
    """The canonical form of a plan's document; Invalid where a body would be refused."""
    try:
        return PlanBody.model_validate(document).document()
    except ValidationError as error:
        raise refused(in_body(error, document)) from None


class Whose(NamedTuple):
    """Whose figures are asked for, by which version of the plan."""

    scope: Scope
    version: int | None


def _whose(
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    version: Version = None,
) -> Whose:
    return Whose(Scope(team, member), version)


OfWhom = Annotated[Whose, Depends(_whose)]


class ProgressQuery(NamedTuple):
    """What a reader may ask of a progress."""

    clocks: Clocks
    scope: Scope
    breakdown: Breakdown
    version: int | None
    include: frozenset[Include]


def _asked(
    clocks: TwoClocks,
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    breakdown: Annotated[Literal["team", "member"] | None, Query()] = None,
    version: Version = None,
    include: Included = None,
) -> ProgressQuery:
    broken = Breakdown(breakdown or "none")
    return ProgressQuery(clocks, Scope(team, member), broken, version, included(include))


@routes.get("/{plan}/progress", responses=reads(Progress))
def get_progress(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    query: Annotated[ProgressQuery, Depends(_asked)],
) -> Response:
    """The goal tree, evaluated: by the plan's key, or the plan that had the alias at `as_of`.

    With `known_at` it is told as it was known then: by the reports that had been received and by
    the plan's version of that time. People are as they are known today.
    """
    as_of, known_at = query.clocks.read(parts, who.workspace)
    today = Include.TODAY in query.include
    asked = Asked(as_of, query.scope, query.breakdown, query.version, known_at, today=today)
    answered = progress.report_progress(parts, who.workspace, plan, asked)
    broken = query.breakdown is not Breakdown.NONE
    document = progress_document(
        answered.progress,
        sentence,
        language,
        breakdown=broken,
        evidence=Include.EVIDENCE in query.include,
    )
    # Weak: `generated_at` moves without anything else having changed.
    etag = "W/" + etag_of(*answered.basis, language, *sorted(query.include))
    return tagged(request, etag, encoded_progress(document))
