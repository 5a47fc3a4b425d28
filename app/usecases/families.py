"""Plans within plans: a year and its quarters, a quarter and its months."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.domain.documents import Node
from app.domain.errors import Invalid
from app.domain.ground import Ground
from app.domain.plans import PARENT
from app.domain.progress import Reason
from app.domain.review import reconciled
from app.domain.spans import Span
from app.store.documents import Document
from app.store.transactions import Access
from app.usecases.organisation import PLAN, Organisation
from app.usecases.plan_names import naming_in, standing_plans
from app.usecases.saving import standing


def check_parent(access: Access, found: Organisation, base: Ground) -> None:
    """Refuse a plan that is no part of the one it names.

    Raises Invalid: unknown_parent, plan_is_its_own_part, outside_parent.
    """
    if base.plan.parent is None:
        return
    node = Node(base.plan.parent, f"/{PARENT}")
    parent = standing(access, found.workspace.key, PLAN, base.plan.parent)
    if parent is None:
        raise node.refused("unknown_parent", plan=base.plan.parent)
    if base.plan.key in _upwards(access, found, parent):
        raise node.refused("plan_is_its_own_part", plan=base.plan.parent)
    if not _within(base.plan.span, naming_in(found, parent).span):
        raise node.refused("outside_parent", plan=base.plan.parent)


def _upwards(access: Access, found: Organisation, document: Document | None) -> list[str]:
    """A plan and those that it is a part of, the nearest first."""
    keys: list[str] = []
    while document is not None and document.key not in keys:
        keys.append(document.key)
        above = document.body.get(PARENT)
        document = standing(access, found.workspace.key, PLAN, above) if above else None
    return keys


def _within(inner: Span, outer: Span) -> bool:
    return outer.first <= inner.first and inner.until <= outer.until


def parent_for(access: Access, found: Organisation, body: dict[str, Any], span: Span) -> str | None:
    """The parent that a plan's copy for other days still is a part of, if there is one."""
    key: str | None = body.get(PARENT)
    parent = standing(access, found.workspace.key, PLAN, key) if key else None
    return key if parent and _within(span, naming_in(found, parent).span) else None


def family_warnings(access: Access, found: Organisation, base: Ground) -> Iterator[Reason]:
    """What does not add up: of a plan its parts, or of the one that it is a part of all of them."""
    every = [d for d in standing_plans(access, found) if d.key != base.plan.key]
    for key in (base.plan.key, base.plan.parent):
        children = [d for d in every if key is not None and d.body.get(PARENT) == key]
        own = [base] if key == base.plan.parent else []
        above = base if key == base.plan.key else _ground(access, found, every, key)
        if above is not None and (children or own):
            grounds = (_worked_out(access, found, child) for child in children)
            yield from reconciled(above, [*own, *(one for one in grounds if one is not None)])


def _ground(
    access: Access, found: Organisation, every: list[Document], key: str | None
) -> Ground | None:
    document = next((one for one in every if one.key == key), None)
    return None if document is None else _worked_out(access, found, document)


def _worked_out(access: Access, found: Organisation, document: Document) -> Ground | None:
    try:
        return found.ground(access, document)
    except Invalid:
        return None  # it no longer fits the people or settings, so nobody is asked for anything
