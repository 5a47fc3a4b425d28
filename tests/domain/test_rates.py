"""Wilson's interval: the deviates at its ends are those that it is made of."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rates import interval

DEVIATE = NormalDist().inv_cdf(0.9)


@settings(deadline=None)
@given(trials=st.integers(1, 10**6), part=st.fractions(0, 1))
def test_each_end_is_as_far_from_what_was_seen_as_the_test_of_that_rate_allows(
    trials: int, part: Fraction
) -> None:
    """The definition: the rates p with (seen - p)^2 = z^2 p (1 - p) / n."""
    successes = round(part * trials)
    found = interval(successes, trials)
    assert found is not None
    low, high = map(float, found)
    seen = successes / trials
    assert 0 <= low <= seen + 1e-12
    assert seen - 1e-12 <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            deviation = (seen - end) / sqrt(end * (1 - end) / trials)
            assert abs(deviation) == pytest.approx(DEVIATE, rel=1e-6)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        (54, 262, (0.175958, 0.239917)),
        (1, 54, (0.005556, 0.059905)),
        (0, 10, (0, 0.141069)),
        (10, 10, (0.858931, 1)),
    ],
)
def test_worked_examples(successes: int, trials: int, expected: tuple[float, float]) -> None:
    found = interval(successes, trials)
    assert found is not None
    assert tuple(map(float, found)) == pytest.approx(expected, abs=5e-7)


@settings(deadline=None)
@given(st.fractions(0, 100), st.fractions(0, 1))
def test_more_of_the_same_is_surer(trials: Fraction, part: Fraction) -> None:
    trials += 1
    few, many = (interval(part * n, n) for n in (trials, trials * 4))
    assert few is not None
    assert many is not None
    assert many[1] - many[0] < few[1] - few[0]


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 4), (Fraction(5, 2), 2)])
def test_what_is_no_share_has_none(successes: Fraction, trials: Fraction) -> None:
    assert interval(successes, trials) is None
