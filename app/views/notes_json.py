"""A note as JSON."""

from __future__ import annotations

from datetime import tzinfo
from typing import NotRequired, TypedDict

from app.domain.instants import moment_of
from app.domain.report import Note


class NoteDocument(TypedDict):
    """What is to be remembered of a goal, or of a member's part in it.

    name: the member's; in a report only
    """

    id: str
    goal: str
    member: NotRequired[str]
    name: NotRequired[str]
    text: str
    due: NotRequired[str]
    author: str
    at: str


def note_document(note: Note, zone: tzinfo) -> NoteDocument:
    """The note; what it does not say is left out."""
    document: NoteDocument = {
        "id": note.id,
        "goal": note.goal,
        "text": note.text,
        "author": note.author,
        "at": moment_of(note.at, zone).isoformat(),
    }
    if note.member is not None:
        document["member"] = note.member
    if note.due is not None:
        document["due"] = note.due.isoformat()
    return document
