"""What an activity grew from: the call that made an appointment, the meeting that became a deal.

Only a sender knows it, so nothing is guessed: without it, what came of what is told by counts of a
period alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.domain.activities import KIND, JsonValue
from app.domain.errors import Fault, Invalid
from app.domain.keys import KEY

ORIGIN = "origin"
# Whatever a custom kind means by a field of that name is its own.
GROWING = frozenset({"meeting", "deal", "payment"})
MOST = 10
_MEMBERS = {"source", "key"}


class Link(NamedTuple):
    """An activity that is named as origin; source: None is the source of the naming one."""

    source: str | None
    key: str


def canonical_origin(told: object, named: Callable[[Any], str]) -> JsonValue:
    """The one spelling of origins: a list of objects, each once, in order; None for no origin.

    told: a list of `{"source", "key"}`, or one of them alone; a text, or a whole number, is the
        key of an activity of the same source, since that is what a column or a path yields; null
        in a list is no origin
    named: the spelling of a key; raises Invalid for what is none

    Raises Invalid with a fault for each entry: not_an_object, required, unknown_field, not_a_key,
    what `named` raises; or too_many_items. An origin need not be known yet.
    """
    entries = told if isinstance(told, list) else [told]
    if len(entries) > MOST:
        raise Invalid("too_many_items", limit=MOST)
    found: set[Link] = set()
    faults: list[Fault] = []
    for place, entry in enumerate(entries):
        if entry is None:  # a path that led nowhere
            continue
        try:
            found.add(_link(entry, named))
        except Invalid as error:
            faults += error.below(f"/{place}" if isinstance(told, list) else "").faults
    if faults:
        raise Invalid("invalid_origin", *faults)
    ordered = sorted(found, key=lambda link: (link.source or "", link.key))
    return [_written(link) for link in ordered] or None


def links(fields: Mapping[str, JsonValue]) -> tuple[Link, ...]:
    """The origins among canonical fields; none of a field that was stored as something else."""
    told = fields.get(ORIGIN)
    if not isinstance(told, list) or fields.get(KIND) not in GROWING:
        return ()
    return tuple(
        Link(source if isinstance(source, str) else None, key)
        for entry in told[:MOST]
        if isinstance(entry, dict)
        for source, key in ((entry.get("source"), entry.get("key")),)
        if isinstance(key, str)
    )


def _link(entry: object, named: Callable[[Any], str]) -> Link:
    if isinstance(entry, int) and not isinstance(entry, bool):
        entry = str(entry)
    if isinstance(entry, str):
        return Link(None, named(entry))
    if not isinstance(entry, dict):
        raise Invalid("not_an_object")
    if entry.keys() - _MEMBERS:
        # Its name may be anything, of any length: the entry is pointed at.
        raise Invalid("invalid_origin", Fault("", "unknown_field"))
    source, key = entry.get("source"), entry.get("key")
    faults = [Fault("/key", "required")] if key is None else []
    if source is not None and not (isinstance(source, str) and KEY.fullmatch(source)):
        faults.append(Fault("/source", "not_a_key"))
    if faults:
        raise Invalid("invalid_origin", *faults)
    try:
        return Link(source, named(key))
    except Invalid as error:
        raise Invalid("invalid_origin", *error.below("/key").faults) from None


def _written(link: Link) -> JsonValue:
    named: dict[str, JsonValue] = {} if link.source is None else {"source": link.source}
    return {"key": link.key, **named}
