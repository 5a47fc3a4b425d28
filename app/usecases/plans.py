"""Plans: a goal tree is solved, checked and kept; every change is a version with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from app.domain.aliases import naming_of
from app.domain.documents import Node
from app.domain.errors import Fault, Invalid
from app.domain.ground import Ground
from app.domain.merge_patch import merged
from app.domain.plans import EFFECTIVE_FROM, check_weekdays
from app.domain.review import refused_as_unmeasured, unmeasured
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access, Writing
from app.usecases import almanacs
from app.usecases.closing import CLOSING
from app.usecases.context import Context
from app.usecases.families import check_parent
from app.usecases.notes import remove_all
from app.usecases.organisation import PLAN, Organisation, load, settings
from app.usecases.plan_names import (
    check_name,
    existing,
    plan_named,
    standing_plans,
)
from app.usecases.saving import Precondition, Saved, archive, save, standing
from app.usecases.working_out import Worked, worked

# What the door makes of a document: its canonical form, or Invalid.
Shaped = Callable[[object], dict[str, Any]]
ALLOW_UNMEASURED = "allow_unmeasured"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan's document, and what it comes to."""

    document: Document
    worked: Worked
    created: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Versions of a plan, the first one first, and the zone their times are told in."""

    key: str
    versions: list[Document]
    zone: tzinfo


def put_plan(
    context: Context,
    workspace: str,
    key: str,
    body: dict[str, Any],
    seen: Precondition,
    author: str,
) -> Planned:
    """Create a plan or make its next version.

    Raises Invalid for what cannot be solved or is carried by people who are not there,
    `reason_required` for a change without a reason, `unmeasured` for goals that no source counts,
    and Conflict for a name that means another plan.
    """
    with context.write(workspace) as writing:
        saved = kept(writing, key, body, seen, author)
    return planned(context, workspace, saved)


def patch_plan(
    context: Context,
    workspace: str,
    key: str,
    patch: object,
    shaped: Shaped,
    seen: Precondition,
    author: str,
) -> Planned:
    """Make a plan's next version by JSON Merge Patch; the whole is checked as if it were PUT.

    Which version the patch was meant for must be said: merged into another one it may mean
    something nobody wanted. Raises as `put_plan` does, and NotFound.
    """
    with context.write(workspace) as writing:
        current = existing(writing, workspace, key)
        seen.check(current)
        saved = kept(writing, key, shaped(merged(current.body, patch)), seen, author)
    return planned(context, workspace, saved)


def planned(context: Context, workspace: str, saved: Saved) -> Planned:
    """What a saved plan comes to. Half a year is read for it, so nobody waits for it to write."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        base = found.ground(reading, saved.document)
        return Planned(saved.document, worked(reading, found, base, context.clock()), saved.created)


def kept(
    writing: Writing, key: str, body: dict[str, Any], seen: Precondition, author: str
) -> Saved:
    """Store a plan as it was written, if it holds. Raises as `put_plan` does."""
    document = dict(body)
    reason = document.pop("reason", None)
    document = _spelled_as_it_stands(writing, key, document)
    saved = save(writing, PLAN, key, document, seen, author=author, reason=reason)
    if saved.changed and not saved.created and not reason:
        raise Invalid("reason_required", Fault("/reason", "reason_required"))
    if saved.created:
        refuse_revision(document)
    found = load(writing, writing.workspace)
    base = found.ground(writing, saved.document)
    if saved.changed:
        check_name(writing, found, saved.document)
        check_weekdays(base.plan, found.workspace.calendar)
        check_measured(found, base, document)
        check_parent(writing, found, base)
        almanacs.keep(writing, base, author)
    return saved


def refuse_revision(document: Mapping[str, Any]) -> None:
    """Refuse a day from which a plan is to hold otherwise, where there is no plan before it."""
    if document.get(EFFECTIVE_FROM) is not None:
        raise Node(document).at(EFFECTIVE_FROM).refused("nothing_to_revise")


def _spelled_as_it_stands(writing: Writing, key: str, document: dict[str, Any]) -> dict[str, Any]:
    """A body with the alias and the period as they are written already, where they mean the same.

    An answer says both in full, as a name and as days; sent back, that is no change.
    """
    current = standing(writing, writing.workspace, PLAN, key)
    if current is None:
        return document
    fiscal_year = settings(writing, writing.workspace).fiscal_year_start_month
    new, old = (naming_of(key, body, fiscal_year) for body in (document, current.body))
    same = {
        name
        for name, is_same in (("alias", new.alias == old.alias), ("period", new.span == old.span))
        if is_same
    }
    kept_names = {name: value for name, value in document.items() if name not in same}
    return kept_names | {name: current.body[name] for name in same & current.body.keys()}


def check_measured(found: Organisation, base: Ground, body: dict[str, Any]) -> None:
    """Refuse goals that no source counts, unless the plan says that this is meant."""
    unseen = unmeasured(base.plan.root, found.sources)
    if unseen and not body.get(ALLOW_UNMEASURED):
        raise refused_as_unmeasured(unseen)


def get_plan(context: Context, workspace: str, name: str, version: int | None = None) -> Planned:
    """A plan, or one of its versions, and what it comes to now. Raises NotFound."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        document = plan_named(reading, found, name, context.clock(), version)
        base = found.ground(reading, document)
        return Planned(document, worked(reading, found, base, context.clock()))


def page_of_plans(
    context: Context, workspace: str, after: str | None, limit: int
) -> list[Document]:
    """Plans by key behind `after`."""
    with context.read() as reading:
        return documents.page(reading, workspace, PLAN, after, limit)


def page_of_versions(
    context: Context, workspace: str, name: str, *, after: int, limit: int
) -> History:
    """A plan's versions behind number `after`; an archived plan keeps them. Raises NotFound."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        known = documents.get(reading, workspace, PLAN, name)
        key = known.key if known else plan_named(reading, found, name, context.clock()).key
        page = documents.page_of_versions(reading, workspace, PLAN, key, after=after, limit=limit)
        return History(key, page, found.workspace.zone)


def archive_plan(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a plan out of use; its versions stay.

    Its close and its notes go with it: a plan made anew under the key was never closed.
    """
    with context.write(workspace) as writing:
        archive(writing, PLAN, key, seen, author=author)
        if standing(writing, workspace, CLOSING, key) is not None:
            documents.archive(writing, CLOSING, key, author=author)
        remove_all(writing, key, author)


def current_plans(
    access: Access, found: Organisation, now: int
) -> Iterator[tuple[Document, Ground]]:
    """The plans whose period is running at an instant."""
    today = found.workspace.calendar.local_day(now)
    for document in standing_plans(access, found):
        base = found.ground(access, document)
        if today in base.plan.span:
            yield document, base
