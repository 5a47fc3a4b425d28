"""Evidence over days: valid at the end of each, and kept once it was there."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.drift import ACT, LOOK, log_e_apart
from app.domain.progress import NO_DRIFT, DriftState
from app.domain.ripening import ripening
from app.domain.running import (
    Course,
    judged,
    running,
    running_items,
    running_late,
    settled,
)

FIRST = date(2026, 12, 1)
NOTHING = Course([], [])
# A lag of ten days on average, and sixty days before the period.
TEN = (ripening(10, 60), settled(10), 60)
DAYS = st.lists(
    st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1,
    max_size=10,
)


def chance(hits: int, trials: int, rate: float) -> float:
    return math.comb(trials, hits) * rate**hits * (1 - rate) ** (trials - hits)


@given(
    begun=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    assumed=st.floats(0.05, 0.97),
    within=st.floats(0.9, 1.1),
)
def test_on_average_over_all_that_may_come_it_is_not_above_one_on_any_day(
    begun: list[int], assumed: float, within: float
) -> None:
    """Every number of conversions on every day, at each rate within a tenth of the plan's."""
    true = min(assumed * within, 1.0)
    means = [0.0] * len(begun)
    for became in product(*(range(trials + 1) for trials in begun)):
        weight = math.prod(chance(s, n, true) for s, n in zip(became, begun, strict=True))
        for day, value in enumerate(running(begun, became, assumed, spread=1).apart):
            means[day] += weight * value
    assert max(means) <= 1 + 1e-9


@given(DAYS, st.floats(0.05, 0.9), st.randoms(use_true_random=False))
def test_the_order_of_the_days_is_nothing_to_the_last_one(
    days: list[tuple[int, int]], assumed: float, order: random.Random
) -> None:
    mixed = list(days)
    order.shuffle(mixed)
    last, other = (
        running([n for n, _ in some], [hit for _, hit in some], assumed).apart[-1]
        for some in (days, mixed)
    )
    assert last == pytest.approx(other, rel=1e-9)
    hits, trials = sum(hit for _, hit in days), sum(n for n, _ in days)
    if assumed * 1.1 < 1:
        plain = log_e_apart(float(hits), float(trials), 0.9 * assumed, 1.1 * assumed)
        assert last == pytest.approx(math.exp(plain / 2), rel=1e-9)


def test_it_is_told_since_the_first_evening_and_stays_when_better_days_follow() -> None:
    """Twenty trials a day: nothing of 20 % for six days, then all of it."""
    begun, became = [20] * 14, [0] * 6 + [20] * 8
    evidence = running(begun, became, 0.2, spread=1).apart
    first = next(day for day, value in enumerate(evidence) if value >= ACT)
    assert 0 < first < 6
    assert max(evidence[:first]) < ACT
    back = next(day for day, value in enumerate(evidence[6:], 6) if value < LOOK)
    found = judged(Course(evidence[: back + 1], []), FIRST, DriftState.PROVEN, 1)
    assert (found.state, found.since) == (DriftState.PROVEN, FIRST + timedelta(days=first))
    assert found.e_value is not None
    assert found.highest is not None
    assert found.e_value < LOOK < ACT <= found.highest


@pytest.mark.parametrize(
    ("evidence", "most", "state", "day"),
    [
        ([1.0, 19.9], DriftState.PROVEN, DriftState.UNPROVEN, None),
        ([1.0, 20.0, 3.0], DriftState.PROVEN, DriftState.SUSPECTED, 2),
        ([1.0, 25.0, 100.0], DriftState.PROVEN, DriftState.PROVEN, 3),
        ([1.0, 25.0, 100.0], DriftState.SUSPECTED, DriftState.SUSPECTED, 2),
    ],
)
def test_twenty_is_a_suspicion_and_a_hundred_a_proof(
    evidence: list[float], most: DriftState, state: DriftState, day: int | None
) -> None:
    found = judged(Course(evidence, []), FIRST, most, 2)
    assert found.state is state
    assert found.since == (None if day is None else date(2026, 12, day))
    assert (found.e_value, found.highest) == (evidence[-1], max(evidence))
    assert judged(Course([], []), FIRST, most, 2) == NO_DRIFT


def test_a_fall_within_the_period_is_suspected_before_the_whole_of_it_is_against_the_plan() -> None:
    """Forty a day: a fifth for thirty days, a tenth from the 31st on."""
    course = running([40] * 60, [8] * 30 + [4] * 30, 0.2, spread=1)
    found = judged(course, FIRST, DriftState.PROVEN, 1)
    whole = next(day for day, value in enumerate(course.apart) if value >= LOOK)
    before = judged(
        Course(course.apart[:whole], course.changed[:whole]), FIRST, DriftState.PROVEN, 1
    )
    assert before.state is DriftState.SUSPECTED
    assert before.since is not None
    assert FIRST + timedelta(days=30) <= before.since < FIRST + timedelta(days=whole)
    # Proven by the evidence against the whole period only.
    assert found.state is DriftState.PROVEN
    assert found.since == FIRST + timedelta(
        days=next(day for day, value in enumerate(course.apart) if value >= ACT)
    )
    only = Course([1.0] * 60, course.changed)
    assert judged(only, FIRST, DriftState.PROVEN, 1).state is DriftState.SUSPECTED


def test_more_than_planned_is_found_as_well_as_less() -> None:
    begun = [20] * 20
    assert running(begun, [12] * 20, 0.2).apart[-1] > ACT
    assert running(begun, [0] * 20, 0.2).apart[-1] > ACT
    assert running(begun, [4] * 20, 0.2).apart[-1] < 1


def late(true: float, past: int, *, days: int = 60, lag: int = 10, daily: int = 10) -> list[float]:
    """Tallies of items of which `true` convert after a lag, without any luck: as expected."""
    ripe = ripening(lag, 6 * lag)
    found = [0.0] * (past + days)
    for start in range(past + days):
        rate = 0.25 if start < past else true
        for age, part in enumerate(ripe):
            if start + age < len(found):
                found[start + age] += daily * rate * part
    return found


def test_with_a_lag_what_began_before_the_period_is_still_to_come() -> None:
    begun = [10.0] * 120
    sound = running_late(begun, late(0.25, 60), 0.25, TEN, 1)
    assert len(sound.apart) == 60
    assert max(sound.apart) < 1.01
    fallen = running_late(begun, late(0.1, 60), 0.25, TEN, 1)
    # Not within the first days, when what comes is of before.
    assert max(fallen.apart[:3]) < LOOK < ACT < fallen.apart[-1]
    assert sound.changed == fallen.changed == []


@pytest.mark.parametrize("known", [0, 20, 29])
def test_without_a_past_that_is_known_a_lag_tells_nothing(known: int) -> None:
    assert settled(10) == 30
    begun = [0.0] * (60 - known) + [10.0] * (60 + known)
    assert running_late(begun, [0.0] * 120, 0.25, TEN) == NOTHING
    assert running_late([10.0] * 90, [0.0] * 90, 0.25, (*TEN[:2], 30)) == NOTHING
    begun = [0.0] * 29 + [10.0] * 91
    assert running_late(begun, [0.0] * 120, 0.25, TEN) != NOTHING


_life = st.lists(st.lists(st.none() | st.integers(0, 6), max_size=5), min_size=1, max_size=9)


@given(_life, st.integers(0, 4), st.sampled_from([0.2, 0.5]))
def test_of_items_that_are_known_the_evidence_is_a_likelihood_item_by_item(
    days: list[list[int | None]], past: int, rate: float
) -> None:
    """Each item on each day it is found open, of the days behind the first ones."""
    ripe = [0.25, 0.0, 0.5, 0.25]
    ends = [(day, age, 1.0) for day, own in enumerate(days) for age in own if age is not None]
    begun = [float(len(own)) for own in days]
    found = running_items(begun, ends, rate, (ripe, past), 1).apart
    if past >= len(days) or not any(begun):
        assert found == []
        return
    for end in range(past, len(days)):
        ratios = []
        for lower in (0.5, 0.6, 0.7, 0.8, 0.9):
            ratio = 1.0
            for day, own in enumerate(days):
                for at in own:
                    for age, share in enumerate(ripe):
                        if not past <= day + age <= end or (at is not None and at < age):
                            continue
                        if not share:
                            continue
                        before = sum(ripe[:age])
                        h0, h1 = (
                            p * share / (1 - p * before) for p in (0.9 * rate, lower * 0.9 * rate)
                        )
                        ratio *= h1 / h0 if at == age else (1 - h1) / (1 - h0)
            ratios.append(ratio)
        assert found[end - past] == pytest.approx(sum(ratios) / len(ratios))


def test_a_fall_is_seen_and_what_had_no_time_is_no_fall() -> None:
    """Ten items a day turn out ten days later, or have not yet."""
    ripe = [0.0] * 10 + [1.0]
    begun = [10.0] * 40

    def after(rate: float) -> float:
        ends = [(day, 10, 10 * rate) for day in range(40)]
        return max(running_items(begun, ends, 0.5, (ripe, 10), 1).apart)

    assert after(0.5) <= 1
    assert after(0.2) > 100
    # All of it is unripe: nothing has been seen at all.
    assert max(running_items([10.0] * 9, [], 0.5, (ripe, 0), 1).apart) == pytest.approx(1)
