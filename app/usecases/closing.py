"""Closing a plan's period: what was known then is kept beside what corrections make of it.

No number is copied. A close is a moment of knowing, and the journal says what was known at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.evaluation import Closing
from app.domain.ground import Ground
from app.domain.instants import instant, written_instant
from app.store import documents
from app.store.documents import Document
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases import organisation
from app.usecases.context import Context
from app.usecases.counted import counted, knowing
from app.usecases.organisation import Organisation
from app.usecases.plan_names import existing, plan_named
from app.usecases.saving import standing

CLOSING = "closing"
_KNOWN_AT = "known_at"


@dataclass(frozen=True, slots=True)
class Close:
    """The close of a plan as it stands. zone: in which its instants are told."""

    plan: str
    known_at: int
    document: Document
    zone: tzinfo

    @property
    def is_first(self) -> bool:
        """Whether the plan was never closed before."""
        return self.document.version == 1


def close(
    context: Context, workspace: str, plan: str, known_at: int | None, reason: str, author: str
) -> Close:
    """Close a plan's period with what was known at an instant; None: with all that is.

    Closing again replaces the close; all of them are kept. Raises NotFound, Conflict
    `period_not_over` while more than corrections can come, Invalid `as_of_ahead`.
    """
    with context.write(workspace) as writing:
        document = existing(writing, workspace, plan)
        found = organisation.load(writing, workspace)
        at = writing.at if known_at is None else known_at
        if at > writing.at:
            raise Invalid("invalid_request", Fault("/at", "as_of_ahead"))
        if at < found.workspace.calendar.midnight(found.ground(writing, document).plan.span.until):
            raise Conflict("period_not_over", plan=plan)
        body = {_KNOWN_AT: written_instant(at)}
        kept = documents.put(writing, CLOSING, plan, body, author=author, reason=reason)
        return _close(found, kept)


def get_close(context: Context, workspace: str, name: str) -> Close:
    """The close of a plan. Raises NotFound: unknown_plan, not_closed."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        plan = plan_named(reading, found, name, context.clock())
        document = standing(reading, workspace, CLOSING, plan.key)
        if document is None:
            raise NotFound("not_closed", plan=plan.key)
        return _close(found, document)


def reopen(context: Context, workspace: str, plan: str, author: str) -> None:
    """Open a closed period again; that it was closed is kept. Raises NotFound."""
    with context.write(workspace) as writing:
        existing(writing, workspace, plan)
        if standing(writing, workspace, CLOSING, plan) is None:
            raise NotFound("not_closed", plan=plan)
        documents.archive(writing, CLOSING, plan, author=author)


def closing(
    access: Access, found: Organisation, base: Ground, until: int, known: Knowing | None = None
) -> Closing | None:
    """What was counted for a plan when it was closed, if it was as far as is known.

    A plan that was moved to a later period is open in it: that one was not closed.
    """
    workspace = found.workspace.key
    seq = known.seq if known else None
    document = documents.get(access, workspace, CLOSING, base.plan.key, seq)
    if document is None or document.archived:
        return None
    at = _known_at(document)
    if at < found.workspace.calendar.midnight(base.plan.span.until):
        return None
    amounts = counted(access, found, base, until, knowing(access, found, at))
    return Closing(at, document.changed_at, document.author, document.reason, amounts)


def _close(found: Organisation, document: Document) -> Close:
    return Close(document.key, _known_at(document), document, found.workspace.zone)


def _known_at(document: Document) -> int:
    return instant(document.body[_KNOWN_AT])
