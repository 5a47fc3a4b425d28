"""Closing a plan's period, and opening it again."""

from __future__ import annotations

from starlette.responses import Response

from app.domain.errors import Fault, Invalid
from app.usecases import closing, progress
from app.usecases.closing import Close
from app.web.plans import Reader, Writer
from app.web.promises import answers, refuses, removes
from app.web.resources import Json, Parts, answer, archived, written_moment
from app.web.schemas import answers_changes as schemas
from app.web.schemas.common import Key
from app.web.schemas.plans import CloseBody
from app.web.service import router

routes = router("/v1/plans", "plans")


_CLOSED = answers(schemas.Close, "Closed; or closed again, which replaces the close.")
_FIRST = answers(schemas.Close, "Closed for the first time.", 201)


@routes.post("/{plan}/close", responses=_CLOSED | _FIRST | refuses(404, 409))
def close_plan(parts: Parts, who: Writer, plan: Key, body: CloseBody) -> Response:
    """Close a plan's period with what is known: later corrections show beside it.

    Nothing is frozen: `actual` goes on to say what is known, and every goal of a progress says
    `actual_at_close` beside it. `GET changes?known_from=` the close's `known_at` lists why they
    differ. Refused before the period is over.
    """
    at = _instant(parts, who.workspace, body.at)
    closed = closing.close(parts, who.workspace, plan, at, body.reason, who.key_id)
    return answer(_shown(closed), 201 if closed.is_first else 200)


@routes.get("/{plan}/close", responses=answers(schemas.Close))
def get_close(parts: Parts, who: Reader, plan: Key) -> Json:
    """The close of a plan that is closed."""
    return _shown(closing.get_close(parts, who.workspace, plan))


@routes.delete("/{plan}/close", status_code=204, responses=removes("Open again."))
def reopen_plan(parts: Parts, who: Writer, plan: Key) -> Response:
    """Open a closed period again; that it was closed, when and why is kept."""
    closing.reopen(parts, who.workspace, plan, who.key_id)
    return archived()


def _instant(parts: Parts, workspace: str, text: str | None) -> int | None:
    try:
        return progress.moment_of_text(parts, workspace, text)
    except Invalid as error:
        raise Invalid(
            "invalid_request", *(Fault("/at", one.code) for one in error.faults)
        ) from None


def _shown(closed: Close) -> Json:
    document, zone = closed.document, closed.zone
    return {
        "plan": closed.plan,
        "known_at": written_moment(closed.known_at, zone),
        "closed_at": written_moment(document.changed_at, zone),
        "author": document.author,
        "reason": document.reason,
        "version": document.version,
    }
