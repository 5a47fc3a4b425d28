"""What counting must know of a workspace: zone, currency, sources, metrics.

Cached under the head's config_version and read again, inside the transaction, when that moved:
no event is ever counted by yesterday's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from app.domain.definitions import metric_of
from app.domain.errors import NotFound
from app.domain.instants import QUARTER, day_number, moment_of
from app.domain.metrics import Metric
from app.domain.presets import PRESETS
from app.store import documents
from app.store.transactions import Access

Metrics = tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """How a workspace counts. `counts` keeps archived sources: what they sent still counts."""

    config_version: int
    zone: ZoneInfo
    currency: str
    counts: Mapping[str, frozenset[str] | None]
    serving: frozenset[str]
    by_kind: Mapping[str, Metrics]
    _days: dict[int, int] = field(default_factory=dict)

    def metrics_of(self, source: str, kind: str) -> Metrics:
        """The metrics that a source's activities of a kind move; none when it does not count it."""
        counted = self.counts.get(source)
        return self.by_kind.get(kind, ()) if counted is None or kind in counted else ()

    def kinds_of(self, metric: str) -> frozenset[str]:
        """The kind that a metric is about; nothing when it is not counted."""
        return frozenset(
            kind for kind, known in self.by_kind.items() if any(m.key == metric for m in known)
        )

    def day_of(self, quarter: int) -> int:
        """The local day in which a quarter hour lies."""
        day = self._days.get(quarter)
        if day is None:
            local = moment_of(quarter * QUARTER, self.zone)
            day = self._days[quarter] = day_number(local.date())
        return day


def load(access: Access, workspace: str, config_version: int = 0) -> Rules:
    """The rules that stand in this snapshot, to be cached under `config_version`."""
    document = documents.get(access, workspace, "workspace", "workspace")
    if document is None:
        raise NotFound("unknown_workspace")
    sources = documents.all_of(access, workspace, "source")
    return Rules(
        config_version,
        ZoneInfo(document.body["time_zone"]),
        document.body["currency"],
        {source.key: _kinds(source.body.get("counts")) for source in sources},
        frozenset(source.key for source in sources if not source.archived),
        _by_kind((*PRESETS.values(), *own_metrics(access, workspace).values())),
    )


def own_metrics(access: Access, workspace: str) -> dict[str, Metric]:
    """The metrics that a workspace has defined and uses, by key."""
    return {
        found.key: metric_of(found.key, found.body)
        for found in documents.all_of(access, workspace, "metric")
        if not found.archived
    }


def _by_kind(metrics: Iterable[Metric]) -> dict[str, Metrics]:
    found: dict[str, Metrics] = {}
    for metric in metrics:
        found[metric.kind] = (*found.get(metric.kind, ()), metric)
    return found


def _kinds(counts: list[str] | None) -> frozenset[str] | None:
    return None if counts is None else frozenset(counts)
