"""The body of a sender without code of its own becomes activities, by the mapping of its source.

A fault points into the mapping, where it can be mended: `/mapping/rules/1/fields/amount`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from app.domain.deliveries import Item, Refused
from app.domain.errors import Fault, Invalid
from app.domain.kinds import RawValue
from app.intake.cell_values import Place
from app.intake.cloudevents import MAPPING, read_event
from app.intake.mapped import ATTRIBUTES, event_of
from app.intake.mapping import BodyMapping, Rule
from app.intake.reading import read_json, written
from app.intake.requests import HookRequest
from app.intake.selectors import Budget, holds, selected
from app.intake.signatures import form_pairs, is_form, query_of

MAX_ITEMS = 1_000
POINTER = "/mapping"
_LABELS = {event: label for label, event in ATTRIBUTES.items()}


def payload_of(request: HookRequest) -> RawValue:
    """What a request says, as JSON has it.

    Of a GET its query, of a form its parameters, of NDJSON a list; anything else is JSON, whatever
    it is called. Raises Unreadable, and Invalid (too_many_parameters, duplicate_parameter,
    too_many_items).
    """
    if request.method == "GET":
        return _parameters(query_of(request.url))
    if is_form(request.headers):
        return _parameters(request.body)
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/x-ndjson":
        lines = [line for line in request.body.split(b"\n") if line.strip()]
        if len(lines) > MAX_ITEMS:
            raise Invalid("too_many_items", limit=MAX_ITEMS)
        return [read_json(line, line=number) for number, line in enumerate(lines, 1)]
    return read_json(request.body)


def _parameters(form: bytes | str) -> RawValue:
    pairs = form_pairs(form)
    found: dict[str, RawValue] = dict(pairs)
    if len(found) != len(set(pairs)):
        raise Invalid("duplicate_parameter")
    return found


def mapped(mapping: BodyMapping, request: HookRequest, payload: RawValue) -> list[Item | Refused]:
    """The activities that a body means, each as an item or with every reason why it is none."""
    told = told_by(mapping.rules, request, payload, MAPPING)
    outcomes = [outcome for _, outcome in islice(told, MAX_ITEMS + 1)]
    if len(outcomes) > MAX_ITEMS:
        error = Invalid("invalid_delivery", Fault(POINTER, "too_many_items", {"limit": MAX_ITEMS}))
        return [Refused(0, None, request.source, error, written(payload))]
    return outcomes


def told_by(
    rules: Iterable[Rule], request: HookRequest, payload: RawValue, version: int
) -> Iterator[tuple[Rule, Item | Refused]]:
    """What each of some rules makes of a body; version: of the provider's reader."""
    budget, index = Budget(), 0
    for rule in rules:
        try:
            elements = _elements(rule, payload, budget)
        except Invalid as error:
            yield rule, Refused(index, None, request.source, error, written(payload))
            index += 1
            continue
        for element in elements:
            place = Place(element, payload, budget)
            yield rule, _outcome(rule, request, place, index, version + request.changes)
            index += 1


def _elements(rule: Rule, payload: RawValue, budget: Budget) -> list[RawValue]:
    """What a rule makes an activity of, each."""
    if rule.when is not None and not holds(_at("when", rule, payload, budget)):
        return []
    if rule.each is None:
        return [payload]
    found = _at("each", rule, payload, budget)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _fault(rule, "/each", "not_a_list", {"low": 0, "high": MAX_ITEMS})
    return found


def _at(part: str, rule: Rule, payload: RawValue, budget: Budget) -> RawValue:
    chosen = rule.when if part == "when" else rule.each
    assert chosen is not None  # noqa: S101 - as asked by the callers
    try:
        return selected(chosen, payload, budget)
    except Invalid as error:
        raise _fault(rule, f"/{part}", error.code, dict(error.params)) from None


def _outcome(
    rule: Rule, request: HookRequest, place: Place, index: int, version: int
) -> Item | Refused:
    event, problems = event_of(rule, place, request.source)
    outcome = read_event(event, index, request.received_at, mapping=version)
    if isinstance(outcome, Item) and not problems:
        return outcome
    refused = outcome if isinstance(outcome, Refused) else None
    # What a cell could not read is missing only because of that.
    told = {_pointer(rule, problem.label) for problem in problems}
    faults = [Fault(_pointer(rule, p.label), p.code, p.params) for p in problems]
    for fault in refused.error.faults if refused else ():
        pointer = _pointer(rule, fault.pointer.removeprefix("/data").removeprefix("/"), fault)
        faults += [] if pointer in told else [Fault(pointer, fault.code, fault.params)]
    return Refused(
        index,
        outcome.id,
        request.source,
        Invalid("invalid_delivery", *faults),
        written(place.here),
        refused.about if refused and not problems else None,
    )


def _pointer(rule: Rule, label: str, fault: Fault | None = None) -> str:
    """Where in the mapping an attribute or a field is made."""
    base = POINTER + rule.pointer
    if fault is not None and fault.pointer.startswith("/data/"):
        return f"{base}/fields{fault.pointer.removeprefix('/data')}"
    if label.startswith("/"):
        step = label[1:].replace("~", "~0").replace("/", "~1")
        return f"{base}/fields/{step}"
    return f"{base}/activity/{_LABELS[label]}" if label in _LABELS else base


def _fault(rule: Rule, part: str, code: str, params: dict[str, str | int]) -> Invalid:
    pointer = POINTER + rule.pointer + part
    return Invalid("invalid_delivery", Fault(pointer, code, params))
