"""The metrics that every workspace has, over the well-known kinds. They do not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.metrics import Aggregation, Condition, Metric, Stock, UnitKind


def _only(**allowed: str) -> tuple[Condition, ...]:
    return tuple(Condition(name, frozenset({value})) for name, value in allowed.items())


_COUNT, _SUM = Aggregation.COUNT, Aggregation.SUM
_CALL: dict[str, Any] = {"kind": "call", "time": "started_at", "roles": ("agent",)}
_NEW = Condition("type", frozenset({"new"}), default="new")
_BOOKERS = ("booked_by", "organizer")


def _preset(key: str, ja: str, en: str, aggregation: Aggregation, **rest: Any) -> Metric:  # noqa: ANN401 - the dataclass checks them
    return Metric(key=key, names={"ja": ja, "en": en}, aggregation=aggregation, **rest)


_PRESETS = (
    _preset("calls", "架電", "Calls", _COUNT, **_CALL, where=_only(direction="outbound")),
    _preset(
        "connected_calls",
        "通電",
        "Connected calls",
        _COUNT,
        **_CALL,
        where=_only(direction="outbound", outcome="connected"),
    ),
    _preset(
        "talk_time",
        "通話時間",
        "Talk time",
        _SUM,
        **_CALL,
        unit=UnitKind.DURATION,
        value="talk_seconds",
    ),
    _preset(
        "inbound_calls", "受電", "Inbound calls", _COUNT, **_CALL, where=_only(direction="inbound")
    ),
    _preset(
        "appointments",
        "アポ",
        "Appointments",
        _COUNT,
        kind="meeting",
        time="booked_at",
        roles=_BOOKERS,
    ),
    _preset(
        "appointments_kept",
        "有効アポ",
        "Appointments kept",
        _COUNT,
        kind="meeting",
        time="booked_at",
        roles=_BOOKERS,
        unless=_only(status="canceled"),
    ),
    _preset(
        "meetings_held",
        "商談実施",
        "Meetings held",
        _COUNT,
        kind="meeting",
        time="starts_at",
        roles=("organizer",),
        where=_only(status="held"),
    ),
    _preset("leads", "リード", "Leads", _COUNT, kind="lead", time="created_at", roles=("owner",)),
    _preset(
        "deals_created",
        "案件",
        "Deals created",
        _COUNT,
        kind="deal",
        time="created_at",
        roles=("owner",),
        where=(_NEW,),
    ),
    _preset(
        "deals_won",
        "受注",
        "Deals won",
        _COUNT,
        kind="deal",
        time="won_at",
        roles=("owner",),
        where=_only(status="won"),
    ),
    _preset(
        "revenue",
        "売上",
        "Revenue",
        _SUM,
        kind="deal",
        time="won_at",
        roles=("owner",),
        where=_only(status="won"),
        unit=UnitKind.MONEY,
        value="amount",
    ),
    _preset(
        "open_pipeline",
        "見込",
        "Open pipeline",
        _SUM,
        kind="deal",
        time="created_at",
        roles=("owner",),
        unless=_only(status="deleted"),
        unit=UnitKind.MONEY,
        value="amount",
        stock=Stock(("won_at", "closed_at"), _only(status="open")),
    ),
    _preset(
        "cash_in",
        "入金",
        "Cash in",
        _SUM,
        kind="payment",
        time="paid_at",
        roles=("owner",),
        unit=UnitKind.MONEY,
        value="amount",
        less="refunded_amount",
    ),
)
PRESETS: Mapping[str, Metric] = {metric.key: metric for metric in _PRESETS}
