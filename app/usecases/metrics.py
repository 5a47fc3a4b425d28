"""Metrics of a workspace: the presets, which stand, and its own, which it defines and changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.definitions import document_of, metric_of
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.metrics import Metric
from app.domain.presets import PRESETS
from app.store import documents, recounting, rules
from app.store.documents import Document
from app.store.transactions import Writing
from app.usecases import organisation
from app.usecases.context import Context
from app.usecases.organisation import METRIC, PLAN
from app.usecases.saving import Precondition, Saved, archive, save, standing

# Every one of them is asked for every event of its kind.
MAX_METRICS = 200


@dataclass(frozen=True, slots=True)
class Defined:
    """A metric as a document, and its version; a preset has always been in its first."""

    key: str
    body: Mapping[str, Any]
    version: int
    preset: bool


def page_of_metrics(
    context: Context, workspace: str, after: str | None, limit: int
) -> list[Defined]:
    """Presets and own metrics by key, behind `after`."""
    with context.read() as reading:
        own = documents.page(reading, workspace, METRIC, after, limit)
    presets = (_preset(key) for key in PRESETS if key > (after or ""))
    found = sorted((*presets, *map(defined, own)), key=lambda one: one.key)
    return found[:limit]


def get_metric(context: Context, workspace: str, key: str) -> Defined:
    """A metric by key. Raises NotFound."""
    if key in PRESETS:
        return _preset(key)
    with context.read() as reading:
        found = standing(reading, workspace, METRIC, key)
    if found is None:
        raise NotFound("unknown_metric", metric=key)
    return defined(found)


def _preset(key: str) -> Defined:
    return Defined(key, document_of(PRESETS[key]), version=1, preset=True)


def defined(document: Document) -> Defined:
    """An own metric as it stands."""
    return Defined(document.key, document.body, document.version, preset=False)


def put_metric(
    context: Context,
    workspace: str,
    key: str,
    body: dict[str, Any],
    seen: Precondition,
    author: str,
) -> Saved:
    """Define a metric or change it; all history is counted by it in the same transaction.

    Raises Conflict `preset_fixed`, or `metric_in_use` where a plan could not be kept with it;
    Invalid for a definition without meaning, or a change without a reason.
    """
    _refuse_preset(key)
    document = dict(body)
    reason = document.pop("reason", None)
    metric = metric_of(key, document)
    with context.write(workspace) as writing:
        counted = rules.load(writing, workspace)
        before = standing(writing, workspace, METRIC, key)
        saved = save(writing, METRIC, key, document, seen, author=author, reason=reason)
        if saved.changed and not saved.created and not reason:
            raise Invalid("reason_required", Fault("/reason", "reason_required"))
        if saved.created:
            _refuse_too_many(writing)
        if before is None or _counts(metric) != _counts(metric_of(key, before.body)):
            _refuse_broken_plans(writing, key)
            recounting.recount(writing, key, counted)
        return saved


def archive_metric(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Take a metric out of use and forget its tallies; what it counted stays.

    Raises Conflict `metric_in_use` while a plan in use has a goal of it.
    """
    _refuse_preset(key)
    with context.write(workspace) as writing:
        counted = rules.load(writing, workspace)
        archive(writing, METRIC, key, seen, author=author)
        for plan in _plans_of(writing, key):
            raise Conflict("metric_in_use", metric=key, plan=plan.key)
        recounting.recount(writing, key, counted)


def _refuse_preset(key: str) -> None:
    if key in PRESETS:
        raise Conflict("preset_fixed", metric=key)


def _refuse_too_many(writing: Writing) -> None:
    if len(rules.own_metrics(writing, writing.workspace)) > MAX_METRICS:
        raise Conflict("too_many_metrics", limit=MAX_METRICS)


def _refuse_broken_plans(writing: Writing, key: str) -> None:
    """A goal cannot become an average or money of another scale under its plan's feet."""
    found = organisation.load(writing, writing.workspace)
    for plan in _plans_of(writing, key):
        try:
            found.ground(plan)
        except Invalid:
            raise Conflict("metric_in_use", metric=key, plan=plan.key) from None


def _plans_of(writing: Writing, metric: str) -> Iterator[Document]:
    """The plans in use with a goal of a metric, also those that are over: they are still read."""
    for plan in documents.all_of(writing, writing.workspace, PLAN):
        if not plan.archived and _names(plan.body, metric):
            yield plan


def _names(part: object, metric: str) -> bool:
    """Whether a plan's document names a metric anywhere."""
    match part:
        case dict():
            return part.get("metric") == metric or any(_names(p, metric) for p in part.values())
        case list():
            return any(_names(one, metric) for one in part)
        case _:
            return False


def _counts(metric: Metric) -> Metric:
    """What of a definition decides its numbers: not what it is called."""
    return replace(metric, names={})
