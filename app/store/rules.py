"""What counting must know of a workspace: zone, currency, sources, metrics.

Cached under the head's config_version and read again, inside the transaction, when that moved:
no event is ever counted by yesterday's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.definitions import metric_of
from app.domain.errors import NotFound
from app.domain.holders import Holder
from app.domain.metrics import Metric
from app.domain.presets import PRESETS
from app.domain.zones import Offsets, day_of
from app.store import dating, documents, generations
from app.store.generations import Generation, Stage, in_stage
from app.store.states import Where
from app.store.transactions import Access

Metrics = tuple[Metric, ...]
ByKind = Mapping[str, Metrics]


class Moving(NamedTuple):
    """A generation that is being built or goes away, and its definition under its name."""

    generation: Generation
    metric: Metric


@dataclass(frozen=True, slots=True)
class Rules:
    """How a workspace counts. `counts` keeps archived sources: what they sent still counts.

    offsets: the zone's rules that days are cut by, for all that serve the database
    by_kind: the metrics that serve, by their keys; named: the same under their generations' names
    remembering: the kinds of which some metric asks what an activity was before
    """

    config_version: int
    zone: ZoneInfo
    offsets: Offsets
    currency: str
    counts: Mapping[str, frozenset[str] | None]
    serving: frozenset[str]
    by_kind: ByKind
    named: ByKind
    moving: tuple[Moving, ...] = ()
    remembering: frozenset[str] = frozenset()
    _days: dict[int, int] = field(default_factory=dict)

    def metrics_of(self, source: str, kind: str) -> Metrics:
        """The metrics that a source's activities of a kind move; none when it does not count it."""
        return self.by_kind.get(kind, ()) if self._is_counted(source, kind) else ()

    def tallied(self, where: Where, kind: str) -> Metrics:
        """The same of one activity, under the names of the generations that count it."""
        if not self._is_counted(where[0], kind):
            return ()
        standing = self.named.get(kind, ())
        if not self.moving:
            return standing
        more = (one.metric for one in self.moving if one.generation.covers(where))
        return (*standing, *(metric for metric in more if metric.kind == kind))

    @property
    def leaving(self) -> frozenset[str]:
        """The names of those whose tallies are only there to be cleared away."""
        return frozenset(
            one.metric.key for one in self.moving if one.generation.stage is Stage.LEAVING
        )

    def moved(self, found: Iterable[Generation]) -> Rules:
        """The same with its moving generations where they now are."""
        now = {one.name: one for one in found}
        left = (one for one in self.moving if one.metric.key in now)
        return replace(self, moving=tuple(Moving(now[one.metric.key], one.metric) for one in left))

    def kinds_of(self, metric: str) -> frozenset[str]:
        """The kind that a metric is about; nothing when it is not counted."""
        return frozenset(
            kind for kind, known in self.by_kind.items() if any(m.key == metric for m in known)
        )

    def day_of(self, quarter: int) -> int:
        """The local day in which a quarter hour lies."""
        day = self._days.get(quarter)
        if day is None:
            day = self._days[quarter] = day_of(quarter, self.offsets, self.zone)
        return day

    def _is_counted(self, source: str, kind: str) -> bool:
        counted = self.counts.get(source)
        return counted is None or kind in counted


def load(access: Access, workspace: str, config_version: int = 0) -> Rules:
    """The rules that stand in this snapshot, to be cached under `config_version`."""
    document = documents.get(access, workspace, "workspace", "workspace")
    if document is None:
        raise NotFound("unknown_workspace")
    sources = documents.all_of(access, workspace, "source")
    found = generations.of(access, workspace)
    names = {key: one.name for key, one in in_stage(found, Stage.SERVING).items()}
    metrics = (*PRESETS.values(), *own_metrics(access, workspace).values())
    by_kind = _by_kind(metrics)
    zone = ZoneInfo(document.body["time_zone"])
    moving = tuple(
        Moving(one, replace(_definition(access, workspace, one), key=one.name))
        for one in found
        if one.stage is not Stage.SERVING
    )
    return Rules(
        config_version,
        zone,
        dating.rules_of(access, workspace, zone),
        document.body["currency"],
        {source.key: _kinds(source.body.get("counts")) for source in sources},
        frozenset(source.key for source in sources if not source.archived),
        by_kind,
        _by_kind(replace(one, key=names.get(one.key, one.key)) for one in metrics),
        moving,
        _remembering((*metrics, *(one.metric for one in moving))),
    )


def own_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that a workspace has defined and whose numbers can be read, by key.

    While a changed one is being built, it is still what it was.
    """
    found = generations.of(access, workspace)
    served = in_stage(found, Stage.SERVING)
    metrics = defined_metrics(access, workspace)
    for key in in_stage(found, Stage.BUILDING):
        if key in served:
            metrics[key] = _definition(access, workspace, served[key])
        else:
            del metrics[key]
    return metrics


def building_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that are being built, by key, as they will be."""
    built = in_stage(generations.of(access, workspace), Stage.BUILDING)
    defined = defined_metrics(access, workspace) if built else {}
    return {key: defined[key] for key in built}


def defined_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that a workspace has defined and uses, as they were last defined."""
    return {
        found.key: metric_of(found.key, found.body)
        for found in documents.all_of(access, workspace, "metric")
        if not found.archived
    }


def _definition(access: Access, workspace: str, generation: Generation) -> Metric:
    key, version = generation.metric, generation.version
    document = documents.version(access, workspace, "metric", key, version)
    assert document is not None  # noqa: S101 - versions are kept for ever
    return metric_of(key, document.body)


def _by_kind(metrics: Iterable[Metric]) -> dict[str, Metrics]:
    found: dict[str, Metrics] = {}
    for metric in metrics:
        found[metric.kind] = (*found.get(metric.kind, ()), metric)
    return found


def _remembering(metrics: Iterable[Metric]) -> frozenset[str]:
    return frozenset(one.kind for one in metrics if one.holder is Holder.AT_TIME)


def _kinds(counts: list[str] | None) -> frozenset[str] | None:
    return None if counts is None else frozenset(counts)
