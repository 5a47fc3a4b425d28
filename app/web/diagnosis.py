"""Why a plan is where it is."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.diagnosis import diagnose
from app.domain.progress import Scope
from app.usecases import progress
from app.usecases.progress import Asked
from app.views.diagnosis_json import diagnosis_document
from app.views.messages import sentence
from app.views.signals_json import signals_document
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.plans import Reader, TwoClocks, Version
from app.web.promises import reads
from app.web.resources import Parts, encoded
from app.web.schemas.answers_diagnosis import Diagnosis
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")


class DiagnosisQuery(NamedTuple):
    """Whose gap is asked about, by which version of the plan."""

    scope: Scope
    version: int | None
    mix: bool


def _asked(
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    version: Version = None,
    *,
    mix: Annotated[
        bool,
        Query(
            description="Also what the steps would be by everybody's rates together, less what "
            "they are as the sum of each one's; it adds up to 0."
        ),
    ] = False,
) -> DiagnosisQuery:
    return DiagnosisQuery(Scope(team, member), version, mix)


@routes.get("/{plan}/diagnosis", responses=reads(Diagnosis))
def get_diagnosis(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    language: Language,
    clocks: TwoClocks,
    query: Annotated[DiagnosisQuery, Depends(_asked)],
) -> Response:
    """The gap of the KGI to date, split over the steps below it, in units of the KGI.

    The effects add up to the gap; a team's are the sums of its members'. Which step failed is a
    fact; whether it is more than chance is said as surely as it is known, however often one looks.
    `signals` are the steps that stand out among all people's, `proposals` what a rate that is
    proven to have drifted would ask of the goals below it.
    """
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, query.scope, version=query.version, known_at=known_at)
    answered = progress.report_by_member(parts, who.workspace, plan, asked)
    found = diagnose(answered.progress)
    told = (sentence, language)
    document = {
        **diagnosis_document(answered.progress, found, told, mix=query.mix),
        **signals_document(answered.progress, told),
    }
    etag = etag_of(*answered.basis, "diagnosis", query.mix, language)
    return tagged(request, etag, encoded(document))
