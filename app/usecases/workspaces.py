"""Workspaces: the first start, further ones, and their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.domain.aliases import clash
from app.domain.errors import Conflict, Invalid
from app.domain.keys import KEY
from app.store import amounts, counting, documents, heads, rules, tallies
from app.store.engine import Store
from app.store.transactions import Writing
from app.usecases import keys, organisation
from app.usecases.context import Context
from app.usecases.keys import Issued
from app.usecases.organisation import PLAN, SETTINGS, Organisation
from app.usecases.plan_names import naming_in, standing_plans
from app.usecases.saving import Precondition, Saved, save

DEFAULT = "default"
AUTHOR = "tassei"
_ADMIN = frozenset({keys.ADMIN})
FIRST_SETTINGS: dict[str, Any] = {
    "name": "Default",
    "time_zone": "UTC",
    "currency": "USD",
    "locale": "en",
    "fiscal_year_start_month": 1,
    "calendar": {
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "working_hours": {"from": "09:00", "to": "18:00"},
        "closures": [],
        "extra_working_days": [],
    },
}


def first_start(
    store: Store, now: int, token: Callable[[int], str], admin_key: str | None
) -> Issued | None:
    """Make the workspace `default` with its admin key; None when there is one already.

    Two processes may start at once: the second finds the workspace made.
    """
    with store.read() as reading:
        if heads.head(reading, DEFAULT) is not None:
            return None
    try:
        return create(store, DEFAULT, now, token, admin_key)
    except Conflict:
        return None


def create(
    store: Store, workspace: str, now: int, token: Callable[[int], str], admin_key: str | None
) -> Issued:
    """A new workspace with its first admin key.

    Raises Conflict `workspace_exists`, and Invalid `not_a_key`: its keys carry its name.
    """
    if not KEY.fullmatch(workspace):
        raise Invalid("not_a_key")
    with store.create_workspace(workspace, now) as writing:
        documents.put(writing, SETTINGS, SETTINGS, FIRST_SETTINGS, author=AUTHOR)
        counting.note(writing)
        # There is no day yet; by what the first one will be cut is settled.
        tallies.redate(writing, rules.load(writing, workspace))
        if admin_key is not None:
            key_id = token(keys.ID_LENGTH)
            return keys.accept(writing, "first admin key", _ADMIN, admin_key, key_id)
        return keys.issue(writing, "first admin key", _ADMIN, token)


def put_settings(
    context: Context, workspace: str, body: dict[str, Any], seen: Precondition, author: str
) -> Saved:
    """Replace the settings. A new zone moves every activity to its days there, exactly.

    Raises Conflict `currency_fixed` once a source that counts it has told an amount: what was said
    in one currency does not become another one's by a setting; `breaks_a_plan` where a plan no
    longer works out; `aliases_would_overlap` where fiscal quarters would move onto days of another
    plan.
    """
    with context.read() as reading:
        asks = organisation.settings(reading, workspace).currency != body.get("currency")
        looked = amounts.look(reading, workspace) if asks else None
    with context.write(workspace) as writing:
        config_version = writing.config_version
        before = organisation.settings(writing, workspace)
        saved = save(writing, SETTINGS, SETTINGS, body, seen, author=author)
        found = organisation.load(writing, workspace)
        _check_plans(writing, found)
        after = found.workspace
        differs = after.currency != before.currency
        if differs and amounts.are_there(writing, looked, config_version):
            raise Conflict("currency_fixed", currency=before.currency)
        if after.zone != before.zone:
            tallies.redate(writing, rules.load(writing, workspace))
        return saved


def _check_plans(writing: Writing, found: Organisation) -> None:
    for document in documents.all_of(writing, writing.workspace, PLAN):
        if document.archived:
            continue
        try:
            found.ground(writing, document)
        except Invalid:
            raise Conflict("breaks_a_plan", plan=document.key) from None
    clashing = clash(naming_in(found, document) for document in standing_plans(writing, found))
    if clashing is not None:
        one, other = clashing
        raise Conflict("aliases_would_overlap", alias=one.alias, plan=one.key, other=other.key)
