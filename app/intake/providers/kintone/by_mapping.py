"""What a record is by the mapping of its source: of any kind, and several activities if it says so.

Each rule is about one activity of the record, all of which can be named without it: what a record
says no longer is retracted as of its revision, and a deletion retracts each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.deliveries import About, Item, Refused
from app.domain.errors import Fault, Invalid
from app.domain.kinds import RawValue
from app.domain.revisions import written_revision
from app.intake.cells import Cell
from app.intake.mapping import BodyMapping, Rule
from app.intake.payloads import POINTER, told_by
from app.intake.reading import written
from app.intake.requests import HookRequest, hook_report
from app.intake.selectors import Node, Selector, selector

# The one member of what selectors look at.
RECORD = "record"
# Of these the first child alone is asked about the body, the others about what that one found.
_LEADING = frozenset(
    "filter_projection flatten index_expression pipe projection subexpression "
    "value_projection".split()
)
# Of each set one field code at least has to be in the record.
Wanted = frozenset[frozenset[str]]


def activities_of(
    record: Mapping[str, RawValue],
    about: About,
    mapping: BodyMapping,
    request: HookRequest,
    version: int,
) -> list[Item | Refused]:
    """Every activity of a record, be it that it is none.

    about: key and revision of the record. A mapping sees the record alone, which is the same
    whether it was notified or fetched.
    """
    rules = [_placed(rule, about) for rule in mapping.rules]
    payload: RawValue = {RECORD: dict(record)}
    found: dict[str, list[Item | Refused]] = {rule.part: [] for rule in rules}
    whole = []
    for rule in rules:
        lacks = tuple(_lacking(rule, record))
        if lacks:
            error = Invalid("invalid_delivery", *lacks)
            found[rule.part].append(Refused(0, None, request.source, error, written(payload)))
        else:
            whole.append(rule)
    for rule, outcome in told_by(whole, request, payload, version):
        found[rule.part].append(outcome)
    several = Invalid("invalid_delivery", Fault(POINTER, "several_rules_hold"))
    alone = Refused(0, None, request.source, several, written(payload))
    return [
        _one_of(found[item.id], item, alone._replace(about=About(item.id, about.revision)))
        for item in gone(about, mapping, request, version)
    ]


def gone(about: About, mapping: BodyMapping, request: HookRequest, version: int) -> list[Item]:
    """That no activity of a record is any more, as of a revision."""
    kinds: dict[str, str] = {}
    for rule in mapping.rules:
        kinds.setdefault(_placed(rule, about).part, (rule.kinds or ("",))[0])
    items = []
    for index, (key, kind) in enumerate(kinds.items()):
        fields: dict[str, JsonValue] = {KIND: kind, RETRACTED: True}
        report = hook_report(request, key, about.revision, fields, full=False, mapping=version)
        items.append(Item(index, key, report))
    return items


def _placed(rule: Rule, about: About) -> Rule:
    """The rule with the whole key and the revision, which are not for a mapping to say."""
    own = {
        "key": Cell(constant=f"{about.key}:{rule.part}" if rule.part else about.key),
        "revision": Cell(constant=written_revision(about.revision)),
    }
    return replace(rule, attributes={**rule.attributes, **own})


def _one_of(told: list[Item | Refused], gone_: Item, either: Refused) -> Item | Refused:
    """What the rules of one activity say of it: nothing, something, or one thing and another."""
    if not told:
        return gone_
    refused = next((one for one in told if isinstance(one, Refused)), either)
    if len(told) == 1 and isinstance(told[0], Item):
        return told[0]._replace(index=gone_.index)
    return refused._replace(index=gone_.index, id=gone_.id, about=either.about)


def _lacking(rule: Rule, record: Mapping[str, RawValue]) -> Iterator[Fault]:
    """A field whose code was changed in the app would else be unknown for ever, silently."""
    places = [("/when", _codes(rule.when))] if rule.when else []
    places += [(f"/activity/{label}", _of_cell(cell)) for label, cell in rule.attributes.items()]
    for label, cell in rule.fields.items():
        step = label.replace("~", "~0").replace("/", "~1")
        places.append((f"/fields/{step}", _of_cell(cell)))
    for place, wanted in places:
        if any(record.keys().isdisjoint(codes) for codes in wanted):
            yield Fault(f"{POINTER}{rule.pointer}{place}", "no_such_field")


def _of_cell(cell: Cell) -> Wanted:
    found = [_codes(chosen) for chosen in (cell.select, cell.condition) if chosen]
    return frozenset().union(*found, _of_cell(cell.minus) if cell.minus else ())


def _codes(chosen: Selector) -> Wanted:
    return _known_codes(chosen.text)


@lru_cache(maxsize=2_000)
def _known_codes(text: str) -> Wanted:
    return frozenset(_wanted(selector(text).tree))


def _wanted(node: Node) -> Iterator[frozenset[str]]:
    """The codes in `record."code"`, wherever the record is looked at."""
    children = node["children"]
    if node["type"] == "subexpression" and _is_field(children[0], RECORD):
        if children[1]["type"] == "field":
            yield frozenset({str(children[1]["value"])})
        return
    if node["type"] == "slice":
        return  # its children are numbers
    each = [set(_wanted(one)) for one in children[: 1 if node["type"] in _LEADING else None]]
    if _is_either(node):
        # An app in which a code was changed has records of both ages.
        codes = frozenset(code for wanted in each for one in wanted for code in one)
        yield from [codes] if codes else []
    else:
        yield from (one for wanted in each for one in wanted)


def _is_field(node: Node, name: str) -> bool:
    return bool(node["type"] == "field" and node["value"] == name)


def _is_either(node: Node) -> bool:
    """Whether one of the parts is enough."""
    kind: str = node["type"]
    return kind == "or_expression" or (
        kind == "function_expression" and node["value"] == "not_null"
    )
