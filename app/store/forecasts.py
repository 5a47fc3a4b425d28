"""Forecasts as they were made, one row a day and plan, and how good those of a period have been.

What was said is never changed; whatever is corrected later, it is what people were told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, insert, select

from app.store.tables import forecast_issued, forecast_judged
from app.store.transactions import Access, Writing

_I, _J = forecast_issued.c, forecast_judged.c
_ALWAYS = 2**31  # a day that no plan reaches


@dataclass(frozen=True, slots=True)
class Logged:
    """day: the local day at whose end it was said, or the day after a period that is judged."""

    plan: str
    day: int
    at: int
    body: Any


def issue(writing: Writing, plan: str, alias: str, day: int, body: object) -> bool:
    """Keep what was forecast of a plan at the end of a day; False if that is kept already."""
    return _kept(writing, forecast_issued, (plan, alias, day), body)


def judge(writing: Writing, plan: str, alias: str, until: int, body: object) -> bool:
    """Keep how good the forecasts of a plan's period were; False if that is kept already."""
    return _kept(writing, forecast_judged, (plan, alias, until), body)


def _kept(writing: Writing, table: Table, which: tuple[str, str, int], body: object) -> bool:
    plan, alias, day = which
    key = {"workspace_id": writing.workspace, "plan": plan, "day": day}
    taken = select(table.c.day).where(*(table.c[name] == value for name, value in key.items()))
    if writing.connection.execute(taken).first() is not None:
        return False
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    row = key | {"alias": alias, "body": text, "at": writing.at, "seq": writing.seq}
    writing.connection.execute(insert(table).values(row))
    return True


def issued(
    access: Access, workspace: str, plan: str, after: int = -1, limit: int | None = None
) -> list[Logged]:
    """What was forecast of a plan, day by day, behind a day."""
    query = (
        select(_I.plan, _I.day, _I.at, _I.body)
        .where(_I.workspace_id == workspace, _I.plan == plan, _I.day > after)
        .order_by(_I.day)
        .limit(limit)
    )
    return [_logged(row) for row in access.connection.execute(query)]


def of_alias(access: Access, workspace: str, alias: str, most: int) -> list[Logged]:
    """How good the forecasts of an alias's latest periods were."""
    return judged(access, workspace, alias, _ALWAYS, most)


def last_issued(access: Access, workspace: str) -> dict[str, int]:
    """The last day of each plan at whose end something was forecast."""
    query = select(_I.plan, func.max(_I.day)).where(_I.workspace_id == workspace).group_by(_I.plan)
    return {plan: int(day) for plan, day in access.connection.execute(query)}


def judged_plans(access: Access, workspace: str) -> set[tuple[str, int]]:
    """The plans whose periods have been judged, and the days after them."""
    query = select(_J.plan, _J.day).where(_J.workspace_id == workspace)
    return {(plan, day) for plan, day in access.connection.execute(query)}


def judged(
    access: Access, workspace: str, alias: str, until: int, most: int, upto: int | None = None
) -> list[Logged]:
    """How good the forecasts of an alias's periods were that ended by a day, the latest first.

    upto: as it was known after that commit
    """
    query = (
        select(_J.plan, _J.day, _J.at, _J.body)
        .where(_J.workspace_id == workspace, _J.alias == alias, _J.day <= until)
        .order_by(_J.day.desc(), _J.plan)
        .limit(most)
    )
    if upto is not None:
        query = query.where(_J.seq <= upto)
    return [_logged(row) for row in access.connection.execute(query)]


def _logged(row: Any) -> Logged:  # noqa: ANN401 - a row of the driver
    plan, day, at, body = row
    return Logged(plan, day, at, json.loads(body))
