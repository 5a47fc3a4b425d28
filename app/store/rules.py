"""What counting must know of a workspace: zone, currency, sources, metrics.

Cached under the head's config_version and read again, inside the transaction, when that moved:
no event is ever counted by yesterday's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.domain.definitions import metric_of
from app.domain.errors import NotFound
from app.domain.holders import Holder
from app.domain.metrics import Metric
from app.domain.presets import PRESETS
from app.domain.zones import Offsets, day_of
from app.store import dating, documents, generations
from app.store.generations import Generation, Stage, in_stage
from app.store.states import Where
from app.store.tables import link
from app.store.transactions import Access

Metrics = tuple[Metric, ...]
# Of each source the kinds that it counts; None: every kind.
Counts = Mapping[str, frozenset[str] | None]
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
    pinned: what the sources counted where a generation goes by earlier documents, by its name
    remembering: the kinds of which some metric asks what an activity was before
    linked: whether anything ever said what it grew from
    """

    config_version: int
    zone: ZoneInfo
    offsets: Offsets
    currency: str
    counts: Counts
    serving: frozenset[str]
    by_kind: ByKind
    named: ByKind
    moving: tuple[Moving, ...] = ()
    pinned: Mapping[str, Counts] = field(default_factory=dict)
    remembering: frozenset[str] = frozenset()
    linked: bool = False
    _days: dict[int, int] = field(default_factory=dict)

    def metrics_of(self, source: str, kind: str) -> Metrics:
        """The metrics that a source's activities of a kind move; none when it does not count it."""
        pairs = zip(self.by_kind.get(kind, ()), self.named.get(kind, ()), strict=True)
        return tuple(one for one, named in pairs if self._is_counted(named, source, kind))

    def tallied(self, where: Where, kind: str) -> Metrics:
        """The same of one activity, under the names of the generations that count it."""
        standing = self.named.get(kind, ())
        if not self.moving and not self.pinned:
            return standing if counted(self.counts, where[0], kind) else ()
        more = (one.metric for one in self.moving if one.generation.covers(where))
        known = (*standing, *(metric for metric in more if metric.kind == kind))
        return tuple(metric for metric in known if self._is_counted(metric, where[0], kind))

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

    def _is_counted(self, named: Metric, source: str, kind: str) -> bool:
        return counted(self.pinned.get(named.key, self.counts), source, kind)


def counted(counts: Counts, source: str, kind: str) -> bool:
    """Whether a source counts a kind."""
    kinds = counts.get(source)
    return kinds is None or kind in kinds


def load(access: Access, workspace: str, config_version: int = 0) -> Rules:
    """The rules that stand in this snapshot, to be cached under `config_version`."""
    document = documents.get(access, workspace, "workspace", "workspace")
    if document is None:
        raise NotFound("unknown_workspace")
    sources = documents.all_of(access, workspace, "source")
    found = generations.of(access, workspace)
    counts = {source.key: _kinds(source.body.get("counts")) for source in sources}
    names = {key: one.name for key, one in in_stage(found, Stage.SERVING).items()}
    metrics = (*PRESETS.values(), *own_metrics(access, workspace).values())
    by_kind = _by_kind(metrics)
    zone = ZoneInfo(document.body["time_zone"])
    moving = tuple(
        Moving(one, replace(definition(access, workspace, one), key=one.name))
        for one in found
        if one.stage is not Stage.SERVING
    )
    return Rules(
        config_version,
        zone,
        dating.rules_of(access, workspace, zone),
        document.body["currency"],
        counts,
        frozenset(source.key for source in sources if not source.archived),
        by_kind,
        _by_kind(replace(one, key=names.get(one.key, one.key)) for one in metrics),
        moving,
        {one.name: counts_at(access, workspace, one.config) for one in found if one.config},
        _remembering((*metrics, *(one.metric for one in moving))),
        is_linked(access, workspace),
    )


def counts_at(access: Access, workspace: str, seq: int) -> Counts:
    """What each source counted after a commit; of one that came later, what it counted at first."""
    then = {one.key: one for one in documents.all_of(access, workspace, "source", seq)}
    found: dict[str, frozenset[str] | None] = {}
    for one in documents.all_of(access, workspace, "source"):
        stood = then.get(one.key) or documents.version(access, workspace, "source", one.key, 1)
        assert stood is not None  # noqa: S101 - versions are kept for ever
        found[one.key] = _kinds(stood.body.get("counts"))
    return found


def own_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that a workspace has defined and whose numbers can be read, by key.

    While a changed one is being built, it is still what it was.
    """
    found = generations.of(access, workspace)
    served = in_stage(found, Stage.SERVING)
    metrics = defined_metrics(access, workspace)
    for key in in_stage(found, Stage.BUILDING).keys() - PRESETS.keys():
        if key in served:
            metrics[key] = definition(access, workspace, served[key])
        else:
            del metrics[key]
    return metrics


def building_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that are being built, by key, as they will be."""
    built = in_stage(generations.of(access, workspace), Stage.BUILDING)
    defined = defined_metrics(access, workspace) if built else {}
    return {key: defined[key] for key in built.keys() - PRESETS.keys()}


def defined_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that a workspace has defined and uses, as they were last defined."""
    return {
        found.key: metric_of(found.key, found.body)
        for found in documents.all_of(access, workspace, "metric")
        if not found.archived
    }


def definition(access: Access, workspace: str, generation: Generation) -> Metric:
    """What a generation counts, under the metric's own key."""
    key, version = generation.metric, generation.version
    if key in PRESETS:
        return PRESETS[key]
    document = documents.version(access, workspace, "metric", key, version)
    assert document is not None  # noqa: S101 - versions are kept for ever
    return metric_of(key, document.body)


def _by_kind(metrics: Iterable[Metric]) -> dict[str, Metrics]:
    found: dict[str, Metrics] = {}
    for metric in metrics:
        found[metric.kind] = (*found.get(metric.kind, ()), metric)
    return found


def is_linked(access: Access, workspace: str) -> bool:
    """Whether anything in a workspace ever said what it grew from."""
    query = select(link.c.source).where(link.c.workspace_id == workspace).limit(1)
    return access.connection.execute(query).first() is not None


def _remembering(metrics: Iterable[Metric]) -> frozenset[str]:
    return frozenset(one.kind for one in metrics if one.holder is Holder.AT_TIME)


def _kinds(counts: list[str] | None) -> frozenset[str] | None:
    return None if counts is None else frozenset(counts)
