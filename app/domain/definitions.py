"""A metric as a document: what people write to define one, and how the presets read.

Whoever misspells a field gets a metric that counts nothing, for ever and in silence. So whatever
a well-known kind knows of its fields is asked here; fields that a sender adds are taken as named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.activities import JsonValue
from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.holders import Holder
from app.domain.kinds import FieldType, Kind, field_type, kind_of
from app.domain.metrics import (
    Aggregation,
    Condition,
    Credit,
    Metric,
    Stock,
    UnitKind,
)
from app.domain.quantities import FRACTION_DIGITS

LANGUAGES = ("en", "ja")
MAX_FIELD = 255
_STOCKED = frozenset({Aggregation.COUNT, Aggregation.SUM})


def metric_of(key: str, document: Mapping[str, object]) -> Metric:
    """The metric that a document means.

    Raises Invalid: no_name, not_a_kind, unknown_value (an aggregation, a unit, whom it credits, a
    value that the field never holds), not_a_field_name, not_a_time_field, not_a_number_field,
    not_a_role, not_comparable, value_required, value_not_used, unit_is_count, decimals_of_money,
    out_of_range, stock_not_additive, empty_list.
    """
    reader = _Reader(Node(document))
    aggregation, unit = reader.aggregation(), reader.unit()
    reader.check_unit(aggregation, unit)
    return Metric(
        key,
        reader.names(),
        reader.kind.name,
        aggregation,
        reader.time(reader.node.at("time")),
        reader.roles(),
        unit,
        reader.conditions(reader.node.at("where")),
        reader.conditions(reader.node.at("unless")),
        reader.value(aggregation),
        reader.less(aggregation),
        reader.decimals(unit),
        reader.stock(aggregation),
        reader.credit(),
        reader.holder(),
    )


class _Reader:
    """Reads the parts of a definition of one kind."""

    def __init__(self, node: Node) -> None:
        self.node = node
        kind = node.at("kind")
        try:
            self.kind: Kind = kind_of(kind.text())
        except Invalid:
            raise kind.refused("not_a_kind") from None

    def names(self) -> dict[str, str]:
        node = self.node.at("names")
        names = {name: node.at(name).text() for name in LANGUAGES if node.at(name).given}
        if not names:
            raise node.refused("no_name")
        return names

    def aggregation(self) -> Aggregation:
        return Aggregation(_choice(self.node.at("aggregation"), Aggregation))

    def unit(self) -> UnitKind:
        node = self.node.at("unit")
        return UnitKind(_choice(node, UnitKind)) if node.given else UnitKind.COUNT

    def check_unit(self, aggregation: Aggregation, unit: UnitKind) -> None:
        """How many activities or values there are is a count, whatever they are values of."""
        if aggregation in {Aggregation.COUNT, Aggregation.UNIQUE} and unit is not UnitKind.COUNT:
            raise self.node.at("unit").refused("unit_is_count", aggregation=aggregation.value)

    def decimals(self, unit: UnitKind) -> int:
        node = self.node.at("decimals")
        if not node.given:
            return 0
        if not 0 <= node.integer() <= FRACTION_DIGITS:
            raise node.refused("out_of_range", low=0, high=FRACTION_DIGITS)
        if unit is UnitKind.MONEY and node.integer():
            raise node.refused("decimals_of_money")
        return node.integer()

    def time(self, node: Node) -> str:
        return self._typed(node, FieldType.TIME, "not_a_time_field")

    def roles(self) -> tuple[str, ...]:
        """The fields that say whose it is; left out, those that a bare actor fills."""
        node = self.node.at("roles")
        if not node.given:
            return self.kind.actor_roles
        return gathered(
            node.items(), lambda role: self._typed(role, FieldType.IDENTITY, "not_a_role")
        )

    def value(self, aggregation: Aggregation) -> str | None:
        node = self.node.at("value")
        if aggregation is Aggregation.COUNT:
            if node.given:
                raise node.refused("value_not_used", aggregation=aggregation.value)
            return None
        if not node.given:
            raise node.refused("value_required", aggregation=aggregation.value)
        if aggregation is Aggregation.UNIQUE:
            return self._compared(node)
        return self._typed(node, FieldType.NUMBER, "not_a_number_field")

    def less(self, aggregation: Aggregation) -> str | None:
        node = self.node.at("less")
        if not node.given:
            return None
        if aggregation in {Aggregation.COUNT, Aggregation.UNIQUE}:
            raise node.refused("value_not_used", aggregation=aggregation.value)
        return self._typed(node, FieldType.NUMBER, "not_a_number_field")

    def conditions(self, node: Node) -> tuple[Condition, ...]:
        return gathered(node.items(), self._condition)

    def stock(self, aggregation: Aggregation) -> Stock | None:
        node = self.node.at("stock")
        if not node.given:
            return None
        if aggregation not in _STOCKED:
            raise node.refused("stock_not_additive", aggregation=aggregation.value)
        until = gathered(_some(node.at("until")), self.time)
        return Stock(until, self.conditions(node.at("open_while")))

    def credit(self) -> Credit:
        node = self.node.at("credit")
        return Credit(_choice(node, Credit)) if node.given else Credit.ROLE

    def holder(self) -> Holder:
        node = self.node.at("holder")
        return Holder(_choice(node, Holder)) if node.given else Holder.CURRENT

    def _condition(self, node: Node) -> Condition:
        name = self._compared(node.at("field"))
        default = node.at("default")
        return Condition(
            name,
            frozenset(gathered(_some(node.at("in")), lambda one: self._held(name, one))),
            self._held(name, default) if default.given else None,
        )

    def _compared(self, node: Node) -> str:
        """A field whose value is told from others; a list equals nothing."""
        name = _field(node)
        if field_type(self.kind, name) in {FieldType.CREDITS, FieldType.ORIGIN}:
            raise node.refused("not_comparable", field=name)
        return name

    def _held(self, name: str, node: Node) -> str:
        """A value that the field may hold."""
        text = node.text()
        if field_type(self.kind, name) is FieldType.CHOICE:
            try:
                self.kind.readers[name](text, 0)
            except Invalid as error:
                raise node.refused(error.code, **error.params) from None
        return text

    def _typed(self, node: Node, wanted: FieldType, code: str) -> str:
        name = _field(node)
        if field_type(self.kind, name) not in {wanted, None}:
            raise node.refused(code, kind=self.kind.name, field=name)
        return name


def _choice(node: Node, allowed: Iterable[str]) -> str:
    text = node.text()
    if text not in set(allowed):
        raise node.refused("unknown_value", allowed=", ".join(allowed))
    return text


def _field(node: Node) -> str:
    """The name of a field; those with @ are our own and say nothing to a sender."""
    text = node.text()
    if text.startswith("@") or len(text) > MAX_FIELD:
        raise node.refused("not_a_field_name")
    return text


def _some(node: Node) -> list[Node]:
    items = node.items()
    if not items:
        raise node.refused("empty_list")
    return items


def document_of(metric: Metric) -> dict[str, Any]:
    """The document that means a metric: the inverse of `metric_of`, without what says nothing."""
    document: dict[str, JsonValue] = {
        "names": dict(metric.names),
        "kind": metric.kind,
        "aggregation": metric.aggregation.value,
        "where": _written(metric.where),
        "unless": _written(metric.unless),
        "value": metric.value,
        "less": metric.less,
        "time": metric.time,
        "roles": list(metric.roles),
        "unit": metric.unit.value,
        "decimals": metric.decimals,
        "credit": metric.credit.value,
        "holder": metric.holder.value,
    }
    if metric.stock:
        document["stock"] = {
            "until": list(metric.stock.until),
            "open_while": _written(metric.stock.open_while),
        }
    return {name: value for name, value in document.items() if value is not None}


def _written(conditions: Iterable[Condition]) -> list[JsonValue]:
    written: list[JsonValue] = []
    for condition in conditions:
        names: list[JsonValue] = [*sorted(condition.values)]
        entry: dict[str, JsonValue] = {"field": condition.field, "in": names}
        if condition.default is not None:
            entry["default"] = condition.default
        written.append(entry)
    return written
