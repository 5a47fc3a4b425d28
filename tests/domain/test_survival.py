"""Lags learned of items that turned out and of those that have not, against other ways to count."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.domain.ripening import ripening
from app.domain.survival import (
    ENOUGH,
    SETTLED,
    Cohort,
    Learned,
    learned,
    life_table,
    matured,
    survival,
    trusted,
)

# Of one item: the age from which on it is seen, up to which, and at which it turned out, if it did.
_items = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 12), st.none() | st.integers(0, 12)), max_size=40
)


def cohorts(items: list[tuple[int, int, int | None]]) -> list[Cohort]:
    """Those that came into view and left it at the same ages, together."""
    together: dict[tuple[int, int], list[int | None]] = {}
    for since, until, at in items:
        together.setdefault((since, until), []).append(at)
    return [
        Cohort(len(ends), Counter(at for at in ends if at is not None), until, since)
        for (since, until), ends in together.items()
    ]


@given(_items)
def test_a_life_table_counts_item_by_item(items: list[tuple[int, int, int | None]]) -> None:
    table = life_table(cohorts(items))
    for age, (opened, converted) in enumerate(table):
        seen = [
            at for since, until, at in items if since <= age < until and (at is None or at >= age)
        ]
        assert (opened, converted) == (len(seen), seen.count(age))
    assert len(table) == max((until for since, until, _ in items if since < until), default=0)


@given(_items)
def test_what_stays_open_is_the_estimate_of_kaplan_and_meier(
    items: list[tuple[int, int, int | None]],
) -> None:
    seen = [(until, at) for _, until, at in items if until]
    ended = [at for until, at in seen if at is not None and at < until]
    open_yet = [until - 1 for until, at in seen if at is None or at >= until]
    mine = survival(life_table(cohorts([(0, until, at) for until, at in seen])))
    if not ended or not seen:
        assert all(part == 1 for part in mine)
        return
    found = stats.ecdf(stats.CensoredData(uncensored=ended, right=open_yet)).sf
    assert [float(part) for part in mine] == pytest.approx(
        [float(found.evaluate(age)) for age in range(len(mine))], abs=1e-9
    )


def test_censored_items_are_no_lost_ones() -> None:
    """100 items a day turn out on the third day after, every second one; nine days were seen."""
    every = [Cohort(100, {3: 50} if seen > 3 else {}, seen) for seen in range(1, 10)]
    lag = learned(every)
    assert lag is not None
    assert [lag.share(age) for age in range(4)] == [0, 0, 0, 1]
    assert (lag.mean, lag.longest, lag.conversions) == (Fraction(3), 3, 300)
    assert lag.rate == Fraction(1, 2)
    # Six of nine days have come of age: the plain ratio would be 300 of 900.
    begun = dict.fromkeys(range(1, 10), 100)
    found = matured(begun, 300, lag, Fraction(1, 2))
    assert (found.exposure, found.rate) == (Fraction(600), Fraction(1, 2))


def worth(lag: Learned, left: int) -> float:
    """Of an item that begins now and becomes something in one of four cases, within some days."""
    return 0.25 * float(lag.share(left))


def test_a_lag_of_ten_days_as_it_is_seen_is_worth_what_it_is_worth() -> None:
    """.108, .074 and .035 deals within 15, 10 and 5 days, against .25 in the end."""
    shares = ripening(10, 200)
    came = {age: round(10**9 * 0.25 * share) for age, share in enumerate(shares)}
    lag = learned([Cohort(10**9, came, until) for until in (200, 60, 30)])
    assert lag is not None
    assert float(lag.mean) == pytest.approx(10, abs=1e-3)
    # The law's days are half-open: what begins now has its first day still before it.
    found = [worth(lag, left - 1) for left in (15, 10, 5)]
    assert found == pytest.approx([0.25 * sum(shares[:left]) for left in (15, 10, 5)], abs=1e-6)
    assert [worth(lag, left) for left in (9,)] == pytest.approx([0.25 * sum(shares[:10])], abs=1e-6)


@given(st.lists(st.tuples(st.integers(50, 300), st.integers(1, 30)), min_size=1, max_size=20))
def test_shares_never_fall_and_end_at_one(days: list[tuple[int, int]]) -> None:
    lag = learned(
        Cohort(number, {age: number // (age + 2) for age in range(0, until, 3)}, until)
        for number, until in days
    )
    if lag is None:
        return
    shares = [lag.share(age) for age in range(-2, lag.longest + 3)]
    assert shares == sorted(shares)
    assert shares[:2] == [0, 0]
    assert shares[-3:] == [1, 1, 1]
    assert lag.longest == 0 or lag.share(lag.longest - 1) < 1


def test_of_few_nothing_is_learned() -> None:
    assert learned([Cohort(1_000, {1: ENOUGH - 1}, 5)]) is None
    assert learned([Cohort(1_000, {1: ENOUGH}, 5)]) is not None
    assert learned([]) is None


def test_a_matured_rate_is_the_plans_beta_with_what_was_seen() -> None:
    lag = Learned((Fraction(1, 2), Fraction(1)), 60, Fraction(1, 5))
    found = matured({0: 7, 1: 10, 2: 30}, 9, lag, Fraction(1, 5))
    assert (found.exposure, found.rate) == (Fraction(35), Fraction(9, 35))
    low, high = stats.beta(4 + 9, 16 + 26).ppf([0.1, 0.9])
    assert [float(found.low or 0), float(found.high or 0)] == pytest.approx([low, high])
    assert matured({0: 7}, 0, lag, Fraction(1, 5)).rate is None
    beyond = matured({2: 10}, 9, lag, Fraction(2))
    assert (beyond.rate, beyond.low, beyond.high) == (Fraction(9, 10), None, None)
    # More than could have by now: the rate is a probability, and nothing is made of it.
    assert matured({1: 2}, 5, lag, Fraction(1, 5)).rate == 1


def test_a_fall_is_told_by_the_lag_of_the_time_before_where_enough_turned_out_in_it() -> None:
    half = (Fraction(0), Fraction(1, 2), Fraction(1))
    now = Learned((Fraction(1, 4), *half[1:]), 1000, Fraction(1))
    few, many = (Learned(half, enough, Fraction(1)) for enough in (SETTLED - 1, SETTLED))
    assert trusted(None, now) == trusted(few, now) == now
    assert trusted(many, now) == many
    assert many.steps == (0.0, 0.5, 0.5)
    assert many.settled == 2
    assert now.steps == (0.25, 0.25, 0.5)
