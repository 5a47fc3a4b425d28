"""Where a value comes from and how it is read: one member of a mapping document.

A cell is a column of a table or a member of an object, a selector into a body, or a constant. What
stands there is looked up in `map`, then read by its `type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.documents import Node
from app.domain.errors import Invalid
from app.domain.keys import KEY
from app.domain.quantities import INT64
from app.intake.selectors import Selector, selector

Constant = str | int | bool
PAYLOAD = "payload"


class CellType(StrEnum):
    """How what stands there is read; without a type it stays what it is.

    A `date` with a zone becomes the noon of that day there, because noon is on the same day in
    nearly every zone and on no day falls into a change of the clocks; without a zone it stays a
    date. A `time` without an offset needs the zone; of an hour that comes twice it is the first.
    A `duration` is whole seconds, what is left over is dropped.
    """

    TEXT = "text"
    DATE = "date"
    TIME = "time"
    DECIMAL = "decimal"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DURATION = "duration"
    MONEY = "money"


class Unit(StrEnum):
    """What a number counts: times since 1970 and durations, or parts of a currency."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MINUTES = "minutes"
    MAJOR = "major"
    MINOR = "minor"


UNITS: Mapping[CellType, tuple[Unit, ...]] = {
    CellType.TIME: (Unit.SECONDS, Unit.MILLISECONDS),
    CellType.DURATION: (Unit.SECONDS, Unit.MILLISECONDS, Unit.MINUTES),
    CellType.MONEY: (Unit.MAJOR, Unit.MINOR),
}


class Bare(StrEnum):
    """What a text that stands alone is: the name of a column, or a selector."""

    COLUMN = "column"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value comes from.

    column, select, constant: one of them
    whole: whether the selector looks at the whole body, where `each` took it apart
    words: what texts stand for; one that is not in it stands for `others`, or for itself
    when, condition: the texts that other columns must hold, or a selector that must find something
    default: what stands where nothing is found
    minus: a duration that is taken from a time
    source: of an origin, the source whose activity it is; None: the same as that of what it tells
    """

    column: str | None = None
    constant: Constant | None = None
    type: CellType | None = None
    zone: ZoneInfo | None = None
    words: Mapping[str, Constant] = field(default_factory=dict)
    when: Mapping[str, str] = field(default_factory=dict)
    select: Selector | None = None
    whole: bool = False
    condition: Selector | None = None
    unit: Unit | None = None
    others: Constant | None = None
    default: Constant | None = None
    minus: Cell | None = None
    source: str | None = None


_MEMBERS = "column select constant of type unit zone map others default when minus".split()


def cell_of(node: Node, bare: Bare) -> Cell:
    """The cell that a node means.

    Raises Invalid with pointers: not_an_object, unknown_field, column_or_constant, unknown_value,
    unknown_zone, number_out_of_range, minus_only_from_times, and what `selector` raises.
    """
    if isinstance(node.value, str):
        if bare is Bare.SELECT:
            return Cell(select=selector_at(node))
        return Cell(node.text())
    only(node, *_MEMBERS)
    column, select, constant = (node.at(name) for name in ("column", "select", "constant"))
    if sum(one.given for one in (column, select, constant)) != 1:
        raise node.refused("column_or_constant")
    kind = _type(node.at("type"))
    return Cell(
        column=column.text() if column.given else None,
        constant=_constant(constant) if constant.given else None,
        type=kind,
        zone=zone_at(node.at("zone")),
        words=_words(node.at("map")),
        when=_texts(node.at("when")),
        select=selector_at(select) if select.given else None,
        whole=_whole(node.at("of")),
        condition=_condition(node.at("when")),
        unit=_unit(node.at("unit"), kind),
        others=_optional(node.at("others")),
        default=_optional(node.at("default")),
        minus=_minus(node.at("minus"), kind, bare),
    )


def origin_cell_of(node: Node, bare: Bare) -> Cell:
    """The cell of what an activity grew from, which may say in whose source that lies.

    Raises Invalid as `cell_of`, and not_a_key.
    """
    if not isinstance(node.value, dict) or not (source := node.at("source")).given:
        return cell_of(node, bare)
    if not KEY.fullmatch(source.text()):
        raise source.refused("not_a_key")
    rest = {label: value for label, value in node.value.items() if label != "source"}
    return replace(cell_of(Node(rest, node.pointer), bare), source=source.text())


def selector_at(node: Node) -> Selector:
    """The selector that stands at a node, its faults placed there."""
    text = node.text()
    try:
        return selector(text)
    except Invalid as error:
        raise node.refused(error.code, **error.params) from None


def zone_at(node: Node) -> ZoneInfo | None:
    """The time zone that stands at a node."""
    if not node.given:
        return None
    try:
        return ZoneInfo(node.text())
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise node.refused("unknown_zone") from None


def only(node: Node, *known: str) -> None:
    """Refuse members that mean nothing here."""
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    for label in sorted(node.value.keys() - set(known)):
        raise node.at(label).refused("unknown_field")


def _whole(node: Node) -> bool:
    if node.given and node.value != PAYLOAD:
        raise node.refused("unknown_value", allowed=PAYLOAD)
    return node.given


def _condition(node: Node) -> Selector | None:
    return selector_at(node) if isinstance(node.value, str) else None


def _texts(node: Node) -> dict[str, str]:
    if isinstance(node.value, str):
        return {}
    return {label: str(word) for label, word in _words(node).items()}


def _minus(node: Node, kind: CellType | None, bare: Bare) -> Cell | None:
    if not node.given:
        return None
    if kind is not CellType.TIME:
        raise node.refused("minus_only_from_times")
    found = cell_of(node, bare)
    if found.type not in {None, CellType.DURATION} or found.minus:
        raise node.refused("minus_only_from_times")
    return found


def _words(node: Node) -> dict[str, Constant]:
    if not node.given:
        return {}
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    return {label: _constant(node.at(label)) for label in node.value}


def _optional(node: Node) -> Constant | None:
    return _constant(node) if node.given else None


def _constant(node: Node) -> Constant:
    if not isinstance(node.value, str | int):
        raise node.refused("not_a_text")
    if isinstance(node.value, int) and abs(node.value) > INT64:
        raise node.refused("number_out_of_range")
    return node.value


def _type(node: Node) -> CellType | None:
    if node.given and node.value not in tuple(CellType):
        raise node.refused("unknown_value", allowed=", ".join(CellType))
    return CellType(node.text()) if node.given else None


def _unit(node: Node, kind: CellType | None) -> Unit | None:
    if not node.given:
        return None
    allowed = UNITS.get(kind, ()) if kind else ()
    if node.value not in allowed:
        raise node.refused("unknown_value", allowed=", ".join(allowed) or "-")
    return Unit(node.text())
