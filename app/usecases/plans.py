"""Plans: a goal tree is solved, checked and kept; every change is a version with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Fault, Invalid, NotFound
from app.domain.ground import Blueprint, Ground, blueprint
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.organisation import PLAN, Organisation, load
from app.usecases.saving import Precondition, archive, save, standing


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan's document, and what it comes to."""

    document: Document
    ground: Ground
    blueprint: Blueprint
    created: bool = False


def put_plan(
    context: Context,
    workspace: str,
    key: str,
    body: dict[str, Any],
    seen: Precondition,
    author: str,
) -> Planned:
    """Create a plan or make its next version.

    Raises Invalid for what cannot be solved or is carried by people who are not there, and
    `reason_required` for a change without a reason.
    """
    document = dict(body)
    reason = document.pop("reason", None)
    with context.write(workspace) as writing:
        saved = save(writing, PLAN, key, document, seen, author=author, reason=reason)
        if saved.changed and not saved.created and not reason:
            raise Invalid("reason_required", Fault("/reason", "reason_required"))
        base = load(writing, workspace).ground(saved.document)
        return Planned(saved.document, base, blueprint(base), saved.created)


def get_plan(context: Context, workspace: str, key: str) -> Planned:
    """A plan and what it comes to with the people as they are now. Raises NotFound."""
    with context.read() as reading:
        found = existing(reading, workspace, key)
        base = context.organisations.at(reading, workspace).ground(found)
        return Planned(found, base, blueprint(base))


def page_of_plans(
    context: Context, workspace: str, after: str | None, limit: int
) -> list[Document]:
    """Plans by key behind `after`."""
    with context.read() as reading:
        return documents.page(reading, workspace, PLAN, after, limit)


def archive_plan(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a plan out of use; its versions stay."""
    with context.write(workspace) as writing:
        archive(writing, PLAN, key, seen, author=author)


def existing(access: Access, workspace: str, key: str) -> Document:
    """The plan that stands under a key. Raises NotFound."""
    found = standing(access, workspace, PLAN, key)
    if found is None:
        raise NotFound("unknown_plan", plan=key)
    return found


def current_plans(
    access: Access, found: Organisation, now: int
) -> Iterator[tuple[Document, Ground]]:
    """The plans whose period is running at an instant."""
    today = found.workspace.calendar.local_day(now)
    for document in documents.all_of(access, found.workspace.key, PLAN):
        if not document.archived:
            base = found.ground(document)
            if today in base.plan.span:
                yield document, base
