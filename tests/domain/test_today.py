"""What a day asks: fixed at its midnight, over the days that are left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.directory import Directory, directory
from app.domain.ground import Ground, ground
from app.domain.people import member_of, team_of
from app.domain.plans import plan_of
from app.domain.presets import PRESETS
from app.domain.progress import Scope, Today
from app.domain.quantities import written
from tests.domain.courses import MONTH, Did, at, goals
from tests.domain.worlds import (
    FUNNEL,
    december,
    member_document,
    plan_document,
    values,
    workspace,
)

MORNING = "2026-12-15T09:00:00+09:00"
DECEMBER = [date(2026, 12, day) for day in range(1, 32)]
OFF = {date(2026, 12, 29), date(2026, 12, 30), date(2026, 12, 31)}


def today(base: Ground, as_of: str, done: Any, member: str = "sato") -> dict[str, Today]:
    found = goals(at(base, as_of, done, scope=Scope(member=member)))
    return {key: goal.today for key, goal in found.items() if goal.today is not None}


def shown(asked: Today) -> tuple[str | None, ...]:
    values = (asked.required, asked.required_display, asked.done, asked.left)
    return tuple(None if value is None else written(value) for value in values)


def test_sato_is_asked_for_9_calls_and_2_appointments() -> None:
    """(172.413793 - 90) / 10 = 8.241379 and (34.482759 - 20) / 10 = 1.448276."""
    asked = today(december(), MORNING, MONTH)
    assert shown(asked["calls"]) == ("8.241379", "9", "0", "8.241379")
    assert shown(asked["appointments"]) == ("1.448276", "2", "0", "1.448276")
    assert shown(asked["deals_won"]) == ("0.072414", "1", "0", "0.072414")
    assert shown(asked["revenue"]) == ("30965.517241", "30966", "0", "30965.517241")
    assert {one.day for one in asked.values()} == {date(2026, 12, 15)}
    by_root = {key: written(one.required_from_kgi or 0) for key, one in asked.items()}
    assert by_root["calls"] == "7.741379"
    assert all(one.reasons == () for one in asked.values())


def test_working_lowers_what_is_left_and_never_below_nothing() -> None:
    afternoon, day = "2026-12-15T15:00:00+09:00", date(2026, 12, 15)
    five, twenty = (today(december(), afternoon, [*MONTH, Did("calls", day, n)]) for n in (5, 20))
    assert shown(five["calls"]) == ("8.241379", "9", "5", "3.241379")
    assert shown(twenty["calls"]) == ("8.241379", "9", "20", "0")


@settings(max_examples=40, deadline=None)
@given(
    hours=st.lists(st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 45])), min_size=1),
    calls=st.integers(0, 30),
    deals=st.integers(0, 2),
    lag=st.integers(0, 14),
    member=st.sampled_from(["sato", "tanaka", None]),
)
def test_what_today_asks_does_not_move_during_the_day(
    hours: list[tuple[int, int]], calls: int, deals: int, lag: int, member: str | None
) -> None:
    stages = [stage | ({"lag_days": lag} if stage["metric"] == "appointments" else {})
              for stage in FUNNEL]  # fmt: skip
    base, day, seen = december(funnel=stages), date(2026, 12, 15), set()
    phone, mail = (4, 5) if member == "tanaka" else (0, 1)
    for number, (hour, minute) in enumerate(hours):
        more = [
            Did("calls", day, calls + number, phone),
            Did("appointments", day, number, mail),
            Did("deals_won", day, deals, mail),
            Did("revenue", day, deals, mail, 400_000 * deals),
        ]
        as_of = f"2026-12-15T{hour:02d}:{minute:02d}:00+09:00"
        if (hour, minute) != (0, 0):
            found = goals(at(base, as_of, [*MONTH, *more], scope=Scope(member=member)))
            days = {key: goal.today for key, goal in found.items()}
            assert all(one and one.day == day for one in days.values())
            assert [one.done for one in days.values() if one] == [
                400_000 * deals, deals, number, calls + number
            ]  # fmt: skip
            seen.add(tuple((k, one.required, one.required_from_kgi, one.reasons)
                           for k, one in days.items() if one))  # fmt: skip
    assert len(seen) <= 1


def of_one(
    halves: dict[date, str], target: int, zone: str = "Asia/Tokyo", profile: Any = None
) -> Ground:
    """A plan of calls for sato alone, who is away for whole and half days."""
    away = [
        {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat(), "share": share}
        for day, share in sorted(halves.items())
    ]
    people: Directory = directory(
        [team_of("east", {"name": "East"})],
        [member_of("sato", member_document("sato", "301"), {"absences": away})],
    )
    stages = [{"metric": "calls", "target": str(target)}]
    at_home = workspace(time_zone=zone)
    made = plan_of("p", plan_document(funnel=stages, profile=profile), at_home, PRESETS)
    return ground(at_home, made, 1, people)


def obey(base: Ground, target: int, asks: Callable[[date], Fraction]) -> None:
    """Do on each day exactly what it asks, which is so much until the target is reached."""
    did: list[Did] = []
    for day in DECEMBER:
        asked = today(base, f"{day.isoformat()}T12:00:00+09:00", did)["calls"]
        reached = sum(one.number for one in did) == target
        assert asked.required == (0 if reached else asks(day))
        did.append(Did("calls", day, int(asked.required)))
    assert sum(one.number for one in did) == target


@settings(max_examples=12, deadline=None)
@given(
    halves=st.dictionaries(st.sampled_from(DECEMBER), st.sampled_from(["1", "0.5"]), max_size=12),
    rate=st.integers(1, 10),
)
def test_who_does_each_day_exactly_what_it_asks_arrives_at_the_target(
    halves: dict[date, str], rate: int
) -> None:
    own = {day: worked(day, halves) for day in DECEMBER}
    target = int(2 * rate * sum(own.values()))
    if target:
        obey(of_one(halves, target), target, lambda day: 2 * rate * own[day])


@settings(max_examples=30, deadline=None)
@given(
    halves=st.dictionaries(st.sampled_from(DECEMBER), st.sampled_from(["1", "0.5"]), max_size=12),
    numbers=st.lists(st.integers(0, 30), min_size=31, max_size=31),
    day=st.integers(0, 30),
)
def test_a_day_asks_for_its_own_part_of_what_was_left_at_its_midnight(
    halves: dict[date, str], numbers: list[int], day: int
) -> None:
    """Recounted: what was done on the days before, and the days that are left from this one on."""
    did = [Did("calls", one, n) for one, n in zip(DECEMBER, numbers, strict=True)]
    asked = today(
        of_one(halves, 300), f"{DECEMBER[day].isoformat()}T23:45:00+09:00", did
    )["calls"]  # fmt: skip
    carried = any(worked(one, halves) for one in DECEMBER)
    left = (300 if carried else 0) - sum(numbers[:day])
    days = sum((worked(one, halves) for one in DECEMBER[day:]), Fraction(0))
    own = worked(DECEMBER[day], halves)
    codes = [reason.code for reason in asked.reasons]
    assert asked.done == numbers[day]
    if left <= 0:
        assert values(asked.required, *codes) == (0,)
    elif not days:
        assert values(asked.required, asked.left, *codes) == (None, None, "no_days_left")
    else:
        assert asked.required == left * own / days
        assert codes == ([] if own else ["day_off"])


def worked(day: date, halves: dict[date, str]) -> Fraction:
    """How much of a day sato works, by the calendar on the wall."""
    if day.weekday() >= 5 or day in OFF:
        return Fraction(0)
    return 1 - Fraction(halves.get(day, "0"))


def test_whoever_is_away_is_asked_for_nothing_and_told_why() -> None:
    asked = today(december(), "2026-12-24T10:00:00+09:00", MONTH, "tanaka")["calls"]
    assert values(asked.required, asked.required_from_kgi, asked.left) == (0, 0, 0)
    assert [reason.code for reason in asked.reasons] == ["day_off"]
    others = today(december(), "2026-12-24T10:00:00+09:00", MONTH)["calls"]
    assert others.required == (Fraction(5000, 29) - 90) / 3
    assert others.reasons == ()


def test_a_day_off_is_one_also_where_only_the_final_goal_asks() -> None:
    """Of the calls all are made; the deals that were to come of them are not."""
    many = [*MONTH, Did("calls", date(2026, 12, 14), 200)]
    asked = today(december(), "2026-12-19T10:00:00+09:00", many)["calls"]
    assert values(asked.required, asked.required_from_kgi) == (0, 0)
    assert [reason.code for reason in asked.reasons] == ["day_off"]
    friday = today(december(), "2026-12-18T10:00:00+09:00", many)["calls"]
    assert values(friday.required, friday.reasons) == (0, ())
    assert friday.required_from_kgi


def test_a_period_that_has_not_begun_asks_for_nothing_and_says_so() -> None:
    before = today(december(), "2026-11-27T10:00:00+09:00", [Did("calls", date(2026, 11, 27), 7)])
    assert values(before["calls"].required, before["calls"].done) == (0, 0)
    assert [reason.code for reason in before["calls"].reasons] == ["period_not_begun"]


def test_a_period_that_is_over_has_no_day_left() -> None:
    after = today(
        december(), "2027-01-05T10:00:00+09:00", [*MONTH, Did("calls", date(2027, 1, 5), 7)]
    )
    assert shown(after["calls"]) == (None, None, "0", None)
    assert after["calls"].required_from_kgi is None
    assert [reason.code for reason in after["calls"].reasons] == ["no_days_left"]


def test_after_its_deadline_a_stage_is_told_to_be_too_late() -> None:
    stages = [stage | ({"lag_days": 14} if stage["metric"] == "appointments" else {})
              for stage in FUNNEL]  # fmt: skip
    asked = today(december(funnel=stages), "2026-12-18T10:00:00+09:00", MONTH)
    assert {reason.code for reason in asked["calls"].reasons} == {
        "no_days_left",
        "too_late_to_convert",
    }
    assert asked["calls"].required is None
    assert asked["deals_won"].required == (Fraction(50, 29) - 1) / 7
    assert asked["deals_won"].reasons == ()


def test_today_was_not_asked_for_and_is_not_there() -> None:
    assert {goal.today for goal in goals(at(december(), MORNING, MONTH, today=False)).values()} == {
        None
    }


@pytest.mark.parametrize(
    ("day", "offsets"),
    [("2026-03-29", ("+01:00", "+02:00")), ("2026-10-25", ("+02:00", "+01:00"))],
)
def test_a_day_on_which_the_clocks_change_is_a_day_like_others(
    day: str, offsets: tuple[str, str]
) -> None:
    """Sundays of 23 and of 25 hours, on which this company works like on any other day."""
    at_home = workspace(
        time_zone="Europe/Berlin",
        calendar={
            "holidays": None,
            "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "working_hours": {"from": "01:00", "to": "24:00"},
            "closures": [],
        },
    )
    first = date.fromisoformat(day)
    period = {"start": day, "end": (first + timedelta(days=4)).isoformat()}
    people = directory([], [])
    document = plan_document(
        funnel=[{"metric": "calls", "target": "100"}], period=period, assignments=None
    )
    base = ground(at_home, plan_of("p", document, at_home, PRESETS), 1, people)
    found = [
        goals(at(base, as_of, [Did("calls", first, 7)]))["calls"].today
        for as_of in (
            f"{day}T00:15:00{offsets[0]}",
            f"{day}T23:45:00{offsets[1]}",
            # A midnight belongs to the day that it ends.
            f"{(first + timedelta(days=1)).isoformat()}T00:00:00{offsets[1]}",
        )
    ]
    assert {values(one.day, one.required, one.done) for one in found if one} == {(first, 25, 7)}
    next_day = f"{(first + timedelta(days=1)).isoformat()}T00:15:00{offsets[1]}"
    after = goals(at(base, next_day, [Did("calls", first, 7)]))["calls"].today
    assert after is not None
    assert values(after.day, after.required, after.done) == (first + timedelta(days=1), 31, 0)


def test_the_answer_changes_at_midnight_although_nobody_works() -> None:
    friday = at(december(), "2026-12-11T18:00:00+09:00", MONTH)
    monday = at(december(), "2026-12-11T18:00:00+09:00", MONTH, today=False)
    assert friday.next_change_at is not None
    assert monday.next_change_at is not None
    assert friday.next_change_at.isoformat() == "2026-12-12T00:00:00+09:00"
    assert monday.next_change_at.isoformat() == "2026-12-14T09:01:00+09:00"


def test_remainders_that_shrink_ask_for_less() -> None:
    days = [f"2026-12-{day}T12:00:00+09:00" for day in (21, 22, 23)]
    more = [Did("calls", date(2026, 12, day), 20) for day in (21, 22, 23)]
    asked = [today(december(), day, [*MONTH, *more])["calls"].required for day in days]
    assert all(before and after and after < before for before, after in pairwise(asked))
