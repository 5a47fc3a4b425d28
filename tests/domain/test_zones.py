"""A zone's rules written out: those of its file, and the same whichever file they are read from."""

from __future__ import annotations

import zoneinfo
from bisect import bisect_right
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.instants import DAY, FLOOR, QUARTER, SECOND, day_number, moment_of
from app.domain.zones import END, Offsets, day_of, offsets_of, read_offsets
from tests.zone_files import transitions, write_zone

FILES = Path(str(files("tzdata.zoneinfo")))
NAMES = sorted(zoneinfo.available_timezones() - {"localtime"})
QUARTERS = st.integers(FLOOR // QUARTER, END // QUARTER + 365 * 96)


def read(path: Path) -> ZoneInfo:
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key="Test/Zone")


@pytest.mark.parametrize("name", NAMES[::20])
def test_the_offsets_are_those_that_the_zones_own_file_changes_to(name: str) -> None:
    path = FILES.joinpath(*name.split("/"))
    told, footer = transitions(path)
    offsets = offsets_of(read(path))
    first, last = FLOOR // SECOND, told[-1][0] if told else 0
    # A change that leaves the offset alone (of name, or of what is called summer) moves no day.
    before = [east for when, east in told if when <= first]
    if before:
        assert offsets.east[0] == before[-1]
    real = [
        change
        for previous, change in pairwise([(first, offsets.east[0]), *told])
        if change[0] > first and change[1] != previous[1]
    ]
    within = [pair for pair in zip(offsets.since, offsets.east, strict=True) if pair[0] > first]
    assert [pair for pair in within if pair[0] <= last] == real
    assert b"," in footer or len(within) == len(real)


@settings(deadline=None)  # the first of a zone reads it
@given(QUARTERS, st.sampled_from(NAMES[::7]))
def test_a_quarter_hour_lies_on_the_day_that_the_clock_shows(quarter: int, name: str) -> None:
    zone = ZoneInfo(name)
    offsets = read_offsets(offsets_of(zone).written())
    assert offsets == offsets_of(zone)
    assert day_of(quarter, offsets, zone) == day_number(moment_of(quarter * QUARTER, zone).date())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(-54_000, 54_000),
    st.lists(st.tuples(st.integers(1, 40_000), st.integers(-54_000, 54_000)), max_size=30),
    st.lists(st.integers(FLOOR // QUARTER, END // QUARTER - 1), min_size=1),
)
def test_rules_of_ones_own_making_are_read_back_to_the_second(
    tmp_path_factory: pytest.TempPathFactory,
    first: int,
    drawn: list[tuple[int, int]],
    quarters: list[int],
) -> None:
    # At least a day apart, which is what no zone has ever fallen short of.
    at, changes = FLOOR // SECOND, []
    for hours, east in drawn:
        at += 86_400 + 3_607 * hours
        if at < END // SECOND:
            changes.append((at, east))
    folder = tmp_path_factory.mktemp("zone")
    zone = read(write_zone(folder, "Test/Zone", first, *changes) / "Test" / "Zone")
    offsets = offsets_of(zone)
    for quarter in quarters:
        seconds = quarter * QUARTER // SECOND
        place = bisect_right([when for when, _ in changes], seconds)
        east = changes[place - 1][1] if place else first
        assert offsets.day_of(quarter) == (seconds + east) * SECOND // DAY
    offsets_of.cache_clear()


def test_two_files_of_the_same_rules_are_the_same_rules(tmp_path: Path) -> None:
    """However they are written: with a change that changes nothing, or one that never comes."""
    april = 1_775_000_000
    one = write_zone(tmp_path / "1", "Z", 3_600, (april, 7_200)) / "Z"
    two = write_zone(tmp_path / "2", "Z", 3_600, (april - 86_400, 3_600), (april, 7_200)) / "Z"
    other = write_zone(tmp_path / "3", "Z", 3_600, (april + 1, 7_200)) / "Z"
    assert offsets_of(read(one)).written() == offsets_of(read(two)).written()
    assert offsets_of(read(one)).written() != offsets_of(read(other)).written()
    assert offsets_of(read(one)) == Offsets((FLOOR // SECOND, april), (3_600, 7_200))
