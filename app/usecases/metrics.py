"""Metrics of a workspace: the presets, which stand, and its own, which it defines and changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.definitions import document_of, metric_of
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.presets import PRESETS
from app.store import building, documents, rules
from app.store.documents import Document
from app.store.generations import Generation
from app.store.transactions import Writing
from app.usecases import organisation
from app.usecases.building import carry_on
from app.usecases.context import Context
from app.usecases.organisation import METRIC, PLAN, names_metric
from app.usecases.saving import Precondition, Saved, archive, save, standing

# Every one of them is asked for every event of its kind.
MAX_METRICS = 200


@dataclass(frozen=True, slots=True)
class Defined:
    """A metric as a document, and its version; a preset has always been in its first.

    building: how far history is counted by it; None when its numbers are those it says
    """

    key: str
    body: Mapping[str, Any]
    version: int
    preset: bool
    building: Generation | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """A metric that was put, as it then stands."""

    saved: Saved
    defined: Defined


def page_of_metrics(
    context: Context, workspace: str, after: str | None, limit: int
) -> list[Defined]:
    """Presets and own metrics by key, behind `after`."""
    with context.read() as reading:
        own = documents.page(reading, workspace, METRIC, after, limit)
        built = building.building(reading, workspace)
    presets = (_preset(key, built) for key in PRESETS if key > (after or ""))
    found = sorted((*presets, *(_defined(one, built) for one in own)), key=lambda one: one.key)
    return found[:limit]


def get_metric(context: Context, workspace: str, key: str) -> Defined:
    """A metric by key. Raises NotFound."""
    with context.read() as reading:
        found = None if key in PRESETS else standing(reading, workspace, METRIC, key)
        built = building.building(reading, workspace)
    if key in PRESETS:
        return _preset(key, built)
    if found is None:
        raise NotFound("unknown_metric", metric=key)
    return _defined(found, built)


def _preset(key: str, built: Mapping[str, Generation]) -> Defined:
    body = document_of(PRESETS[key])
    return Defined(key, body, version=1, preset=True, building=built.get(key))


def _defined(document: Document, built: Mapping[str, Generation]) -> Defined:
    return Defined(
        document.key,
        document.body,
        document.version,
        preset=False,
        building=built.get(document.key),
    )


def put_metric(
    context: Context,
    workspace: str,
    key: str,
    body: dict[str, Any],
    seen: Precondition,
    author: str,
) -> Put:
    """Define a metric or change it; all history is counted by it.

    Waits for that a few seconds; what then is left is counted while others go on.
    Raises Conflict `preset_fixed`, or `metric_in_use` where a plan could not be kept with it;
    Invalid for a definition without meaning, a change without a reason, or when what it sums
    leaves 64 bits: then it is taken back.
    """
    _refuse_preset(key)
    document = dict(body)
    reason = document.pop("reason", None)
    metric = metric_of(key, document)
    with context.write(workspace) as writing:
        before = standing(writing, workspace, METRIC, key)
        saved = save(writing, METRIC, key, document, seen, author=author, reason=reason)
        if saved.changed and not saved.created and not reason:
            raise Invalid("reason_required", Fault("/reason", "reason_required"))
        if saved.created:
            _refuse_too_many(writing)
        new = _counted_anew(writing, metric, saved.document, before) if saved.changed else None
    carry_on(context, workspace, None if new is None else new.number)
    with context.read() as reading:
        return Put(saved, _defined(saved.document, building.building(reading, workspace)))


def _counted_anew(
    writing: Writing, metric: Metric, document: Document, before: Document | None
) -> Generation | None:
    """Begin to count by a definition, unless just that is counted, or being counted, already."""
    if before is not None and _counts(metric) == _counts(metric_of(metric.key, before.body)):
        return None
    served = rules.own_metrics(writing, writing.workspace).get(metric.key)
    known = building.building(writing, writing.workspace).get(metric.key)
    same = known is not None and served is not None and _counts(metric) == _counts(served)
    if same and not building.is_behind(writing, writing.workspace, metric.key):
        building.drop(writing, metric.key)
        return None
    new = building.begin(writing, document, before)
    _refuse_broken_plans(writing, metric.key)
    return new


def archive_metric(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a metric out of use and forget its tallies; what it counted stays.

    Raises Conflict `metric_in_use` while a plan in use has a goal of it.
    """
    _refuse_preset(key)
    with context.write(workspace) as writing:
        archive(writing, METRIC, key, seen, author=author)
        for plan in _plans_of(writing, key):
            raise Conflict("metric_in_use", metric=key, plan=plan.key)
        archived = documents.get(writing, workspace, METRIC, key)
        assert archived is not None  # noqa: S101 - it was archived just now
        building.end(writing, archived)
    carry_on(context, workspace)


def _refuse_preset(key: str) -> None:
    if key in PRESETS:
        raise Conflict("preset_fixed", metric=key)


def _refuse_too_many(writing: Writing) -> None:
    if len(rules.defined_metrics(writing, writing.workspace)) > MAX_METRICS:
        raise Conflict("too_many_metrics", limit=MAX_METRICS)


def _refuse_broken_plans(writing: Writing, key: str) -> None:
    """A goal cannot become an average or money of another scale under its plan's feet."""
    found = organisation.load(writing, writing.workspace)
    for plan in _plans_of(writing, key):
        try:
            found.ground(writing, plan)
        except Invalid:
            raise Conflict("metric_in_use", metric=key, plan=plan.key) from None


def _plans_of(writing: Writing, metric: str) -> Iterator[Document]:
    """The plans in use with a goal of a metric, also those that are over: they are still read."""
    for plan in documents.all_of(writing, writing.workspace, PLAN):
        if not plan.archived and names_metric(plan.body, metric):
            yield plan


def _counts(metric: Metric) -> Metric:
    """What of a definition decides its numbers: not what it is called."""
    return replace(metric, names={})
