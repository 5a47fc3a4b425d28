"""Evidence in closed form, checked against the integrals it stands for and by simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from app.domain.drift import (
    ACT,
    LOOK,
    Certainty,
    certainty,
    log_e_rate,
    log_e_volume,
    tempered,
)

# Computed once by another implementation of the same closed form, to the digits given.
RATES = [
    (0, 0, 0.2, 0.0),
    (20, 100, 0.2, -1.152216041124479),
    (10, 100, 0.2, 3.007751722536348),
    (8, 100, 0.2, 4.538932245641922),
    (120, 1000, 0.2, 21.066816660038654),
    (0, 30, 0.1, 1.6596160771505526),
    (285, 586, 0.63, 23.609804998138372),
    (616, 1140, 0.595, 4.621197418036047),
]
VOLUMES = [(0, 10, 3.710265), (40, 50, 0.552727), (30, 50, 4.000669)]


@pytest.mark.parametrize(("successes", "trials", "rate", "expected"), RATES)
def test_evidence_against_a_rate(successes: int, trials: int, rate: float, expected: float) -> None:
    assert log_e_rate(successes, trials, rate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("count", "planned", "expected"), VOLUMES)
def test_evidence_against_a_volume(count: int, planned: int, expected: float) -> None:
    assert log_e_volume(count, planned) == pytest.approx(expected, abs=5e-7)


@settings(deadline=None)
@given(
    trials=st.integers(1, 60),
    part=st.floats(0, 1),
    rate=st.floats(0.02, 0.9),
)
def test_a_rates_evidence_is_the_likelihood_averaged_over_the_prior(
    trials: int, part: float, rate: float
) -> None:
    """The definition, integrated: the mean of (p/p0)^s ((1-p)/(1-p0))^(n-s) over p below p0."""
    successes = round(part * trials)
    prior = beta(30 * rate, 40 - 30 * rate)

    def weighed(p: float) -> float:
        likelihood = (p / rate) ** successes * ((1 - p) / (1 - rate)) ** (trials - successes)
        return float(likelihood * prior.pdf(p))

    mean = quad(weighed, 0, rate, limit=200)[0] / prior.cdf(rate)
    assert math.exp(log_e_rate(successes, trials, rate)) == pytest.approx(mean, rel=1e-5)


@settings(deadline=None)
@given(count=st.integers(0, 60), planned=st.floats(0.1, 60))
def test_a_volumes_evidence_is_the_likelihood_averaged_over_the_prior(
    count: int, planned: float
) -> None:
    prior = gamma(20, scale=0.75 / 20)

    def weighed(pace: float) -> float:
        return float(pace**count * math.exp((1 - pace) * planned) * prior.pdf(pace))

    mean = quad(weighed, 0, 1, limit=200)[0] / prior.cdf(1)
    assert math.exp(log_e_volume(count, planned)) == pytest.approx(mean, rel=1e-5)


@settings(deadline=None)
@given(trials=st.integers(1, 40), rate=st.floats(0.05, 0.9))
def test_looking_once_more_gains_nothing_on_average_while_the_plan_holds(
    trials: int, rate: float
) -> None:
    """What makes it valid under daily looking: the mean of what follows is not above what is."""
    for successes in range(trials + 1):
        now = math.exp(log_e_rate(successes, trials, rate))
        hit = math.exp(log_e_rate(successes + 1, trials + 1, rate))
        miss = math.exp(log_e_rate(successes, trials + 1, rate))
        assert rate * hit + (1 - rate) * miss <= now * (1 + 1e-9)


def test_a_sound_plan_is_seldom_doubted_and_a_broken_one_is_found() -> None:
    """Looked at on each of 60 days of 10 trials; Ville allows 5 % of sound plans to be doubted."""
    dice = random.Random(20_261_128)

    def alarmed(true: float) -> bool:
        successes = trials = 0
        for _ in range(60):
            successes += sum(dice.random() < true for _ in range(10))
            trials += 10
            if tempered(log_e_rate(successes, trials, 0.2), 1) >= LOOK:
                return True
        return False

    runs = 400
    false = sum(alarmed(0.2) for _ in range(runs)) / runs
    found = sum(alarmed(0.1) for _ in range(runs)) / runs
    # 2.7 % and 100 % in 4,000 runs; the bounds are four standard errors away.
    assert false <= 0.06
    assert found >= 0.98


def test_evidence_is_certainty_at_twenty_and_a_hundred() -> None:
    words = [certainty(value) for value in (None, 0.0, LOOK - 0.01, LOOK, ACT - 0.01, ACT)]
    yet, likely = Certainty.NOT_YET, Certainty.LIKELY
    assert words == [yet, yet, yet, likely, likely, Certainty.PROVEN]


def test_days_that_vary_more_leave_less_evidence() -> None:
    assert tempered(math.log(400), 2) == pytest.approx(20)
    assert tempered(10_000.0) < math.inf


@pytest.mark.parametrize(("successes", "trials"), [(10**6, 10**6), (0, 10**7), (10**7, 10**8)])
def test_large_numbers_neither_overflow_nor_fail(successes: int, trials: int) -> None:
    assert 0 <= tempered(log_e_rate(successes, trials, 0.05)) < math.inf
    assert 0 <= tempered(log_e_volume(successes, trials)) < math.inf
