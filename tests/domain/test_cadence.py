"""What is learned of how long a source is usually silent, against counting minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from math import exp
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.cadence import UNNOTICED, expectation, window
from app.domain.calendar import WorkCalendar
from app.domain.freshness import DAILY, Basis, Expectation, Within, duration, source_of, stale_from
from app.domain.instants import DAY, MINUTE, instant
from tests.domain.worlds import workspace

CALENDAR = workspace().calendar
WORKDAY = 9 * 60  # minutes, of the calendar's day from 9 to 18
MONDAY = date(2026, 11, 30)
SINCE, UNTIL = window(CALENDAR, MONDAY)
BERLIN = workspace(time_zone="Europe/Berlin").calendar


Walked = list[tuple[int, date, bool]]


def walked(calendar: WorkCalendar) -> Walked:
    """Every minute of the window, its day, and whether people work in it."""
    found = []
    since, until = window(calendar, MONDAY)
    for minute in range(since // MINUTE, until // MINUTE):
        day = calendar.local_day(minute * MINUTE)
        opens, closes = calendar.hours(day)
        found.append((minute, day, calendar.day(day).working and opens <= minute * MINUTE < closes))
    return found


MINUTES = {"jp": walked(CALENDAR), "de": walked(BERLIN)}


def counted(spoke: Sequence[int], minutes: Walked) -> int | None:
    """The law in minutes, by walking through all of them; None: nothing can be learned."""
    told = {at // MINUTE for at in spoke}
    longest: dict[date, int] = {}
    silence, heard, seen = 0, None, set()
    for minute, today, works in minutes:
        if minute in told:
            heard, silence = heard or today, 0
            seen.add(today)
        silence += works
        if heard is not None and works and today != heard:
            longest[today] = max(longest.get(today, 0), silence)
    if len(seen & longest.keys()) < 5:
        return None
    usual = sorted(longest.values())[-1 - len(longest) // 10]
    return min(max(2 * usual, 30), 10 * WORKDAY)


def minutes_of(found: Expectation, calendar: WorkCalendar) -> int | None:
    if found == DAILY:
        return None
    assert (found.basis, found.within) == (Basis.LEARNED, Within.WORKING_HOURS)
    return found.days * (calendar.closes - calendar.opens) + found.time // MINUTE


spoken = st.lists(st.integers(SINCE // MINUTE, UNTIL // MINUTE - 1), max_size=60, unique=True).map(
    sorted
)


@given(spoken, st.sampled_from(["jp", "de"]))
def test_what_is_learned_is_what_counting_every_minute_finds(minutes: list[int], zone: str) -> None:
    calendar = CALENDAR if zone == "jp" else BERLIN
    since, until = window(calendar, MONDAY)
    spoke = [at for minute in minutes if since <= (at := minute * MINUTE) < until]
    found = expectation(spoke, calendar, MONDAY)
    assert minutes_of(found, calendar) == counted(spoke, MINUTES[zone])


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(2, 200))
def test_what_lies_between_two_close_deliveries_teaches_nothing(seed: int, a_day: int) -> None:
    spoke = sorted(deliveries(Random(seed), a_day))
    thin = [spoke[0]]
    for before, at in zip(spoke, [*spoke[1:], UNTIL + DAY], strict=True):
        # One is left out where the one before it and the one after it are close enough.
        if at - thin[-1] > UNNOTICED and before != thin[-1]:
            thin.append(before)
    assert expectation(thin, CALENDAR, MONDAY) == expectation(spoke, CALENDAR, MONDAY)


def deliveries(random: Random, a_day: float) -> list[int]:
    """A sender at random times of the window's working hours, so many a working day."""
    found, at = [], 0.0
    while (at := at + random.expovariate(a_day)) < 18:
        found.append(instant_of(at))
    return found


@pytest.mark.parametrize("a_day", [2, 5, 20, 100, 400])
def test_a_sender_at_random_times_is_called_dead_on_less_than_one_day_of_a_hundred(
    a_day: int,
) -> None:
    limits = [
        (found.days * WORKDAY + found.time / MINUTE) / WORKDAY
        for seed in range(30)
        if (found := expectation(deliveries(Random(seed), a_day), CALENDAR, MONDAY)) != DAILY
    ]
    assert len(limits) == 30
    # So many of its silences a day are longer: its gaps are exponential.
    alarms = sum(a_day * exp(-a_day * limit) for limit in limits) / len(limits)
    assert alarms < 0.01
    if a_day >= 100:
        assert sorted(limits)[15] * WORKDAY < 90
        assert max(limits) * WORKDAY < 150


AT_WORK = [
    CALENDAR.hours(day)
    for n in range(28)
    if CALENDAR.day(day := MONDAY - timedelta(days=28 - n)).working
]


def instant_of(worked: float) -> int:
    """The instant at which so many working days of the window are over."""
    opens, closes = AT_WORK[int(worked)]
    return opens + int((worked - int(worked)) * (closes - opens))


def every(minutes: int, days: int = 28) -> list[int]:
    return list(range(UNTIL - days * DAY, UNTIL, minutes * MINUTE))


@pytest.mark.parametrize(
    ("spoke", "learned"),
    [
        ([], "P1D"),
        (every(1), "PT30M"),
        (every(20), "PT40M"),
        (every(60), "PT2H"),
        (every(24 * 60), "P2D"),
        # Four working days behind the first one that is known are too few, five are enough.
        (every(60, 10), "P1D"),
        (every(60, 11), "PT2H"),
    ],
)
def test_a_sender_like_a_clock_may_be_silent_for_twice_its_time(
    spoke: list[int], learned: str
) -> None:
    assert duration(expectation(spoke, CALENDAR, MONDAY)) == learned


def test_lunch_is_usual_and_one_broken_day_of_seventeen_is_not() -> None:
    def lunch(at: int) -> bool:
        return 12 * 60 <= (at - UNTIL) % DAY // MINUTE < 13 * 60

    spoke = [at for at in every(5) if not lunch(at)]
    less = [at for at in spoke if CALENDAR.local_day(at) != date(2026, 11, 11)]
    worse = [at for at in less if CALENDAR.local_day(at) != date(2026, 11, 18)]
    found = [duration(expectation(one, CALENDAR, MONDAY)) for one in (spoke, less, worse)]
    # From 11:55 to 13:00; a second day is a habit: all of it, and the night is no working time.
    assert found == ["PT2H10M", "PT2H10M", "P2D"]


def test_nights_weekends_and_holidays_are_no_silence() -> None:
    at_work = {minute for minute, _, works in MINUTES["jp"] if works}
    spoke = [at for at in every(30) if at // MINUTE in at_work]
    found = expectation(spoke, CALENDAR, MONDAY)
    assert duration(found) == "PT1H"
    # 20 weekdays less the first, and the 3rd and 23rd of November are holidays.
    assert found.learned_from == 17
    friday = instant("2026-11-27T17:30:00+09:00")
    assert stale_from(found, friday, CALENDAR) == instant("2026-11-30T09:30:00+09:00")


@given(st.integers(0, 400), st.integers(0, 86_399), st.sampled_from(Within))
def test_a_written_duration_is_read_as_the_same(days: int, seconds: int, within: Within) -> None:
    expect = Expectation(days, seconds * 1_000_000, within)
    if days * DAY + expect.time and days < 400:
        document = {"expect": {"every": duration(expect), "within": within.value}}
        assert source_of("s", document).expect == expect
