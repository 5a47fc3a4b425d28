"""Thinking ahead: what a plan would come to, and the same plan for the next period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from fractions import Fraction
from typing import Any

from app.domain.aliases import following_key, naming_of
from app.domain.comparison import Difference, Edit, difference, edits
from app.domain.documents import Node
from app.domain.errors import Conflict, Invalid
from app.domain.evaluation import Question
from app.domain.ground import Ground, blueprint
from app.domain.periods import period_of
from app.domain.plans import EFFECTIVE_FROM, PARENT, check_weekdays
from app.domain.quantities import Quantity, exact, written
from app.domain.slices import WEEKDAYS_GIVEN, slices_of
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.families import check_parent, parent_for
from app.usecases.organisation import PLAN, Organisation
from app.usecases.plan_names import plan_named
from app.usecases.plans import Planned, kept, planned, refuse_revision
from app.usecases.progress import evaluated, moment_asked
from app.usecases.saving import Precondition
from app.usecases.working_out import Worked, worked

NAMELESS = "preview"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a body would come to; compared: the plan that stands, and the way from it."""

    body: dict[str, Any]
    worked: Worked
    compared: Document | None = None
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rate as the old plan's period has shown it, to be taken over by whoever agrees.

    sample: how many of the child it was observed in
    """

    goal: str
    assumed: Fraction
    observed: Fraction
    sample: Quantity


@dataclass(frozen=True, slots=True)
class Copied:
    """The new plan, and what the old one has taught."""

    planned: Planned
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy as it is asked for. key: None derives it from the old plan's."""

    period: dict[str, Any]
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions of a plan: what is written otherwise, and what that asks of everybody.

    zone: that their times are told in
    """

    before: Document
    after: Document
    edits: tuple[Edit, ...]
    difference: Difference
    zone: tzinfo


def compare_versions(
    context: Context, workspace: str, name: str, before: int, after: int | None
) -> Compared:
    """One version of a plan against another one, the standing one if none is said.

    Both are worked out with the people and the calendar of now, so that only the plan differs.
    Raises NotFound.
    """
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        new = plan_named(reading, found, name, context.clock(), after)
        old = plan_named(reading, found, new.key, context.clock(), before)
        asked = (blueprint(found.ground(reading, document)) for document in (old, new))
        written_otherwise = tuple(edits(old.body, new.body))
        return Compared(old, new, written_otherwise, difference(*asked), found.workspace.zone)


def preview_plan(
    context: Context, workspace: str, body: dict[str, Any], against: str | None
) -> Preview:
    """What PUT would answer, and how it differs from a plan that stands; nothing is stored.

    Goals that no source counts are named, not refused: asking costs nothing. Raises Invalid for
    what cannot be solved, NotFound for an unknown plan to compare with.
    """
    document = {name: value for name, value in body.items() if name != "reason"}
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        if against is None:
            refuse_revision(document)
            base = found.draft(NAMELESS, document, 0)
            return Preview(document, _drafted(context, reading, found, base))
        stands = plan_named(reading, found, against, context.clock())
        base = found.draft(stands.key, document, stands.version)
        new = _drafted(context, reading, found, base)
        before = blueprint(found.ground(reading, stands))
        return Preview(document, new, stands, difference(before, new.blueprint))


def _drafted(context: Context, access: Access, found: Organisation, base: Ground) -> Worked:
    check_weekdays(base.plan, found.workspace.calendar)
    check_parent(access, found, base)
    return worked(access, found, base, context.clock(), draft=True)


def copy_plan(context: Context, workspace: str, name: str, wanted: Wanted, author: str) -> Copied:
    """The same tree, people and targets for another period, as a plan of its own.

    An alias goes along; a plan known by its key alone gets a copy known by its own. Rates stay as
    they were assumed: what was observed comes beside them, because a month of bad luck must not
    lower the next month's plan unasked. Raises as `put_plan` does, and Conflict `plan_exists`.
    """
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        old = plan_named(reading, found, name, context.clock())
        proposals = tuple(_proposals(context, reading, found, found.ground(reading, old)))
        key = wanted.key or key_for(found, old, wanted.period)
        body = body_for(reading, found, old, wanted.period)
    if wanted.reason is not None:
        body["reason"] = wanted.reason
    with context.write(workspace) as writing:
        if documents.get(writing, workspace, PLAN, key) is not None:
            raise Conflict("plan_exists", plan=key)
        saved = kept(writing, key, body, Precondition(), author)
    return Copied(planned(context, workspace, saved), proposals)


def body_for(
    access: Access, found: Organisation, old: Document, period: dict[str, Any]
) -> dict[str, Any]:
    """What a plan says, said of another period; what only those days could mean stays behind.

    Raises Invalid for a period that is none.
    """
    body = old.body | {"period": period}
    span = period_of(Node(period, "/period"), found.workspace.fiscal_year_start_month)
    body.pop(EFFECTIVE_FROM, None)  # what was revised then is how the next one begins
    if body.get("alias") == old.key:
        del body["alias"]
    if "start" in period:
        body.pop("recurs", None)  # nobody knows which days come after these
    if parent_for(access, found, body, span) is None:
        body.pop(PARENT, None)
    try:
        slices_of(Node(body), span)
    except Invalid:
        # Four weeks are not cut as five are; Mondays stay what they are.
        weekdays = (body.pop("profile", None) or {}).get(WEEKDAYS_GIVEN)
        body.pop("slices", None)
        return body | ({"profile": {WEEKDAYS_GIVEN: weekdays}} if weekdays else {})
    return body


def key_for(found: Organisation, old: Document, period: dict[str, Any]) -> str:
    """How a plan's copy for another period is called. Raises Invalid where that is no key."""
    fiscal_year = found.workspace.fiscal_year_start_month
    naming_of(old.key, {"period": period}, fiscal_year)  # a period that is none names nothing
    naming = naming_of(old.key, old.body, fiscal_year)
    return following_key(naming, Node(old.body["period"]), Node(period, "/period"))


def _proposals(
    context: Context, access: Access, found: Organisation, base: Ground
) -> Iterator[Proposal]:
    now = context.clock()
    at = moment_asked(None, now)
    progress = evaluated(access, found, base, Question(at.as_of, now, now), at.until).progress
    for goal in progress.whole.root.walk():
        rate = goal.rate
        # Nothing can be reached at a rate of 0, nor at one that is written as 0.
        if rate and rate.observed is not None and exact(written(rate.observed)) > 0:
            yield Proposal(goal.key, rate.assumed, rate.observed, rate.sample)
