"""What moved a plan's goals between two knowings."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Depends, Query

from app.domain.errors import Fault, Invalid
from app.domain.instants import moment_of
from app.store.pages import place_of
from app.usecases import changes, progress
from app.usecases.changes import Asked, Behind, Change, Changes
from app.usecases.progress import Moment
from app.views.changes_json import difference_document, move_document
from app.web.pagination import Paged, cursor_of
from app.web.plans import AsOf, Reader
from app.web.promises import answers
from app.web.resources import Json, Parts, written_moment
from app.web.schemas.answers_changes import ChangePage
from app.web.schemas.common import Key
from app.web.service import router

routes = router("/v1/plans", "plans")
_PLACE = (0, 0, 0, 0, "", "")  # of a cursor: known_to, as_of, until, commit, source, key

_KNOWN_FROM = Query(
    max_length=40,
    description="RFC 3339 (`+` travels as %2B), or a date, which means the end of that day.",
)


def _asked(
    known_from: Annotated[str, _KNOWN_FROM],
    known_to: Annotated[
        str | None, Query(max_length=40, description="The same. Left out: all that is known.")
    ] = None,
    as_of: AsOf = None,
) -> tuple[str, str | None, str | None]:
    return known_from, known_to, as_of


@routes.get("/{plan}/changes", responses=answers(ChangePage))
def list_changes(
    parts: Parts,
    who: Reader,
    plan: Key,
    asked: Annotated[tuple[str, str | None, str | None], Depends(_asked)],
    query: Paged,
) -> Json:
    """The activities whose reports came between two knowings and moved the plan's goals.

    `sums` is progress at `known_to` less progress at `known_from`, both by the plan's version of
    `known_to`; the differences of all items sum to it. Each activity stands once, at its last
    report.
    """
    named = (who.workspace, "changes", plan, *map(str, asked))
    behind = _behind(query.after(*named))
    instants = (
        progress.moment_of_text(parts, who.workspace, text, parameter)
        for text, parameter in zip(asked, ("known_from", "known_to", "as_of"), strict=True)
    )
    found = changes.list_changes(parts, who.workspace, plan, _read(*instants), behind, query.limit)
    cursor = None if found.behind is None else cursor_of(_written(found.behind), *named)
    return _shown(found) | {"next": cursor}


def _read(known_from: int | None, known_to: int | None, as_of: int | None) -> Asked:
    if known_from is None:
        raise Invalid("invalid_request", Fault("", "required", {"parameter": "known_from"}))
    return Asked(known_from, known_to, as_of)


def _written(behind: Behind) -> str:
    return json.dumps((behind.known_to, behind.at.as_of, behind.at.until, *behind.place))


def _behind(cursor: str | None) -> Behind | None:
    if cursor is None:
        return None
    known_to, as_of, until, seq, source, key = place_of(cursor, _PLACE)
    return Behind(int(known_to), Moment(int(as_of), int(until)), (int(seq), str(source), str(key)))


def _shown(found: Changes) -> Json:
    plan, zone = found.ground.plan, found.ground.workspace.zone
    return {
        "plan": {
            "key": plan.key,
            "alias": plan.alias,
            "name": plan.name,
            "version": found.ground.version,
        },
        "known_from": written_moment(found.known_from, zone),
        "known_to": written_moment(found.known_to, zone),
        "as_of": written_moment(found.at.as_of, zone),
        "sums": [difference_document(one.goal, one.before, one.after) for one in found.differences],
        "items": [_change(item, found) for item in found.items],
    }


def _change(item: Change, found: Changes) -> Json:
    zone = found.ground.workspace.zone
    return {
        "source": item.source,
        "key": item.key,
        "kind": item.kind,
        "what": item.what.value,
        "received_at": moment_of(item.received_at, zone).isoformat(),
        "goals": [move_document(move, zone) for move in item.moves],
    }
