"""How a source is doing, for whoever connects it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated

from app.intake.requests import Step
from app.store.deliveries import Stored
from app.store.refusals import Refusal
from app.usecases.source_status import advice, source_status
from app.views.messages import sentence
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.promises import answers
from app.web.resources import Json, Parts, written_moment
from app.web.schemas.answers_status import SourceStatus
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/sources", "sources")
Admin = Annotated[Principal, requires("admin")]


@routes.get("/{key}/status", responses=answers(SourceStatus, "As of some seconds ago."))
def get_source_status(parts: Parts, who: Admin, key: Key, language: Language) -> Json:
    """Whether what a source sends arrives and counts, and what to do where it does not.

    Requests that were refused are counted by reason for 30 days; nothing of them is kept. Where
    the reason is the usual mistake it is found out: another address was signed (a proxy, or
    TASSEI_PUBLIC_URL), or a clock is off. Such a request is refused all the same.
    """
    found = source_status(parts, who.workspace, key)
    zone = found.connected.zone
    return {
        "key": key,
        "state": found.connected.liveness.value,
        "last_received_at": written_moment(found.connected.last_received_at, zone),
        "refused": [_refused(one, zone, language) for one in found.refused],
        "recent": [_delivery(one, zone) for one in found.recent],
        "findings": [_told(step, language) for step in found.findings],
    }


def _refused(one: Refusal, zone: tzinfo, language: str) -> Json:
    told = advice(one)
    return {
        "code": one.code,
        "params": dict(one.params),
        "message": sentence(told.code, told.params, language),
        "number": one.number,
        "first_at": written_moment(one.first_at, zone),
        "last_at": written_moment(one.last_at, zone),
    }


def _delivery(one: Stored, zone: tzinfo) -> Json:
    return {
        "id": str(one.id),
        "received_at": written_moment(one.received_at, zone),
        "outcomes": {outcome: number for outcome, number in one.outcomes.items() if number},
    }


def _told(step: Step, language: str) -> Json:
    return {
        "code": step.code,
        "params": dict(step.params),
        "message": sentence(step.code, step.params, language),
    }
