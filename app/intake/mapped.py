"""A rule applied: an event, as a sender of CloudEvents would have written it."""

from __future__ import annotations

from app.domain.kinds import RawValue
from app.intake.cell_values import Place, Problem, cell_values
from app.intake.cells import Cell
from app.intake.mapping import Rule
from app.intake.selectors import holds, written

# An attribute of the mapping -> the attribute of the event.
ATTRIBUTES = {
    "kind": "type",
    "key": "id",
    "revision": "revision",
    "actor": "actor",
    "merge": "merge",
    "retracted": "retracted",
}
_TEXTS = ("type", "id", "actor", "revision")
_FLAGS = ("merge", "retracted")


def cells_of(rule: Rule) -> dict[str, Cell]:
    """The cells of a rule, by the attribute of the event, or by the field behind a slash."""
    attributes = {ATTRIBUTES[label]: cell for label, cell in rule.attributes.items()}
    return attributes | {f"/{label}": cell for label, cell in rule.fields.items()}


def event_of(rule: Rule, place: Place, source: str) -> tuple[dict[str, RawValue], list[Problem]]:
    """The event that a rule makes at a place, and what is wrong with its cells.

    What is retracted says nothing else: whatever is known of it otherwise stays known.
    """
    found, problems = cell_values(cells_of(rule), place)
    event: dict[str, RawValue] = {"specversion": "1.0", "source": source}
    event |= {label: value for label, value in found.items() if not label.startswith("/")}
    for label in _TEXTS:
        # Ids are numbers at many senders, and names here.
        if label in event and not isinstance(event[label], str | list):
            event[label] = written(event[label])
    for label in _FLAGS:
        if label in event:
            event[label] = holds(event[label])
    if event.get("retracted") is True:
        return event, problems
    event.pop("retracted", None)
    data = {label[1:]: value for label, value in found.items() if label.startswith("/")}
    return event | {"data": data}, problems
