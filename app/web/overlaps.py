"""Kinds that two sources count, and what both of them saw."""

from __future__ import annotations

import shlex
from datetime import tzinfo
from typing import Annotated

from fastapi import Query

from app.domain.instants import SECOND
from app.domain.overlaps import Pair, Sighting
from app.usecases.overlaps import Found, Repair, page_of_overlaps, place
from app.usecases.workspaces import DEFAULT
from app.views.messages import sentence
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.pagination import Paged, page
from app.web.promises import answers
from app.web.resources import Json, Parts, etag_of_version, written_moment
from app.web.schemas.answers_overlaps import OverlapPage
from app.web.service import router

routes = router("/v1/sources", "sources")
Admin = Annotated[Principal, requires("admin")]
Days = Annotated[int, Query(ge=1, le=28, description="How far back activities are compared.")]


@routes.get("/overlaps", responses=answers(OverlapPage))
def list_overlaps(
    parts: Parts, who: Admin, query: Paged, language: Language, days: Days = 7
) -> Json:
    """Every kind that two live sources count, and the activities that both of them saw.

    Nothing is ever merged: this only tells, and says which change of what a source counts mends
    it. Two activities look alike when their times lie within 120 seconds (the start of a call or
    meeting; of a deal or payment when it was won or paid), they agree in a member, an e-mail
    address or number that is nobody's yet, the counterpart or the amount, and contradict each
    other in none of these. Of each kind the newest 1,000 activities are compared at most; then
    `from` is later than asked for and `complete` is false.
    """
    named = (who.workspace, "overlaps", str(days))
    found = page_of_overlaps(parts, who.workspace, days, query.after(*named), query.limit + 1)
    return page(
        found,
        query,
        *named,
        key=lambda one: place(one.overlap),
        show=lambda one: _shown(one, who.workspace, language),
    )


def _shown(one: Found, workspace: str, language: str) -> Json:
    keys = (one.overlap.one, one.overlap.other)
    return {
        "kind": one.overlap.kind,
        "sources": [
            {"source": key, "activities": number}
            for key, number in zip(keys, one.activities, strict=True)
        ],
        "from": written_moment(one.looked.since, one.zone),
        "to": written_moment(one.looked.until, one.zone),
        "complete": one.looked.complete,
        "seen_twice": one.seen_twice,
        "examples": [_example(pair, one.zone) for pair in one.examples],
        "repairs": [_repair(repair, workspace, language) for repair in one.repairs],
    }


def _example(pair: Pair, zone: tzinfo) -> Json:
    return {
        "agrees": sorted(pair.agrees),
        "apart_seconds": pair.apart // SECOND,
        "activities": [_activity(seen, zone) for seen in (pair.one, pair.other)],
    }


def _activity(seen: Sighting, zone: tzinfo) -> Json:
    return {
        "source": seen.source,
        "key": seen.key,
        "at": written_moment(seen.at, zone),
        "members": sorted(seen.members),
    }


def _repair(repair: Repair, workspace: str, language: str) -> Json:
    told = {"kind": repair.overlap.kind, "source": repair.source, "other": repair.other}
    return {
        "code": "count_in_one_source",
        "params": told,
        "message": sentence("count_in_one_source", told, language),
        "source": repair.source,
        "request": {
            "method": "PUT",
            "path": f"/v1/sources/{repair.source}",
            "if_match": etag_of_version(repair.version),
            "body": dict(repair.body),
        },
        "command": _command(repair, workspace),
    }


def _command(repair: Repair, workspace: str) -> str:
    words = ["tassei", "connect", repair.provider, "--key", repair.source]
    words += ["--counts", ",".join(repair.counts), "--no-wait"]
    return shlex.join(words + ([] if workspace == DEFAULT else ["--workspace", workspace]))
