"""What senders were refused for: one row for each reason of a source, however often it happens.

Nothing here moves the workspace's head, for nothing here is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from app.store.statements import upsert
from app.store.tables import refusal
from app.store.transactions import Access

_R = refusal.c
_ADD = upsert(refusal, "number", replace=("params", "last_at"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often a source was refused for a reason. params: what the reason leaves open."""

    code: str
    params: Mapping[str, str | int]
    number: int
    first_at: int
    last_at: int


def add(connection: Connection, workspace: str, source: str, found: Iterable[Refusal]) -> None:
    """Count some more; what a reason says is what it said last."""
    for one in found:
        connection.execute(
            _ADD,
            {
                "workspace_id": workspace,
                "source": source,
                "code": one.code,
                "params": json.dumps(dict(one.params), ensure_ascii=False),
                "number": one.number,
                "first_at": one.first_at,
                "last_at": one.last_at,
            },
        )


def forget(connection: Connection, workspace: str, before: int) -> None:
    """Forget the reasons for which nothing was refused since an instant."""
    connection.execute(delete(refusal).where(_R.workspace_id == workspace, _R.last_at < before))


def of_source(access: Access, workspace: str, source: str) -> list[Refusal]:
    """For what a source was refused, the latest first."""
    query = (
        select(_R.code, _R.params, _R.number, _R.first_at, _R.last_at)
        .where(_R.workspace_id == workspace, _R.source == source)
        .order_by(_R.last_at.desc(), _R.code)
    )
    return [
        Refusal(code, json.loads(params), *numbers)
        for code, params, *numbers in access.connection.execute(query)
    ]
