"""The report of a plan, as JSON, Markdown or a page to print."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.progress import Scope
from app.usecases.progress import Asked
from app.usecases.report import plan_report
from app.views.report import Format, written_report
from app.views.report_html import policy
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.plans import Reader, TwoClocks, Version
from app.web.promises import reads
from app.web.resources import Parts
from app.web.schemas.answers_report import Report
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")
_TEXTS = (Format.MARKDOWN, Format.HTML)


class ReportQuery(NamedTuple):
    """Whose report, by which version of the plan, written how. None: as the headers say."""

    team: str | None
    version: int | None
    form: Format | None
    language: str | None


def _asked(
    team: Annotated[Key | None, Query()] = None,
    version: Version = None,
    form: Annotated[
        Literal["json", "markdown", "html"] | None,
        Query(alias="format", description="Left out: as `Accept` says, else JSON."),
    ] = None,
    language: Annotated[
        Literal["en", "ja"] | None, Query(description="Left out: as `Accept-Language` says.")
    ] = None,
) -> ReportQuery:
    return ReportQuery(team, version, Format(form) if form else None, language)


def _answers() -> dict[int | str, dict[str, Any]]:
    found = reads(Report)
    texts = {form.media_type: {"schema": {"type": "string"}} for form in _TEXTS}
    return found | {200: found[200] | {"content": texts}}


@routes.get("/{plan}/report", responses=_answers())
def get_report(
    request: Request,
    parts: Parts,
    who: Reader,
    plan: Key,
    accepted: Language,
    clocks: TwoClocks,
    query: Annotated[ReportQuery, Depends(_asked)],
) -> Response:
    """What whoever answers for a plan wants to know, from the same progress as everything else.

    Where it stands and where it ends, goal by goal, why, who could do with help, what changed in a
    week, what is late or nobody's, and the notes. Sentences have their figures as the language
    writes them; every other figure is decimal text. As HTML it is one page to print.
    """
    as_of, known_at = clocks.read(parts, who.workspace)
    asked = Asked(as_of, Scope(query.team), version=query.version, known_at=known_at)
    form = query.form or accepted_form(request.headers.get("accept", ""))
    language = query.language or accepted
    found = plan_report(parts, who.workspace, plan, asked)
    # Weak: `generated_at` moves without anything else having changed.
    etag = "W/" + etag_of(*found.basis, "report", form.value, language)
    body = written_report(found.report, form, language)
    vary = "Authorization, Accept, Accept-Language"
    answer = tagged(request, etag, body, media_type=form.media_type, vary=vary)
    answer.headers["Content-Language"] = language
    if form is Format.HTML:
        answer.headers["Content-Security-Policy"] = policy()
        answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def accepted_form(accept: str) -> Format:
    """The format that Accept likes best (RFC 9110 12.5.1); JSON where it names none of ours."""
    best, liked = Format.JSON, 0.0
    for choice in accept.lower().split(",")[:20]:
        kind, _, rest = choice.partition(";")
        form = next((one for one in Format if one.media_type == kind.strip()), None)
        if form is not None and (weight := _weight(rest)) > liked:
            best, liked = form, weight
    return best


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
