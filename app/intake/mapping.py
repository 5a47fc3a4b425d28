"""A mapping document: which value of a row or a body is which field of an activity or a person.

The document is TOML or JSON with `[source]`, `[activity]` and `[fields]`. For the rows of a table
it is one rule; for the bodies of a sender it may be several, each with a condition (`when`) and a
list to take apart (`each`). The cells of both are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.kinds import kind_of, name
from app.domain.origins import ORIGIN
from app.intake.cells import Bare, Cell, CellType, cell_of, only, origin_cell_of, selector_at
from app.intake.selectors import Selector

MAX_RULES = 20
# Behind the number of a record it is still a key.
MAX_PART = 60
MEMBER, TEAM = "member", "team"
# What can be said of a person; identities are what the source calls them.
IDENTITIES = ("id", "email", "extension", "phone")
PEOPLE: Mapping[str, frozenset[str]] = {
    MEMBER: frozenset({"name", "team", "capacity", *IDENTITIES}),
    TEAM: frozenset({"name", "parent"}),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one activity is made of.

    attributes: kind, key, and where given revision, actor, merge, retracted
    when: what must be found in the body, else the rule makes nothing; each: the list whose elements
    are one activity each, else the body is one; pointer: of the rule in its document
    """

    attributes: Mapping[str, Cell]
    fields: Mapping[str, Cell]
    when: Selector | None = None
    each: Selector | None = None
    pointer: str = ""

    @property
    def part(self) -> str:
        """Which activity of a record it is about; "" for the record itself."""
        return str(self.attributes["key"].constant or "")

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds that it can make; None where the body alone knows."""
        kind = self.attributes["kind"]
        if kind.constant is not None:
            return (str(kind.constant),)
        words = {str(word) for word in kind.words.values()}
        words |= {str(word) for word in (kind.others, kind.default) if word is not None}
        return tuple(sorted(words)) or None


@dataclass(frozen=True, slots=True)
class RowMapping:
    """What the rows of a table mean. `name` is that of the source, should it have to be made.

    changes: how often the source's own mapping was changed; what is read by a later one stands
    """

    source: str
    name: str
    provider: str
    rule: Rule
    changes: int = 0

    @property
    def key(self) -> Cell:
        """The cell of the key."""
        return self.rule.attributes["key"]

    @property
    def fields(self) -> Mapping[str, Cell]:
        """The cells of the fields."""
        return self.rule.fields

    @property
    def people(self) -> str | None:
        """`member` or `team` where rows are people rather than activities."""
        kind = self.rule.attributes["kind"].constant
        return kind if isinstance(kind, str) and kind in PEOPLE else None

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds that rows can have; None where the column alone knows."""
        return self.rule.kinds


@dataclass(frozen=True, slots=True)
class BodyMapping:
    """What the bodies of a sender mean."""

    rules: tuple[Rule, ...] = field(default=())

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds that it can make; None where the body alone knows."""
        known = [rule.kinds for rule in self.rules]
        if None in known:
            return None
        return tuple(sorted({kind for kinds in known for kind in kinds or ()}))


def mapping_of(document: object) -> RowMapping:
    """The mapping that a document for a table means.

    Raises Invalid with pointers: required, unknown_field, unknown_value, not_a_kind, unknown_zone,
    column_or_constant, number_out_of_range, and what a text that is no text raises.
    """
    node = Node(document)
    source, activity, fields = (_table(node, part) for part in ("source", "activity", "fields"))
    only(node, "source", "activity", "fields")
    only(source, "key", "provider", "name")
    key = _named(source.at("key"))
    found = RowMapping(
        source=key,
        name=source.at("name").text() if source.at("name").given else key,
        provider=source.at("provider").text() if source.at("provider").given else "csv",
        rule=_rule(node, Bare.COLUMN),
    )
    if found.provider != "csv":
        raise source.at("provider").refused("unknown_value", allowed="csv")
    _check_people(found, activity, fields)
    return found


def body_mapping_of(document: object) -> BodyMapping:
    """The mapping that a document for bodies means: one rule, or several under `rules`.

    Raises Invalid with pointers, as `mapping_of`, and people_not_as_events.
    """
    node = Node(document)
    if not node.at("rules").given:
        only(node, "source", "when", "each", "activity", "fields")
        return BodyMapping((_rule(node, Bare.SELECT),))
    return BodyMapping(gathered(_rules(node), lambda rule: _rule(rule, Bare.SELECT)))


def record_mapping_of(document: object) -> BodyMapping:
    """The same for records whose keys, revisions and deletions the sender's own adapter reads.

    `key` is a word that tells the activities of one record apart; the rule without one is the
    record itself. All of them can be named without the record, so that its deletion retracts each.
    Raises Invalid as `body_mapping_of`, and not_of_records, not_a_name, kinds_not_named,
    one_rule_without_key.
    """
    node = Node(document)
    if not node.at("rules").given:
        only(node, "source", "when", "each", "activity", "fields")
        return BodyMapping((_alone(node),))
    return BodyMapping(_with_the_record(node.at("rules"), gathered(_rules(node), _record_rule)))


def _alone(node: Node) -> Rule:
    rule = _record_rule(node)
    if rule.part:
        raise node.at("activity").at("key").refused("one_rule_without_key")
    return rule


def _with_the_record(node: Node, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    # Under its plain key a record is told of by every reading, so that a later one stands.
    if all(rule.part for rule in rules):
        raise node.refused("one_rule_without_key")
    return rules


def _record_rule(node: Node) -> Rule:
    activity = _table(node, "activity")
    for place in (node.at("each"), activity.at("revision"), activity.at("merge")):
        if place.given:
            raise place.refused("not_of_records")
    key = activity.at("key")
    part = _word(key) if key.given else ""
    assert isinstance(activity.value, dict)  # noqa: S101 - a table, as checked
    assert isinstance(node.value, dict)  # noqa: S101 - as its activity was found in it
    own = {**activity.value, "key": {"constant": part}}
    rule = _rule(Node({**node.value, "activity": own}, node.pointer), Bare.SELECT)
    if rule.kinds is None:
        raise activity.at("kind").refused("kinds_not_named")
    return rule


def _rules(node: Node) -> list[Node]:
    only(node, "source", "rules")
    rules = node.at("rules").items()
    if not 0 < len(rules) <= MAX_RULES:
        raise node.at("rules").refused("not_a_list", low=1, high=MAX_RULES)
    for rule in rules:
        only(rule, "when", "each", "activity", "fields")
    return rules


def _rule(node: Node, bare: Bare) -> Rule:
    activity, fields = _table(node, "activity"), _table(node, "fields")
    only(activity, "kind", "key", "revision", "actor", "merge", "retracted")
    attributes = {
        "kind": _kind(activity.at("kind"), bare),
        "key": cell_of(_required(activity.at("key")), bare),
    }
    for part in ("revision", "actor"):
        if activity.at(part).given:
            attributes[part] = cell_of(activity.at(part), bare)
    for part in ("merge", "retracted"):
        if activity.at(part).given:
            attributes[part] = _flag(activity.at(part), bare)
    if bare is Bare.SELECT and attributes["kind"].constant in PEOPLE:
        raise activity.at("kind").refused("people_not_as_events")
    when, each = node.at("when"), node.at("each")
    return Rule(
        attributes,
        _fields(fields, bare),
        selector_at(when) if when.given else None,
        selector_at(each) if each.given else None,
        node.pointer,
    )


def _flag(node: Node, bare: Bare) -> Cell:
    """True and false as they are; a selector holds or does not; a column says true or false."""
    if isinstance(node.value, bool):
        return Cell(constant=node.value)
    if isinstance(node.value, str) and bare is Bare.COLUMN:
        return Cell(node.text(), type=CellType.BOOLEAN)
    return cell_of(node, bare)


def _fields(node: Node, bare: Bare) -> dict[str, Cell]:
    assert isinstance(node.value, dict)  # noqa: S101 - a table, as checked
    cells = gathered(node.value, lambda label: _reader(label)(node.at(label), bare))
    return dict(zip(node.value, cells, strict=True))


def _reader(label: str) -> Callable[[Node, Bare], Cell]:
    return origin_cell_of if label == ORIGIN else cell_of


def _check_people(found: RowMapping, activity: Node, fields: Node) -> None:
    if found.people is None:
        return
    for part in ("revision", "actor", "merge", "retracted"):
        if activity.at(part).given:
            raise activity.at(part).refused("unknown_field")
    for label in found.fields.keys() - PEOPLE[found.people]:
        raise fields.at(label).refused("unknown_field")


def _kind(node: Node, bare: Bare) -> Cell:
    """A text is the kind itself: most senders report one kind, and nothing that says so."""
    value = _required(node).value
    if isinstance(value, str):
        return Cell(constant=_checked_kind(node))
    cell = cell_of(node, bare)
    words = map(node.at("map").at, cell.words)
    for place in (node.at("constant"), node.at("others"), node.at("default"), *words):
        if place.given:
            _checked_kind(place)
    return cell


def _checked_kind(node: Node) -> str:
    try:
        return kind_of(node.text()).name
    except Invalid as error:
        raise node.refused(error.code) from None


def _named(node: Node) -> str:
    try:
        return name(_required(node).text())
    except Invalid as error:
        raise node.refused(error.code) from None


def _word(node: Node) -> str:
    word = _named(node)
    if len(word) > MAX_PART:
        raise node.refused("text_too_long", limit=MAX_PART)
    return word


def _table(node: Node, part: str) -> Node:
    found = _required(node.at(part))
    if not isinstance(found.value, dict):
        raise found.refused("not_an_object")
    return found


def _required(node: Node) -> Node:
    if not node.given:
        raise node.refused("required")
    return node
