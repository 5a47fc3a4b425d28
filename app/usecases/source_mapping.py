"""The mapping that a source carries: checked when it is given, built when rows or bodies come.

`[source]` of a mapping file is here the source itself. A file may be pasted as it is, so that part
is taken where it agrees, and not kept: what stands in two places could come to differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.activities import canonical_json
from app.domain.documents import Node
from app.domain.errors import Conflict, Invalid, NotFound
from app.intake.mapping import (
    BodyMapping,
    RowMapping,
    body_mapping_of,
    mapping_of,
    record_mapping_of,
)
from app.intake.registry import CSV, PROVIDERS
from app.intake.requests import Maps
from app.store.documents import Document
from app.store.transactions import Access
from app.usecases.organisation import SOURCE
from app.usecases.saving import standing

MAPPING = "mapping"
SETTINGS = "settings"
# Counts the changes of mapping and settings inside the document: what a later one reads stands.
MAPPING_VERSION = "mapping_version"
# Each row is read by all of it, and takes on all of its constants.
MAX_BYTES = 32 * 1024
MAX_FIELDS = 200


def canonical(
    key: str, body: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The parts of a source's document that say how it is read, as they are to be kept.

    `before` is the document that stood last. Raises Invalid with pointers into the body:
    mapping_not_used, differs_from_source, people_not_as_events, mapping_too_large, and what
    `mapping_of` raises.
    """
    given = Node(body.get(MAPPING), f"/{MAPPING}")
    mapping = _checked(key, body, given) if given.given else None
    settings = _without_nulls(body.get(SETTINGS) or {}) or None
    told = {
        part: value
        for part, value in ((MAPPING, mapping), (SETTINGS, settings))
        if value is not None
    }
    known = before or {}
    changed = any(told.get(part) != known.get(part) for part in (MAPPING, SETTINGS))
    version = known.get(MAPPING_VERSION, 0) + changed
    return told | ({MAPPING_VERSION: version} if version else {})


def _checked(key: str, body: Mapping[str, Any], given: Node) -> dict[str, Any]:
    provider = PROVIDERS[body["provider"]]
    if provider.maps is Maps.NOTHING:
        able = ", ".join(p.name for p in PROVIDERS.values() if p.maps is not Maps.NOTHING)
        raise given.refused("mapping_not_used", provider=able)
    told = given.at("source")
    for label, own in (("key", key), ("provider", provider.name), ("name", body["name"])):
        if told.given and told.at(label).given and told.at(label).value != own:
            raise told.at(label).refused("differs_from_source")
    assert isinstance(given.value, dict)  # noqa: S101 - else it has no member `source`
    found = built(key, provider.maps, given.value)
    if isinstance(found, RowMapping) and found.people:
        raise given.at("activity").at("kind").refused("people_not_as_events")
    check_size(found, given)
    return {part: value for part, value in _without_nulls(given.value).items() if part != "source"}


def check_size(found: RowMapping | BodyMapping, given: Node) -> None:
    """Refuse a mapping that would make every row and every body costly.

    Raises Invalid: too_many_items, mapping_too_large.
    """
    if len(canonical_json(given.value).encode()) > MAX_BYTES:
        raise given.refused("mapping_too_large", limit=MAX_BYTES)
    rules = (found.rule,) if isinstance(found, RowMapping) else found.rules
    for rule in rules:
        if len(rule.fields) > MAX_FIELDS:
            place = Node(given.value, given.pointer + rule.pointer + "/fields")
            raise place.refused("too_many_items", limit=MAX_FIELDS)


def built(key: str, maps: Maps, document: Mapping[str, Any]) -> RowMapping | BodyMapping:
    """The mapping that a document means. Raises Invalid with pointers below /mapping."""
    try:
        if maps is Maps.BODIES:
            return body_mapping_of(document)
        if maps is Maps.RECORDS:
            return record_mapping_of(document)
        source = (document.get("source") or {}) | {"key": key}
        return mapping_of({**document, "source": source})
    except Invalid as error:
        raise error.below(f"/{MAPPING}") from None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - anything JSON holds
    """Null and absence say the same, so only one of them is kept."""
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {label: _without_nulls(one) for label, one in value.items() if one is not None}


def mapping_in(document: Document) -> RowMapping | BodyMapping | None:
    """The mapping that a source's document carries."""
    mapping = document.body.get(MAPPING)
    if mapping is None:
        return None
    found = built(document.key, PROVIDERS[document.body["provider"]].maps, mapping)
    return replace(found, changes=changes(document)) if isinstance(found, RowMapping) else found


def row_mapping_in(document: Document) -> RowMapping | None:
    """The mapping of a source of files."""
    found = mapping_in(document)
    return found if isinstance(found, RowMapping) else None


def body_mapping_in(document: Document) -> BodyMapping | None:
    """The mapping of a source of bodies; None where it is valid no longer."""
    try:
        found = mapping_in(document)
    except Invalid:
        # A release may tighten a rule; what comes then waits in quarantine for a better mapping.
        return None
    return found if isinstance(found, BodyMapping) else None


def changes(document: Document) -> int:
    """How often a source was given another mapping or other settings, or lost them."""
    found: int = document.body.get(MAPPING_VERSION, 0)
    return found


def mapping_for(access: Access, workspace: str, key: str) -> RowMapping:
    """The mapping by which the rows of a source are read.

    Raises NotFound `unknown_source`; Conflict `source_not_of_files`, `source_without_mapping`.
    """
    document = standing(access, workspace, SOURCE, key)
    if document is None:
        # Without the key: it is whatever somebody wrote into a query.
        raise NotFound("unknown_source")
    if document.body["provider"] != CSV.name:
        raise Conflict("source_not_of_files", provider=document.body["provider"])
    found = row_mapping_in(document)
    if found is None:
        raise Conflict("source_without_mapping", source=key)
    return found
