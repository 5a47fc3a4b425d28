"""Rates in the light of everybody's: between the own and the common one, and how strongly."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shrinkage import ASSUMED, STRONGEST, WEAKEST, Seen, priors, strength, together

PLAN = Fraction(1, 5)


def seen(successes: int, trials: int) -> Seen:
    return Seen(Fraction(successes), Fraction(trials))


SEEN = st.integers(0, 60).flatmap(
    lambda trials: st.builds(seen, st.integers(0, trials), st.just(trials))
)


@given(st.lists(SEEN, min_size=1, max_size=8), st.integers(0, 2))
def test_a_rate_lies_between_the_own_and_the_teams_and_nearer_the_more_there_is(
    people: list[Seen], teams: int
) -> None:
    named = {f"m{n}": one for n, one in enumerate(people)}
    found = priors(named, {f"m{n}": f"t{n % (teams + 1)}" for n in range(len(people))}, PLAN)
    for n, one in enumerate(people):
        team = found.teams[f"t{n % (teams + 1)}"]
        rate = found.person(one, f"t{n % (teams + 1)}")
        if not one.trials:
            assert rate == team
            continue
        own = one.successes / one.trials
        assert min(own, team) <= rate <= max(own, team)
        more = found.person(Seen(one.successes * 9, one.trials * 9), f"t{n % (teams + 1)}")
        assert abs(more - own) <= abs(rate - own)


def test_worked_example() -> None:
    """Two people of a team, nobody to tell how much they differ: 40 trials of the common rate."""
    found = priors({"a": seen(1, 5), "b": seen(9, 15)}, {"a": "t", "b": "t"}, PLAN)
    whole = Fraction(10 + 8, 20 + 40)
    team = (10 + 40 * whole) / 60
    assert found.whole == whole
    assert found.teams == {"t": team}
    assert found.person(seen(1, 5), "t") == (1 + 40 * team) / 45
    assert found.person(seen(1, 5), None) == (1 + 40 * whole) / 45
    assert found.team(seen(10, 20)) == team


@given(st.lists(SEEN, max_size=12))
def test_the_strength_is_bounded_whatever_was_seen(groups: list[Seen]) -> None:
    assert WEAKEST <= strength(groups) <= STRONGEST
    assert strength([]) == strength(groups[:2]) == ASSUMED


def test_people_who_are_alike_pull_each_other_more_than_people_who_differ() -> None:
    alike = [seen(n, 100) for n in (20, 21, 19, 20)]
    differ = [seen(n, 100) for n in (5, 45, 10, 30)]
    assert strength(alike) == STRONGEST
    assert strength(differ) < ASSUMED


@pytest.mark.parametrize("true", [15, 60, 200])
def test_the_strength_is_found_again(true: int) -> None:
    """4,000 people whose rates are drawn from a beta law that is worth so many trials."""
    dice = random.Random(11)
    groups = []
    for _ in range(4_000):
        rate = dice.betavariate(0.3 * true, 0.7 * true)
        groups.append(seen(sum(dice.random() < rate for _ in range(40)), 40))
    assert float(strength(groups)) == pytest.approx(true, rel=0.25)


def test_what_was_seen_adds_up() -> None:
    assert together([seen(1, 3), seen(2, 4)]) == seen(3, 7)
    assert together([]) == seen(0, 0)
