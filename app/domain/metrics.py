"""A metric is a measure over activities: kind, filter, aggregation, value, time field, role.

One definition serves every window and every face. `contribution` is the whole of counting: what
one state adds to one metric. The tallies only ever move by the contribution of the new state
minus that of the old one. A stock is a metric whose contribution is taken back when it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.domain.activities import KIND, RETRACTED, JsonValue, State
from app.domain.credits import CREDITS, LONGEST_IDENTITY, MILLION, shares
from app.domain.errors import Invalid
from app.domain.holders import Holder, held
from app.domain.instants import FLOOR, instant
from app.domain.quantities import (
    LARGEST_SCALED,
    Quantity,
    fitting,
    minor_digits,
    scaled,
    unscaled,
)
from app.domain.values import distinct, number_of, sorted_latest, sorted_number


class Aggregation(StrEnum):
    """How activities become one number.

    The first three follow from (number, total), which add up. The others need the values
    themselves, as a multiset.
    """

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    UNIQUE = "unique"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"


MULTISETS = frozenset({Aggregation.UNIQUE, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST})


class Credit(StrEnum):
    """Whom an activity that several people did is counted for.

    ROLE: whole, for whom the first role names. SHARED: for everybody in its `credits`, by their
    shares; one without `credits` whole, for the role.
    """

    ROLE = "role"
    SHARED = "shared"


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
        if isinstance(value, str):
            return value in self.values
        return (self.default if value is None else _plain(value)) in self.values


def _plain(value: JsonValue) -> str | None:
    """A number or truth value of a custom field as a condition names it; lists equal nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


@dataclass(frozen=True, slots=True)
class Stock:
    """How what came at the metric's time leaves: at the first field of `until` that is there.

    It stands open while all of `open_while` hold, whatever those fields say; without any, while
    no field of `until` is there.
    """

    until: tuple[str, ...]
    open_while: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """A definition. `less` is a field subtracted from `value`; `roles` are tried in order.

    Numbers and totals are tallied as integers: where credit is shared in millionths, so that no
    division leaves a remainder; `counted` and `summed` say what they mean.
    """

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
    stock: Stock | None = None
    credit: Credit = Credit.ROLE
    holder: Holder = Holder.CURRENT

    @property
    def additive(self) -> bool:
        """Whether what people did in parts of a period adds up to the whole."""
        return self.stock is None and self.aggregation in {Aggregation.COUNT, Aggregation.SUM}

    def scale(self, currency: str) -> int:
        """Decimal digits of this metric's sums: money in the currency's minor unit."""
        return minor_digits(currency) if self.unit is UnitKind.MONEY else self.decimals

    def unit_in(self, currency: str) -> Unit:
        """The metric's unit in a workspace of that currency."""
        return Unit(self.unit, currency if self.unit is UnitKind.MONEY else None)

    def counted(self, number: int) -> Quantity:
        """How many activities a tallied number means; no integer where credit is shared."""
        return number if self.credit is Credit.ROLE else Fraction(number, MILLION)

    def summed(self, total: int, currency: str) -> Fraction:
        """What a tallied total means."""
        value = unscaled(total, self.scale(currency))
        return value if self.credit is Credit.ROLE else value / MILLION

    def reading(
        self, number: int, total: int, currency: str, among: str | int = 0
    ) -> Fraction | None:
        """The metric's value; None for the average or extreme of nothing.

        number, total: how many activities, and their sum, both as they are tallied
        among: of a multiset, how many values differ, or the text of the one that is asked for
        """
        match self.aggregation:
            case Aggregation.COUNT:
                return Fraction(self.counted(number))
            case Aggregation.SUM:
                return self.summed(total, currency)
            case Aggregation.AVERAGE:
                return self.summed(total, currency) / self.counted(number) if number else None
            case Aggregation.UNIQUE:
                return Fraction(among)
            case _:
                text = str(among)
                return unscaled(number_of(text), self.scale(currency)) if number else None


class Contribution(NamedTuple):
    """What one state adds to one metric. `currency` is "" unless money; "" identity = nobody.

    value: the text that enters the metric's multiset, if it has one
    until: when a stock leaves again; None while it stands open
    """

    currency: str
    at: int
    identity: str
    number: int
    total: int
    value: str | None = None
    until: int | None = None


class Uncounted(NamedTuple):
    """Why a state that the metric is about adds nothing, though its filter holds."""

    code: str
    field: str


def contributions(
    metric: Metric, state: State, currency: str, earlier: Sequence[State] = ()
) -> tuple[Contribution, ...] | Uncounted | None:
    """What a state adds to a metric as it is tallied, one for each person who is credited.

    earlier: what the activity was before, as its `story` has it

    A multiset is not divided: whoever has a share in an activity has its value. Otherwise as
    `contribution`, and where credit is shared Invalid also for credits that nobody can read.
    """
    whole = contribution(metric, state, currency)
    if not isinstance(whole, Contribution):
        return whole
    fields = state.fields
    if earlier and metric.holder is Holder.AT_TIME:
        then = held(state, earlier, metric.time, whole.at, lambda one: _is_about(metric, one))
        fields = then.fields
        whole = whole._replace(identity=_credited(metric, fields))
    return (whole,) if metric.credit is Credit.ROLE else _divided(whole, fields)


def _divided(whole: Contribution, fields: Mapping[str, JsonValue]) -> tuple[Contribution, ...]:
    """Every person's part of a contribution, in millionths."""
    if abs(whole.total) * MILLION > LARGEST_SCALED:
        raise Invalid("share_does_not_fit")
    credited = fields.get(CREDITS)
    named = ((whole.identity, MILLION),) if credited is None else shares(credited, str)
    return tuple(
        whole._replace(identity=who, number=part, total=whole.total * part) for who, part in named
    )


def contribution(metric: Metric, state: State, currency: str) -> Contribution | Uncounted | None:
    """What a state adds to a metric, undivided; None when the metric is not about it.

    `currency` is the workspace's, for amounts that name none. Raises Invalid where a field holds
    what cannot be counted exactly: amount_does_not_fit, and in fields that no kind types
    not_a_decimal, not_a_time, time_without_offset, time_before_1980, not_a_currency.
    """
    fields = state.fields
    if not _is_about(metric, state):
        return None
    moment = fields.get(metric.time)
    if not isinstance(moment, str):
        return Uncounted("no_time", metric.time)
    at = _counted_from(moment)
    if metric.value is None and metric.stock is None and metric.unit is not UnitKind.MONEY:
        # Plain counting, which most metrics of most events are.
        return Contribution("", at, _credited(metric, fields), 1, 0)
    named = _currency(fields.get("currency") or currency) if metric.unit is UnitKind.MONEY else ""
    measured = _measured(metric, state, at, named)
    if measured is None:
        return Uncounted("no_value", str(metric.value))
    until = _left(metric.stock, fields, at) if metric.stock else None
    if isinstance(until, Uncounted):
        return until
    return Contribution(named, at, _credited(metric, fields), 1, *measured, until)


@lru_cache(maxsize=4096)  # every metric of an activity reads the same few times
def _counted_from(moment: str) -> int:
    at = instant(moment)
    if at < FLOOR:
        raise Invalid("time_before_1980")
    return at


def _currency(named: JsonValue) -> str:
    if isinstance(named, str) and len(named) == len("JPY") and named.isascii() and named.isupper():
        return named
    raise Invalid("not_a_currency")


def _is_about(metric: Metric, state: State) -> bool:
    """Whether the activity is of the metric's kind and stands, and the metric's conditions hold."""
    fields = state.fields
    if fields[KIND] != metric.kind or fields.get(RETRACTED) is True:
        return False
    # Plain loops: this runs for every metric of every event, and generators doubled its time.
    for condition in metric.where:
        value = fields.get(condition.field)
        if isinstance(value, str):
            if value not in condition.values:
                return False
        elif not condition.holds(fields):
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
    if type(value) is int and less is None and not scale:  # seconds, as most sums of most events
        return fitting(value, 0)
    return scaled(str(value), scale) - (scaled(str(less), scale) if less is not None else 0)


def _measured(
    metric: Metric, state: State, at: int, currency: str
) -> tuple[int, str | None] | None:
    """What is added up and what enters the multiset; None where there is no value."""
    if metric.aggregation is Aggregation.UNIQUE:
        text = _plain(state.fields.get(str(metric.value)))
        return None if text is None else (0, distinct(text))
    total = _total(metric, state.fields, currency)
    if total is None or metric.aggregation not in MULTISETS:
        return None if total is None else (total, None)
    if metric.aggregation is Aggregation.LATEST:
        stamp = state.stamps.get(str(metric.value), state.base)
        return 0, sorted_latest(at, stamp, total)
    return 0, sorted_number(total)


def _left(stock: Stock, fields: Mapping[str, JsonValue], at: int) -> int | Uncounted | None:
    """When a stock leaves, never before it came; None while it stands open."""
    if stock.open_while and all(condition.holds(fields) for condition in stock.open_while):
        return None
    for name in stock.until:
        moment = fields.get(name)
        if isinstance(moment, str):
            return max(_counted_from(moment), at)
    return Uncounted("no_time", stock.until[-1]) if stock.open_while else None


def _credited(metric: Metric, fields: Mapping[str, JsonValue]) -> str:
    for role in metric.roles:
        named = fields.get(role)
        if named and isinstance(named, str) and len(named) <= LONGEST_IDENTITY:
            return named
    return ""
