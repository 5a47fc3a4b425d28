"""Ranks are fair and honest: everybody's own pace, ties shared, nothing compared with nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound
from app.domain.leaderboard import leaderboard
from app.domain.progress import Progress
from tests.views.samples import calls, deals, progress, scoped

PACES = st.lists(st.none() | st.fractions(-2, 2, max_denominator=4), max_size=12)


def board(paces: list[Fraction | None]) -> Progress:
    parts = [
        scoped(deals(pace=pace), f"name {n}", member=f"m{n:02}") for n, pace in enumerate(paces)
    ]
    return progress(deals(), *parts)


@given(paces=PACES)
def test_a_rank_is_one_more_than_the_number_of_those_ahead(paces: list[Fraction | None]) -> None:
    ranked = leaderboard(board(paces), "deals_won")
    for entry in ranked:
        mine = entry.goal.pace
        ahead = sum(
            pace is not None and (mine is None or pace > mine)
            for pace in paces
        )  # fmt: skip
        assert entry.rank == 1 + ahead
    assert sorted(entry.member for entry in ranked) == [f"m{n:02}" for n in range(len(paces))]
    order = [(entry.rank, entry.member) for entry in ranked]
    assert order == sorted(order)


def test_equal_paces_share_a_rank_and_the_next_counts_them_all() -> None:
    half, one = Fraction(1, 2), Fraction(1)
    found = leaderboard(board([half, one, None, one, None]), None)
    assert [(e.rank, e.member) for e in found] == [
        (1, "m01"),
        (1, "m03"),
        (3, "m00"),
        (4, "m02"),
        (4, "m04"),
    ]


def test_any_goal_of_the_tree_can_be_ranked_by_and_no_other() -> None:
    slow = deals(children=(calls(pace=Fraction(1, 9)),))
    fast = deals(pace=Fraction(1, 99), children=(calls(pace=Fraction(8, 9)),))
    shown = progress(slow, scoped(slow, "S", member="a"), scoped(fast, "F", member="b"))
    assert [entry.member for entry in leaderboard(shown, "calls")] == ["b", "a"]
    assert [entry.member for entry in leaderboard(shown, None)] == ["a", "b"]
    with pytest.raises(NotFound) as missing:
        leaderboard(shown, "leads")
    assert missing.value.code == "unknown_goal"
