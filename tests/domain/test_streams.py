"""The streams of the worked month, from tallies made by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribution import UNASSIGNED, Amount, Counted, Place, Standing, Sum
from app.domain.drift import ASSUMED_DISPERSION, dispersion, log_e_apart
from app.domain.items import Cohorts
from app.domain.progress import NO_DRIFT, UNTESTED, Drift, DriftState, Progress, Rate, Scope
from app.domain.ripening import ripening
from app.domain.scopes import Breakdown
from app.domain.spans import Span
from app.domain.streams import Daily, Tallied, done_by_member, drifted, past_days, streams
from app.domain.survival import Learned
from tests.domain.test_worked_month import read
from tests.domain.worlds import FUNNEL, december

START = date(2026, 12, 1)
NUMBERS = st.lists(st.integers(0, 9), min_size=14, max_size=14)


def amounts(numbers: list[int], first: date = START) -> dict[date, Amount]:
    days = (first + timedelta(days=n) for n in range(len(numbers)))
    return {day: Amount(n, 0) for day, n in zip(days, numbers, strict=True) if n}


def told(tallied: Tallied, lag: int = 0, **question: Any) -> Progress:
    plan: dict[str, Any] = {"funnel": with_lag(lag)}
    return drifted(read(plan=plan, **question), december(**plan), tallied)


def with_lag(lag: int) -> list[dict[str, Any]]:
    return [*FUNNEL[:3], FUNNEL[3] | {"lag_days": lag}]


def rate(progress: Progress) -> Rate:
    """Of calls into appointments, 20 % by the plan."""
    (found,) = [goal.rate for goal in progress.whole.root.walk() if goal.key == "appointments"]
    assert found is not None
    return found


def days(until: int = 14, past: int = 0) -> Span:
    return Span(START - timedelta(days=past), START + timedelta(days=until))


def daily(calls: list[int], appointments: list[int], first: date = START) -> Daily:
    return {"calls": amounts(calls, first), "appointments": amounts(appointments, first)}


def test_money_is_no_stream_and_things_of_things_are() -> None:
    found = streams(december().plan.root.walk())
    assert [(one.goal.key, one.child.key, one.lag) for one in found] == [
        ("deals_won", "appointments", 0),
        ("appointments", "calls", 0),
    ]
    assert past_days(december()) == 0
    assert past_days(december(funnel=with_lag(5))) == 30


def test_what_no_test_is_valid_for_stays_unproven_once_there_is_a_sample() -> None:
    """One deal of 380,000 for 400,000; of calls per meeting, a ratio, there is none either."""
    tallied = Tallied(days(), daily([100] * 14, [0] * 14))
    root = told(tallied).whole.root
    assert root.rate is not None
    assert (root.key, root.rate.sample) == ("revenue", 1)
    assert root.rate.drift == UNTESTED == Drift(DriftState.UNPROVEN)
    nobody_sold = told(tallied, scope=Scope(member="tanaka")).whole.root
    assert nobody_sold.rate is not None
    assert (nobody_sold.rate.sample, nobody_sold.rate.drift) == (0, NO_DRIFT)
    ratio = [{"metric": "appointments", "target": "900"}, {"metric": "calls", "rate": "3"}]
    found = drifted(read(plan={"funnel": ratio}), december(funnel=ratio), tallied).whole.root
    assert found.rate is not None
    assert found.rate.drift == UNTESTED


@given(NUMBERS, NUMBERS)
def test_the_last_day_has_the_evidence_of_all(calls: list[int], hits: list[int]) -> None:
    appointments = [min(pair) for pair in zip(calls, hits, strict=True)]
    found = rate(told(Tallied(days(), daily(calls, appointments)))).drift
    if not sum(calls):
        assert found == NO_DRIFT
        return
    plain = log_e_apart(float(sum(appointments)), float(sum(calls)), 0.18, 0.22)
    assert found.e_value == pytest.approx(math.exp(plain / 2))
    assert found.highest is not None
    assert found.e_value is not None
    assert found.highest >= found.e_value


def test_more_than_there_was_to_come_of_and_corrections_of_nothing_are_no_sample() -> None:
    more = rate(told(Tallied(days(1), daily([3], [4])))).drift
    taken_back = rate(told(Tallied(days(2), daily([9, -1], [1, 0])))).drift
    assert more == taken_back == NO_DRIFT


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=3))
def test_the_people_together_are_the_whole(people: list[tuple[list[int], list[int]]]) -> None:
    members: Mapping[str, Daily] = {
        name: daily(calls, [min(pair) for pair in zip(calls, hits, strict=True)])
        for name, (calls, hits) in zip(("sato", "suzuki", "tanaka"), people, strict=True)
    }
    sums = {
        metric: [
            sum(
                members[name][metric].get(START + timedelta(days=day), Amount(0, 0)).number
                for name in members
            )
            for day in range(14)
        ]
        for metric in ("calls", "appointments")
    }
    one = told(Tallied(days(), daily(sums["calls"], sums["appointments"])))
    many = told(Tallied(days(), {}, members), breakdown=Breakdown.MEMBER)
    assert rate(many).drift == rate(one).drift
    assert rate(many).shrunken is None
    assert len(many.breakdown) == 3


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=3))
def test_a_persons_days_beside_everybodys_sums_tell_what_everybodys_days_do(
    people: list[tuple[list[int], list[int]]],
) -> None:
    names = ("sato", "suzuki", "tanaka")
    members: Mapping[str, Daily] = {
        name: daily(calls, hits) for name, (calls, hits) in zip(names, people, strict=True)
    }
    done = {
        name: {"calls": Amount(sum(calls), 0), "appointments": Amount(sum(hits), 0)}
        for name, (calls, hits) in zip(names, people, strict=True)
    }
    for name in names:
        scope = Scope(member=name)
        every = told(Tallied(days(), {}, members), scope=scope)
        own = told(Tallied(days(), {}, {name: members[name]}, done=done), scope=scope)
        assert rate(own) == rate(every)
        assert rate(own).shrunken is not None


def test_what_was_done_is_of_those_in_the_plan_whichever_team_and_deadline_it_fell_in() -> None:
    in_plan = Standing.IN_PLAN
    counted: Counted = {
        Place(in_plan, "sato", ("east",)): {
            Sum("calls", "", 0): Amount(3, 0),
            Sum("calls", "", 1): Amount(2, 0),
        },
        Place(in_plan, "sato", ("west",)): {Sum("calls", "", 0): Amount(4, 0)},
        Place(in_plan, "suzuki", ("east",)): {Sum("appointments", "", 0): Amount(1, 0)},
        Place(Standing.OUTSIDE): {Sum("calls", "", 0): Amount(50, 0)},
        UNASSIGNED: {Sum("calls", "", 0): Amount(70, 0)},
    }
    assert done_by_member(counted) == {
        "sato": {"calls": Amount(9, 0)},
        "suzuki": {"appointments": Amount(1, 0)},
    }


def weeks(first: date, numbers: list[tuple[int, int]]) -> Daily:
    """All of a week on its first day."""
    calls = [number for n, _ in numbers for number in (n, *[0] * 6)]
    hits = [number for _, n in numbers for number in (n, *[0] * 6)]
    return daily(calls, hits, first)


def test_how_much_weeks_differ_is_read_off_the_past_and_else_assumed() -> None:
    """Nine weeks of 100 calls, of which 10 or 30 are appointments: 25 times chance, and more."""
    past = [(100, 10 if week % 2 else 30) for week in range(9)]
    before = weeks(START - timedelta(weeks=9), past)
    tallied = Tallied(days(1), daily([40], [0]), None, before)
    found = rate(told(tallied)).drift
    measured = dispersion([(float(hits), float(calls)) for calls, hits in past])
    assert measured is not None
    assert found.dispersion == pytest.approx(measured)
    assert found.e_value == pytest.approx(math.exp(log_e_apart(0.0, 40.0, 0.18, 0.22) / measured))
    short = Tallied(days(1), daily([40], [0]), None, weeks(START - timedelta(weeks=7), past[:7]))
    assert rate(told(short)).drift.dispersion == ASSUMED_DISPERSION


def played(true: float, seed: int) -> Drift:
    """20 calls a day that become appointments 5 days later on average: 30 days of it before."""
    dice = random.Random(seed)
    calls, hits = [20] * 51, [0] * 51
    for day in range(51):
        for _ in range(20):
            at = day + int(dice.gammavariate(2, 2.75))
            if dice.random() < (0.2 if day < 30 else true) and at < 51:
                hits[at] += 1
    tallied = Tallied(days(21, 30), daily(calls, hits, START - timedelta(days=30)))
    return rate(told(tallied, lag=5)).drift


def test_with_a_lag_a_fall_is_suspected_and_no_more_and_the_unripe_are_no_fall() -> None:
    sound = played(0.2, 1)
    assert (sound.state, sound.since) == (DriftState.UNPROVEN, None)
    fallen = played(0.01, 1)
    assert fallen.state is DriftState.SUSPECTED
    assert fallen.highest is not None
    assert fallen.highest > 100
    assert fallen.since is not None
    # What began before still comes; by then most of what comes is of this period.
    assert START + timedelta(days=4) < fallen.since


def test_with_a_lag_and_without_a_past_there_is_no_telling() -> None:
    tallied = Tallied(days(14, 30), daily([20] * 14, [0] * 14))
    assert rate(told(tallied, lag=5)).drift == NO_DRIFT


def at_once(age: int) -> Learned:
    """A lag of which all is over at one age."""
    return Learned((*[Fraction(0)] * age, Fraction(1)), 1000, Fraction(1, 5))


def growing() -> Tallied:
    """Ten calls a day, and forty in the period; of all of them a fifth, a fortnight later."""
    calls = [10] * 60 + [40] * 21
    hits = [0] * 14 + [number // 5 for number in calls[:-14]]
    return Tallied(days(21, 60), daily(calls, hits, START - timedelta(days=60)))


def test_a_lag_that_was_learned_is_one_though_the_plan_has_none() -> None:
    """Half of what began is unripe. As if it were not, this would be taken for a proof."""
    blind = rate(told(growing())).drift
    assert blind.state is DriftState.PROVEN
    seen = replace(growing(), cohorts=Cohorts({"appointments": at_once(14)}))
    found = rate(told(seen)).drift
    assert (found.state, found.changed) == (DriftState.UNPROVEN, None)
    assert found.highest is not None
    assert found.highest <= 1.01


def test_with_a_lag_what_is_still_open_tells_when_nothing_more_begins() -> None:
    """Twenty calls a day until the period, then none: a fifth of the earlier ones comes, or not."""
    calls = [20] * 30 + [0] * 14
    for share, state in ((0.2, DriftState.UNPROVEN), (0.0, DriftState.SUSPECTED)):
        ripe = ripening(5, 30)
        due = [sum(calls[day - age] * part for age, part in enumerate(ripe[: day + 1]))
               for day in range(44)]  # fmt: skip
        hits = [round(0.2 * number) for number in due[:30]]
        hits += [round(share * number) for number in due[30:]]
        tallied = Tallied(days(14, 30), daily(calls, hits, START - timedelta(days=30)))
        assert rate(told(tallied, lag=5)).drift.state is state
