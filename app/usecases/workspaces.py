"""Workspaces: the first start, further ones, and their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.domain.errors import Conflict
from app.store import documents, heads, ledger, totals
from app.store.engine import Store
from app.store.transactions import Writing
from app.usecases import keys, organisation
from app.usecases.context import Context
from app.usecases.keys import Issued
from app.usecases.organisation import SETTINGS
from app.usecases.saving import Precondition, Saved, save

DEFAULT = "default"
AUTHOR = "tassei"
_ADMIN = frozenset({"admin"})
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
    """A new workspace with its first admin key. Raises Conflict `workspace_exists`."""
    with store.create_workspace(workspace, now) as writing:
        documents.put(writing, SETTINGS, SETTINGS, FIRST_SETTINGS, author=AUTHOR)
        if admin_key is not None:
            return keys.accept(writing, "first admin key", _ADMIN, admin_key)
        return keys.issue(writing, "first admin key", _ADMIN, token)


def put_settings(
    context: Context, workspace: str, body: dict[str, Any], seen: Precondition, author: str
) -> Saved:
    """Replace the settings. A new zone moves every activity to its days there, exactly.

    Raises Conflict `currency_fixed` once amounts were counted: what was said in one currency
    does not become another one's by a setting.
    """
    with context.write(workspace) as writing:
        before = organisation.settings(writing, workspace)
        saved = save(writing, SETTINGS, SETTINGS, body, seen, author=author)
        after = organisation.load(writing, workspace).workspace
        if after.currency != before.currency and totals.has_amounts(writing, workspace):
            raise Conflict("currency_fixed", currency=before.currency)
        if (after.zone, after.currency) != (before.zone, before.currency):
            _recount(writing)
        return saved


def _recount(writing: Writing) -> None:
    ledger.rebuild_in(writing)
