"""Where a number comes from: the activities that make it up, page by page."""

from __future__ import annotations

import json
from datetime import tzinfo
from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.buckets import Window
from app.domain.explanation import Item, Part
from app.domain.instants import moment_of
from app.domain.progress import Scope
from app.store.explained import START, Behind
from app.store.pages import place_of
from app.usecases import explaining, series
from app.usecases.explaining import Filter, GoalActivities, MetricActivities
from app.usecases.progress import Asked
from app.views.explained_json import items_document, totals_document, unit_document
from app.web.auth import Principal, requires
from app.web.etags import etag_of, tagged
from app.web.metric_routes import Clocks, End, Start, Windows, Zone
from app.web.pagination import Paged, PageQuery, cursor_of
from app.web.plans import TwoClocks, Version
from app.web.promises import reads
from app.web.resources import Json, Parts, encoded
from app.web.schemas.answers_explained import GoalActivityPage, MetricActivityPage
from app.web.schemas.common import Key
from app.web.service import router

goal_routes = router("/v1/plans", "plans")
metric_routes = router("/v1/metrics", "metrics")
Reader = Annotated[Principal, requires("read")]


def _goal_asked(
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    part: Annotated[
        Literal["actual", "unassigned", "outside_plan", "excluded"],
        Query(
            description="Which of the goal's numbers: `excluded` are the amounts in other "
            "currencies. `unassigned` and `outside_plan` are the workspace's, whatever the scope."
        ),
    ] = "actual",
    version: Version = None,
) -> tuple[Scope, Part, int | None]:
    return Scope(team, member), Part(part), version


@goal_routes.get("/{plan}/goals/{goal}/activities", responses=reads(GoalActivityPage))
def get_goal_activities(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    goal: Key,
    query: Annotated[tuple[Scope, Part, int | None], Depends(_goal_asked)],
    clocks: TwoClocks,
    paged: Paged,
) -> Response:
    """The activities that make up a goal's number, by their time.

    Over all pages, what they add is exactly what the progress of the same scope, `as_of` and
    `known_at` says. Name both to page through a number that stands still.
    """
    scope, part, version = query
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, scope, version=version, known_at=known_at)
    named = (who.workspace, "goal", plan, goal, part.value, repr(asked))
    found = explaining.goal_activities(
        parts, who.workspace, plan, goal, part, asked, _page(paged, *named)
    )
    return _answer(request, found, _goal_document(found), paged, named)


def _goal_document(found: GoalActivities) -> Json:
    plan, zone = found.base.plan, found.zone
    scope = {"team": found.scope.team, "member": found.scope.member}
    return {
        "plan": {
            "key": plan.key,
            "alias": plan.alias,
            "name": plan.name,
            "version": found.base.version,
        },
        "scope": {name: key for name, key in scope.items() if key is not None},
        "goal": found.goal.key,
        "metric": found.goal.metric.key,
        "unit": unit_document(found.goal.unit),
        "part": found.part.value,
        "until": moment_of(found.until, zone).isoformat(),
        **_known(found.known_at, zone),
        "time_zone": str(zone),
        "totals": totals_document(found.goal.metric, found.totals, found.goal.unit),
    }


def _metric_asked(
    start: Start = None,
    end: End = None,
    window: Windows = None,
    time_zone: Zone = None,
    clocks: Clocks = (None, None),
) -> series.Asked:
    chosen = Window(window) if window else None
    as_of, known_at = clocks
    return series.Asked(start, end, chosen, time_zone=time_zone, as_of=as_of, known_at=known_at)


def _filter(
    member: Annotated[Key | None, Query(description="Whose it was on its day.")] = None,
    team: Annotated[
        Key | None, Query(description="The one in which the member stood itself.")
    ] = None,
    source: Annotated[Key | None, Query(description="Reported by this source.")] = None,
    actor: Annotated[
        str | None,
        Query(max_length=255, description="As the source writes it; empty: nobody was named."),
    ] = None,
) -> Filter:
    return Filter(member, team, source, actor)


@metric_routes.get("/{key}/activities", responses=reads(MetricActivityPage))
def get_metric_activities(
    request: Request,
    parts: Parts,
    who: Reader,
    key: Key,
    asked: Annotated[series.Asked, Depends(_metric_asked)],
    chosen: Annotated[Filter, Depends(_filter)],
    paged: Paged,
) -> Response:
    """The activities that a metric counts in a range, by their time; of a stock, what still stands.

    Over all pages, what they add is what the series of the same range and clocks says as `total`:
    its count, and its value where values add up. An average is their sum divided by their count, a
    minimum or maximum one of their values, `latest` the last; `unique` counts differing texts.
    """
    named = (who.workspace, "metric", key, repr(asked), repr(chosen))
    found = explaining.metric_activities(
        parts, who.workspace, key, asked, chosen, _page(paged, *named)
    )
    return _answer(request, found, _metric_document(found), paged, named)


def _metric_document(found: MetricActivities) -> Json:
    return {
        "metric": found.metric.key,
        "unit": unit_document(found.unit),
        "from": moment_of(found.range.start, found.zone).isoformat(),
        "to": moment_of(found.range.end, found.zone).isoformat(),
        **_known(found.known_at, found.zone),
        "time_zone": str(found.zone),
    }


def _known(at: int | None, zone: tzinfo) -> Json:
    return {} if at is None else {"known_at": moment_of(at, zone).isoformat()}


def _page(paged: PageQuery, *named: str) -> tuple[Behind, int]:
    text = paged.after(*named)
    at, source, key, actor = place_of(text, START)
    return Behind(int(at), str(source), str(key), int(actor)), paged.limit + 1


def _answer(
    request: Request,
    found: GoalActivities | MetricActivities,
    document: Json,
    paged: PageQuery,
    named: tuple[str, ...],
) -> Response:
    """A page; one item more than is shown says whether there is a next."""
    shown = found.items[: paged.limit]
    more = len(found.items) > paged.limit
    document |= {
        "items": items_document(shown, found.zone),
        "next": cursor_of(_place(shown[-1]), *named) if more else None,
    }
    return tagged(request, etag_of(*found.basis), encoded(document), vary="Authorization")


def _place(item: Item) -> str:
    return json.dumps((item.at, item.source, item.key, item.actor), ensure_ascii=False)
