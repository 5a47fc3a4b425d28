"""Asking a provider at somebody's wish: now, to see whether it answers, or for its past."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.freshness import Pending
from app.domain.instants import DAY
from app.store import fetchers, fetches
from app.store.fetchers import State
from app.store.transactions import Access
from app.usecases import fetching
from app.usecases.context import Context
from app.usecases.fetch_channels import Standing, read_channels
from app.usecases.fetch_marks import Mark, read_marks
from app.usecases.fetch_subjects import Subject, subject_of
from app.usecases.organisation import SOURCE
from app.usecases.saving import standing

# A backfill is bounded: a typing error must not read an account through for decades.
LONGEST = 3_660 * DAY


class Asking(StrEnum):
    """Whether a source's provider answers."""

    UNSUPPORTED = "unsupported"
    NOT_CONFIGURED = "not_configured"
    UNTRIED = "untried"
    WORKING = "working"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Live:
    """How asking stands. `marks` by listing; `channels` by name: what has it notify."""

    asking: Asking
    state: State
    marks: dict[str, Mark]
    pending: Pending | None
    channels: dict[str, Standing] = field(default_factory=dict)


def check_source(context: Context, workspace: str, key: str) -> Live:
    """Ask the provider now, unless it is being asked, and say how it stands. Raises NotFound."""
    subject = _subject(context, workspace, key)
    if isinstance(subject, Subject) and subject.configured:
        fetching.check(context, subject)
    return _live(context, workspace, key, subject)


def backfill_source(context: Context, workspace: str, key: str, since: int) -> Live:
    """Have a source read through from an instant on, beside everything else.

    Raises NotFound; Conflict `api_not_supported`, `api_not_configured`; Invalid for an instant
    that lies ahead or more than ten years back.
    """
    now = context.clock()
    if since > now or now - since > LONGEST:
        raise Invalid("backfill_out_of_range", years=10)
    subject = _subject(context, workspace, key)
    if isinstance(subject, str):
        raise Conflict("api_not_supported", provider=subject)
    if not subject.configured:
        raise Conflict("api_not_configured")
    with context.store.transaction() as connection:
        wanted = {"backfill_from": since, "retry_at": 0}
        fetchers.ask(connection, workspace, key, wanted)
    return _live(context, workspace, key, subject)


def _subject(context: Context, workspace: str, key: str) -> Subject | str:
    """How a source is asked; of one that cannot be, the provider's name."""
    with context.read() as reading:
        document = standing(reading, workspace, SOURCE, key)
        if document is None:
            raise NotFound("unknown_source", source=key)
        return subject_of(context, reading, workspace, document) or str(document.body["provider"])


def _live(context: Context, workspace: str, key: str, subject: Subject | str) -> Live:
    with context.read() as reading:
        state = fetchers.state(reading, workspace, key)
        pending = _pending(reading, workspace, key)
    if isinstance(subject, str):
        return Live(Asking.UNSUPPORTED, state, {}, pending)
    listings = subject.listings if state.marks != "{}" else ()
    marks = read_marks(state.marks, listings, context.clock())
    channels = read_channels(state.channels)
    return Live(_asking(subject, state), state, marks, pending, channels)


def _pending(access: Access, workspace: str, key: str) -> Pending | None:
    return fetches.pending(access, workspace).get(key)


def _asking(subject: Subject, state: State) -> Asking:
    if not subject.configured:
        return Asking.NOT_CONFIGURED
    if state.tried_at is None:
        return Asking.UNTRIED
    return Asking.FAILING if state.failures else Asking.WORKING
