"""Days are those of the workspace's clock, however long it makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.activities import Report
from app.store import documents, ledger, totals
from app.store.committer import Committer
from app.store.engine import Store
from app.store.transactions import Writing
from tests.store.recount import stored_tallies, tallies_of
from tests.store.worlds import NOW, call, delivery, put_source, won

QUARTER = timedelta(minutes=15)
EPOCH = date(1970, 1, 1)
# Hours, half hours and quarters of an hour from UTC; forward, back, by half an hour, in winter,
# at midnight; a quarter hour and a whole day that were left out.
ZONES = {
    "Asia/Tokyo": 2026,
    "America/New_York": 2026,
    "Europe/London": 2026,
    "Australia/Lord_Howe": 2026,
    "Asia/Kolkata": 2026,
    "Asia/Kathmandu": 1986,
    "Pacific/Chatham": 2026,
    "Africa/Casablanca": 2026,
    "America/Santiago": 2026,
    "Pacific/Apia": 2011,
}
# By hand: how many hours some of their days have.
HOURS: dict[str, dict[str, float]] = {
    "Asia/Tokyo": {"2026-06-01": 24},
    "America/New_York": {"2026-03-08": 23, "2026-11-01": 25},
    "Europe/London": {"2026-03-29": 23, "2026-10-25": 25},
    "Australia/Lord_Howe": {"2026-04-05": 24.5, "2026-10-04": 23.5},
    "Asia/Kolkata": {"2026-06-01": 24},
    "Asia/Kathmandu": {"1986-01-01": 23.75},
    "Pacific/Chatham": {"2026-04-05": 25, "2026-09-27": 23},
    "Africa/Casablanca": {"2026-02-15": 25, "2026-03-22": 23},
    "America/Santiago": {"2026-04-04": 25, "2026-09-06": 23},
    "Pacific/Apia": {"2011-04-02": 25, "2011-09-24": 23, "2011-12-30": 0},
}


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The instants of a year at which the clock jumps; an ordinary one where it never does."""
    start, own = datetime(ZONES[zone] - 1, 12, 31, tzinfo=UTC), ZoneInfo(zone)
    hours = [start + timedelta(hours=n) for n in range(367 * 24)]
    moved = [
        at
        for before, at in pairwise(hours)
        if before.astimezone(own).utcoffset() != at.astimezone(own).utcoffset()
    ]
    return tuple(moved) or (datetime(ZONES[zone], 6, 1, tzinfo=UTC),)


def settled(store: Store, workspace: str, zone: str) -> str:
    with store.create_workspace(workspace, NOW) as writing:
        move(writing, zone)
        put_source(writing, "crm", None)
    return workspace


def move(writing: Writing, zone: str) -> None:
    body = {"time_zone": zone, "currency": "JPY"}
    documents.put(writing, "workspace", "workspace", body, author="test")


@pytest.fixture
def committer(store: Store) -> Iterator[Committer]:
    committer = Committer(store)
    committer.start()
    yield committer
    committer.stop()


@pytest.mark.parametrize("zone", ZONES)
def test_a_call_in_every_quarter_hour_makes_each_day_as_long_as_its_clock(
    store: Store, committer: Committer, zone: str
) -> None:
    settled(store, "w", zone)
    moments = sorted(
        {at + step * QUARTER for at in changes(zone) for step in range(-40 * 4, 40 * 4)}
    )
    calls = [call(f"c{n}", started_at=at.isoformat()) for n, at in enumerate(moments)]
    committer.submit(delivery(*calls, workspace="w")).result(60)
    expected = Counter(at.astimezone(ZoneInfo(zone)).date() for at in moments)
    with store.read() as reading:
        for day, number in expected.items():
            place = (day - EPOCH).days
            rows = totals.totals(reading, "w", ["calls"], place, place + 1)
            assert [row.number for row in rows] == [number], day
    assert {day: expected[date.fromisoformat(day)] / 4 for day in HOURS[zone]} == HOURS[zone]
    assert ledger.verify(store, "w") == []


_zones = st.sampled_from(sorted(ZONES))
_instants = st.tuples(
    st.integers(0, 9),
    st.one_of(st.integers(-130_000, 130_000), st.sampled_from([-86_400, -3_600, 0, 3_600])),
    st.sampled_from([-1, 0, 1, 999_999]),
)


def reports(zone: str, drawn: list[tuple[int, int, int]]) -> list[Report]:
    found = []
    for number, (base, seconds, micros) in enumerate(drawn):
        around = changes(zone)[base % len(changes(zone))]
        at = (around + timedelta(seconds=seconds, microseconds=micros)).isoformat()
        made = won if number % 2 else call
        field = "won_at" if number % 2 else "started_at"
        found.append(made(f"a{number}", **{field: at}))
    return found


def test_whatever_happens_around_a_change_of_clocks_lies_on_the_day_of_the_clock_on_the_wall(
    store: Store, committer: Committer
) -> None:
    numbers = count()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(_instants, min_size=1, max_size=12), _zones, _zones)
    def holds(drawn: list[tuple[int, int, int]], zone: str, other: str) -> None:
        workspace = settled(store, f"w{next(numbers)}", zone)
        found = reports(zone, drawn)
        committer.submit(delivery(*found, workspace=workspace)).result(60)
        assert stored_tallies(store, workspace) == tallies_of(found, {"crm": None}, zone)
        with store.write(workspace, NOW) as writing:
            move(writing, other)
            ledger.rebuild_in(writing)
        again = [call("late", started_at=changes(other)[0].isoformat())]
        committer.submit(delivery(*again, workspace=workspace)).result(60)
        moved = tallies_of([*found, *again], {"crm": None}, other)
        assert stored_tallies(store, workspace) == moved

    holds()
