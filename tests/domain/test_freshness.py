from __future__ import annotations

from typing import Any

import pytest

from app.domain.calendar import WorkCalendar
from app.domain.errors import Invalid
from app.domain.freshness import Pending, Source, freshness, next_silence, source_of, stale_from
from app.domain.instants import instant, written_instant
from app.domain.progress import FreshnessState
from tests.domain.worlds import codes, workspace

FRIDAY = "2026-12-11T17:00:00+09:00"
CALENDAR = workspace().calendar


def source(key: str = "s", counts: list[str] | None = None, **expect: Any) -> Source:
    return source_of(key, {"counts": counts} | ({"expect": expect} if expect else {}))


@pytest.mark.parametrize(
    ("expect", "limit"),
    [
        ({}, "2026-12-14T17:00:00+09:00"),
        ({"every": "P1D"}, "2026-12-14T17:00:00+09:00"),
        ({"every": "PT2H"}, "2026-12-14T10:00:00+09:00"),
        ({"every": "PT1H"}, "2026-12-11T18:00:00+09:00"),
        ({"every": "PT24H"}, "2026-12-16T14:00:00+09:00"),
        ({"every": "PT24H", "within": "always"}, "2026-12-12T17:00:00+09:00"),
        ({"every": "P1W", "within": "always"}, "2026-12-18T17:00:00+09:00"),
        ({"every": "P1DT1H30M", "within": "always"}, "2026-12-12T18:30:00+09:00"),
        ({"every": "PT90S", "within": "always"}, "2026-12-11T17:01:30+09:00"),
        ({"every": "P2D", "within": "working_hours"}, "2026-12-15T17:00:00+09:00"),
    ],
)
def test_silence_becomes_too_long_after_the_time_that_the_expectation_counts(
    expect: dict[str, Any], limit: str
) -> None:
    only = source(**expect)
    assert stale_from(only.expect, instant(FRIDAY), CALENDAR) == instant(limit)
    last = {"s": instant(FRIDAY)}
    states = [
        freshness("call", [only], last, CALENDAR, instant(limit) + late).state for late in (0, 1)
    ]
    assert states == [FreshnessState.FRESH, FreshnessState.STALE]


def test_a_delivery_at_night_counts_from_the_next_morning() -> None:
    limit = stale_from(source().expect, instant("2026-12-12T03:00:00+09:00"), CALENDAR)
    assert written_instant(limit or 0) == "2026-12-14T09:00:00Z"


def test_a_company_that_never_works_again_is_never_late() -> None:
    closed = workspace(calendar={"closures": [{"from": "2026-01-01", "to": "2099-01-01"}]}).calendar
    last = {"s": instant(FRIDAY)}
    assert stale_from(source().expect, instant(FRIDAY), closed) is None
    later = instant("2030-01-01T00:00:00Z")
    assert freshness("call", [source()], last, closed, later).state is FreshnessState.FRESH
    assert next_silence([source()], last, closed, instant(FRIDAY)) is None


def state(sources: list[Source], last: dict[str, str], calendar: WorkCalendar = CALENDAR) -> str:
    heard = {key: instant(text) for key, text in last.items()}
    return freshness("call", sources, heard, calendar, instant("2026-12-14T12:00:00+09:00")).state


def test_only_sources_that_count_the_kind_are_asked() -> None:
    calls, deals, any_kind = source("c", ["call"]), source("d", ["deal"]), source("a")
    old, new = "2026-12-01T12:00:00+09:00", "2026-12-14T11:00:00+09:00"
    assert state([], {}) == "none"
    assert state([deals], {"d": new}) == "none"
    assert state([calls], {}) == "none"
    assert state([calls, deals], {"c": new, "d": old}) == "fresh"
    assert state([calls, any_kind], {"c": new, "a": old}) == "stale"
    assert state([calls, any_kind], {"c": new}) == "fresh"


def test_the_last_event_is_the_latest_delivery_of_any_feeding_source() -> None:
    last = {"a": instant("2026-12-14T01:00:00Z"), "b": instant("2026-12-14T02:00:00Z")}
    found = freshness("call", [source("a"), source("b")], last, CALENDAR, instant(FRIDAY))
    assert found.last_event_at is not None
    assert found.last_event_at.isoformat() == "2026-12-14T11:00:00+09:00"


def test_what_was_named_and_not_told_is_pending_wherever_its_source_feeds() -> None:
    deals, calls = source("d", ["deal"]), source("c", ["call"])
    now, oldest = instant("2026-12-14T12:00:00+09:00"), instant("2026-12-14T02:00:00Z")
    last = {"d": oldest, "c": oldest}
    waiting = {"d": Pending(3, oldest), "gone": Pending(9, 0)}
    found = freshness("deal", [deals, calls], last, CALENDAR, now, waiting)
    assert (found.state, found.pending.count) == ("pending", 3)
    assert found.pending.oldest is not None
    assert found.pending.oldest.isoformat() == "2026-12-14T11:00:00+09:00"
    assert freshness("call", [deals, calls], last, CALENDAR, now, waiting).state == "fresh"
    both = [source("d"), source("e")]
    waiting |= {"e": Pending(1, oldest - 1)}
    found = freshness("deal", both, {"d": oldest, "e": oldest}, CALENDAR, now, waiting)
    assert (found.pending.count, found.state) == (4, "pending")
    # Silence is worse than what one knows that one lacks.
    late = freshness("deal", both, {"d": oldest, "e": 0}, CALENDAR, now, waiting)
    assert (late.state, late.pending.count) == ("stale", 4)


def test_the_next_silence_is_the_first_of_those_still_ahead() -> None:
    sources = [source("a", every="PT1H"), source("b", every="PT2H"), source("never")]
    last = {"a": instant("2026-12-14T09:00:00+09:00"), "b": instant("2026-12-14T10:00:00+09:00")}
    at = instant("2026-12-14T11:00:00+09:00")
    assert next_silence(sources, last, CALENDAR, at) == instant("2026-12-14T12:00:00.000001+09:00")


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ({"expect": {"every": "24h"}}, "/expect/every", "not_a_duration"),
        ({"expect": {"every": "P"}}, "/expect/every", "not_a_duration"),
        ({"expect": {"every": "PT"}}, "/expect/every", "not_a_duration"),
        ({"expect": {"every": "PT0S"}}, "/expect/every", "not_a_duration"),
        ({"expect": {"every": "P1M"}}, "/expect/every", "not_a_duration"),
        ({"expect": {"every": "P401D"}}, "/expect/every", "duration_too_long"),
        ({"expect": {"every": "P1D", "within": "lunch"}}, "/expect/within", "unknown_value"),
        ({"expect": {}}, "/expect/every", "not_a_text"),
    ],
)
def test_an_expectation_without_meaning_is_refused(
    document: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        source_of("s", document)
    assert codes(refused.value) == [(pointer, code)]
