"""A mapping document: which column of a table is which field of an activity or a person.

The document is TOML or JSON with `[source]`, `[activity]` and `[fields]`. A value comes from a
column or is a constant; what the column holds is read by its `type`, then by its `map`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.kinds import kind_of, name
from app.domain.quantities import INT64

Constant = str | int | bool
MEMBER, TEAM = "member", "team"
# What can be said of a person; identities are what the source calls them.
IDENTITIES = ("id", "email", "extension", "phone")
PEOPLE: Mapping[str, frozenset[str]] = {
    MEMBER: frozenset({"name", "team", "capacity", *IDENTITIES}),
    TEAM: frozenset({"name", "parent"}),
}


class CellType(StrEnum):
    """How the text of a cell is read.

    A `date` with a zone becomes the noon of that day there, because noon is on the same day in
    nearly every zone and on no day falls into a change of the clocks; without a zone it stays a
    date. A `time` without an offset needs the zone; of an hour that comes twice it is the first.
    """

    TEXT = "text"
    DATE = "date"
    TIME = "time"
    DECIMAL = "decimal"
    INTEGER = "integer"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value comes from.

    column: None for a constant
    words: what texts of the column stand for; one that is not in it stands for itself
    when: the texts that other columns must hold, else there is no value
    """

    column: str | None
    constant: Constant | None = None
    type: CellType = CellType.TEXT
    zone: ZoneInfo | None = None
    words: Mapping[str, Constant] = field(default_factory=dict)
    when: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowMapping:
    """What the rows of a table mean. `name` is that of the source, should it have to be made.

    changes: how often the source's own mapping was changed; what is read by a later one stands
    """

    source: str
    name: str
    provider: str
    kind: Cell
    key: Cell
    revision: Cell | None
    actor: Cell | None
    fields: Mapping[str, Cell]
    changes: int = 0

    @property
    def people(self) -> str | None:
        """`member` or `team` where rows are people rather than activities."""
        kind = self.kind.constant
        return kind if isinstance(kind, str) and kind in PEOPLE else None

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds that rows can have; None where the column alone knows."""
        if self.kind.constant is not None:
            return (str(self.kind.constant),)
        return tuple(sorted({str(word) for word in self.kind.words.values()})) or None


def mapping_of(document: object) -> RowMapping:
    """The mapping that a document means.

    Raises Invalid with pointers: required, unknown_field, unknown_value, not_a_kind, unknown_zone,
    column_or_constant, number_out_of_range, and what a text that is no text raises.
    """
    node = Node(document)
    source, activity, fields = (_table(node, part) for part in ("source", "activity", "fields"))
    _only(node, "source", "activity", "fields")
    _only(source, "key", "provider", "name")
    _only(activity, "kind", "key", "revision", "actor")
    key = _named(source.at("key"))
    found = RowMapping(
        source=key,
        name=source.at("name").text() if source.at("name").given else key,
        provider=source.at("provider").text() if source.at("provider").given else "csv",
        kind=_kind(activity.at("kind")),
        key=_cell(_required(activity.at("key"))),
        revision=_optional(activity.at("revision")),
        actor=_optional(activity.at("actor")),
        fields=_fields(fields),
    )
    if found.provider != "csv":
        raise source.at("provider").refused("unknown_value", allowed="csv")
    _check_people(found, activity, fields)
    return found


def _fields(node: Node) -> dict[str, Cell]:
    assert isinstance(node.value, dict)  # noqa: S101 - a table, as checked
    cells = gathered(map(node.at, node.value), _cell)
    return dict(zip(node.value, cells, strict=True))


def _check_people(found: RowMapping, activity: Node, fields: Node) -> None:
    if found.people is None:
        return
    for part in ("revision", "actor"):
        if activity.at(part).given:
            raise activity.at(part).refused("unknown_field")
    for label in found.fields.keys() - PEOPLE[found.people]:
        raise fields.at(label).refused("unknown_field")


def _kind(node: Node) -> Cell:
    """A text is the kind itself: most files hold one kind, and no column that says so."""
    value = _required(node).value
    if isinstance(value, str):
        return Cell(None, _checked_kind(node))
    cell = _cell(node)
    for place in (node.at("constant"), *map(node.at("map").at, cell.words)):
        if place.given:
            _checked_kind(place)
    return cell


def _checked_kind(node: Node) -> str:
    try:
        return kind_of(node.text()).name
    except Invalid as error:
        raise node.refused(error.code) from None


def _optional(node: Node) -> Cell | None:
    return _cell(node) if node.given else None


def _cell(node: Node) -> Cell:
    """A text is the name of a column; a table says more."""
    if isinstance(node.value, str):
        return Cell(node.text())
    _only(node, "column", "constant", "type", "zone", "map", "when")
    column, constant = node.at("column"), node.at("constant")
    if column.given is constant.given:
        raise node.refused("column_or_constant")
    return Cell(
        column.text() if column.given else None,
        _constant(constant) if constant.given else None,
        _type(node.at("type")),
        _zone(node.at("zone")),
        _words(node.at("map")),
        {label: str(word) for label, word in _words(node.at("when")).items()},
    )


def _words(node: Node) -> dict[str, Constant]:
    if not node.given:
        return {}
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    return {label: _constant(node.at(label)) for label in node.value}


def _constant(node: Node) -> Constant:
    if not isinstance(node.value, str | int):
        raise node.refused("not_a_text")
    if isinstance(node.value, int) and abs(node.value) > INT64:
        raise node.refused("number_out_of_range")
    return node.value


def _type(node: Node) -> CellType:
    if node.given and node.value not in tuple(CellType):
        raise node.refused("unknown_value", allowed=", ".join(CellType))
    return CellType(node.text()) if node.given else CellType.TEXT


def _zone(node: Node) -> ZoneInfo | None:
    if not node.given:
        return None
    try:
        return ZoneInfo(node.text())
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise node.refused("unknown_zone") from None


def _named(node: Node) -> str:
    try:
        return name(_required(node).text())
    except Invalid as error:
        raise node.refused(error.code) from None


def _table(node: Node, part: str) -> Node:
    found = _required(node.at(part))
    if not isinstance(found.value, dict):
        raise found.refused("not_an_object")
    return found


def _required(node: Node) -> Node:
    if not node.given:
        raise node.refused("required")
    return node


def _only(node: Node, *known: str) -> None:
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    for label in sorted(node.value.keys() - set(known)):
        raise node.at(label).refused("unknown_field")
