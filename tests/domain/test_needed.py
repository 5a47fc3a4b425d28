"""How much work makes a goal succeed: against other implementations of the two laws."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binom

from app.domain.goals import Goal
from app.domain.needed import Needed, chance, chance_unsure, needed, smallest
from tests.domain.worlds import plan

# 24 deals at 7 % x 18 %, and the same rate known only from 50 deals in 3,968 calls.
RATE, DEALS, SAMPLE = 0.07 * 0.18, 24, (50, 3968)


def of(*funnel: Mapping[str, object], **seen: int) -> dict[str, Needed]:
    made = plan(funnel=list(funnel))

    def counted(top: Goal, below: Goal) -> tuple[int, int] | None:
        known = top.key in seen and below.key in seen
        return (seen[top.key], seen[below.key]) if known else None

    return needed(made.root, made.targets, counted)


def test_the_calculated_number_of_calls_is_enough_about_every_second_time() -> None:
    assert chance(DEALS, RATE)(1905) == pytest.approx(0.528, abs=5e-4)


@pytest.mark.parametrize(
    ("sure", "known", "unsure"), [(0.8, 2220, 2324), (0.9, 2414, 2585), (0.95, 2582, 2820)]
)
def test_both_lines_of_the_worked_example(sure: float, known: int, unsure: int) -> None:
    assert smallest(DEALS, chance(DEALS, RATE), sure) == known
    assert smallest(DEALS, chance_unsure(DEALS, *SAMPLE), sure) == unsure


def test_five_deals_of_the_worked_month_need_134_appointments_and_671_calls() -> None:
    found = of(
        {"metric": "revenue", "target": "2000000"},
        {"metric": "deals_won", "rate": "400000"},
        {"metric": "appointments", "rate": "0.05"},
        {"metric": "calls", "rate": "0.2"},
    )
    assert {key: (n.feeds, n.rate, n.known) for key, n in found.items()} == {
        "appointments": ("deals_won", Fraction(1, 20), 134),
        "calls": ("deals_won", Fraction(1, 100), 671),
    }
    assert [round(n.chance, 3) for n in found.values()] == [0.564, 0.56]
    assert all(n.uncertain is None and n.trials is None for n in found.values())


def test_of_a_rate_that_was_seen_the_second_line_is_told_as_well() -> None:
    found = of(
        {"metric": "deals_won", "target": "24"},
        {"metric": "calls", "rate": "0.0126"},
        deals_won=50,
        calls=3968,
    )["calls"]
    assert (found.known, found.uncertain, found.trials) == (2220, 2324, 3968)


@pytest.mark.parametrize(
    "seen",
    [
        {"calls": 3968},
        {"calls": 9, "deals_won": 0},
        {"calls": 9, "deals_won": 9},
        {"calls": 0, "deals_won": 2},
    ],
)
def test_a_sample_that_says_nothing_is_none(seen: dict[str, int]) -> None:
    stages = {"metric": "deals_won", "target": "24"}, {"metric": "calls", "rate": "0.0126"}
    assert of(*stages, **seen)["calls"].uncertain is None


def test_a_ratio_is_no_chance_and_what_lies_below_it_feeds_what_lies_there() -> None:
    """Each appointment is 1.4 meetings: no coin that is thrown. Calls feed the appointments."""
    found = of(
        {"metric": "deals_won", "target": "7"},
        {"metric": "meetings_held", "rate": "0.25"},
        {"metric": "appointments", "rate": "1.4"},
        {"metric": "calls", "rate": "0.2"},
    )
    assert {key: n.feeds for key, n in found.items()} == {
        "meetings_held": "deals_won",
        "calls": "appointments",
    }


def test_parts_and_influences_have_chains_of_their_own() -> None:
    def calls(key: str, target: str) -> dict[str, object]:
        below = {"key": f"{key}_calls", "metric": "calls"}
        conversion = {"rate": "0.5", "from": below}
        return {"key": key, "metric": "deals_won", "target": target, "conversion": conversion}

    root = {
        "metric": "deals_won",
        "parts": [calls("east", "3"), calls("west", "1")],
        "influences": [{**calls("help", "2"), "weight": "1"}],
    }
    made = plan(funnel=None, root=root)
    found = needed(made.root, made.targets)
    assert {key: n.feeds for key, n in found.items()} == {
        "east_calls": "east",
        "west_calls": "west",
        "help_calls": "help",
    }
    assert found["west_calls"].known == 3  # 1 - 1/2^3 = 0.875, and 3/4 of two calls is too little


def test_a_certain_step_needs_no_more_and_a_goal_of_nothing_needs_nothing() -> None:
    certain = of({"metric": "deals_won", "target": "40"}, {"metric": "calls", "rate": "1"})
    assert certain["calls"].known == 40
    nothing = of({"metric": "deals_won", "target": "0"}, {"metric": "calls", "rate": "0.1"})
    assert nothing["calls"].known == 0


def test_large_targets_are_searched_and_absurd_ones_left_out() -> None:
    stage = {"metric": "calls", "rate": "0.01"}
    million = of({"metric": "deals_won", "target": "1000000"}, stage)["calls"].known
    # The normal law at this size: 0.8416 standard deviations above the mean.
    assert million == pytest.approx(1e8 + 0.8416 * (1e6 * 0.99) ** 0.5 * 100, rel=1e-6)
    assert of({"metric": "deals_won", "target": "1" + "0" * 25}, stage) == {}


@settings(deadline=None)
@given(goal=st.integers(1, 60), rate=st.fractions(Fraction(1, 50), 1, max_denominator=60))
def test_it_is_the_smallest_number_that_is_enough(goal: int, rate: Fraction) -> None:
    found = smallest(goal, chance(goal, float(rate)))
    assert binom.sf(goal - 1, found, float(rate)) >= 0.8 - 1e-9
    assert found == goal or binom.sf(goal - 1, found - 1, float(rate)) < 0.8 + 1e-9


@settings(deadline=None, max_examples=50)
@given(
    goal=st.integers(1, 250),
    hits=st.integers(1, 200),
    misses=st.integers(1, 4000),
    more=st.floats(0.5, 2.5),
)
def test_an_unsure_rate_follows_the_beta_binomial_law(
    goal: int, hits: int, misses: int, more: float
) -> None:
    number = goal + int(goal * misses / hits * more)
    law = betabinom.sf(goal - 1, number, hits, misses)
    assert chance_unsure(goal, hits, hits + misses)(number) == pytest.approx(law, abs=1e-4)
