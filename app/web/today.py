"""What today asks of a person, a team, a plan."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.usecases import progress
from app.usecases.progress import Asked
from app.views.messages import sentence
from app.views.today_json import today_list
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.plans import OfWhom, Reader, TwoClocks
from app.web.promises import reads
from app.web.resources import Parts, encoded
from app.web.schemas.answers_today import TodayList
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")


@routes.get("/{plan}/today", responses=reads(TodayList))
def get_today(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    clocks: TwoClocks,
    query: OfWhom,
) -> Response:
    """What the day of `as_of` asks of every stage: fixed at midnight, over the working days left.

    Working lowers `left` and never moves `required`. A midnight belongs to the day that it ends.
    A team's and a plan's answer has its people, each by their own share and days.
    """
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, query.scope, version=query.version, known_at=known_at, today=True)
    answered = progress.report_by_member(parts, who.workspace, plan, asked)
    document = today_list(answered.progress, (sentence, language))
    etag = etag_of(*answered.basis, "today", language)
    return tagged(request, etag, encoded(document))
