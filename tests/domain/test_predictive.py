"""The law of what is still to come: worked vectors, its limits, and sums by drawing them."""

from __future__ import annotations

from itertools import accumulate
from math import exp, inf, log1p

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.compound import Lattice, at_most_sum, less_than_sum, sum_quantiles, summed
from app.domain.predictive import (
    Exposure,
    Floats,
    Law,
    Level,
    Rate,
    at_most,
    quantile,
    rate_now,
    to_come,
)

# Worked out from the definitions with floats of Python and a summed negative binomial: what came,
# the level, weeks that are over and to come; then the rate, the rest's mean and variance, the
# shape; what 10, 50 and 90 of 100 cases do not exceed in all; and of targets the probability.
VECTORS = [
    (
        (90, Level(20, 8, 1.5, 0.01), [5], [5, 5, 5]),
        (18.32298136645963, 274.8447204968944, 2328.498128930211, 45.38461538461539),
        (305, 362, 428),
        {360: 0.522429001466372, 400: 0.22778214227723187},
    ),
    (
        (0, Level(0.7, 8, 1, 0), [5], [5, 5, 5]),
        (0.4869565217391304, 7.304347826086956, 13.973534971644611, 8.0),
        (3, 7, 12),
        {13: 0.09275277606348513, 14: 0.06394026712169348},
    ),
    (
        (30, Level(2, 15, 1, 0.02), [3, 5, 2], [3, 5, 2]),
        (2.525013125328133, 25.25013125328133, 46.08696453382234, 39.86972998578872),
        (47, 55, 64),
        {36: 0.9999170870339653, 40: 0.9970851209781328},
    ),
    (
        (300, Level(20, 50, 3, 0.05), [5, 5, 5], [5]),
        (20.0, 100.0, 914.2857142857143, 87.5),
        (364, 397, 440),
        {360: 0.9284222035368278, 400: 0.46853779005985996},
    ),
]
WEEKS = st.lists(st.integers(0, 7), min_size=1, max_size=5)


def exposure(elapsed: list[int] | list[float], remaining: list[int] | list[float]) -> Exposure:
    over, left = np.array(elapsed, float), np.array(remaining, float)
    sums = (over.sum(), left.sum(), (over**2).sum(), (left**2).sum())
    return Exposure(*(np.array([value]) for value in sums))


def ahead(done: int, level: Level, over: list[int], left: list[int]) -> tuple[Rate, Law]:
    time = exposure(over, left)
    rate = rate_now(np.array([float(done)]), level, time)
    return rate, to_come(rate, level, time)


@pytest.mark.parametrize(("asked", "law", "ends", "targets"), VECTORS)
def test_worked_vectors(
    asked: tuple[int, Level, list[int], list[int]],
    law: tuple[float, ...],
    ends: tuple[int, ...],
    targets: dict[int, float],
) -> None:
    rate, rest = ahead(*asked)
    found = (rate.mean[0], rest.mean[0], rest.variance[0], rate.shape[0])
    assert found == pytest.approx(law, rel=1e-12)
    done = asked[0]
    assert tuple(int(quantile(rest, q)[0]) + done for q in (0.1, 0.5, 0.9)) == ends
    for target, chance in targets.items():
        assert 1 - at_most(rest, target - done - 1)[0] == pytest.approx(chance, abs=1e-12)


def masses(mean: float, variance: float, most: int) -> list[float]:
    """A negative binomial, or a Poisson, number by number, each from the one before.

    Not by logarithms of factorials: of a variance near the mean they leave eight digits.
    """
    size = mean**2 / (variance - mean) if variance > mean else inf
    mass = exp(-mean) if size == inf else exp(-size * log1p(mean / size))
    found = []
    for k in range(most):
        found.append(mass)
        mass *= mean / (k + 1) * (1.0 if size == inf else (size + k) / (size + mean))
    return found


@given(st.floats(0.05, 60), st.floats(0, 4), st.floats(0.02, 0.98))
@example(mean=1.0, wider=1.192092896e-07, share=0.5)
@example(mean=60.0, wider=1e-8, share=0.5)
def test_chances_and_quantiles_are_those_of_the_sum_of_its_masses(
    mean: float, wider: float, share: float
) -> None:
    law = Law(np.array([mean]), np.array([mean * (1 + wider)]))
    sums = list(accumulate(masses(mean, mean * (1 + wider), 1_500)))
    for k in (0, 1, 7, 100):
        assert at_most(law, k)[0] == pytest.approx(sums[k], abs=1e-9)
    assert at_most(law, -1)[0] == 0
    end = int(quantile(law, share)[0])
    assert sums[end] >= share - 1e-9
    assert end == 0 or sums[end - 1] < share + 1e-9


@given(st.integers(0, 500), WEEKS)
def test_when_no_time_is_left_nothing_more_comes(done: int, over: list[int]) -> None:
    _, rest = ahead(done, Level(3, 8, 2, 0.02), over, [0])
    assert (rest.mean[0], rest.variance[0]) == (0, 0)
    assert (quantile(rest, 0.9)[0], at_most(rest, 0)[0]) == (0, 1)


@given(st.integers(0, 300), st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_a_strong_level_stays_and_a_weak_one_gives_way_to_the_pace(
    done: int, over: list[int]
) -> None:
    strong, _ = ahead(done, Level(4, 1e12), over, [5])
    assert strong.mean[0] == pytest.approx(4, rel=1e-6)
    weak, _ = ahead(done, Level(4, 1e-12), over, [5])
    assert weak.mean[0] == pytest.approx(done / sum(over), rel=1e-6, abs=1e-9)
    none, _ = ahead(done, Level(0, 8), over, [5])
    assert none.mean[0] == pytest.approx(done / sum(over))


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 300))
def test_the_probability_rises_with_what_came_and_falls_with_the_target(
    done: int, more: int, target: int
) -> None:
    level, over, left = Level(5, 8, 1.5, 0.01), [5, 5], [5, 5]

    def chance(number: int, wanted: int) -> float:
        _, rest = ahead(number, level, over, left)
        return float(1 - at_most(rest, wanted - number - 1)[0])

    assert chance(done + more, target) >= chance(done, target) - 1e-12
    assert chance(done, target + more) <= chance(done, target) + 1e-12


@given(WEEKS, WEEKS)
def test_more_history_makes_it_narrower(over: list[int], left: list[int]) -> None:
    """At the same rate: strength is what is known."""
    time = exposure(over, left)
    narrow, wide = (
        to_come(Rate(np.array([shape]), np.array([3.0])), Level(3, shape), time)
        for shape in (50.0, 5.0)
    )
    assert narrow.mean[0] == wide.mean[0]
    assert narrow.variance[0] <= wide.variance[0]


def drawn(law: Law, amounts: Floats, draws: int) -> Floats:
    """The law of a sum by brute force."""
    chance = np.random.default_rng(20261129)
    mean, variance = float(law.mean), float(law.variance)
    size = mean**2 / (variance - mean)
    numbers = chance.negative_binomial(size, size / (size + mean), draws)
    return np.array([chance.choice(amounts, number).sum() for number in numbers])


@pytest.mark.parametrize("cells", [1_024, 4_096])
def test_a_sum_is_what_drawing_it_a_hundred_thousand_times_gives(cells: int) -> None:
    law = Law(np.array(6.0), np.array(11.0))
    amounts = np.array([120_000, 300_000, 300_000, 450_000, 800_000, 2_500_000], float)
    lattice, sums = summed(law, amounts, cells), np.sort(drawn(law, amounts, 100_000))
    for amount in (0, 500_000, 2_000_000, 4_000_000, 9_000_000):
        share = np.searchsorted(sums, amount, "right") / len(sums)
        assert at_most_sum(lattice, amount + lattice.step / 2) == pytest.approx(share, abs=0.01)
    for wanted in (0.1, 0.5, 0.9):
        # Where amounts are few, a quantile is one of them: its share says how far off it is.
        [found] = sum_quantiles(lattice, [wanted])
        low, high = (
            np.searchsorted(sums, found + way * 2 * lattice.step) / len(sums) for way in (-1, 1)
        )
        assert low - 0.01 <= wanted <= high + 0.01


@given(st.floats(0.1, 40), st.floats(0.1, 3), st.integers(1, 10**9))
def test_equal_amounts_are_their_number(mean: float, wider: float, amount: int) -> None:
    law = Law(np.array(mean), np.array(mean * (1 + wider)))
    lattice = summed(law, np.array([float(amount)] * 3))
    for number in (0, 1, 4):
        usual = float(at_most(law, number))
        assert at_most_sum(lattice, float(number * amount)) == pytest.approx(usual)
        assert less_than_sum(lattice, float((number + 1) * amount)) == pytest.approx(usual)
    shares = (0.1, 0.5, 0.9)
    expected = [amount * int(quantile(law, share)) for share in shares]
    assert sum_quantiles(lattice, shares) == expected


def test_nothing_to_come_is_no_sum() -> None:
    for law, amounts in (
        (Law(np.array(0.0), np.array(0.0)), np.array([5.0])),
        (Law(np.array(3.0), np.array(3.0)), np.array([0.0, -2.0])),
    ):
        lattice = summed(law, amounts)
        assert (at_most_sum(lattice, 0), less_than_sum(lattice, 0)) == (1, 0)
        assert (at_most_sum(lattice, -1), less_than_sum(lattice, 1)) == (0, 1)


def test_the_mean_of_a_sum_is_kept_by_the_lattice() -> None:
    """Exactly the product of the means, as far as the lattice reaches."""
    law, amounts = Law(np.array(3.0), np.array(3.0)), np.array([1.0, 2.5, 7.25])
    lattice = summed(law, amounts)
    assert isinstance(lattice, Lattice)
    tails = 1 - lattice.cumulative
    assert lattice.step * tails.sum() == pytest.approx(3 * amounts.mean(), rel=1e-6)
