"""Progress as Prometheus gauges.

A snapshot is rendered as a whole and handed out as bytes, so that a scrape never touches the
store. The number of series is bounded whatever people create: a goal in a scope is exported whole
or not at all, in an order that does not depend on chance, and what was left out is a gauge itself.
Gauges carry the very decimals of the JSON document. A null has no sample: 0 would be a lie.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from prometheus_client.utils import floatToGoString

from app.domain.foreseen import Forecast
from app.domain.instants import SECOND, micros
from app.domain.progress import GoalProgress, Progress, Verdict
from app.domain.quantities import written

MAX_SERIES = 2_000
MAX_LABEL = 200
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_GOAL = ("workspace", "plan", "goal", "team", "unit")
_SOURCE = ("workspace", "source")
_WORKSPACE = ("workspace",)
_FAMILIES = {
    "tassei_goal_target": "What the goal asks for in its period.",
    "tassei_goal_actual": "What was reached so far.",
    "tassei_goal_expected": "What should have been reached by now.",
    "tassei_goal_gap": "Actual less expected.",
    "tassei_goal_required_per_day": "What each remaining working day has to bring.",
    "tassei_goal_attainment_ratio": "Actual over target.",
    "tassei_goal_pace_ratio": "Actual over expected.",
    "tassei_goal_reach_probability_ratio": "How surely the target is reached by the deadline.",
    "tassei_goal_forecast": "Where it ends: the median, and between what in 80 of 100 cases.",
    "tassei_goal_verdict": "1 for the goal's verdict, 0 for the others.",
    "tassei_goal_info": "The goal's name and currency.",
    "tassei_conversion_ratio": "How many of this goal one of its child goal makes.",
    "tassei_source_stale": "1 when the source is silent for longer than expected.",
    "tassei_source_last_event_timestamp_seconds": "When the source last delivered.",
    "tassei_source_pending_fetches": "Objects that the source named and that are to be fetched.",
    "tassei_source_channel_expiry_timestamp_seconds": "When notifications end unless renewed.",
    "tassei_source_channel_failures": "How often in a row renewing its notifications failed.",
    "tassei_quarantine_deliveries": "Authentic items that could not be counted.",
    "tassei_unmatched_identities": "People reported by sources and known as nobody.",
    "tassei_tally_mismatches": "Tallies that differ from a recount, when last checked.",
    "tassei_exported_series_omitted": "Series left out by the limit.",
    "tassei_snapshot_timestamp_seconds": "When the progress shown here was evaluated.",
}


@dataclass(frozen=True, slots=True)
class SourceReading:
    """A source's silence at the moment of the snapshot.

    channels_end_at: when the first of the channels ends that have it notify, None without any
    channel_failures: how often in a row renewing one failed, at most
    """

    workspace: str
    source: str
    stale: bool
    last_event_at: datetime | None
    pending: int = 0
    channels_end_at: datetime | None = None
    channel_failures: int | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceReading:
    """What needs somebody's attention; `tally_mismatches` is None until it was first checked."""

    workspace: str
    quarantined: int
    unmatched_identities: int
    tally_mismatches: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything exported, at one moment. Teams are taken from each progress's breakdown."""

    taken_at: datetime
    progress: tuple[Progress, ...] = ()
    sources: tuple[SourceReading, ...] = ()
    workspaces: tuple[WorkspaceReading, ...] = ()


class _Series(NamedTuple):
    """`labels` as they stand between the braces."""

    family: str
    labels: str
    value: float


class _Block(NamedTuple):
    """Series that are exported together or not at all, what they are of, and their place."""

    of: tuple[str, ...]
    place: tuple[bool | int | str, ...]
    series: list[_Series]


def families(snapshot: Snapshot, max_series: int = MAX_SERIES) -> bytes:
    """The snapshot's families in the text that Prometheus's own format and OpenMetrics share.

    Gauges read the same in both; what differs (counters, the end mark) is added by who serves it.
    Written here and not by the client library: it makes an object of each sample and sorts and
    escapes its labels anew, while most of them are those of the line before.
    """
    shown, omitted = _within(_blocks(snapshot), max_series)
    shown.append(_Series("tassei_exported_series_omitted", "", omitted))
    shown.append(_Series("tassei_snapshot_timestamp_seconds", "", _seconds(snapshot.taken_at)))
    lines: dict[str, list[str]] = {name: [] for name in _FAMILIES}
    for family, labels, value in shown:
        braced = f"{{{labels}}}" if labels else ""
        lines[family].append(f"{family}{braced} {_number(value)}\n")
    return "".join(_text(name, found) for name, found in lines.items() if found).encode()


def _number(value: float) -> str:
    digits: str = floatToGoString(value)  # type: ignore[no-untyped-call] # the library's
    return digits


def _text(family: str, lines: list[str]) -> str:
    return f"# HELP {family} {_FAMILIES[family]}\n# TYPE {family} gauge\n" + "".join(lines)


def _within(blocks: Iterable[_Block], limit: int) -> tuple[list[_Series], int]:
    """The first blocks that fit, and the number of series in the rest.

    The cut is a prefix: filling up with smaller blocks would make a goal come and go with the
    size of its neighbours.
    """
    ordered = [block.series for block in sorted(blocks, key=lambda block: block.place)]
    totals = accumulate(len(series) for series in ordered)
    kept = sum(total <= limit for total in totals)
    omitted = sum(len(series) for series in ordered[kept:])
    return [series for block in ordered[:kept] for series in block], omitted


def _blocks(snapshot: Snapshot) -> list[_Block]:
    """One block per name that series are told apart by; a second one of that name is dropped."""
    blocks = (
        *(_workspace_block(reading) for reading in snapshot.workspaces),
        *(_source_block(reading) for reading in snapshot.sources),
        *(block for progress in snapshot.progress for block in _goal_blocks(progress)),
    )
    return list({block.of: block for block in reversed(blocks)}.values())


def _workspace_block(reading: WorkspaceReading) -> _Block:
    of = (_label(reading.workspace),)
    labels = _joined(map(_quoted, _WORKSPACE, of))
    values = {
        "tassei_quarantine_deliveries": reading.quarantined,
        "tassei_unmatched_identities": reading.unmatched_identities,
        "tassei_tally_mismatches": reading.tally_mismatches,
    }
    series = [_Series(name, labels, value) for name, value in values.items() if value is not None]
    return _Block(of, (0, *of), series)


def _source_block(reading: SourceReading) -> _Block:
    of = (_label(reading.workspace), _label(reading.source))
    labels = _joined(map(_quoted, _SOURCE, of))
    series = [
        _Series("tassei_source_stale", labels, reading.stale),
        _Series("tassei_source_pending_fetches", labels, reading.pending),
    ]
    if reading.last_event_at is not None:
        at = _seconds(reading.last_event_at)
        series.append(_Series("tassei_source_last_event_timestamp_seconds", labels, at))
    if reading.channels_end_at is not None:
        at = _seconds(reading.channels_end_at)
        series.append(_Series("tassei_source_channel_expiry_timestamp_seconds", labels, at))
    if reading.channel_failures is not None:
        failures = reading.channel_failures
        series.append(_Series("tassei_source_channel_failures", labels, failures))
    return _Block(of, (1, *of), series)


def _goal_blocks(progress: Progress) -> Iterator[_Block]:
    """Whole plans stand before teams and roots before leaves: a limit cuts detail first."""
    teams = (part for part in progress.breakdown if part.scope.team is not None)
    for part in (progress.whole, *teams):
        if part.scope.member is None:
            for depth, goal in _by_depth(part.root):
                team = part.scope.team
                names = (progress.workspace, progress.plan.alias, goal.key, team or "")
                of = (*map(_label, names), goal.unit.kind.value)
                series = list(_goal_series(goal, [*map(_quoted, _GOAL, of)]))
                yield _Block(of, (2, team is not None, depth, *of), series)


def _by_depth(goal: GoalProgress, depth: int = 0) -> Iterator[tuple[int, GoalProgress]]:
    yield depth, goal
    for child in goal.children:
        yield from _by_depth(child, depth + 1)


def _goal_series(goal: GoalProgress, own: list[str]) -> Iterator[_Series]:
    labels = _joined(own)
    quantities = {
        "tassei_goal_target": goal.target,
        "tassei_goal_actual": goal.actual,
        "tassei_goal_expected": goal.expected,
        "tassei_goal_gap": goal.gap,
        "tassei_goal_required_per_day": goal.required_per_day,
        "tassei_goal_attainment_ratio": goal.attainment,
        "tassei_goal_pace_ratio": goal.pace,
    }
    for name, quantity in quantities.items():
        if quantity is not None:
            yield _Series(name, labels, _value(quantity))
    if goal.forecast is not None:
        yield from _forecast(goal.forecast, own)
    for verdict in Verdict:
        told = _joined([*own, _quoted("verdict", verdict.value)])
        yield _Series("tassei_goal_verdict", told, goal.verdict is verdict)
    currency = _quoted("currency", goal.unit.currency or "")
    named = _joined([*own, currency, _quoted("name", _label(goal.name))])
    yield _Series("tassei_goal_info", named, 1)
    for basis, rate in _rates(goal):
        based = _joined([*own, _quoted("basis", basis)])
        yield _Series("tassei_conversion_ratio", based, _value(rate))


def _forecast(forecast: Forecast, own: list[str]) -> Iterator[_Series]:
    probability = _value(forecast.probability)
    yield _Series("tassei_goal_reach_probability_ratio", _joined(own), probability)
    ends = {"low": forecast.low, "median": forecast.median, "high": forecast.high}
    for stat, quantity in ends.items():
        told = _joined([*own, _quoted("stat", stat)])
        yield _Series("tassei_goal_forecast", told, _value(quantity))


def _rates(goal: GoalProgress) -> Iterator[tuple[str, Fraction]]:
    if goal.rate is not None:
        yield "assumed", goal.rate.assumed
        if goal.rate.observed is not None:
            yield "observed", goal.rate.observed


def _joined(labels: Iterable[str]) -> str:
    """Labels by name, as the client library has them."""
    return ",".join(sorted(labels))


def _quoted(name: str, value: str) -> str:
    return f'{name}="{_escaped(value)}"'


@lru_cache(maxsize=10_000)
def _escaped(text: str) -> str:
    """A label's value as the format quotes it."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=10_000)  # most stay from minute to minute
def _value(quantity: Fraction) -> float:
    """The double nearest to the decimal that the JSON document shows, so that they agree."""
    return float(written(quantity))


def _seconds(moment: datetime) -> float:
    return micros(moment) / SECOND


@lru_cache(maxsize=10_000)  # the same names in every series, minute for minute
def _label(text: str) -> str:
    """A name as a label: bounded, and with invisible characters spelt out.

    The exposition escapes what would break its lines; this is for the eyes: a direction control
    in a name must not rearrange somebody's alert.
    """
    seen = "".join(_spelt(character) for character in text[: MAX_LABEL + 1])
    return seen if len(seen) <= MAX_LABEL else f"{seen[: MAX_LABEL - 1]}…"


def _spelt(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return f"\\u{{{ord(character):x}}}"
    return character
