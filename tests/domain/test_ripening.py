"""Conversions that take their time: items one by one, day by day, against the sums of them."""

from __future__ import annotations

import math
import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ripening import allotted, log_e_hazard, ripening

LOWER = (0.5, 0.6, 0.7, 0.8, 0.9)
# Of a conversion's chance, what falls on age 0, 1 and 2.
RIPE = (0.5, 0.3, 0.2)


def hazard(rate: float, age: int, ripe: tuple[float, ...] = RIPE) -> float:
    return rate * ripe[age] / (1 - rate * sum(ripe[:age]))


def evidence(converted: list[float], opened: list[float], rate: float) -> float:
    return float(np.exp(log_e_hazard(np.array(converted), np.array(opened), rate, RIPE)))


def by_items(outcomes: list[tuple[int, int | None]], rate: float) -> float:
    """The same, of items one by one: (days that it was seen, the age at which it converted)."""
    ratios = []
    for lower in (part * rate for part in LOWER):
        ratio = 1.0
        for seen, became in outcomes:
            for age in range(seen if became is None else became + 1):
                ratio *= (
                    hazard(lower, age) / hazard(rate, age)
                    if age == became
                    else (1 - hazard(lower, age)) / (1 - hazard(rate, age))
                )
        ratios.append(ratio)
    return math.fsum(ratios) / len(ratios)


ITEMS = st.integers(1, 3).flatmap(
    lambda seen: st.tuples(st.just(seen), st.none() | st.integers(0, seen - 1))
)


@given(st.lists(ITEMS, max_size=12), st.floats(0.05, 0.9))
def test_it_is_the_likelihood_of_all_items_averaged_over_lower_rates(
    items: list[tuple[int, int | None]], rate: float
) -> None:
    ages = range(len(RIPE))
    opened = [sum(age < seen and (became is None or became >= age) for seen, became in items)
              for age in ages]  # fmt: skip
    converted = [sum(became == age for _, became in items) for age in ages]
    found = evidence([*map(float, converted)], [*map(float, opened)], rate)
    assert found == pytest.approx(by_items(items, rate), rel=1e-9)


@given(rate=st.floats(0.05, 0.9), better=st.floats(0, 1), ages=st.tuples(*[st.integers(1, 3)] * 4))
def test_on_average_over_all_that_may_become_of_the_items_it_is_not_above_one(
    rate: float, better: float, ages: tuple[int, ...]
) -> None:
    """Items of different ages, the unripe among them, at the plan's rate and at any above it."""
    true = rate + better * (0.99 - rate)
    mean = 0.0
    for outcome in product((None, 0, 1, 2), repeat=len(ages)):
        items = list(zip(ages, outcome, strict=True))
        chance = 1.0
        for seen, became in items:
            if became is not None and became >= seen:
                chance = 0.0
            elif became is None:
                chance *= 1 - true * sum(RIPE[:seen])
            else:
                chance *= true * RIPE[became]
        mean += chance * by_items(items, rate) if chance else 0
    # `by_items` is what the service's function is shown to be above.
    assert mean <= 1 + 1e-9


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.05, 0.9))
def test_without_a_lag_it_is_the_plain_likelihood(hits: int, misses: int, rate: float) -> None:
    found = log_e_hazard(np.array([float(hits)]), np.array([float(hits + misses)]), rate, [1.0])
    plain = [part**hits * ((1 - part * rate) / (1 - rate)) ** misses for part in LOWER]
    assert math.exp(float(found)) == pytest.approx(math.fsum(plain) / len(plain), rel=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.floats(0.05, 0.9),
)
def test_tallies_are_divided_among_what_is_open_and_nothing_is_counted_twice(
    days: list[tuple[int, int]], rate: float
) -> None:
    begun = np.array([float(begun) for begun, _ in days])
    became = np.array([float(became) for _, became in days])
    converted, opened = allotted(begun, became, rate, RIPE)
    assert (converted <= opened + 1e-9).all()
    assert (converted >= 0).all()
    assert (converted.sum(axis=1) <= became + 1e-9).all()
    for day in range(len(days)):
        for age in range(min(day, 2) + 1):
            # What is open at an age: all that began then, less what was converted before.
            start = day - age
            before = sum(converted[start + younger, younger] for younger in range(age))
            assert opened[day, age] == pytest.approx(begun[start] - before)
        # All of it, where every item that is open could have taken one.
        room = [opened[day, age] * hazard(rate, age) for age in range(3)]
        if sum(room) and became[day] * max(hazard(rate, a) for a in range(3)) <= sum(room):
            assert converted[day].sum() == pytest.approx(became[day])
            if became[day]:
                parts = [one / sum(room) * became[day] for one in room]
                assert converted[day].tolist() == pytest.approx(parts)


@pytest.mark.parametrize("mean", [0.5, 3, 10, 14])
def test_a_lag_of_which_the_mean_is_known_has_that_mean(mean: float) -> None:
    ripe = ripening(mean, 400)
    assert sum(ripe) == pytest.approx(1)
    assert sum(age * part for age, part in enumerate(ripe)) == pytest.approx(mean)


def test_worked_examples_of_a_lag_of_ten_days() -> None:
    """What a new appointment is worth of its 25 % with so many days to go, to the digits given."""
    ripe = ripening(10, 20)
    whole = [sum(ripe[: age + 1]) for age in range(20)]
    worth = [0.25 * sum(whole[:days]) / days for days in (15, 10, 5)]
    assert worth == pytest.approx([0.108, 0.074, 0.035], abs=5e-4)
    assert ripening(0, 3) == (1, 0, 0)


def test_what_is_unripe_is_no_loss_and_a_fallen_rate_is_found() -> None:
    """20 items a day at 25 %, in 10 days on average; what is 10 days old is a third unripe."""
    ripe = ripening(10, 60)
    dice = random.Random(3)

    def last(true: float) -> float:
        begun, became = [0.0] * 90, [0.0] * 90
        for day in range(90):
            begun[day] = 20.0
            for _ in range(20):
                age = int(dice.gammavariate(2, 5))
                if dice.random() < (0.25 if day < 60 else true) and day + age < 90:
                    became[day + age] += 1
        converted, opened = allotted(np.array(begun), np.array(became), 0.25, ripe)
        return float(log_e_hazard(converted[60:].sum(0), opened[60:].sum(0), 0.25, ripe))

    assert last(0.25) < math.log(20)
    assert last(0.05) > math.log(100)
