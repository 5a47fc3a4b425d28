"""Who is ahead in a plan."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.leaderboard import leaderboard
from app.domain.scopes import Breakdown
from app.usecases import progress
from app.usecases.progress import Asked
from app.views.leaderboard_json import leaderboard_document
from app.views.messages import sentence
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.pagination import DEFAULT_LIMIT, MAX_LIMIT
from app.web.plans import Reader, TwoClocks
from app.web.promises import reads
from app.web.resources import Parts, encoded
from app.web.schemas.answers_leaderboard import Leaderboard
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")


@routes.get("/{plan}/leaderboard", responses=reads(Leaderboard))
def get_leaderboard(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    clocks: TwoClocks,
    goal: Annotated[Key | None, Query(description="Left out: the KGI.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> Response:
    """Members by pace: everybody is measured by their own target on their own days.

    Equal paces share a rank, and who is not expected to have done anything yet comes last.
    """
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, breakdown=Breakdown.MEMBER, known_at=known_at)
    answered = progress.report_progress(parts, who.workspace, plan, asked)
    key = goal or answered.progress.whole.root.key
    ranked = leaderboard(answered.progress, key)[:limit]
    document = leaderboard_document(answered.progress, key, ranked, (sentence, language))
    etag = etag_of(*answered.basis, "leaderboard", key, limit, language)
    return tagged(request, etag, encoded(document))
