"""The activities behind a number as JSON: what each adds is written as the number itself is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from fractions import Fraction
from typing import Any

from app.domain.attribution import Amount, Standing
from app.domain.explanation import Item, Whose
from app.domain.instants import QUARTER, moment_of
from app.domain.metrics import Metric, Unit
from app.domain.quantities import Quantity, tallied, written
from app.views.progress_json import optional

Json = dict[str, Any]

_WORDS = {
    Standing.IN_PLAN: "in_plan",
    Standing.OUTSIDE: "outside_plan",
    Standing.UNASSIGNED: "unassigned",
}


def item_document(item: Item, zone: tzinfo) -> Json:
    """One activity, whose it is, and what it adds."""
    standing = {} if item.standing is None else {"in": _WORDS[item.standing]}
    return {
        "source": item.source,
        "key": item.key,
        "kind": item.kind,
        "at": moment_of(item.at, zone).isoformat(),
        **_whose(item.whose),
        **standing,
        "contribution": _contribution(item),
    }


def cell_document(
    at: int, whose: Whose, currency: str, moved: tuple[Quantity, Fraction], zone: tzinfo
) -> Json:
    """A cell of the tallies, and by how much an activity moved it."""
    local = moment_of(at, zone)
    number, total = moved
    return {
        "at": local.isoformat(),
        "quarter": moment_of(at // QUARTER * QUARTER, zone).isoformat(),
        "day": local.date().isoformat(),
        **_whose(whose),
        "number": tallied(number),
        "total": written(total),
        **({"currency": currency} if currency else {}),
    }


def _whose(whose: Whose) -> Json:
    return {"actor": whose.identity or None, "member": whose.member, "team": whose.team}


def _contribution(item: Item) -> Json:
    currency = {"currency": item.currency} if item.currency else {}
    value = {"value": optional(item.value)} if item.text is None else {"text": item.text}
    return {"count": tallied(item.count), **value, **currency}


def totals_document(metric: Metric, totals: Mapping[str, Amount], own: Unit) -> list[Json]:
    """The whole number by currency; of nothing it is 0."""
    shown = totals or {own.currency or "": Amount(0, 0)}
    return [
        {
            "count": tallied(metric.counted(amount.number)),
            "value": optional(metric.reading(*amount, currency)),
            **({"currency": currency} if currency else {}),
        }
        for currency, amount in shown.items()
    ]


def unit_document(unit: Unit) -> Json:
    """What the values are values of."""
    currency = {"currency": unit.currency} if unit.currency else {}
    return {"kind": unit.kind.value, **currency}


def items_document(items: Iterable[Item], zone: tzinfo) -> list[Json]:
    """Some activities in order."""
    return [item_document(item, zone) for item in items]
