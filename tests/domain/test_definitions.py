"""What people may define, and what is refused with the place that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.definitions import document_of, metric_of
from app.domain.errors import Invalid
from app.domain.metrics import Aggregation, Condition, Metric, Stock, UnitKind
from app.domain.presets import PRESETS

SIZE: dict[str, Any] = {
    "names": {"en": "Deal size", "ja": "案件規模"},
    "kind": "deal",
    "aggregation": "max",
    "where": [{"field": "status", "in": ["won", "lost"]}, {"field": "tier", "in": ["1"]}],
    "unless": [{"field": "type", "in": ["existing"], "default": "new"}],
    "value": "amount",
    "less": "discount",
    "time": "closed_at",
    "roles": ["sourced_by", "owner"],
    "unit": "money",
}


@pytest.mark.parametrize("key", PRESETS)
def test_every_preset_can_be_copied_as_a_document(key: str) -> None:
    assert metric_of(key, document_of(PRESETS[key])) == PRESETS[key]


def test_a_document_means_a_metric() -> None:
    assert metric_of("size", SIZE) == Metric(
        "size",
        {"en": "Deal size", "ja": "案件規模"},
        "deal",
        Aggregation.MAX,
        "closed_at",
        ("sourced_by", "owner"),
        UnitKind.MONEY,
        (
            Condition("status", frozenset({"won", "lost"})),
            Condition("tier", frozenset({"1"})),
        ),
        (Condition("type", frozenset({"existing"}), "new"),),
        "amount",
        "discount",
    )


def test_what_is_left_out_is_what_people_mean() -> None:
    short = metric_of(
        "m", {"names": {"ja": "会"}, "kind": "meeting", "aggregation": "count", "time": "starts_at"}
    )
    assert (short.roles, short.unit, short.decimals) == (
        ("booked_by", "organizer"),
        UnitKind.COUNT,
        0,
    )
    custom = metric_of(
        "m", {"names": {"ja": "訪"}, "kind": "visit", "aggregation": "count", "time": "at"}
    )
    assert custom.roles == ("actor",)


def test_a_stock_is_read_with_its_ways_out() -> None:
    stock = SIZE | {
        "aggregation": "sum",
        "time": "created_at",
        "stock": {"until": ["won_at"], "open_while": [{"field": "status", "in": ["open"]}]},
    }
    assert metric_of("s", stock).stock == Stock(
        ("won_at",), (Condition("status", frozenset({"open"})),)
    )


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"names": {}}, "/names", "no_name"),
        ({"kind": "Deal"}, "/kind", "not_a_kind"),
        ({"aggregation": "median"}, "/aggregation", "unknown_value"),
        ({"unit": "hours"}, "/unit", "unknown_value"),
        ({"time": "stage"}, "/time", "not_a_time_field"),
        ({"time": "expected_close_on"}, "/time", "not_a_time_field"),
        ({"time": "@kind"}, "/time", "not_a_field_name"),
        ({"value": "stage"}, "/value", "not_a_number_field"),
        ({"value": None}, "/value", "value_required"),
        ({"less": "stage"}, "/less", "not_a_number_field"),
        ({"roles": ["owner", "amount"]}, "/roles/1", "not_a_role"),
        ({"decimals": 2}, "/decimals", "decimals_of_money"),
        ({"unit": "ratio", "decimals": 7}, "/decimals", "out_of_range"),
        ({"where": [{"field": "status", "in": ["wonn"]}]}, "/where/0/in/0", "unknown_value"),
        ({"where": [{"field": "status", "in": []}]}, "/where/0/in", "empty_list"),
        (
            {"unless": [{"field": "type", "in": ["new"], "default": "old"}]},
            "/unless/0/default",
            "unknown_value",
        ),
        ({"stock": {"until": ["won_at"]}}, "/stock", "stock_not_additive"),
        ({"aggregation": "sum", "stock": {"until": []}}, "/stock/until", "empty_list"),
        (
            {"aggregation": "sum", "stock": {"until": ["stage"]}},
            "/stock/until/0",
            "not_a_time_field",
        ),
        ({"aggregation": "unique", "less": None}, "/unit", "unit_is_count"),
        ({"aggregation": "unique", "unit": "count"}, "/less", "value_not_used"),
        ({"aggregation": "count", "unit": "count", "less": None}, "/value", "value_not_used"),
    ],
)
def test_what_would_count_nothing_or_nonsense_is_refused_where_it_stands(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        metric_of("size", SIZE | changes)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]
