"""A goal day by day."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.progress import Scope
from app.usecases import trajectories
from app.usecases.progress import Asked
from app.views.trajectory_json import points_document
from app.web.etags import etag_of, tagged
from app.web.plans import Reader, TwoClocks, Version
from app.web.promises import reads
from app.web.resources import Parts, encoded
from app.web.schemas.answers_trajectory import Line
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")


def _asked(
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    version: Version = None,
) -> tuple[Scope, int | None]:
    return Scope(team, member), version


@routes.get("/{plan}/goals/{goal}/line", responses=reads(Line))
def get_goal_line(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    goal: Key,
    clocks: TwoClocks,
    query: Annotated[tuple[Scope, int | None], Depends(_asked)],
) -> Response:
    """A goal day by day over the plan's period: expected, actual, and where it is going.

    All figures are cumulative, at the end of each day. The last actual is the progress's, the last
    forecast that of the goal's deadline.
    """
    scope, version = query
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, scope, version=version, known_at=known_at)
    found = trajectories.goal_trajectory(parts, who.workspace, plan, goal, asked)
    body = encoded(points_document(found.points))
    return tagged(request, etag_of(*found.basis, "line"), body, vary="Authorization")
