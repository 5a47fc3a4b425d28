"""Notes on a plan's goals."""

from __future__ import annotations

from starlette.responses import Response

from app.usecases import notes
from app.usecases.notes import Noted
from app.views.notes_json import note_document
from app.web.pagination import Paged, page
from app.web.plans import Reader, Writer
from app.web.promises import answers, removes
from app.web.resources import Json, Parts, answer, archived
from app.web.schemas.common import Key
from app.web.schemas.notes import Note, NoteBody, NotePage
from app.web.service import router

routes = router("/v1/plans", "plans")


@routes.post("/{plan}/notes", status_code=201, responses=answers(Note, "Noted.", 201))
def add_note(parts: Parts, who: Writer, plan: Key, body: NoteBody) -> Response:
    """Note what was agreed about a goal, or about a member's part in it; the report shows it."""
    noted = notes.add_note(parts, who.workspace, plan, body.document(), who.key_id)
    return answer(_shown(noted), 201)


@routes.get("/{plan}/notes", responses=answers(NotePage))
def list_notes(parts: Parts, who: Reader, plan: Key, query: Paged) -> Json:
    """The notes on a plan, the newest first."""
    named = (who.workspace, "notes", plan)
    found = notes.page_of_notes(parts, who.workspace, plan, query.after(*named), query.limit + 1)
    return page(found, query, *named, key=lambda one: one.note.id, show=_shown)


@routes.delete("/{plan}/notes/{note}", status_code=204, responses=removes("Taken back."))
def remove_note(parts: Parts, who: Writer, plan: Key, note: Key) -> Response:
    """Take a note back; a report of what was known before still has it."""
    notes.remove_note(parts, who.workspace, plan, note, who.key_id)
    return archived()


def _shown(noted: Noted) -> Json:
    return dict(note_document(noted.note, noted.zone))
