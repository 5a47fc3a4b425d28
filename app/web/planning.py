"""Thinking about plans: previews, versions, copies."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from app.domain.comparison import Edit
from app.domain.errors import Fault, Invalid
from app.domain.quantities import INT64, tallied, written
from app.store.documents import Document
from app.usecases import planning, plans
from app.usecases.planning import Compared, Copied, Preview, Proposal, Wanted
from app.views.plan_json import difference_document
from app.web.dependencies import Language
from app.web.pagination import Paged, page
from app.web.plans import Reader, Version, Writer, planned_document, worked_shown
from app.web.promises import answers, creates, refuses
from app.web.resources import Json, Parts, answer, etag_of_version, written_moment
from app.web.schemas.answers_plans import (
    CopiedPlan,
    PlanPreview,
    VersionDifference,
    VersionPage,
)
from app.web.schemas.common import Key
from app.web.schemas.plans import CopyBody, PreviewBody
from app.web.service import router

routes = router("/v1/plans", "plans")
# Whoever computes a cursor of their own gets no further than a number.
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@routes.post("/preview", responses=answers(PlanPreview, "Nothing is stored.") | refuses(404))
def preview_plan(parts: Parts, who: Reader, language: Language, body: PreviewBody) -> Json:
    """What a plan would come to; with `plan`, what would change for every goal and person.

    Nothing is stored. `unmeasured` lists the goals for which PUT would want `allow_unmeasured`.
    """
    document = body.document()
    against = document.pop("plan", None)
    return _previewed(planning.preview_plan(parts, who.workspace, document, against), language)


@routes.get("/{plan}/versions", responses=answers(VersionPage))
def list_versions(parts: Parts, who: Reader, plan: Key, query: Paged) -> Json:
    """Every version of a plan, the first one first: who changed it, when, why, and to what."""
    named = (who.workspace, "plans", plan, "versions")
    after = query.after(*named)
    history = plans.page_of_versions(
        parts, who.workspace, plan, after=_number(after), limit=query.limit + 1
    )
    return page(
        history.versions,
        query,
        *named,
        key=lambda item: str(item.version),
        show=lambda item: _version(item, history.zone),
    )


@routes.get("/{plan}/difference", responses=answers(VersionDifference))
def compare_versions(
    parts: Parts,
    who: Reader,
    plan: Key,
    before: Annotated[int, Query(alias="from", ge=1, le=INT64, description="A version's number.")],
    after: Annotated[Version, Query(alias="to")] = None,
) -> Json:
    """What a later version of a plan asks for otherwise than an earlier one, and who wrote both.

    Both are worked out with the people and the calendar as they are now, so that what differs is
    the plan.
    """
    return _compared(planning.compare_versions(parts, who.workspace, plan, before, after))


@routes.post("/{plan}/copy", status_code=201, responses=creates(CopiedPlan) | refuses(409))
def copy_plan(parts: Parts, who: Writer, plan: Key, language: Language, body: CopyBody) -> Response:
    """The same tree, people, alias and target for another period, as a plan of its own.

    `proposals` are the rates as they were observed; the copy keeps the assumed ones.
    """
    asked = body.document()
    wanted = Wanted(asked["period"], body.key, body.reason)
    copied = planning.copy_plan(parts, who.workspace, plan, wanted, who.key_id)
    document = copied.planned.document
    headers = {
        "ETag": etag_of_version(document.version),
        "Location": f"/v1/plans/{document.key}",
    }
    return answer(_copied(copied, language), 201, headers)


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not _NUMBER.fullmatch(after):
        raise Invalid("invalid_cursor", Fault("", "invalid_cursor", {"parameter": "cursor"}))
    return int(after)


def _previewed(preview: Preview, language: str) -> Json:
    body = preview.body | worked_shown(preview.worked, language)
    if preview.compared is None or preview.difference is None:
        return body
    stands = {"key": preview.compared.key, "version": preview.compared.version}
    told = difference_document(preview.difference)
    alias = preview.worked.ground.plan.alias
    return (
        {"key": preview.compared.key}
        | body
        | {
            "alias": alias,
            "difference": {"plan": stands, **told},
        }
    )


def _compared(compared: Compared) -> Json:
    return {
        "key": compared.after.key,
        "from": _written_by(compared.before, compared.zone),
        "to": _written_by(compared.after, compared.zone),
        "document": [_edit(edit) for edit in compared.edits],
        **difference_document(compared.difference),
    }


def _edit(edit: Edit) -> Json:
    sides = {"before": edit.before, "after": edit.after}
    told = {name: value for name, value in sides.items() if value is not None}
    return {"pointer": edit.pointer} | told


def _version(document: Document, zone: tzinfo) -> Json:
    return _written_by(document, zone) | {"document": document.body}


def _written_by(document: Document, zone: tzinfo) -> Json:
    return {
        "version": document.version,
        "author": document.author,
        "reason": document.reason,
        "at": written_moment(document.changed_at, zone),
        "archived": document.archived,
    }


def _copied(copied: Copied, language: str) -> Json:
    proposals = [_proposal(proposal) for proposal in copied.proposals]
    return planned_document(copied.planned, language) | {"proposals": proposals}


def _proposal(proposal: Proposal) -> Json:
    return {
        "goal": proposal.goal,
        "assumed": written(proposal.assumed),
        "observed": written(proposal.observed),
        "sample": tallied(proposal.sample),
    }
