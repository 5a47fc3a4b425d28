"""The mapping that a source of files carries: checked when it is given, built when rows come.

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
from app.intake.mapping import RowMapping, mapping_of
from app.intake.registry import CSV
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
    if body["provider"] != CSV.name:
        raise given.refused("mapping_not_used", provider=CSV.name)
    told = given.at("source")
    for label, own in (("key", key), ("provider", CSV.name), ("name", body["name"])):
        if told.given and told.at(label).given and told.at(label).value != own:
            raise told.at(label).refused("differs_from_source")
    assert isinstance(given.value, dict)  # noqa: S101 - else it has no member `source`
    found = _mapping(key, given.value)
    if found.people:
        raise given.at("activity").at("kind").refused("people_not_as_events")
    if len(found.fields) > MAX_FIELDS:
        raise given.at("fields").refused("too_many_items", limit=MAX_FIELDS)
    kept = {part: value for part, value in _without_nulls(given.value).items() if part != "source"}
    if len(canonical_json(kept).encode()) > MAX_BYTES:
        raise given.refused("mapping_too_large", limit=MAX_BYTES)
    return kept


def _mapping(key: str, document: Mapping[str, Any]) -> RowMapping:
    source = (document.get("source") or {}) | {"key": key}
    try:
        return mapping_of({**document, "source": source})
    except Invalid as error:
        raise error.below(f"/{MAPPING}") from None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - anything JSON holds
    """Null and absence say the same, so only one of them is kept."""
    if not isinstance(value, dict):
        return value
    return {label: _without_nulls(one) for label, one in value.items() if one is not None}


def mapping_in(document: Document) -> RowMapping | None:
    """The mapping that a source's document carries."""
    mapping = document.body.get(MAPPING)
    if mapping is None:
        return None
    return replace(_mapping(document.key, mapping), changes=changes(document))


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
    found = mapping_in(document)
    if found is None:
        raise Conflict("source_without_mapping", source=key)
    return found
