"""Activities: what stands, what was reported of it, and what cannot be counted and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query

from app.domain.activities import JsonValue
from app.domain.errors import Fault, Invalid
from app.domain.instants import written_instant
from app.domain.revisions import written_revision
from app.store import activities
from app.store.activities import Activity, Revision
from app.store.pages import Page
from app.usecases import progress
from app.usecases.context import Context
from app.usecases.counted import knowing
from app.usecases.settling import settling
from app.usecases.tracing import Count, Report, trace
from app.views.explained_json import cell_document
from app.views.messages import sentence
from app.views.progress_json import reason_document
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.pagination import Paged
from app.web.plans import KnownAt
from app.web.promises import answers, refuses
from app.web.resources import Json, Parts, sealed_page
from app.web.schemas import answers_events as events
from app.web.schemas.answers_explained import TracedActivity
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/activities", "events")
Reader = Annotated[Principal, requires("read")]


@routes.get("", responses=answers(events.ActivityPage) | refuses(404))
def list_activities(
    parts: Parts,
    who: Reader,
    query: Paged,
    counted: Annotated[
        bool | None,
        Query(description="`false`: only what a metric is about and cannot count, with why."),
    ] = None,
    metric: Annotated[
        Key | None,
        Query(
            description="With `counted=false`: only what this metric cannot count. A page may "
            "then be short, even empty, before the last: go on until `next` is null."
        ),
    ] = None,
    known_at: KnownAt = None,
) -> Json:
    """Activities by source and key; with `known_at`, those that had been reported by then."""
    if counted:
        raise _refused("only_false", "counted")
    if metric is not None and counted is None:
        raise _refused("only_uncounted", "metric")
    if counted is not None and known_at is not None:
        raise _refused("not_with_known_at", "counted")
    named = (who.workspace, "activities", str(counted), metric or "", str(known_at))
    place = (query.after(*named), query.limit)
    then = _instant(parts, who, known_at)
    if then is not None:
        return sealed_page(_then(parts, who.workspace, then, place), *named, show=_activity)
    with parts.read() as reading:
        if metric is not None:
            found = activities.page_uncounted_by(reading, who.workspace, metric, *place)
        elif counted is not None:
            found = activities.page_uncounted(reading, who.workspace, *place)
        else:
            found = activities.page(reading, who.workspace, *place)
    return sealed_page(found, *named, show=_activity)


@routes.get("/conflicts", responses=answers(events.ConflictPage))
def list_conflicts(parts: Parts, who: Reader, query: Paged) -> Json:
    """Reports that contradict another one of the same revision: all of them, in any order."""
    named = (who.workspace, "conflicts")
    with parts.read() as reading:
        found = activities.page_conflicts(reading, who.workspace, query.after(*named), query.limit)
    return sealed_page(found, *named, show=_conflict)


@routes.get("/{source}/{key:path}", responses=answers(TracedActivity))
def get_activity(
    parts: Parts,
    who: Reader,
    language: Language,
    source: str,
    key: str,
    known_at: KnownAt = None,
) -> Json:
    """One activity: every report of it, the greatest revision last, and which tallies it moved.

    With `known_at`: as the reports told it that had been received by then.
    """
    then = _instant(parts, who, known_at)
    found = trace(parts, who.workspace, source, key, then)
    return _activity(found.activity) | {
        "revisions": [_report(one) for one in found.reports],
        "counts": [_count(one, found.zone, language) for one in found.counts],
    }


def _report(report: Report) -> Json:
    delivery = report.revision.delivery
    return _revision(report.revision) | {
        "delivery": None if delivery is None else str(delivery),
        "stands": list(report.stands),
    }


def _count(count: Count, zone: ZoneInfo, language: str) -> Json:
    cells = [
        cell_document(cell.at, cell.whose, cell.currency, (cell.number, cell.total), zone)
        for cell in count.cells
    ]
    reason = None if count.reason is None else reason_document(count.reason, sentence, language)
    return {"metric": count.metric, "cells": cells, "reason": reason}


def _instant(parts: Parts, who: Principal, text: str | None) -> int | None:
    known_at = progress.moment_of_text(parts, who.workspace, text, "known_at")
    progress.check_known_at(known_at, parts.clock())
    return known_at


@settling
def _then(
    context: Context, workspace: str, at: int, place: tuple[str | None, int]
) -> Page[Activity]:
    with context.read() as reading:
        known = knowing(reading, context.organisations.at(reading, workspace), at)
        if known is None:
            raise AssertionError
        return activities.page_then(reading, workspace, known, *place)


def _refused(code: str, parameter: str) -> Invalid:
    return Invalid("invalid_request", Fault("", code, {"parameter": parameter}))


def _activity(item: Activity) -> Json:
    return {
        "source": item.source,
        "key": item.key,
        "kind": item.state.kind,
        "retracted": item.state.retracted,
        "fields": _plain(item.state.fields),
        "uncounted": [
            {"metric": one.metric, "code": one.code, "field": one.field} for one in item.missing
        ],
        "changed_at": written_instant(item.changed_at),
    }


def _plain(fields: Mapping[str, JsonValue]) -> Json:
    return {name: value for name, value in fields.items() if not name.startswith("@")}


def _conflict(item: Revision) -> Json:
    return {"source": item.source, "key": item.key} | _revision(item)


def _revision(item: Revision) -> Json:
    return {
        "revision": written_revision(item.stamp.revision),
        "full": item.full,
        "fields": _plain(item.fields),
        "conflict": item.conflict,
        "received_at": written_instant(item.received_at),
    }
