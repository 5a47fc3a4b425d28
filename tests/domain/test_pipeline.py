"""What is in flight and what is still needed, against counting item by item and day by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.attribution import Amount, Sum
from app.domain.ground import Ground
from app.domain.pacing import Moment, everybody
from app.domain.pipeline import At, Course, Lag, To, lags_of, wanted
from app.domain.progress import GoalProgress, InFlight, Progress, Scope
from app.domain.quantities import written
from app.domain.scopes import Breakdown
from app.domain.spans import Span
from app.domain.survival import Learned
from app.domain.weekdays import WEEKDAYS
from tests.domain.courses import MONTH, Did, at, goals
from tests.domain.worlds import FUNNEL, december, values

EVENING = "2026-12-14T18:00:00+09:00"
ONE_DAY = timedelta(days=1)
FIRST, UNTIL = date(2026, 12, 1), date(2027, 1, 1)


def lagging(days: int = 14, **stages: int) -> list[dict[str, Any]]:
    lags = {"appointments": days} | stages
    return [
        stage | ({"lag_days": lags[stage["metric"]]} if stage["metric"] in lags else {})
        for stage in FUNNEL
    ]


def needed(progress: Progress) -> dict[str, str | None]:
    return {
        key: None if goal.required_from_kgi_per_day is None
        else written(goal.required_from_kgi_per_day)
        for key, goal in goals(progress).items()
    }  # fmt: skip


def codes(goal: GoalProgress) -> list[str]:
    return [reason.code for reason in goal.reasons]


def test_what_the_final_goal_still_needs_is_taken_down_the_chain() -> None:
    """1,620,000 / 400,000 = 4.05 deals, 81 appointments, 405 calls in 10 days."""
    found = at(december(), EVENING, MONTH)
    assert needed(found) == {
        "revenue": "162000",
        "deals_won": "0.405",
        "appointments": "8.1",
        "calls": "40.5",
    }
    assert all(goal.in_flight is None for goal in found.whole.root.walk())


def test_a_member_is_asked_by_the_own_share_and_days() -> None:
    """Sato: 689,655.172414 - 380,000 = 0.774138 deals = 77.413793 calls; tanaka has 8 days."""
    sato = needed(at(december(), EVENING, MONTH, scope=Scope(member="sato")))
    assert sato["calls"] == "7.741379"
    tanaka = needed(at(december(), EVENING, MONTH, scope=Scope(member="tanaka")))
    assert tanaka["calls"] == written(Fraction(2_000_000 * 18, 58) / 4_000 / 8)


def test_with_a_lag_of_14_days_what_is_in_flight_is_taken_off_and_3_days_are_left() -> None:
    """54 x .05 = 2.7 deals in flight; 1.35 more = 27 appointments = 135 calls; 45 a day."""
    base = december(funnel=lagging())
    found = goals(at(base, EVENING, MONTH, scope=Scope(team="east")))
    assert found["deals_won"].in_flight == InFlight(54, Fraction(27, 10))
    assert [goal.in_flight for goal in found.values() if goal.key != "deals_won"] == [None] * 3
    assert needed(at(base, EVENING, MONTH)) == {
        "revenue": "162000",
        "deals_won": "0.405",
        "appointments": "9",
        "calls": "45",
    }


@pytest.mark.parametrize(
    ("as_of", "day", "items"),
    [
        # What was begun 14 days ago comes today, so until this evening it is in flight.
        ("2026-12-01T00:00:00+09:00", date(2026, 11, 16), 0),
        ("2026-12-01T00:00:00+09:00", date(2026, 11, 17), 10),
        ("2026-12-01T18:00:00+09:00", date(2026, 11, 17), 0),
        ("2026-12-01T13:30:00+09:00", date(2026, 11, 17), 5),
        ("2026-12-01T18:00:00+09:00", date(2026, 11, 18), 10),
        ("2026-11-20T00:00:00+09:00", date(2026, 11, 16), 0),
        ("2026-11-20T00:00:00+09:00", date(2026, 11, 17), 10),
        # And what is begun at the deadline comes in the next period.
        ("2026-12-21T18:00:00+09:00", date(2026, 12, 17), 10),
        ("2026-12-21T18:00:00+09:00", date(2026, 12, 18), 0),
        ("2027-01-05T18:00:00+09:00", date(2026, 12, 28), 0),
    ],
)
def test_an_item_is_in_flight_from_when_it_is_begun_until_it_yields_in_the_period(
    as_of: str, day: date, items: int
) -> None:
    base = december(funnel=lagging())
    flight = goals(at(base, as_of, [Did("appointments", day, 10, 1)]))["deals_won"].in_flight
    assert flight is not None
    assert flight.expected == items * Fraction("0.05")
    assert flight.items == (10 if items else 0)


def test_the_members_flights_add_up_to_the_teams() -> None:
    tail = [Did("appointments", date(2026, 11, 20), 6, who) for who in (1, 5)]
    found = at(december(funnel=lagging()), EVENING, [*MONTH, *tail], breakdown=Breakdown.MEMBER)
    parts = [part.root.children[0].in_flight for part in found.breakdown]
    assert [part and part.items for part in parts] == [20, 18, 16]
    early = at(december(funnel=lagging()), "2026-12-02T00:00:00+09:00", tail,
               breakdown=Breakdown.MEMBER)  # fmt: skip
    parts = [part.root.children[0].in_flight for part in early.breakdown]
    assert [part and (part.items, part.expected) for part in parts] == [
        (6, Fraction("0.3")),
        (0, 0),
        (6, Fraction("0.3")),
    ]


def test_once_its_deadline_is_over_new_work_can_no_longer_convert() -> None:
    found = at(december(funnel=lagging()), "2026-12-18T09:00:00+09:00", MONTH)
    assert needed(found) == {
        "revenue": "231428.571429",
        "deals_won": "0.578571",
        "appointments": None,
        "calls": None,
    }
    by_key = goals(found)
    assert "too_late_to_convert" not in codes(by_key["deals_won"])
    for key in ("appointments", "calls"):
        assert codes(by_key[key]).count("too_late_to_convert") == 1
        assert codes(by_key[key]).count("no_days_left") == 1


@pytest.mark.parametrize("number", [81, 100])
def test_what_is_in_flight_may_be_enough(number: int) -> None:
    many = [Did("appointments", date(2026, 12, 17), number, 1)]
    found = at(december(funnel=lagging()), "2026-12-18T09:00:00+09:00", [*MONTH[-2:], *many])
    assert needed(found)["appointments"] == needed(found)["calls"] == "0"


def test_a_final_goal_that_is_reached_asks_for_nothing_however_late() -> None:
    paid = [Did("revenue", date(2026, 12, 8), 1, 1, 2_100_000)]
    found = at(december(funnel=lagging()), "2026-12-18T09:00:00+09:00", paid)
    assert set(needed(found).values()) == {"0"}
    assert all("too_late_to_convert" not in codes(goal) for goal in found.whole.root.walk())


def test_an_absurd_number_is_not_told() -> None:
    """Where four hundredths still come in time, 100 appointments would take 2,500: none is told."""
    base = december(funnel=lagging(1), assignments=[])
    now = standing(base, Moment(date(2026, 12, 21), Fraction(0)))
    for hundredths, told in ((4, None), (5, 2_000)):
        early = Fraction(hundredths, 100)
        lag = Spread((early, *[Fraction(0)] * 40, 1 - early))
        assert course(base, {}, lag).needs(now, {})["appointments"] == told


def test_parts_that_nobody_in_the_scope_carries_have_equal_parts_of_what_is_needed() -> None:
    """Who came after a part's deadline carries nothing of it, and something of the final goal."""
    base = december(funnel=None, root=PARTS, assignments=[])
    nothing = To(Fraction(0), Fraction(0))
    goals_then = {"revenue": To(Fraction(700), Fraction(0)), "a": nothing, "b": nothing}
    at_once = At(Moment(FIRST, Fraction(0)), date.max, goals_then)
    found = course(base, {}, Spread((Fraction(1),))).needs(at_once, {})
    assert (found["a"], found["b"], found["calls"]) == values(350, 350, 35)


def test_when_the_period_is_over_nothing_can_be_asked() -> None:
    found = at(december(funnel=lagging()), "2027-01-05T09:00:00+09:00", MONTH)
    assert set(needed(found).values()) == {None}
    assert all("too_late_to_convert" not in codes(goal) for goal in found.whole.root.walk())
    assert all(codes(goal).count("no_days_left") == 1 for goal in found.whole.root.walk())


PARTS: dict[str, Any] = {
    "metric": "revenue",
    "target": "1000",
    "parts": [
        {"key": "a", "metric": "revenue", "target": "600"},
        {
            "key": "b",
            "metric": "cash_in",
            "conversion": {"rate": "10", "from": {"metric": "calls"}},
        },
    ],
    "influences": [{"metric": "leads", "target": "10"}],
}


def test_a_sums_need_is_split_over_its_parts_by_what_they_have_left() -> None:
    """300 of 1000 reached: 700 are needed; a has 300 left and b 400, so 300 and 400."""
    base = december(funnel=None, root=PARTS, assignments=[])
    did = [Did("revenue", date(2026, 12, 1), 1, 1, 300)]
    found = needed(at(base, EVENING, did))
    assert found == {"revenue": "70", "a": "30", "b": "40", "calls": "4", "leads": None}
    leads = goals(at(base, EVENING, did))["leads"]
    assert not {"no_days_left", "too_late_to_convert"} & set(codes(leads))


def test_a_sum_whose_parts_are_reached_is_split_by_what_they_were_meant_to_be() -> None:
    part = [
        Did("cash_in", date(2026, 12, 1), 1, 1, 400),
        Did("revenue", date(2026, 12, 1), 1, 1, 999),
    ]
    base = december(funnel=None, root=PARTS, assignments=[])
    assert needed(at(base, EVENING, part))["a"] == "0.06"


@dataclass(frozen=True)
class Spread:
    """A lag as it might be observed: how much of the yield comes on which day after."""

    comes: tuple[Fraction, ...]

    @property
    def longest(self) -> int:
        return len(self.comes) - 1

    def share(self, age: int) -> Fraction:
        return sum(self.comes[: max(age + 1, 0)], Fraction(0))


def course(base: Ground, begun: Mapping[date, int], lag: Lag) -> Course:
    return Course(
        base.plan,
        base.workdays,
        base.weighted,
        everybody(base.plan.span).stints,
        {day: {Sum("appointments", "", 0): Amount(n, 0)} for day, n in begun.items()},
        {"deals_won": lag},
    )


def standing(base: Ground, moment: Moment) -> At:
    return At(moment, date.max, {key: To(t, Fraction(0)) for key, t in base.plan.targets.items()})


lags = st.lists(st.integers(0, 5), min_size=2, max_size=12).filter(any).map(
    lambda parts: Spread(tuple(Fraction(part, sum(parts)) for part in parts))
)  # fmt: skip
december_days = st.integers(-12, 33).map(lambda n: FIRST + timedelta(days=n))


@settings(max_examples=60, deadline=None)
@given(
    lag=lags,
    begun=st.dictionaries(december_days, st.integers(1, 50), max_size=8),
    day=december_days,
    share=st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1)]),
    rate=st.sampled_from(["0.05", "1", "2.5"]),
)
def test_what_should_still_come_is_counted_item_by_item(
    lag: Spread, begun: dict[date, int], day: date, share: Fraction, rate: str
) -> None:
    """Each item yields `rate` in all, on the days after it; what comes from now on counts."""
    stages = lagging(3)
    stages[2] |= {"rate": rate}
    base = december(funnel=stages, assignments=[])
    begun = {d: n for d, n in begun.items() if d <= day}
    flight = course(base, begun, lag).flights(standing(base, Moment(day, share)))["deals_won"]
    expected, items = Fraction(0), 0
    for start, number in begun.items():
        came = Fraction(0)
        for age, part in enumerate(lag.comes):
            comes = start + timedelta(days=age)
            if day < comes and FIRST <= comes < UNTIL:
                came += part
            elif day == comes and FIRST <= comes < UNTIL:
                came += part * (1 - share)
        expected += number * Fraction(rate) * came
        items += number if came else 0
    assert flight == InFlight(items, expected)


@settings(max_examples=60, deadline=None)
@given(lag=lags, number=st.integers(1, 50), age=st.integers(0, 12))
def test_it_is_what_the_items_that_are_open_should_yield_one_by_one(
    lag: Spread, number: int, age: int
) -> None:
    """Open ones, n (1 - p F(a)) of them, are worth p (F(a+r) - F(a)) / (1 - p F(a)) each."""
    p, base = Fraction("0.05"), december(funnel=lagging(3), assignments=[])
    day = FIRST + timedelta(days=age)
    flight = course(base, {FIRST: number}, lag).flights(standing(base, Moment(day, Fraction(1))))
    came, comes = lag.share(age), lag.share((UNTIL - FIRST).days - 1)
    still_open = number * (1 - p * came)
    assert flight["deals_won"].expected == still_open * p * (comes - came) / (1 - p * came)


@settings(max_examples=60, deadline=None)
@given(
    lag=lags,
    begun=st.dictionaries(december_days, st.integers(1, 9), max_size=6),
    gone=st.dictionaries(december_days, st.lists(st.integers(0, 9), max_size=3), max_size=6),
    day=december_days,
    share=st.sampled_from([Fraction(0), Fraction(1, 3)]),
)
def test_where_it_is_known_what_turned_out_only_what_is_open_should_yield(
    lag: Spread, begun: dict[date, int], gone: dict[date, list[int]], day: date, share: Fraction
) -> None:
    """An item found open converts later with p (F(b) - F(a)) / (1 - p F(now)), each for itself."""
    p, base = Fraction("0.05"), december(funnel=lagging(3), assignments=[])
    begun = {d: n for d, n in begun.items() if d <= day}
    ends = {d: [(d + timedelta(days=age), 1) for age in ages] for d, ages in gone.items()}
    now, known = Moment(day, share), replace(course(base, begun, lag), turned={"deals_won": ends})
    for asked in (
        standing(base, now),
        replace(standing(base, Moment(day, Fraction(0))), before=day),
    ):
        expected, items = Fraction(0), 0
        for start, number in begun.items():
            if start >= asked.before:
                continue
            still = number - sum(became < asked.before for became, _ in ends.get(start, []))
            came, now_share = Fraction(0), asked.now.share
            seen = lag.share((day - start).days - 1)
            seen += now_share * (lag.share((day - start).days) - seen)
            for age, part in enumerate(lag.comes):
                comes = start + timedelta(days=age)
                if FIRST <= comes < UNTIL and comes >= day:
                    came += part * (1 - now_share if comes == day else 1)
            if came:
                items += max(still, 0)
                expected += max(still, 0) * p * came / (1 - p * seen)
        assert known.flights(asked)["deals_won"] == InFlight(items, expected)


@settings(max_examples=40, deadline=None)
@given(
    lag=lags,
    mean=st.integers(1, 12),
    day=st.integers(0, 30),
    share=st.sampled_from([0, 1]),
    weights=st.lists(st.sampled_from(["0", "0.5", "1", "3"]), min_size=5, max_size=5).filter(
        lambda w: any(map(float, w))
    ),
)
def test_new_work_counts_for_as_much_as_still_comes_in_time(
    lag: Spread, mean: int, day: int, share: int, weights: list[str]
) -> None:
    """Begun over the days up to the goal's own deadline, as they weigh; too little is none."""
    profile = {"weekdays": dict(zip(WEEKDAYS, weights, strict=False))}
    base = december(funnel=lagging(mean), assignments=[], profile=profile)
    now = Moment(FIRST + timedelta(days=day), Fraction(share))
    due = base.plan.deadlines["appointments"]
    left = [
        d for d in (FIRST + timedelta(days=n) for n in range(31))
        if base.workdays.on(d) and d < due and (d > now.day or (d == now.day and not share))
    ]  # fmt: skip
    usual = [sum(part for age, part in enumerate(lag.comes) if d + timedelta(days=age) < UNTIL)
             for d in left]  # fmt: skip
    weighed = [Fraction(weights[d.weekday()]) for d in left]
    if not any(weighed):
        weighed = [Fraction(1)] * len(left)
    of_all = sum((w * part for w, part in zip(weighed, usual, strict=True)), Fraction(0))
    mean_share = of_all / sum(weighed) if left else Fraction(0)
    found = course(base, {}, lag).needs(standing(base, now), {})
    if mean_share < Fraction(1, 20):
        assert found["appointments"] is None
        assert found["calls"] is None
    else:
        assert found["appointments"] == 100 / mean_share
        assert found["calls"] == 500 / mean_share


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(
        st.tuples(st.sampled_from(["calls", "appointments", "deals_won"]), december_days,
                  st.integers(1, 40), st.sampled_from([0, 2, 4])), max_size=10,
    ),
    first_lag=st.integers(0, 9),
    second_lag=st.integers(0, 9),
    hour=st.sampled_from(["00:00", "11:15", "18:00"]),
    day=december_days.filter(lambda d: date(2026, 11, 25) < d < date(2027, 1, 3)),
)  # fmt: skip
def test_the_days_that_are_wanted_are_all_that_it_takes(
    numbers: list[tuple[str, date, int, int]], first_lag: int, second_lag: int, hour: str, day: date
) -> None:
    base = december(funnel=lagging(first_lag, calls=second_lag))
    as_of = f"{day.isoformat()}T{hour}:00+09:00"
    did = [Did(*one) for one in numbers]
    last = day - ONE_DAY if hour == "00:00" else day
    metrics, before = wanted(base.plan, last)
    lean = [
        one for one in did
        if one.day in base.plan.span or one.day == last
        or (one.metric in metrics and one.day in before)
    ]  # fmt: skip
    assert at(base, as_of, lean).whole == at(base, as_of, did).whole
    assert bool(metrics) is (bool(lags_of(base.plan)) and last < UNTIL)


@pytest.mark.parametrize(("day", "days"), [(date(2026, 12, 20), 80), (date(2026, 11, 20), 50)])
def test_a_book_wants_all_that_may_have_been_open_in_the_period(day: date, days: int) -> None:
    """From 1 October on, the 9 days of the lag before it; else what 56 days before may have had."""
    base = december(funnel=lagging(), period={"quarter": "2026-Q4"})
    lag = Learned(tuple(Fraction(age, 9) for age in range(10)), 60, Fraction(1, 20))
    for booked, seen in ((False, 56), (True, max(days, 56))):
        _, found = wanted(base.plan, day, {"deals_won": lag}, booked=booked)
        assert (found.until, (day - found.first).days) == (day, seen + 9)


def test_as_many_days_are_wanted_as_the_longest_lag_has() -> None:
    base, day = december(funnel=lagging(14, calls=3)), date(2026, 12, 1)
    assert wanted(base.plan, day) == (
        frozenset({"appointments", "calls"}),
        Span(date(2026, 11, 17), day),
    )
    morning = "2026-12-01T09:00:00+09:00"
    first = at(base, morning, [Did("appointments", date(2026, 11, 17), 20, 1)])
    today = goals(first)["appointments"].today
    # All that is needed of deals is 5, of which 1 is in flight until this evening.
    assert today is not None
    assert today.required_from_kgi == Fraction(80, 13)
