"""Notes on a plan's goals: what was agreed, of whom, until when. They stand in the report.

A note is never changed, only taken back; what stood at a moment can be read for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from app.domain.documents import Node
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.ground import Ground
from app.domain.report import Note
from app.store import documents
from app.store.documents import Document
from app.store.journal import Knowing
from app.store.transactions import Access, Writing
from app.usecases.context import Context
from app.usecases.organisation import load
from app.usecases.plan_names import existing, plan_named
from app.usecases.saving import standing

# Less the instant: keys are read upwards, and the newest note is to come first.
_LAST = 9_999_999_999_999_999


@dataclass(frozen=True, slots=True)
class Noted:
    """A note, and the zone that its instant is told in."""

    note: Note
    zone: tzinfo


def add_note(
    context: Context, workspace: str, plan: str, body: dict[str, Any], author: str
) -> Noted:
    """Note something about a goal of a plan, or about a member's part in it.

    Raises NotFound `unknown_plan`; Invalid `unknown_goal`, `member_not_in_plan`, `not_a_date`.
    """
    with context.write(workspace) as writing:
        document = existing(writing, workspace, plan)
        found = load(writing, workspace)
        _check(found.ground(writing, document), body)
        key = f"{_LAST - writing.at:016}"
        kept = documents.put(writing, _of(plan), key, body, author=author)
        return Noted(_note(kept), found.workspace.zone)


def page_of_notes(
    context: Context, workspace: str, name: str, after: str | None, limit: int
) -> list[Noted]:
    """Up to `limit` notes on a plan behind one, the newest first. Raises NotFound."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        plan = plan_named(reading, found, name, context.clock()).key
        page = documents.page(reading, workspace, _of(plan), after, limit)
        return [Noted(_note(one), found.workspace.zone) for one in page]


def remove_note(context: Context, workspace: str, plan: str, note: str, author: str) -> None:
    """Take a note back; earlier reports keep it. Raises NotFound."""
    with context.write(workspace) as writing:
        existing(writing, workspace, plan)
        if standing(writing, workspace, _of(plan), note) is None:
            raise NotFound("unknown_note")
        documents.archive(writing, _of(plan), note, author=author)


def remove_all(writing: Writing, plan: str, author: str) -> None:
    """Take all notes back: a plan made anew under the key has none."""
    for one in notes_of(writing, writing.workspace, plan):
        documents.archive(writing, _of(plan), one.id, author=author)


def notes_of(
    access: Access, workspace: str, plan: str, known: Knowing | None = None
) -> tuple[Note, ...]:
    """All notes on a plan, the newest first; with `known`, those that stood then."""
    found = documents.all_of(access, workspace, _of(plan), known.seq if known else None)
    return tuple(_note(one) for one in found if not one.archived)


def _of(plan: str) -> str:
    return f"note/{plan}"


def _check(base: Ground, body: dict[str, Any]) -> None:
    faults = []
    if body["goal"] not in base.plan.targets:
        faults.append(Fault("/goal", "unknown_goal"))
    carry = base.persons if base.plan.assignments else base.people.members
    if body.get("member") is not None and body["member"] not in carry:
        faults.append(Fault("/member", "member_not_in_plan"))
    if faults:
        raise Invalid("invalid_request", *faults)
    _day(body)


def _day(body: dict[str, Any]) -> date | None:
    due = Node(body).at("due")
    return due.day() if due.given else None


def _note(document: Document) -> Note:
    body = document.body
    return Note(
        document.key,
        body["goal"],
        body.get("member"),
        body["text"],
        _day(body),
        document.author,
        document.changed_at,
    )
