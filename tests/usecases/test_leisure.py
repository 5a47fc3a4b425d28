"""How long what works in the background rests."""

from __future__ import annotations

import threading
import time

import pytest

from app.usecases.leisure import Leisure, rest


@pytest.mark.parametrize(
    ("spent", "took", "leisure", "rested"),
    [
        (0.001, 0.002, 1.0, 0.148),  # seven times a second, no more
        (0.08, 0.09, 0.4, 0.16),  # a third of the time: five times what is left, cubed
        (0.01, 0.05, 0.0, 0.2),  # 4 %, though the event loop leaves nothing
        (0.2, 0.3, 0.1, 0.2),  # twice a second, as long as that leaves half of the time
        (3.0, 9.0, 1.0, 3.0),
    ],
)
def test_a_rest_is_short_while_rounds_are_cheap_and_never_shorter_than_a_round(
    spent: float, took: float, leisure: float, rested: float
) -> None:
    assert rest(spent, took, leisure) == pytest.approx(rested)


def work(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def test_a_thread_that_works_half_of_the_time_leaves_the_other_half() -> None:
    """The clock is ours: as if twice as much time had passed as was worked."""
    times = iter([0.0, 1.0, 1.1])
    leisure = Leisure(threading.get_ident(), lambda: next(times))
    work(0.05)  # before the rest begins: that does not count
    leisure.begin(0.5)
    work(0.05)
    assert leisure.part() == pytest.approx(0.5, abs=0.1)


def test_what_the_rests_before_left_counts_half() -> None:
    times = iter([0.0, 1.0, 2.0])
    leisure = Leisure(threading.get_ident(), lambda: next(times))
    leisure.begin(0.2)
    assert leisure.part() == pytest.approx((0.2 + 1) / 2, abs=0.02)


def test_a_thread_that_waits_leaves_everything() -> None:
    leisure = Leisure(threading.get_ident())
    time.sleep(0.1)
    assert leisure.part() > 0.5
