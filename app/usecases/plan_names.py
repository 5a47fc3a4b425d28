"""Which plan a name means: a key for good, an alias from period to period."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.aliases import Naming, check_naming, key_on, naming_of
from app.domain.errors import NotFound
from app.store import documents
from app.store.documents import Document
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.organisation import PLAN, Organisation
from app.usecases.saving import standing


def existing(access: Access, workspace: str, key: str) -> Document:
    """The plan that stands under a key. Raises NotFound.

    Changes name a plan by its key: a version seen under an alias may, at the turn of the month,
    be the version of another plan.
    """
    found = standing(access, workspace, PLAN, key)
    if found is None:
        raise NotFound("unknown_plan", plan=key)
    return found


def plan_named(
    access: Access,
    found: Organisation,
    name: str,
    at: int,
    version: int | None = None,
    known: Knowing | None = None,
) -> Document:
    """The plan of that key, else the one whose alias it is at an instant; or a version of it.

    known: the plans that stood when no more than this was known. Versions outlive their plan: one
    that was archived can still be read by number. Raises NotFound: unknown_plan, no_plan_then,
    unknown_version.
    """
    workspace, upto = found.workspace.key, known.seq if known else None
    by_key = documents.get(access, workspace, PLAN, name, upto)
    if by_key is None or (by_key.archived and version is None):
        key = _key_of(found, name, at, standing_plans(access, found, known))
        by_key = documents.get(access, workspace, PLAN, key, upto)
    if by_key is None:
        raise NotFound("unknown_plan", plan=name)
    if version is None or version == by_key.version:
        return by_key
    past = documents.version(access, workspace, PLAN, by_key.key, version)
    if past is None:
        raise NotFound("unknown_version", plan=by_key.key, version=version)
    return past


def _key_of(found: Organisation, alias: str, at: int, plans: Iterable[Document]) -> str:
    namings = (naming_in(found, document) for document in plans)
    return key_on(found.workspace.calendar.local_day(at), alias, namings)


def check_name(access: Access, found: Organisation, new: Document) -> None:
    """Refuse a plan whose names mean another plan already. Raises Conflict."""
    others = (naming_in(found, d) for d in standing_plans(access, found) if d.key != new.key)
    check_naming(naming_in(found, new), others)


def standing_plans(
    access: Access, found: Organisation, known: Knowing | None = None
) -> list[Document]:
    """All plans in use, by key; with `known`, those in use then."""
    every = documents.all_of(access, found.workspace.key, PLAN, known.seq if known else None)
    return [document for document in every if not document.archived]


def naming_in(found: Organisation, document: Document) -> Naming:
    """How a plan is called, and when."""
    return naming_of(document.key, document.body, found.workspace.fiscal_year_start_month)
