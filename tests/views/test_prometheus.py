"""The exposition parses, says the JSON's numbers, stays bounded, and survives any name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format
from prometheus_client.registry import Collector

from app.domain.progress import PlanReference, Progress
from app.views.progress_json import progress_document
from app.views.prometheus import (
    MAX_LABEL,
    Snapshot,
    SourceReading,
    WorkspaceReading,
    families,
)
from tests.views.samples import NOW, calls, deals, everything, goal, progress, revenue, said, scoped

OPENMETRICS = "openmetrics"
TEXT = "text"
Key = tuple[str, frozenset[tuple[str, str]]]
HOSTILE = [
    'quote " backslash \\ newline \n end',
    '\\"} 1\ntassei_goal_target{goal="forged"} 9',
    "\u202egnp.exe\u2066\u200b",
    "\x00\x1b[31m\x7f\x85\u2028",
    "\udc80lone",
    "長" * 10_000,
    "e" + "\u0301" * 10_000,
    "",
    "# EOF",
]


def parsed(exposition: bytes, form: str) -> dict[Key, float]:
    """Series by name and labels; fails when one stands twice."""
    read: Any = openmetrics if form == OPENMETRICS else text_format
    end = "# EOF\n" if form == OPENMETRICS else ""
    samples = [s for family in read(exposition.decode() + end) for s in family.samples]
    series = {(s.name, frozenset(s.labels.items())): s.value for s in samples}
    assert len(series) == len(samples)
    return series


def series_of(snapshot: Snapshot, form: str = TEXT, **options: Any) -> dict[Key, float]:
    return parsed(families(snapshot, **options), form)


def of(*progress: Progress, **rest: Any) -> Snapshot:
    return Snapshot(taken_at=NOW, progress=progress, **rest)


def key(family: str, /, **labels: str) -> Key:
    return family, frozenset(labels.items())


def labels_of(goal: Any, team: str = "") -> dict[str, str]:
    return {
        "workspace": "example",
        "plan": "new-business",
        "goal": goal["key"],
        "team": team,
        "unit": goal["unit"]["kind"],
    }


def goals_of(goal: Any) -> list[Any]:
    return [goal, *(below for child in goal["children"] for below in goals_of(child))]


def as_json_says(root: Any, team: str = "") -> dict[Key, float]:
    """The goal series that a JSON document means, by the contract's names."""
    fields = "target actual expected gap required_per_day".split()
    ratios = {"attainment": "attainment_ratio", "pace": "pace_ratio"}
    verdicts = "reached unknown missed not_started on_track at_risk off_track".split()
    series: dict[Key, float] = {}
    for document in goals_of(root):
        labels = labels_of(document, team)
        for field in (*fields, *ratios):
            if document[field] is not None:
                family = f"tassei_goal_{ratios.get(field, field)}"
                series[key(family, **labels)] = float(document[field])
        if document["forecast"] is not None:
            said = document["forecast"].items()
            told = {stat: float(text) for stat, text in said if stat != "law"}
            chance = told.pop("probability")
            series[key("tassei_goal_reach_probability_ratio", **labels)] = chance
            for stat in ("low", "median", "high"):
                series[key("tassei_goal_forecast", **labels, stat=stat)] = told[stat]
        for verdict in verdicts:
            name = key("tassei_goal_verdict", **labels, verdict=verdict)
            series[name] = float(document["verdict"] == verdict)
        currency = document["unit"].get("currency", "")
        series[key("tassei_goal_info", **labels, currency=currency, name=document["name"])] = 1.0
        for basis in ("assumed", "observed"):
            if document["rate"] is not None and document["rate"][basis] is not None:
                name = key("tassei_conversion_ratio", **labels, basis=basis)
                series[name] = float(document["rate"][basis])
    return series


def goal_series(series: dict[Key, float]) -> dict[Key, float]:
    return {k: v for k, v in series.items() if k[0].startswith(("tassei_goal", "tassei_conv"))}


class Again(Collector):
    """What an exposition says, to be written by the client library."""

    def __init__(self, exposition: bytes) -> None:
        self.exposition = exposition

    def collect(self) -> Iterable[Metric]:
        yield from text_format(self.exposition.decode())


@pytest.mark.parametrize("name", HOSTILE)
def test_every_byte_is_what_the_client_library_would_write(name: str) -> None:
    document = replace(progress(everything()), plan=PlanReference(name, name, name, 1))
    written = families(of(document))
    assert b"tassei_goal_verdict" in written
    assert written == generate_latest(Again(written))


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_gauges_are_the_numbers_of_the_json_and_nothing_else(form: str) -> None:
    east = scoped(deals(), "東", team="east")
    sato = scoped(calls(), "佐藤", member="sato")
    whole = progress(everything(), east, sato)
    document = progress_document(whole, said, "en", breakdown=True)
    meant = as_json_says(document["root"]) | as_json_says(document["breakdown"][0]["root"], "east")
    assert goal_series(series_of(of(whole), form)) == meant


def test_a_null_has_no_sample() -> None:
    nothing = goal("g", attainment=None, pace=None, required_per_day=None, forecast=None)
    names = {name for name, _ in series_of(of(progress(nothing)))}
    assert not names & {
        "tassei_goal_attainment_ratio",
        "tassei_goal_pace_ratio",
        "tassei_goal_required_per_day",
        "tassei_goal_forecast",
        "tassei_goal_reach_probability_ratio",
        "tassei_conversion_ratio",
        "tassei_tally_mismatches",
    }
    assert "tassei_goal_target" in names


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_sources_and_workspaces_say_what_needs_attention(form: str) -> None:
    snapshot = of(
        sources=(
            SourceReading("example", "zoom", stale=True, last_event_at=NOW, pending=2),
            SourceReading("example", "new", stale=False, last_event_at=None),
            SourceReading(
                "other",
                "zoho",
                stale=False,
                last_event_at=None,
                channels_end_at=NOW,
                channel_failures=2,
            ),
        ),
        workspaces=(WorkspaceReading("example", 3, 4, 0), WorkspaceReading("other", 0, 0, None)),
    )
    zoom = {"workspace": "example", "source": "zoom"}
    zoho = {"workspace": "other", "source": "zoho"}
    assert series_of(snapshot, form) == {
        key("tassei_source_stale", **zoom): 1.0,
        key("tassei_source_stale", workspace="example", source="new"): 0.0,
        key("tassei_source_last_event_timestamp_seconds", **zoom): NOW.timestamp(),
        key("tassei_source_pending_fetches", **zoom): 2.0,
        key("tassei_source_pending_fetches", workspace="example", source="new"): 0.0,
        key("tassei_source_stale", **zoho): 0.0,
        key("tassei_source_pending_fetches", **zoho): 0.0,
        key("tassei_source_channel_expiry_timestamp_seconds", **zoho): NOW.timestamp(),
        key("tassei_source_channel_failures", **zoho): 2.0,
        key("tassei_quarantine_deliveries", workspace="example"): 3.0,
        key("tassei_quarantine_deliveries", workspace="other"): 0.0,
        key("tassei_unmatched_identities", workspace="example"): 4.0,
        key("tassei_unmatched_identities", workspace="other"): 0.0,
        key("tassei_tally_mismatches", workspace="example"): 0.0,
        key("tassei_exported_series_omitted"): 0.0,
        key("tassei_snapshot_timestamp_seconds"): NOW.timestamp(),
    }


def test_the_services_own_counters_stand_beside_in_openmetrics() -> None:
    registry = CollectorRegistry()
    Counter("tassei_events", "Events.", registry=registry).inc(7)
    encode, _ = choose_encoder("application/openmetrics-text; version=1.0.0")
    own = encode(registry).removesuffix(b"# EOF\n")
    series = parsed(own + families(of(progress(revenue()))), OPENMETRICS)
    assert series[key("tassei_events_total")] == 7.0
    assert key("tassei_exported_series_omitted") in series


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_can_break_the_exposition(name: str, form: str) -> None:
    plain = series_of(of(progress(calls())), form)
    tried = series_of(
        of(
            progress(
                calls(name=name),
                scoped(goal(name), name, team=name),
                plan=PlanReference(name, name, name, 1),
                workspace=name,
            ),
            sources=(SourceReading(name, name, stale=False, last_event_at=None),),
        ),
        form,
    )
    goals = [k for k in tried if k[0] == "tassei_goal_target"]
    assert len(goals) == 2
    of_source = {"tassei_source_stale", "tassei_source_pending_fetches"}
    assert {n for n, _ in tried} == {n for n, _ in plain} | of_source
    for _, labels in tried:
        for value in dict(labels).values():
            assert len(value) <= MAX_LABEL
            assert value.isprintable()


def test_an_ordinary_japanese_name_with_a_wide_blank_stands_as_it_is() -> None:
    series = series_of(of(progress(calls(name="東日本\u3000架電（新規）☎"))))
    (info,) = [dict(labels) for name, labels in series if name == "tassei_goal_info"]
    assert info["name"] == "東日本\u3000架電（新規）☎"


def many(plans: int) -> list[Progress]:
    return [
        progress(
            revenue(),
            scoped(revenue(), "東", team="east"),
            plan=PlanReference(f"p-{n:04d}", f"p-{n:04d}", "計画", 1),
        )
        for n in range(plans)
    ]


def blocks(series: Iterable[Key]) -> dict[tuple[str, ...], int]:
    """How many series each (plan, goal, team) has."""
    counted: dict[tuple[str, ...], int] = {}
    for name, labels in series:
        if name.startswith(("tassei_goal", "tassei_conv")):
            named = dict(labels)
            block = named["plan"], named["goal"], named["team"]
            counted[block] = counted.get(block, 0) + 1
    return counted


@pytest.mark.parametrize("limit", [0, 15, 16, 100, 777, 2_000])
def test_the_limit_cuts_whole_goals_and_counts_what_is_left_out(limit: int) -> None:
    snapshot = of(*many(40))
    everything_shown = goal_series(series_of(snapshot, max_series=10**6))
    series = series_of(snapshot, max_series=limit)
    shown = goal_series(series)
    whole = blocks(everything_shown)
    assert len(shown) <= limit
    assert all(whole[block] == number for block, number in blocks(shown).items())
    assert shown.items() <= everything_shown.items()
    omitted = series[key("tassei_exported_series_omitted")]
    assert omitted == len(everything_shown) - len(shown)
    assert len(shown) > limit - max(whole.values())


def test_the_limit_keeps_the_same_goals_whatever_order_they_come_in() -> None:
    plans = many(40)
    forward, backward = (
        series_of(of(*order), max_series=500) for order in (plans, list(reversed(plans)))
    )
    assert forward == backward
    shown = blocks(forward)
    assert {(goal, team) for _, goal, team in shown} == {("revenue", "")}


def test_a_second_plan_of_the_same_alias_never_doubles_a_series() -> None:
    first = progress(calls(actual=Fraction(1)))
    second = progress(calls(actual=Fraction(2)))
    series = series_of(of(first, second))
    actual = [v for (name, _), v in series.items() if name == "tassei_goal_actual"]
    assert actual == [1.0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["架電", HOSTILE[0], HOSTILE[1]], ids=range(3))
def test_promtool_finds_nothing_to_say(promtool: Path, name: str) -> None:
    root = replace(everything(), name=name)
    snapshot = of(
        progress(root, scoped(root, name, team="east")),
        sources=(SourceReading("example", "zoom", stale=True, last_event_at=NOW),),
        workspaces=(WorkspaceReading("example", 3, 4, 1),),
    )
    exposition = families(snapshot)
    checked = subprocess.run(  # noqa: S603 - a program of ours with fixed arguments
        [promtool, "check", "metrics"], input=exposition, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
