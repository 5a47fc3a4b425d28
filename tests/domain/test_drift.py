"""Evidence in closed form, checked against the integrals it stands for and by simulation."""

from __future__ import annotations

import math
import random
from itertools import combinations, product

import numpy as np
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
    dispersion,
    either,
    log_changed,
    log_e_above,
    log_e_apart,
    log_e_rate,
    log_e_volume,
    stand_out,
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


@given(trials=st.integers(1, 9), rate=st.floats(0.05, 0.9), better=st.floats(0, 1))
def test_on_average_over_all_that_may_come_it_is_not_above_one(
    trials: int, rate: float, better: float
) -> None:
    """Every sequence of outcomes, one by one, at the plan's rate and at any above it."""
    true = rate + better * (1 - rate)
    mean = 0.0
    for outcomes in product((False, True), repeat=trials):
        chance = math.prod(true if hit else 1 - true for hit in outcomes)
        mean += chance * math.exp(log_e_rate(sum(outcomes), trials, rate))
    assert mean <= 1 + 1e-9


@given(
    trials=st.integers(1, 40),
    low=st.floats(0.05, 0.5),
    wider=st.floats(0, 0.4),
    within=st.floats(0, 1),
)
def test_neither_side_gains_while_the_rate_lies_between(
    trials: int, low: float, wider: float, within: float
) -> None:
    high = low + wider
    true = low + within * wider
    chances = [
        math.comb(trials, s) * true**s * (1 - true) ** (trials - s) for s in range(trials + 1)
    ]
    for side in (
        [log_e_rate(s, trials, low) for s in range(trials + 1)],
        [log_e_above(s, trials, high) for s in range(trials + 1)],
        [log_e_apart(s, trials, low, high) for s in range(trials + 1)],
    ):
        assert math.fsum(p * math.exp(e) for p, e in zip(chances, side, strict=True)) <= 1 + 1e-9


def test_more_than_planned_is_evidence_of_more_and_of_apart() -> None:
    assert log_e_above(60, 100, 0.2) > math.log(ACT) > math.log(LOOK) > log_e_rate(60, 100, 0.2)
    both = [log_e_rate(60, 100, 0.18), log_e_above(60, 100, 0.22)]
    mean = math.fsum(map(math.exp, both)) / 2
    assert math.exp(log_e_apart(60, 100, 0.18, 0.22)) == pytest.approx(mean)
    assert either(math.log(3.0), math.log(5.0)) == pytest.approx(math.log(4))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8))
def test_arrays_hold_what_is_found_one_by_one(days: list[tuple[int, int]]) -> None:
    hits = np.array([float(hit) for hit, _ in days])
    trials = hits + np.array([float(miss) for _, miss in days])
    for of in (log_e_rate, log_e_above):
        one_by_one = [of(float(s), float(n), 0.3) for s, n in zip(hits, trials, strict=True)]
        assert of(hits, trials, 0.3).tolist() == pytest.approx(one_by_one, abs=1e-9)
    one_by_one = [log_e_volume(float(s), float(n)) for s, n in zip(hits, trials, strict=True)]
    assert log_e_volume(hits, trials).tolist() == pytest.approx(one_by_one, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.floats(0.05, 0.9),
    st.floats(1, 4),
)
def test_a_change_is_the_most_evidence_since_any_day_averaged_over_lower_rates(
    days: list[tuple[int, int]], rate: float, spread: float
) -> None:
    """The recursion C = max(C, 1) x ratio of the day, of each of the five rates."""
    hits = np.array([float(hit) for hit, _ in days])
    trials = hits + np.array([float(miss) for _, miss in days])
    found = log_changed(hits, trials, rate, spread)
    courses = []
    for part in (0.5, 0.6, 0.7, 0.8, 0.9):
        course, now = [], 1.0
        for hit, miss in days:
            ratio = part**hit * ((1 - part * rate) / (1 - rate)) ** miss
            now = max(now, 1.0) * ratio ** (1 / spread)
            course.append(now)
        courses.append(course)
    means = [math.fsum(day) / 5 for day in zip(*courses, strict=True)]
    assert found.tolist() == pytest.approx([math.log(mean) for mean in means], abs=1e-8)
    twice = log_changed(np.array([hits, hits]), np.array([trials, trials]), rate, spread)
    assert twice.tolist() == [found.tolist(), found.tolist()]


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


@pytest.mark.parametrize(
    ("evidence", "standing_out"),
    [
        ([300, 1, 2, 90, 0.5], (0, 3)),
        ([90, 90, 90, 90, 0.5], (0, 1, 2, 3)),
        ([19, 5, 1], ()),
        ([20], (0,)),
        ([], ()),
    ],
)
def test_many_streams_have_to_stand_out_from_each_other(
    evidence: list[float], standing_out: tuple[int, ...]
) -> None:
    assert stand_out(evidence) == standing_out


@given(st.lists(st.floats(0, 500), max_size=7), st.randoms(use_true_random=False))
def test_those_that_stand_out_are_the_most_that_pay_for_each_other(
    evidence: list[float], order: random.Random
) -> None:
    """Of all sets: the largest in which each has n / (k x 0.05), and none outside has more."""
    found = stand_out(evidence)
    enough = [
        chosen
        for k in range(1, len(evidence) + 1)
        for chosen in combinations(range(len(evidence)), k)
        if all(evidence[place] * k * 0.05 >= len(evidence) for place in chosen)
    ]
    assert len(found) == max(map(len, enough), default=0)
    assert not found or found in enough
    places = list(range(len(evidence)))
    order.shuffle(places)
    again = stand_out([evidence[place] for place in places])
    assert sorted(evidence[places[place]] for place in again) == sorted(
        evidence[place] for place in found
    )


def test_weeks_that_differ_as_chance_has_it_are_of_dispersion_one_and_others_of_theirs() -> None:
    dice = random.Random(8)

    def weeks(shock: float) -> list[tuple[float, float]]:
        rates = (0.3 + dice.choice((-shock, shock)) for _ in range(400))
        return [(sum(dice.random() < rate for _ in range(50)), 50) for rate in rates]

    calm, wild = dispersion(weeks(0)), dispersion(weeks(0.1))
    assert calm is not None
    assert wild is not None
    # 400 weeks: Pearson's sum has a standard error of 7 %. Shocks of 0.1 add 50 x 49 x 0.01.
    assert 1 <= calm <= 1.28
    within = 0.5 * (50 * 0.2 * 0.8 + 50 * 0.4 * 0.6)
    assert wild == pytest.approx((within + 2500 * 0.01) / (50 * 0.3 * 0.7), rel=0.2)


@pytest.mark.parametrize(
    ("weeks", "found"),
    [
        ([(2, 10)] * 8, 1.0),  # more alike than chance: no more sure for it
        ([(2, 10)] * 7, None),
        ([(2, 10)] * 7 + [(0, 0)] * 5, None),
        ([(0, 10)] * 8, None),
        ([(12, 10)] * 8, None),
        # (s - 5)^2 / (10 x 0.5 x 0.5) is 10 in each of eight weeks, over seven.
        ([(0, 10), (10, 10)] * 4, 80 / 7),
    ],
)
def test_of_few_weeks_and_of_no_shares_there_is_no_dispersion(
    weeks: list[tuple[float, float]], found: float | None
) -> None:
    assert dispersion(weeks) == (None if found is None else pytest.approx(found))


def test_a_week_of_next_to_nothing_does_not_make_all_of_them_wild() -> None:
    """Eight even weeks, and one of holidays for which a twentieth was due and two came."""
    even = [(20.0, 100.0)] * 8
    assert dispersion([*even, (2.0, 0.05)]) == 1


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=8, max_size=12),
)
def test_dispersion_is_what_the_variance_of_the_sum_of_the_weeks_is_a_multiple_of(
    drawn: list[tuple[int, int]],
) -> None:
    """By the variances one by one, less what the common rate takes of each."""
    weeks = [(float(min(s, n)), float(n)) for s, n in drawn]
    whole = sum(n for _, n in weeks)
    r = sum(s for s, _ in weeks) / whole
    found = dispersion(weeks)
    if not 0 < r < 1:
        assert found is None
        return
    expected = 0.0
    for _, n in weeks:
        # The variance of n / whole of all the others' and of its own share of the common rate.
        own, others = (1 - n / whole) ** 2 * n, (n / whole) ** 2 * (whole - n)
        expected += (own + others) * r * (1 - r)
    assert found is not None
    assert found == pytest.approx(max(1, sum((s - r * n) ** 2 for s, n in weeks) / expected))


@pytest.mark.parametrize(
    ("successes", "trials"), [(10**6, 10**6), (0, 10**7), (10**7, 10**8), (10**10, 10**12)]
)
def test_large_numbers_neither_overflow_nor_fail(successes: int, trials: int) -> None:
    assert 0 <= tempered(log_e_rate(successes, trials, 0.05)) < math.inf
    assert 0 <= tempered(log_e_volume(successes, trials)) < math.inf
