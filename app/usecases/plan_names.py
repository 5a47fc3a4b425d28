"""Which plan a name means: a key for good, an alias from period to period."""

from __future__ import annotations

from app.domain.aliases import Naming, check_naming, key_on, naming_of
from app.domain.errors import NotFound
from app.store import documents
from app.store.documents import Document
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
    access: Access, found: Organisation, name: str, at: int, version: int | None = None
) -> Document:
    """The plan of that key, else the one whose alias it is at an instant; or a version of it.

    Versions outlive their plan: one that was archived can still be read by number. Raises
    NotFound: unknown_plan, no_plan_then, unknown_version.
    """
    workspace = found.workspace.key
    by_key = documents.get(access, workspace, PLAN, name)
    if by_key is None or (by_key.archived and version is None):
        by_key = existing(access, workspace, _key_of(access, found, name, at))
    if version is None or version == by_key.version:
        return by_key
    past = documents.version(access, workspace, PLAN, by_key.key, version)
    if past is None:
        raise NotFound("unknown_version", plan=by_key.key, version=version)
    return past


def _key_of(access: Access, found: Organisation, alias: str, at: int) -> str:
    namings = (naming_in(found, document) for document in standing_plans(access, found))
    return key_on(found.workspace.calendar.local_day(at), alias, namings)


def check_name(access: Access, found: Organisation, new: Document) -> None:
    """Refuse a plan whose names mean another plan already. Raises Conflict."""
    others = (naming_in(found, d) for d in standing_plans(access, found) if d.key != new.key)
    check_naming(naming_in(found, new), others)


def standing_plans(access: Access, found: Organisation) -> list[Document]:
    """All plans in use, by key."""
    every = documents.all_of(access, found.workspace.key, PLAN)
    return [document for document in every if not document.archived]


def naming_in(found: Organisation, document: Document) -> Naming:
    """How a plan is called, and when."""
    return naming_of(document.key, document.body, found.workspace.fiscal_year_start_month)
