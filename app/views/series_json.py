"""A series as JSON: quantities are decimal text, counts integers unless they are shared.

null has its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.domain.instants import moment_of
from app.domain.quantities import tallied, written
from app.domain.series import By, Group, Header, Item

Sentence = Callable[[str, Mapping[str, str | int], str], str]
_NOTHING = "nothing_counted"
_BUILDING = "building"


def series_document(
    header: Header, items: Iterable[Item], sentence: Sentence, language: str
) -> dict[str, Any]:
    """What a series answers, without the place of its next page."""
    unit = {"kind": header.unit.kind.value, "currency": header.unit.currency}
    return {
        "metric": header.metric,
        "unit": {name: value for name, value in unit.items() if value is not None},
        "granularity": header.granularity.value,
        "time_zone": str(header.zone),
        **({} if header.known_at is None else {"known_at": header.known_at.isoformat()}),
        "items": [_item(header, item, sentence, language) for item in items],
        **({} if header.counted else {"reasons": [_said(_BUILDING, sentence, language)]}),
    }


def _item(header: Header, item: Item, sentence: Sentence, language: str) -> dict[str, Any]:
    said = _said(_NOTHING, sentence, language)
    return {
        "from": moment_of(item.bucket.start, header.zone).isoformat(),
        "to": moment_of(item.bucket.end, header.zone).isoformat(),
        **_whose(header.by, item.group),
        "value": None if item.value is None else written(item.value),
        "count": tallied(item.count),
        **({"reasons": [said]} if item.value is None else {}),
    }


def _said(code: str, sentence: Sentence, language: str) -> dict[str, Any]:
    return {"code": code, "params": {}, "message": sentence(code, {}, language)}


def _whose(by: By, group: Group) -> dict[str, Any]:
    match by:
        case By.NOTHING:
            return {}
        case By.ACTOR:
            return {by.value: {"source": group.source, "identity": group.name or None}}
        case _:
            return {by.value: None if group.nobody else group.name}
