"""A metric is a measure over activities: kind, filter, aggregation, value, time field, role.

One definition serves every window and every face. `contribution` is the whole of counting: what
one state adds to one metric. The tallies only ever move by the contribution of the new state
minus that of the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

from app.domain.activities import JsonValue, State
from app.domain.instants import instant
from app.domain.quantities import minor_digits, scaled, unscaled


class Aggregation(StrEnum):
    """How activities become one number. All of these are additive in (number, total)."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"


class UnitKind(StrEnum):
    """What a number is a number of."""

    COUNT = "count"
    MONEY = "money"
    DURATION = "duration"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a quantity; money has a currency."""

    kind: UnitKind
    currency: str | None = None

    @property
    def decimals(self) -> int:
        """Digits in which a target is shown: the currency's minor unit, else whole numbers."""
        return minor_digits(self.currency) if self.currency else 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A field is one of these values; an absent field counts as `default`."""

    field: str
    values: frozenset[str]
    default: str | None = None

    def holds(self, fields: Mapping[str, JsonValue]) -> bool:
        """Whether the state's field satisfies it."""
        value = fields.get(self.field)
        return (self.default if value is None else value) in self.values


@dataclass(frozen=True, slots=True)
class Metric:
    """A definition. `less` is a field subtracted from `value`; `roles` are tried in order."""

    key: str
    names: Mapping[str, str]
    kind: str
    aggregation: Aggregation
    time: str
    roles: tuple[str, ...]
    unit: UnitKind = UnitKind.COUNT
    where: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    value: str | None = None
    less: str | None = None
    decimals: int = 0

    def scale(self, currency: str) -> int:
        """Decimal digits of this metric's sums: money in the currency's minor unit."""
        return minor_digits(currency) if self.unit is UnitKind.MONEY else self.decimals

    def unit_in(self, currency: str) -> Unit:
        """The metric's unit in a workspace of that currency."""
        return Unit(self.unit, currency if self.unit is UnitKind.MONEY else None)

    def reading(self, number: int, total: int, currency: str) -> Fraction | None:
        """The metric's value from an additive (number, total); None for the average of nothing."""
        match self.aggregation:
            case Aggregation.COUNT:
                return Fraction(number)
            case Aggregation.SUM:
                return unscaled(total, self.scale(currency))
            case Aggregation.AVERAGE:  # pragma: no branch - the last of the enum
                return unscaled(total, self.scale(currency)) / number if number else None


class Contribution(NamedTuple):
    """What one state adds to one metric. `currency` is "" unless money; "" identity = nobody."""

    currency: str
    at: int
    identity: str
    number: int
    total: int


class Uncounted(NamedTuple):
    """Why a state that the metric is about adds nothing, though its filter holds."""

    code: str
    field: str


def contribution(metric: Metric, state: State, currency: str) -> Contribution | Uncounted | None:
    """What a state adds to a metric; None when the metric is not about it.

    `currency` is the workspace's, for amounts that name none. Raises Invalid
    `amount_does_not_fit` when an amount cannot be held exactly, so that it can be refused.
    """
    fields = state.fields
    if state.kind != metric.kind or state.retracted or not _concerns(metric, fields):
        return None
    moment = fields.get(metric.time)
    if not isinstance(moment, str):
        return Uncounted("no_time", metric.time)
    named = str(fields.get("currency") or currency) if metric.unit is UnitKind.MONEY else ""
    total = _total(metric, fields, named)
    if total is None:
        return Uncounted("no_value", str(metric.value))
    return Contribution(named, instant(moment), _credited(metric, fields), 1, total)


def _concerns(metric: Metric, fields: Mapping[str, JsonValue]) -> bool:
    # Plain loops: this runs for every metric of every event, and generators doubled its time.
    for condition in metric.where:
        if not condition.holds(fields):
            return False
    for condition in metric.unless:  # noqa: SIM110 - see above
        if condition.holds(fields):
            return False
    return True


def _total(metric: Metric, fields: Mapping[str, JsonValue], currency: str) -> int | None:
    if metric.value is None:
        return 0
    value = fields.get(metric.value)
    if value is None:
        return None
    scale = metric.scale(currency)
    less = fields.get(metric.less) if metric.less else None
    return scaled(str(value), scale) - (scaled(str(less), scale) if less is not None else 0)


def _credited(metric: Metric, fields: Mapping[str, JsonValue]) -> str:
    for role in metric.roles:
        if named := fields.get(role):
            return str(named)
    return ""


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
