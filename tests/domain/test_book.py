"""The open book, against going through it item by item and day by day, and the law made of it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import predictive
from app.domain.book import Book, End, Now
from app.domain.predictive import Due, Exposure, Level, rate_of_items, to_come
from app.domain.scores import earns
from app.domain.survival import Learned

NO_ARRIVALS = np.zeros(0)


class Item(NamedTuple):
    """The place of the day on which it began, and the age at which it turned out, if it did."""

    begun: int
    age: int | None


def lag(parts: list[int], rate: Fraction) -> Learned:
    whole = sum(parts)
    return Learned(
        tuple(Fraction(sum(parts[: age + 1]), whole) for age in range(len(parts))), 60, rate
    )


lags = st.builds(
    lag,
    st.lists(st.integers(0, 5), min_size=1, max_size=9).filter(lambda parts: parts[-1] > 0),
    st.sampled_from([Fraction(1, 20), Fraction(1, 3), Fraction(1)]),
)
moments = st.builds(Now, st.integers(0, 20), st.sampled_from([0.0, 0.25, 1.0]))


def hazard(lag: Learned, age: int) -> float:
    """Of items open at an age, the part that turns out at it: Kaplan and Meier's own."""
    before, after = lag.rate * lag.share(age - 1), lag.rate * lag.share(age)
    return float((after - before) / (1 - before)) if before < 1 else 0.0


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Learned, Now, list[Item]]:
    """Items that began up to a moment; who turned out did so by then, and while one can."""
    learned, now = draw(lags), draw(moments)
    items = []
    for begun in draw(st.lists(st.integers(-12, now.place), max_size=12)):
        most = min(now.place - begun, learned.longest)
        items.append(Item(begun, draw(st.none() | st.integers(0, most))))
    return learned, now, items


def book(learned: Learned, items: list[Item], first: int = -12, last: int = 20) -> Book:
    begun = [float(sum(item.begun == day for item in items)) for day in range(first, last + 1)]
    ends = [End(item.begun, item.age, 1.0) for item in items if item.age is not None]
    return Book(first, begun, ends, learned)


def rolled(learned: Learned, begun: int, now: Now, until: int) -> float:
    """What an item that is open now should bring, day after day; of today what is left of it."""
    open_yet, came = 1.0, 0.0
    for day in range(max(begun, now.place), until):
        chance = hazard(learned, day - begun)
        if day == now.place:
            chance *= (1 - now.share) / (1 - now.share * chance) if now.share * chance < 1 else 0
        came += open_yet * chance
        open_yet *= 1 - chance
    return came


@given(worlds())
def test_what_should_have_come_is_counted_item_by_item_on_each_day_it_was_open(
    world: tuple[Learned, Now, list[Item]],
) -> None:
    learned, now, items = world
    expected = 0.0
    for item in items:
        for day in range(max(item.begun, 0), now.place + 1):
            age = day - item.begun
            if item.age is None or age <= item.age:
                part = now.share if day == now.place else 1.0
                expected += part * hazard(learned, age)
    assert book(learned, items).should_have_come(now) == pytest.approx(expected, abs=1e-9)


@given(worlds(), st.integers(0, 12), st.lists(st.integers(0, 4), max_size=20))
def test_what_still_should_come_is_the_book_rolled_forward_day_by_day(
    world: tuple[Learned, Now, list[Item]], more: int, arrivals: list[int]
) -> None:
    learned, now, items = world
    until, ahead = now.place + more, [0] * now.place + arrivals
    open_now = [item for item in items if item.age is None]
    expected = sum(rolled(learned, item.begun, now, until) for item in open_now)
    for day, number in enumerate(ahead):
        expected += number * rolled(learned, day, Now(day, 0.0), until)
    found = book(learned, items).still_to_come(now, until, np.array(ahead, float))
    assert found == pytest.approx(expected, abs=1e-9)


def test_on_average_as_many_come_as_should() -> None:
    """Lives of items are drawn; what was and what will be are right on average, burst or not."""
    dice = np.random.default_rng(20261130)
    learned, now, until, runs = lag([0, 1, 4, 3, 2, 2, 1], Fraction(2, 5)), Now(6, 0.0), 10, 1_000
    shares = np.diff([0.0, *map(float, learned.shares)])
    numbers = {-4: 3, -2: 1, 0: 9, 1: 8, 3: 2, 5: 1}
    arrivals = np.array([0, 0, 0, 0, 0, 0, 2, 0, 3, 1], float)
    early, late = [], []
    for _ in range(runs):
        lives = [
            (day, int(dice.choice(len(shares), p=shares)) if dice.random() < 0.4 else 99)
            for day, number in (*numbers.items(), *enumerate(arrivals.astype(int)))
            for _ in range(number)
        ]
        known = [Item(day, age if day + age < 6 else None) for day, age in lives if day < 6]
        made = book(learned, known)
        came = sum(0 <= day + age < 6 for day, age in lives)
        comes = sum(6 <= day + age < until for day, age in lives)
        early.append(came - made.should_have_come(now))
        late.append(comes - made.still_to_come(now, until, arrivals))
    for errors in (early, late):
        assert abs(np.mean(errors)) < 4 * np.std(errors) / runs**0.5


@given(worlds(), st.integers(0, 20))
def test_without_time_nothing_comes(world: tuple[Learned, Now, list[Item]], before: int) -> None:
    learned, now, items = world
    until = max(now.place - before, 0)
    assert book(learned, items).still_to_come(now, until, NO_ARRIVALS) == pytest.approx(
        0, abs=1e-12
    )


@given(lags, st.integers(1, 30), st.integers(1, 20))
def test_of_what_is_older_than_anything_that_ever_turned_out_nothing_comes(
    learned: Learned, number: int, later: int
) -> None:
    items = [Item(-learned.longest - 1, None)] * number
    made = book(learned, items, first=-learned.longest - 1)
    assert made.still_to_come(Now(0, 0.0), later, NO_ARRIVALS) == 0
    assert made.should_have_come(Now(later, 0.5)) == 0


@given(worlds(), st.integers(-12, 0), st.integers(0, 12))
def test_the_more_is_open_the_more_comes(
    world: tuple[Learned, Now, list[Item]], begun: int, more: int
) -> None:
    learned, now, items = world
    until = now.place + more
    few, many = (
        book(learned, some).still_to_come(now, until, NO_ARRIVALS)
        for some in (items, [*items, Item(begun, None)])
    )
    assert many >= few - 1e-12
    later = book(learned, items).still_to_come(now, until + 1, NO_ARRIVALS)
    assert later >= few - 1e-12


def exposure(remaining: float = 15.0) -> Exposure:
    """Five units of time in one week that is over, and three of five that are not."""
    squares = remaining**2 / 3
    return Exposure(*(np.array([one]) for one in (5.0, remaining, 25.0, squares)))


def one(number: float) -> np.ndarray:
    return np.array([number])


def test_the_law_is_that_of_its_formula_worked_out_by_hand() -> None:
    """phi = 1.5 + .01 x (38 / 5.4) x 5 = 1.851851...; A = 20 + 30 / phi, B = 20 + 24 / phi."""
    level = Level(20.0, 8.0, 1.5, 0.01)
    law = to_come(rate_of_items(one(30.0), Due(one(24.0), one(90.0)), level, exposure()),
                  level, exposure())  # fmt: skip
    phi = 1.5 + 0.01 * (8 + 30) / (8 / 20 + 5) * 25 / 5
    shape, scale = 20 + 30 / phi, 20 + 24 / phi
    mean = shape / scale * 90
    assert float(law.mean[0]) == pytest.approx(mean)
    weeks = 0.01 * (mean / 15) ** 2 * 75
    assert float(law.variance[0]) == pytest.approx(1.5 * mean + weeks + mean**2 / shape)


@given(st.floats(0, 200), st.floats(0, 200), st.floats(0, 300))
def test_who_trusts_the_book_wholly_forecasts_what_it_says(
    done: float, elapsed: float, remaining: float
) -> None:
    level, due = Level(10.0, 8.0), Due(one(elapsed), one(remaining))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictive, "_TRUSTED", 1e12)
        found = rate_of_items(one(done), due, level, exposure())
    assert float(found.mean[0] * 15) == pytest.approx(remaining, rel=1e-6)
    as_said = rate_of_items(one(elapsed), due, level, exposure())
    assert float(as_said.mean[0] * 15) == pytest.approx(remaining)


@given(st.floats(0, 100), st.floats(0, 100), st.floats(1, 100))
def test_what_came_beyond_what_should_have_raises_what_is_to_come(
    done: float, elapsed: float, remaining: float
) -> None:
    level, due = Level(10.0, 8.0), Due(one(elapsed), one(remaining))
    less, more = (rate_of_items(one(n), due, level, exposure()).mean[0] for n in (done, done + 1))
    assert more > less
    nothing = to_come(rate_of_items(one(done), due, level, exposure(0.0)), level, exposure(0.0))
    assert (float(nothing.mean[0]), float(nothing.variance[0])) == (0, 0)


periods = st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), max_size=6)


@given(periods)
def test_a_law_earns_its_place_in_three_periods_and_in_all_together(
    told: list[tuple[float, float]],
) -> None:
    better = [own for own, usual in told if own < usual]
    lower = sum(own for own, _ in told) < sum(usual for _, usual in told)
    assert earns(told) is (len(better) > 2 and lower)


def test_two_good_periods_or_one_very_bad_one_are_not_enough() -> None:
    assert earns([(1.0, 2.0)] * 3)
    assert not earns([(1.0, 2.0)] * 2)
    assert not earns([(1.0, 2.0), (1.0, 2.0), (2.0, 2.0)])
    assert not earns([(1.0, 2.0)] * 3 + [(9.0, 5.0)])
