"""A mapping tried on a sample: what it would make and what that would move. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.activities import NOTHING, join
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.documents import Node
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.kinds import RawValue
from app.domain.metrics import Uncounted, contributions
from app.intake.events import delivery
from app.intake.mapping import BodyMapping, RowMapping
from app.intake.payloads import mapped, payload_of
from app.intake.receiving import ADDRESS
from app.intake.registry import PROVIDERS
from app.intake.requests import HookRequest, Maps
from app.intake.source_settings import standing_settings
from app.intake.tables import read_table
from app.store import rules
from app.store.documents import Document
from app.store.rules import Rules
from app.usecases.context import Context
from app.usecases.fetch_subjects import written
from app.usecases.organisation import SOURCE
from app.usecases.saving import standing
from app.usecases.source_mapping import (
    MAPPING,
    SETTINGS,
    built,
    changes,
    check_size,
    mapping_in,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What is tried: a JSON value, or a body as it would be sent, or the query of a GET."""

    value: RawValue = None
    body: str | None = None
    media_type: str = "application/json"
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An activity that the sample means.

    metrics: those that would count it; uncounted: those that are about it and lack something
    """

    item: Item
    counts: bool
    metrics: tuple[str, ...]
    uncounted: tuple[tuple[str, Uncounted], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sample comes to, in its order."""

    made: tuple[Made, ...]
    refused: tuple[Refused, ...]


def try_mapping(
    context: Context, workspace: str, key: str, sample: Sample, document: Mapping[str, Any] | None
) -> Trial:
    """What a source would make of a sample: by the given mapping, else by its own.

    Raises NotFound `unknown_source`; Conflict `source_without_mapping` and, for a provider that
    takes none, `source_takes_no_mapping`; Invalid for a wrong mapping; and what a body that cannot
    be read raises.
    """
    now = context.clock()
    with context.read() as reading:
        source = standing(reading, workspace, SOURCE, key)
        if source is None:
            raise NotFound("unknown_source", source=key)
        mapping = _mapping(source, document)
        counting = rules.load(reading, workspace)
    brought = _brought(mapping, workspace, source, sample, now)
    made = tuple(_made(item, counting) for item in brought.items)
    return Trial(made, brought.refused)


def _mapping(source: Document, document: Mapping[str, Any] | None) -> RowMapping | BodyMapping:
    maps = PROVIDERS[source.body["provider"]].maps
    if maps is Maps.NOTHING:
        raise Conflict("source_takes_no_mapping", provider=source.body["provider"])
    if document is not None:
        found = built(source.key, maps, document)
        check_size(found, Node(document, f"/{MAPPING}"))
        return found
    own = mapping_in(source)
    if own is None:
        raise Conflict("source_without_mapping", source=source.key)
    return own


def _brought(
    mapping: RowMapping | BodyMapping, workspace: str, source: Document, sample: Sample, now: int
) -> Delivery:
    if isinstance(mapping, RowMapping):
        if sample.body is None:
            raise Invalid("invalid_request")
        return read_table(
            sample.body.encode(errors="replace"), "text/csv", mapping, workspace=workspace, now=now
        )
    provider = PROVIDERS[source.body["provider"]]
    request = HookRequest(
        workspace,
        source.key,
        f"{ADDRESS}?{sample.query or ''}",
        "GET" if sample.query is not None else "POST",
        {"content-type": sample.media_type},
        (sample.body or "").encode(errors="replace"),
        {},
        now,
        standing_settings(provider.settings, source.body.get(SETTINGS)),
        changes(source),
        mapping,
    )
    given = sample.body is not None or sample.query is not None
    if provider.maps is Maps.RECORDS and provider.hook is not None:
        # What is not the mapping's (key, revision, deletion) is read by the provider's own code.
        body = request.body if given else written(sample.value).encode()
        return provider.hook.read(replace(request, body=body))
    payload = payload_of(request) if given else sample.value
    return delivery(workspace, now, mapped(mapping, request, payload), quarantines=True)


def _made(item: Item, counting: Rules) -> Made:
    state = join(NOTHING, item.report)
    source, kind = item.report.source, state.kind
    metrics = counting.metrics_of(source, kind)
    counted: list[str] = []
    uncounted: list[tuple[str, Uncounted]] = []
    for metric in metrics:
        try:
            added = contributions(metric, state, counting.currency)
        except Invalid as error:
            uncounted.append((metric.key, Uncounted(error.code, str(metric.value))))
            continue
        if isinstance(added, Uncounted):
            uncounted.append((metric.key, added))
        elif added is not None:
            counted.append(metric.key)
    counts = counting.counts.get(source)
    return Made(item, counts is None or kind in counts, tuple(counted), tuple(uncounted))
