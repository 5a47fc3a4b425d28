"""Metrics of one's own, of every aggregation, and how tests define and read them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from app.domain.definitions import metric_of
from app.domain.errors import Invalid
from app.domain.instants import QUARTER
from app.domain.quantities import Quantity
from app.store import building, documents
from app.store.actors import all_actors
from app.store.engine import Store
from app.store.journal import Knowing
from app.store.series import Tallied, Values
from tests.store.own_recount import Document
from tests.store.worlds import NOW, W

_DEAL: Document = {
    "names": {"en": "M"},
    "kind": "deal",
    "time": "created_at",
    "roles": ["owner"],
}
_MONEY: Document = _DEAL | {"value": "amount", "unit": "money"}
_SHARED: Document = {"credit": "shared"}
_NEW = {"field": "type", "in": ["new"], "default": "new"}
DEFINITIONS: dict[str, Document] = {
    "m_count": _DEAL | {"aggregation": "count", "where": [_NEW]},
    "m_sum": _MONEY | {"aggregation": "sum", "time": "won_at", "roles": []},
    "m_average": _MONEY | {"aggregation": "average"},
    "m_unique": _DEAL | {"aggregation": "unique", "value": "stage", "decimals": 0},
    "m_min": _MONEY | {"aggregation": "min", "roles": ["sourced_by", "owner"]},
    "m_max": _MONEY | {"aggregation": "max", "unless": [{"field": "status", "in": ["lost"]}]},
    "m_latest": _MONEY | {"aggregation": "latest"},
    "m_talk": {
        "names": {"ja": "最長"},
        "kind": "call",
        "aggregation": "max",
        "value": "talk_seconds",
        "time": "started_at",
        "roles": ["agent"],
        "unit": "duration",
        "decimals": 1,
    },
    "m_stock": _MONEY
    | {
        "aggregation": "sum",
        "unless": [{"field": "status", "in": ["deleted"]}],
        "stock": {
            "until": ["won_at", "closed_at"],
            "open_while": [{"field": "status", "in": ["open"]}],
        },
    },
    "m_open": _DEAL
    | {
        "aggregation": "count",
        "stock": {"until": ["won_at"], "open_while": [{"field": "status", "in": ["open"]}]},
    },
}
DEFINITIONS |= {
    "s_count": DEFINITIONS["m_count"] | _SHARED,
    "s_sum": DEFINITIONS["m_sum"] | _SHARED | {"roles": ["owner"]},
    "s_average": DEFINITIONS["m_average"] | _SHARED,
    "s_unique": DEFINITIONS["m_unique"] | _SHARED,
    "s_min": DEFINITIONS["m_min"] | _SHARED,
    "s_latest": DEFINITIONS["m_latest"] | _SHARED,
    "s_stock": DEFINITIONS["m_stock"] | _SHARED,
}
_STAYS: Document = {"holder": "at_time"}
_WON: Document = {"time": "won_at", "where": [{"field": "status", "in": ["won"]}]}
DEFINITIONS |= {
    "h_count": _DEAL | {"aggregation": "count"} | _WON | _STAYS,
    "h_sum": _MONEY | {"aggregation": "sum"} | _WON | _STAYS,
    "h_latest": DEFINITIONS["m_latest"] | _STAYS,
    "h_shared": DEFINITIONS["s_sum"] | _WON | _STAYS,
    "h_stock": DEFINITIONS["m_stock"] | _STAYS,
}


def redefine(store: Store, key: str, document: Document | None, now: int = NOW) -> None:
    """Define a metric, change it, or take it out of use; nobody has counted it yet."""
    with store.write(W, now) as writing:
        before = documents.get(writing, W, "metric", key)
        if document is None:
            building.end(writing, documents.archive(writing, "metric", key, author="test"))
        else:
            put = documents.put(writing, "metric", key, document, author="test")
            building.begin(writing, put, before)


def built(store: Store, now: int = NOW) -> None:
    """Take all steps that are left. Raises what the last definition was given up for."""
    why: Invalid | None = None
    while (stepped := building.step(store, W, now)).left:
        why = stepped.refused[1] if stepped.refused else why
    if why is not None:
        raise why


def define(store: Store, key: str, document: Document | None, now: int = NOW) -> None:
    """The same, until everything is counted by it."""
    redefine(store, key, document, now)
    built(store, now)


def read(
    store: Store,
    key: str,
    document: Document,
    currency: str,
    start: int,
    end: int,
    known: Knowing | None = None,
) -> dict[tuple[str, str] | None, tuple[Quantity, Fraction | None]]:
    """Number and value of each actor (source and identity), and of everybody under None.

    known: as of then; None: as it stands
    """
    metric = metric_of(key, document)
    found: dict[Any, tuple[Quantity, Fraction | None]] = {}
    with store.read() as reading:
        names = {
            number: f"{who.source}\0{who.identity}"
            for number, who in all_actors(reading, W).items()
        }
        tallied = Tallied(reading, W, key, currency, known)
        first = 0 if "stock" in document else start
        ranges = [(0, first // QUARTER, end // QUARTER)]
        for by_actor in (True, False):
            texts: dict[int, list[str]] = {}
            for which in Values:
                for _, actor, text in tallied.values(ranges, which, by_actor=by_actor):
                    texts.setdefault(actor, []).append(text)
            for _, actor, number, total in tallied.quarters(ranges, by_actor=by_actor):
                own = texts.get(actor, [])
                among: Any = {
                    "unique": len(set(own)),
                    "min": min(own, default=""),
                }.get(document["aggregation"], max(own, default=""))
                who = tuple(names[actor].split("\0")) if by_actor else None
                if number:
                    found[who] = (
                        metric.counted(number),
                        metric.reading(number, total, currency, among),
                    )
    return found
