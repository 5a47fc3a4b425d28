"""A metric of one's own for the documentation, and what is asked of metrics over time."""

from __future__ import annotations

from typing import Any

METRIC = "/v1/metrics/largest-deal"
LARGEST: dict[str, Any] = {
    "names": {"ja": "最大受注", "en": "Largest deal"},
    "kind": "deal",
    "aggregation": "max",
    "value": "amount",
    "unit": "money",
    "time": "won_at",
    "where": [{"field": "status", "in": ["won"]}],
}
NARROWED = LARGEST | {
    "where": [*LARGEST["where"], {"field": "type", "in": ["new"], "default": "new"}],
    "reason": "new business only",
}
READS = (
    "/v1/metrics?limit=2",
    "/v1/metrics",
    METRIC,
    "/v1/metrics/calls",
    "/v1/metrics/calls/series?from=2026-12-01&to=2026-12-03&granularity=day&group_by=member",
    f"{METRIC}/series?window=1h&fill=zero",
    "/v1/metrics/revenue/series?window=mtd&granularity=week&time_zone=Asia/Kathmandu",
    "/v1/metrics/calls/series?window=qtd&group_by=team",
    "/v1/metrics/calls/series?window=28d&group_by=actor",
    "/v1/metrics/open_pipeline/series?window=7d",
    "/v1/metrics/calls/activities?from=2026-12-01&to=2026-12-02&member=sato&limit=2",
    "/v1/metrics/open_pipeline/activities?window=7d",
)
