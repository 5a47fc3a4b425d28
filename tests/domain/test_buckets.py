"""Buckets in five zones, against a walk through every quarter hour with the zone's own clock."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.buckets import (
    MAX_BUCKETS,
    Bucket,
    Granularity,
    Window,
    buckets,
    parts,
    pieces,
    whole,
    window_start,
)
from app.domain.errors import Invalid
from app.domain.instants import QUARTER, instant

ZONES = (
    "Asia/Tokyo",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
FAR = instant("2100-01-01T00:00:00Z")
# Around every change of the clocks of 2026 in these zones, a new year and a leap day.
CHANGES = [
    instant(text)
    for text in (
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2026-12-31T18:15:00Z",
        "2028-02-28T15:00:00Z",
    )
]


def local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(zone))


KEYS: dict[Granularity, Callable[[datetime], Hashable]] = {
    Granularity.TOTAL: lambda _: 0,
    Granularity.QUARTER_HOUR: lambda t: t.astimezone(UTC),
    Granularity.HOUR: lambda t: (t.date(), t.hour, t.utcoffset()),
    Granularity.DAY: lambda t: t.date(),
    Granularity.WEEK: lambda t: t.isocalendar()[:2],
    Granularity.MONTH: lambda t: (t.year, t.month),
    Granularity.QUARTER: lambda t: (t.year, (t.month + 2) // 3),
    Granularity.YEAR: lambda t: t.year,
}


def walked(granularity: Granularity, zone: str, start: int, end: int) -> list[Bucket]:
    """Quarter hours with the same calendar period, put together."""
    found: list[list[int]] = []
    key: Hashable = None
    for at in range(start, end, QUARTER):
        own = KEYS[granularity](local(at, zone))
        if not found or own != key:
            found.append([at, at])
        found[-1][1] = at + QUARTER
        key = own
    return [Bucket(*one) for one in found]


ranges = st.tuples(st.sampled_from(CHANGES), st.integers(-300, 300), st.integers(1, 900)).map(
    lambda r: (r[0] + r[1] * QUARTER, r[0] + (r[1] + r[2]) * QUARTER)
)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("granularity", Granularity)
@settings(max_examples=25, deadline=None)
@given(span=ranges)
def test_buckets_are_the_periods_of_the_zones_clock(
    granularity: Granularity, zone: str, span: tuple[int, int]
) -> None:
    found = buckets(granularity, ZoneInfo(zone), *span, FAR)
    assert list(found) == walked(granularity, zone, *span)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Asia/Kathmandu", "2026-03-08", 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(zone: str, day: str, hours: float) -> None:
    first = int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
    bucket = buckets(Granularity.DAY, ZoneInfo(zone), first, first + 300 * QUARTER, FAR)[0]
    assert bucket == (first, first + int(hours * 4) * QUARTER)


def test_a_day_that_a_zone_skipped_is_no_bucket() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011 at midnight
    start, end = instant("2011-12-29T10:00:00Z"), instant("2011-12-31T10:00:00Z")
    found = buckets(Granularity.DAY, apia, start, end, FAR)
    assert [local(one.start, "Pacific/Apia").day for one in found] == [29, 31]
    assert (found[0].start, found[-1].end) == (start, end)


@pytest.mark.parametrize("granularity", [g for g in Granularity if g is not Granularity.TOTAL])
def test_nothing_that_begins_after_the_moment_evaluated_is_a_bucket(
    granularity: Granularity,
) -> None:
    start, until = CHANGES[0], CHANGES[0] + 5 * QUARTER
    found = buckets(granularity, ZoneInfo("UTC"), start, FAR, until)
    assert found[-1].start < until <= found[-1].end


def test_too_many_buckets_are_refused_and_the_last_allowed_number_is_not() -> None:
    start = CHANGES[0]
    most = start + MAX_BUCKETS * QUARTER
    assert len(buckets(Granularity.QUARTER_HOUR, ZoneInfo("UTC"), start, most, FAR)) == MAX_BUCKETS
    for granularity in (Granularity.QUARTER_HOUR, Granularity.HOUR, Granularity.DAY):
        with pytest.raises(Invalid, match="too_many_buckets"):
            buckets(granularity, ZoneInfo("UTC"), start, start + 10**5 * 96 * QUARTER, FAR * 9)


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=40, deadline=None)
@given(at=st.sampled_from(CHANGES), step=st.integers(-400, 400))
def test_windows_end_now_and_begin_where_their_name_says(zone: str, at: int, step: int) -> None:
    end = at + step * QUARTER
    own = ZoneInfo(zone)

    def begins(window: Window) -> datetime:
        return local(window_start(window, own, end), zone)

    now, last = local(end, zone), local(end - QUARTER, zone)
    assert window_start(Window.HOUR, own, end) == end - 4 * QUARTER
    assert window_start(Window.HOURS, own, end) == end - 96 * QUARTER
    for window, days in ((Window.WEEK, 7), (Window.MONTH, 28)):
        # Compared as instants: a time of day that did not exist then stands for the one after it.
        wall = (now.replace(tzinfo=None) - timedelta(days=days)).replace(tzinfo=own, fold=now.fold)
        assert begins(window).astimezone(UTC) == wall.astimezone(UTC)
    month = date(last.year, last.month, 1)
    quarter = date(last.year, 3 * ((last.month - 1) // 3) + 1, 1)
    for window, first in (
        (Window.MONTH_TO_DATE, month),
        (Window.QUARTER_TO_DATE, quarter),
        (Window.YEAR_TO_DATE, date(last.year, 1, 1)),
    ):
        assert begins(window).replace(tzinfo=None) == datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a wall time


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.sampled_from(list(Granularity)),
    ranges,
    st.integers(1, 1000),
    st.lists(st.integers(-300, 1200), max_size=3),
)
def test_days_and_quarter_hours_of_the_pieces_are_each_bucket_once(
    zone: str,
    home: str,
    granularity: Granularity,
    span: tuple[int, int],
    length: int,
    changes: list[int],
) -> None:
    until = span[0] + length * QUARTER
    cut = buckets(granularity, ZoneInfo(zone), *span, until)
    instants = sorted({span[0] + step * QUARTER for step in changes})
    within = parts(cut, until, instants)
    days, quarters = pieces(within, ZoneInfo(home))
    expected = {
        at // QUARTER: place
        for place, (start, end) in enumerate(cut)
        for at in range(start, min(end, until), QUARTER)
    }
    found: dict[int, int] = {}
    for place, first, end in quarters:
        for quarter in range(first, end):
            assert quarter not in found
            found[quarter] = within[place].bucket
    day_of = {
        quarter: (local(quarter * QUARTER, home).date() - date(1970, 1, 1)).days
        for quarter in range(min(expected, default=0) - 100, max(expected, default=0) + 100)
    }
    for place, first, end in days:
        for quarter, day in day_of.items():
            if first <= day < end:
                assert quarter not in found
                found[quarter] = within[place].bucket
    assert found == expected
    assert {q for _, first, end in whole(within) for q in range(first, end)} == set(expected)
    assert not any(part.start < change < part.end for part in within for change in instants)
