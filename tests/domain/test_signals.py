"""What stands out among many, and what a drifted rate asks for, from trees made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from app.domain.diagnosis import Step, diagnose
from app.domain.drift import Certainty
from app.domain.progress import (
    Drift,
    DriftState,
    Edge,
    EdgeState,
    GoalProgress,
    Progress,
    Rate,
    ScopedProgress,
)
from app.domain.signals import proposals, signals
from app.domain.survival import Learned, Matured
from tests.views.samples import END, YEN, goal, progress, scoped

SINCE = date(2026, 12, 9)


def tree(
    deals: int,
    calls: int,
    *,
    evidence: float | None = None,
    state: DriftState = DriftState.UNPROVEN,
) -> GoalProgress:
    """Deals of calls at 20 %; 20 and 100 are expected by now, 40 and 200 wanted."""
    below = goal(
        "calls",
        target=Fraction(200),
        expected=Fraction(100),
        actual=Fraction(calls),
        gap=Fraction(calls - 100),
        edge=Edge.CONVERSION,
    )
    observed = Fraction(deals, calls) if calls else None
    drift = Drift(state, SINCE, evidence, evidence, 2.0)
    return goal(
        "deals",
        target=Fraction(40),
        expected=Fraction(20),
        actual=Fraction(deals),
        gap=Fraction(deals - 20),
        rate=Rate(Fraction(1, 5), observed, calls, drift=drift),
        children=(below,),
    )


def people(*evidence: float) -> Progress:
    parts: list[ScopedProgress] = [
        scoped(tree(20, 100, evidence=value), f"N{n}", member=f"m{n}")
        for n, value in enumerate(evidence)
    ]
    return progress(tree(20, 100, evidence=1.0), *parts)


def test_those_stand_out_whose_evidence_pays_for_the_number_of_streams() -> None:
    """Two streams each, one of them a volume as planned: of eight the largest needs 8 / 0.05."""
    assert signals(people(159, 1, 1, 1)) == ()
    assert [one.member for one in signals(people(161, 1, 1, 1))] == ["m0"]
    assert [one.member for one in signals(people(1, 81, 1, 81))] == ["m1", "m3"]


def test_a_volume_that_is_far_behind_stands_out_by_itself() -> None:
    part = scoped(tree(1, 5, evidence=1.0), "N", member="m")
    (found,) = signals(progress(tree(1, 5), part))
    assert found.step == Step("calls")
    assert [found.planned, found.actual] == [Fraction(100), Fraction(5)]
    alone = progress(tree(1, 5, evidence=1.0))
    assert [(one.member, one.name) for one in signals(alone)] == [(None, alone.whole.name)]


def test_a_proven_drift_asks_for_more_of_everything_below_and_of_nothing_above() -> None:
    proven = tree(10, 100, evidence=500, state=DriftState.PROVEN)
    below = replace(proven, edge=Edge.CONVERSION)
    root = goal("revenue", unit=YEN, rate=Rate(Fraction(9), Fraction(9), 10), children=(below,))
    (found,) = proposals(progress(root))
    assert (found.goal, found.per, found.since) == ("deals", "calls", SINCE)
    assert (found.assumed, found.observed) == (Fraction(1, 5), Fraction(1, 10))
    assert found.needed is not None
    # 40 deals at 10 % are 400 calls.
    assert [(one.goal, one.planned, one.needed) for one in found.needed] == [
        ("calls", Fraction(200), Fraction(400))
    ]


def test_where_items_are_followed_the_unripe_ones_ask_for_nothing() -> None:
    """Ten of the hundred that are over turned out; twenty of two hundred is what was counted."""
    proven = tree(10, 200, evidence=500, state=DriftState.PROVEN)
    assert proven.rate is not None
    matured = Matured(10, Fraction(100), Fraction(1, 10))
    below = replace(proven, rate=replace(proven.rate, matured=matured))
    (found,) = proposals(progress(below))
    assert found.observed == Fraction(1, 10)
    assert found.needed is not None
    assert found.needed[0].needed == Fraction(400)


def test_nothing_is_proposed_before_it_is_proven_and_no_number_where_nothing_converts() -> None:
    assert proposals(progress(tree(10, 100, evidence=50, state=DriftState.SUSPECTED))) == ()
    (found,) = proposals(progress(tree(0, 100, evidence=500, state=DriftState.PROVEN)))
    assert found.needed is None


@pytest.mark.parametrize(
    ("deals", "calls", "state"),
    [
        (20, 100, EdgeState.BOTH_ON_PACE),
        (19, 100, EdgeState.KPI_ON_PACE_KGI_BEHIND),
        (20, 99, EdgeState.KPI_BEHIND_KGI_ON_PACE),
        (19, 99, EdgeState.BOTH_BEHIND),
    ],
)
def test_an_edge_has_a_name_for_where_its_two_goals_stand(
    deals: int, calls: int, state: EdgeState
) -> None:
    assert tree(deals, calls).edge_state is state
    leaf = tree(deals, calls).converted
    assert leaf is not None
    assert leaf.edge_state is None


@pytest.mark.parametrize(
    ("evidence", "word"),
    [(None, Certainty.NOT_YET), (19.0, Certainty.NOT_YET), (500.0, Certainty.LIKELY)],
)
def test_of_a_rate_with_a_lag_the_days_tell_and_no_more_than_that_it_is_likely(
    evidence: float | None, word: Certainty
) -> None:
    late = tree(2, 100, evidence=evidence)
    assert late.rate is not None
    below = replace(late.children[0], deadline=END - timedelta(days=14))
    learned = replace(late.rate, lag=Learned((Fraction(0), Fraction(1)), 50, Fraction(1)))
    for one in (replace(late, children=(below,)), replace(late, rate=learned)):
        named = diagnose(progress(one)).named
        assert named is not None
        assert (named.step, named.evidence, named.certainty) == (
            Step("deals", "calls"), evidence, word,
        )  # fmt: skip
