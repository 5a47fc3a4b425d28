"""Scores of forecasts, against their definitions worked out by brute force."""

from __future__ import annotations

from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores import Made, crps, run_rate, score, scored, stage_of, widened


def made(**changes: float | bool) -> Made:
    fields: dict[str, float | bool] = {
        "counts": True,
        "done": 40.0,
        "elapsed": 0.5,
        "target": 100.0,
        "low": 70.0,
        "median": 82.0,
        "high": 95.0,
        "mean": 83.0,
        "deviation": 9.0,
        "probability": 0.05,
    }
    return Made(**(fields | changes))  # type: ignore[arg-type] # one of two types per field


def masses(mean: float, variance: float) -> np.ndarray:
    """A negative binomial, or a Poisson, number by number."""
    most = int(mean + 40 * variance**0.5) + 40
    if variance <= mean:
        return np.array([exp(-mean + k * log(mean) - lgamma(k + 1)) for k in range(most)])
    size = mean**2 / (variance - mean)
    chance = size / (size + mean)
    head = size * log(chance) - lgamma(size)
    return np.array(
        [exp(head + lgamma(k + size) - lgamma(k + 1) + k * log(1 - chance)) for k in range(most)]
    )


@given(st.floats(0.5, 30), st.just(0.0) | st.floats(0.01, 2), st.integers(0, 60))
def test_the_crps_of_a_count_is_its_expected_distance_less_half_its_own_spread(
    mean: float, wider: float, came: int
) -> None:
    """E|X - y| - E|X - X'| / 2: the other definition, by summing over all numbers."""
    variance = mean * (1 + wider)
    chances = masses(mean, variance)
    numbers = np.arange(len(chances))
    distance = float((chances * abs(numbers - came)).sum())
    cumulative = chances.cumsum()
    spread = 2 * float((cumulative * (1 - cumulative)).sum())
    forecast = made(done=10.0, mean=10 + mean, deviation=variance**0.5)
    assert crps(forecast, 10 + came) == pytest.approx(distance - spread / 2, abs=1e-6)


@pytest.mark.parametrize("came", [0.0, 200_000.0, 500_000.0, 2_000_000.0])
def test_the_crps_of_an_amount_is_that_of_a_gamma_law_drawn(came: float) -> None:
    mean, deviation = 600_000.0, 350_000.0
    shape = (mean / deviation) ** 2
    chance = np.random.default_rng(20261129)
    drawn = np.sort(chance.gamma(shape, mean / shape, 200_000))
    ranks = np.arange(1, len(drawn) + 1)
    own = float((drawn * (2 * ranks - len(drawn) - 1)).sum()) / len(drawn) ** 2
    expected = float(abs(drawn - came).mean()) - own
    forecast = made(counts=False, done=1.0, mean=1 + mean, deviation=deviation)
    assert crps(forecast, 1 + came) == pytest.approx(expected, rel=0.01)


def test_a_law_without_spread_is_wrong_by_its_distance() -> None:
    assert crps(made(mean=40.0, deviation=0.0), 47.0) == 7
    assert crps(made(mean=40.0, deviation=0.0), 40.0) == 0


def test_a_score_is_told_of_one_forecast() -> None:
    found = score(made(), 101.0)
    assert (found.error, found.covered) == (19, False)
    assert found.brier == pytest.approx(0.95**2)
    assert found.surprise == pytest.approx(2)
    assert score(made(), 95.0).covered
    assert score(made(), 95.0).brier == pytest.approx(0.05**2)


def test_errors_are_added_before_they_are_divided() -> None:
    told = scored([score(made(), 101.0), score(made(), 82.0)])
    assert told.number == 2
    assert told.wape == pytest.approx(19 / 183)
    assert (told.cover, scored([]).wape, scored([]).cover) == (0.5, None, None)
    assert scored([score(made(done=0.0), 0.0)]).wape is None


def test_a_run_rate_goes_on_as_it_went_with_the_spread_of_chance_alone() -> None:
    naive = run_rate(made(done=30.0, elapsed=0.25))
    assert naive.mean == 120
    assert naive.deviation == pytest.approx(90**0.5)
    chances = masses(90, 90)
    assert naive.probability == pytest.approx(1 - chances[:70].sum())
    assert naive.low < 120 < naive.high
    money = run_rate(made(counts=False, done=30.0, elapsed=0.25, target=121.0))
    assert (money.low, money.median, money.high, money.probability) == (120, 120, 120, 0)
    assert run_rate(made(elapsed=0.0)).mean == 40


@given(st.floats(0, 5_000), st.integers(0, 60))
def test_surprises_only_ever_widen_and_threefold_at_most(squares: float, number: int) -> None:
    """The factor is of the variance: 9 is three times the deviation."""
    assert 1 <= widened(squares, number) <= 9
    assert widened(squares + 1_600, number + 1) >= widened(squares, number)


def test_as_many_surprises_as_the_law_foresees_change_nothing() -> None:
    assert widened(0, 0) == 1
    assert widened(3.0, 3) == 1
    assert widened(24.0, 6) == pytest.approx((6 + 24) / 12)


@pytest.mark.parametrize(
    ("elapsed", "stage"),
    [(0.0, "early"), (0.33, "early"), (0.34, "middle"), (0.67, "late"), (1.0, "late")],
)
def test_a_period_has_three_stages(elapsed: float, stage: str) -> None:
    assert stage_of(elapsed) == stage
