"""The holidays that each version of a plan was made with, kept beside it."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.almanac import Almanac, almanac, almanac_of, moved
from app.domain.ground import Ground
from app.domain.progress import Reason
from app.store import documents
from app.store.transactions import Access, Writing
from app.usecases.holidays import maker

ALMANAC = "plan_almanac"
_PLAN_VERSION = "plan_version"


def keep(writing: Writing, base: Ground, author: str) -> None:
    """Keep today's holidays of a plan's period beside the version that was just written."""
    found = today(base)
    if found is not None:
        body = found.document() | {_PLAN_VERSION: base.version}
        documents.put(writing, ALMANAC, base.plan.key, body, author=author)


def today(base: Ground) -> Almanac | None:
    """The holidays of a plan's period as they are known now."""
    return almanac(base.workspace, base.plan.span, maker())


def kept(access: Access, base: Ground) -> Almanac | None:
    """Those that a plan's version was made with.

    None where its workspace kept no country's holidays then.
    """
    versions = documents.versions(access, base.workspace.key, ALMANAC, base.plan.key)
    for document in reversed(versions):
        if document.body[_PLAN_VERSION] == base.version:
            return almanac_of(document.body)
    return None


def changes(found: Almanac | None, base: Ground) -> Iterator[Reason]:
    """How today's days differ from those a plan was made with."""
    if found is not None:
        yield from moved(found, base.workspace.calendar, base.plan.span)
