"""Never faster than the provider allows, by a count of what was let through."""

from __future__ import annotations

import random

import pytest

from app.domain.instants import instant
from app.outbound.rates import LONGEST_SECONDS, Bucket, Rate, reset_after, retry_after


@pytest.mark.parametrize("seed", range(5))
def test_no_span_holds_more_calls_than_the_bucket_allows(seed: int) -> None:
    dice = random.Random(seed)
    rate, now = Rate(5, 10), 100.0
    bucket, made = Bucket(rate, now), []
    for _ in range(300):
        now += dice.choice([0, 0, 0.01, 0.3])
        wait = bucket.take(now)
        now += wait
        made.append(now)
    for first, begin in enumerate(made):
        for last in range(first, len(made)):
            span = made[last] - begin
            assert last - first + 1 <= rate.burst + rate.per_second * span + 1e-6
    # And no slower than it must be: an idle bucket gives its burst at once.
    assert bucket.take(now + 100) == 0.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("99999999999999", LONGEST_SECONDS),
        ("Tue, 01 Dec 2026 09:00:30 GMT", 30),
        ("Tue, 01 Dec 2026 08:00:00 GMT", 0),
        ("Fri, 01 Dec 2028 09:00:00 GMT", LONGEST_SECONDS),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("\u0667", None),
    ],
)
def test_a_provider_says_in_two_ways_when_to_come_again(
    header: str | None, seconds: int | None
) -> None:
    assert retry_after(header, instant("2026-12-01T09:00:00Z")) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("limit=100, remaining=0, reset=5", "5"),
        ('"default";r=0;t=5;reset=7', "7"),
        ("limit=100, remaining=50", None),
        ("reset=soon", None),
        ("preset=9", None),
        ("", None),
        (None, None),
    ],
)
def test_a_limit_that_says_when_it_is_reset_is_heard(
    header: str | None, seconds: str | None
) -> None:
    assert reset_after(header) == seconds
