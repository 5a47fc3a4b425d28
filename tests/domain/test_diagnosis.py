"""A gap is split without remainder, by orders of change averaged one by one in here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.diagnosis import Factor, Step, diagnose, effects
from app.domain.drift import Certainty
from app.domain.progress import Edge, GoalProgress, Progress, Rate
from tests.views.samples import YEN, goal, progress, scoped

NUMBERS = st.fractions(-20, 20, max_denominator=12)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5)


def factors(pairs: Sequence[tuple[Fraction, Fraction]]) -> list[Factor]:
    return [Factor(Step(f"g{n}"), *pair) for n, pair in enumerate(pairs)]


def split(pairs: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    found = effects([factors(pairs)])
    return [found[Step(f"g{n}")] for n in range(len(pairs))]


def by_orders(pairs: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """Let the factors change one after the other, in every order, and average what each did."""
    sums, orders = [Fraction(0)] * len(pairs), list(permutations(range(len(pairs))))
    for order in orders:
        now = [planned for planned, _ in pairs]
        for place in order:
            before = prod(now, start=Fraction(1))
            now[place] = pairs[place][1]
            sums[place] += prod(now, start=Fraction(1)) - before
    return [one / len(orders) for one in sums]


@settings(deadline=None)
@given(PAIRS)
def test_an_effect_is_the_mean_over_all_orders_of_change(
    pairs: list[tuple[Fraction, Fraction]],
) -> None:
    assert split(pairs) == by_orders(pairs)


@settings(deadline=None)
@given(PAIRS)
def test_effects_leave_no_remainder_and_turn_their_signs_with_time(
    pairs: list[tuple[Fraction, Fraction]],
) -> None:
    found = split(pairs)
    planned, actual = (prod(side, start=Fraction(1)) for side in zip(*pairs, strict=True))
    assert sum(found) == actual - planned
    assert split([(b, a) for a, b in pairs]) == [-one for one in found]
    for (before, after), effect in zip(pairs, found, strict=True):
        assert before != after or effect == 0


PUBLISHED = [
    (["1000", "0.1", "0.2", "500000"], ["800", "0.12", "0.15625", "550000"],
     [-2048645.8333, 1684687.5, -2265520.8333, 879479.1667]),
    (["1000", "0.1", "0.2", "500000"], ["800", "0.12", "0", "500000"],
     [-1066666.6667, 933333.3333, -9866666.6667, 0]),
    (["1000", "0.1", "0.2", "500000"], ["0", "0.1", "0.2", "500000"], [-10000000, 0, 0, 0]),
    (["40", "0.5"], ["50", "0.4"], [4.5, -4.5]),
]  # fmt: skip


@pytest.mark.parametrize(("planned", "actual", "expected"), PUBLISHED)
def test_worked_examples(planned: list[str], actual: list[str], expected: list[float]) -> None:
    pairs = [(Fraction(a), Fraction(b)) for a, b in zip(planned, actual, strict=True)]
    assert [float(one) for one in split(pairs)] == pytest.approx(expected, abs=1e-3)


AMOUNTS = st.fractions(0, 50, max_denominator=6)


def tree(expected: Sequence[Fraction], actual: Sequence[Fraction]) -> GoalProgress:
    """Revenue from deals from calls; the plan's rates are 7 and 1/5."""
    rates = [Fraction(7), Fraction(1, 5)]
    found: GoalProgress | None = None
    for place in (2, 1, 0):
        found = goal(
            ("revenue", "deals", "calls")[place],
            **({"unit": YEN} if place == 0 else {}),
            expected=expected[place],
            actual=actual[place],
            gap=actual[place] - expected[place],
            pace=actual[place] / expected[place] if expected[place] else None,
            rate=None if found is None else Rate(rates[place], None, 0),
            children=() if found is None else (found,),
            edge=None if place == 0 else Edge.CONVERSION,
        )
    assert found is not None
    return found


PEOPLE = st.lists(
    st.tuples(st.lists(AMOUNTS, min_size=3, max_size=3), st.lists(AMOUNTS, min_size=3, max_size=3)),
    max_size=4,
)


def together(people: Sequence[tuple[Sequence[Fraction], Sequence[Fraction]]]) -> Progress:
    sums = [
        [sum((one[side][n] for one in people), Fraction(0)) for n in range(3)] for side in (0, 1)
    ]
    parts = [scoped(tree(*one), f"n{n}", member=f"m{n}") for n, one in enumerate(people[1:])]
    return progress(tree(*sums), *parts)


@settings(deadline=None)
@given(PEOPLE.filter(lambda people: len(people) > 0))
def test_whatever_came_of_nothing_all_lines_and_all_people_add_up_to_the_gap(
    people: list[tuple[list[Fraction], list[Fraction]]],
) -> None:
    """The first of them is nobody in particular. Zeros stand anywhere."""
    shown = together(people)
    found = diagnose(shown)
    gap = shown.whole.root.gap
    assert sum(effect.exact for effect in found.effects) == gap
    # Whole yen, and their sum is the gap in whole yen.
    assert all(effect.shown.denominator == 1 for effect in found.effects)
    assert sum(effect.shown for effect in found.effects) == round(gap)
    assert all(abs(effect.shown - effect.exact) < 1 for effect in found.effects)
    for place, effect in enumerate(found.effects):
        assert sum(person.effects[place] for person in found.people) == effect.exact
    told = {person.member: person.gap for person in found.people}
    for n, (expected, actual) in enumerate(people[1:]):
        assert told[f"m{n}"] == actual[0] - expected[0]
    assert sum(found.mix) == 0


def test_a_teams_split_is_the_sum_of_its_members_and_the_rest_is_mix() -> None:
    """Two people, the same gap: 1,000 x 10 % x 20 % x 500,000 planned for both together."""
    people = [
        (
            [Fraction(1000), Fraction(100), Fraction(10)],
            [Fraction(900), Fraction(60), Fraction(20)],
        ),
        ([Fraction(1000), Fraction(100), Fraction(10)], [Fraction(100), Fraction(40), Fraction(5)]),
    ]
    found = diagnose(together(people))
    by_people = [
        by_orders([(e[2], a[2]), (e[1] / e[2], a[1] / a[2]), (e[0] / e[1], a[0] / a[1])])
        for e, a in people
    ]
    assert [effect.exact for effect in found.effects] == [
        sum(one) for one in zip(*by_people, strict=True)
    ]
    rates = [
        (Fraction(20), Fraction(25)),
        (Fraction(10), Fraction(4)),
        (Fraction(10), Fraction(10)),
    ]
    by_rates = by_orders(rates)
    assert [
        effect.exact + mixed for effect, mixed in zip(found.effects, found.mix, strict=True)
    ] == by_rates


def parts(first: tuple[int, int], second: tuple[int, int], beside: int = 0) -> GoalProgress:
    below = [
        goal(
            key,
            expected=Fraction(expected),
            actual=Fraction(actual),
            gap=Fraction(actual - expected),
            edge=Edge.PART,
        )
        for key, (expected, actual) in (("new", first), ("old", second))
    ]
    side = goal(
        "calls", expected=Fraction(5), actual=Fraction(0), gap=Fraction(-5), edge=Edge.INFLUENCE
    )
    whole = (first[0] + second[0], first[1] + second[1] + beside)
    return goal(
        "deals",
        expected=Fraction(whole[0]),
        actual=Fraction(whole[1]),
        gap=Fraction(whole[1] - whole[0]),
        children=(*below, side),
    )


def test_a_sum_is_split_into_its_parts_and_what_stands_beside_them() -> None:
    found = diagnose(progress(parts((10, 4), (20, 22), beside=3)))
    told = {(one.step.goal, one.step.other): one.exact for one in found.effects}
    assert told == {("new", False): -6, ("old", False): 2, ("deals", True): 3}
    # Influences are no arithmetic.
    assert "calls" not in {*found.on_pace, *found.behind}


@pytest.mark.parametrize(
    ("actual", "named"),
    [
        ((100, 20, 7), ("revenue", "deals")),  # 7 of 140 yen: the price
        ((100, 2, 14), ("deals", "calls")),  # 2 % instead of 20 %
        ((10, 2, 14), ("calls", None)),
        ((100, 20, 140), None),  # no gap, no cause
        ((200, 20, 140), None),  # twice the calls for it, but no gap either
    ],
)
def test_the_step_that_costs_most_is_named(
    actual: tuple[int, int, int], named: tuple[str, str | None] | None
) -> None:
    calls, deals, revenue = map(Fraction, actual)
    found = diagnose(
        progress(tree([Fraction(140), Fraction(20), Fraction(100)], [revenue, deals, calls]))
    )
    step = found.named and (found.named.step.goal, found.named.step.per)
    assert step == named


def test_a_step_that_is_less_than_a_fifth_of_the_gap_is_not_named() -> None:
    shares = [Fraction(99, 100)] * 12
    found = diagnose(progress(_chain(shares)))
    assert found.named is None
    assert sum(one.exact for one in found.effects) == found.goal.gap < 0


def _chain(falls: Sequence[Fraction]) -> GoalProgress:
    found: GoalProgress | None = None
    expected = actual = Fraction(1)
    for place, fall in enumerate(falls):
        actual *= fall
        found = goal(
            f"g{place}",
            expected=expected,
            actual=actual,
            gap=actual - expected,
            rate=None if found is None else Rate(Fraction(1), None, 0),
            children=() if found is None else (found,),
        )
    assert found is not None
    return found


def test_the_cause_is_as_sure_as_its_numbers_are_large() -> None:
    """2 of 100 instead of 20 of 100, then ten times and a hundred times as much of it."""
    words = []
    for scale in (Fraction(1, 2), 2, 20):
        planned = [Fraction(140) * scale, Fraction(20) * scale, Fraction(100) * scale]
        done = [Fraction(56) * scale, Fraction(8) * scale, Fraction(100) * scale]
        named = diagnose(progress(tree(planned, done))).named
        assert named is not None
        assert named.step == Step("deals", "calls")
        words.append(named.certainty)
    assert words == [Certainty.NOT_YET, Certainty.LIKELY, Certainty.PROVEN]


def test_of_money_there_is_no_evidence() -> None:
    named = diagnose(
        progress(tree([Fraction(140), Fraction(20), Fraction(100)],
                      [Fraction(7), Fraction(20), Fraction(100)]))
    ).named  # fmt: skip
    assert named is not None
    assert (named.evidence, named.certainty) == (None, Certainty.NOT_YET)
