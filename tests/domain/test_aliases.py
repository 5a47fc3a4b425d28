"""Names of plans: one namespace, one plan a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aliases import Naming, check_naming, following_key, key_on, naming_of
from app.domain.documents import Node
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.spans import Span
from tests.domain.worlds import codes

FIRST = date(2026, 12, 1)
NAMES = st.sampled_from("abc")


def naming(key: str, alias: str, first: int, days: int) -> Naming:
    start = FIRST + timedelta(days=first)
    return Naming(key, alias, Span(start, start + timedelta(days=days)))


NAMINGS = st.builds(naming, NAMES, NAMES, st.integers(0, 9), st.integers(1, 5))


@given(made=st.lists(NAMINGS, max_size=6), name=NAMES, day=st.integers(0, 14))
def test_a_name_never_means_two_plans_on_one_day(made: list[Naming], name: str, day: int) -> None:
    """Plans come one after the other, as they are created; brute force looks for doubt."""
    known: list[Naming] = []
    for new in made:
        others = [old for old in known if old.key != new.key]
        try:
            check_naming(new, others)
        except Conflict:
            continue
        known = [*others, new]
    today = FIRST + timedelta(days=day)
    keys = {plan.key for plan in known if plan.key == name}
    aliases = [plan.key for plan in known if plan.alias == name and today in plan.span]
    assert len(keys | set(aliases)) <= 1
    if aliases:
        assert key_on(today, name, known) == aliases[0]
    else:
        with pytest.raises(NotFound) as missing:
            key_on(today, name, known)
        absent = any(plan.alias == name for plan in known)
        assert missing.value.code == ("no_plan_then" if absent else "unknown_plan")


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (naming("jan", "dec", 31, 31), "alias_is_a_key"),
        (naming("new", "new", 31, 31), "key_is_an_alias"),
        (naming("jan", "new", 30, 31), "alias_overlaps"),
    ],
)
def test_each_way_to_be_ambiguous_is_named(new: Naming, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        check_naming(new, [naming("dec", "new", 0, 31)])
    assert (refused.value.code, refused.value.params) == (code, {"plan": "dec"})


def test_an_alias_passes_on_where_one_period_ends_and_the_next_begins() -> None:
    plans = [naming("dec", "new", 0, 31)]
    check_naming(naming("jan", "new", 31, 31), plans)
    plans.append(naming("jan", "new", 31, 31))
    assert key_on(date(2026, 12, 31), "new", plans) == "dec"
    assert key_on(date(2027, 1, 1), "new", plans) == "jan"


MONTHS = {"month": "2026-12"}, {"month": "2027-01"}


@pytest.mark.parametrize(
    ("key", "alias", "periods", "expected"),
    [
        ("2026-12-new", None, MONTHS, "2027-01-new"),
        ("2026-12-new", "new-business", MONTHS, "2027-01-new"),
        ("new.2026-12", None, MONTHS, "new.2027-01"),
        ("december", None, MONTHS, "december-2027-01"),
        ("december", "new-business", MONTHS, "new-business-2027-01"),
        ("2026-12-2026-12", None, MONTHS, "2027-01-2026-12"),
        ("2026-q3-x", None, ({"quarter": "2026-Q3"}, {"quarter": "2026-Q4", "fiscal": True}),
         "2026-q4-x"),
        ("2026-12", None, (MONTHS[0], {"quarter": "2027-Q1"}), "2027-q1"),
        ("sprint", None, (MONTHS[0], {"start": "2027-01-04", "end": "2027-01-18"}),
         "sprint-2027-01-04"),
        ("2026-12-new", None, (MONTHS[0], MONTHS[0]), "2026-12-new"),
    ],
)  # fmt: skip
def test_the_key_of_a_copy_says_its_own_period(
    key: str, alias: str | None, periods: tuple[dict[str, object], ...], expected: str
) -> None:
    old, new = periods
    called = naming_of(key, {"alias": alias, "period": old}, 4)
    assert following_key(called, Node(old), Node(new)) == expected


def test_a_key_that_grows_too_long_is_asked_for() -> None:
    called = naming_of("x" * 60, {"period": MONTHS[0]}, 1)
    with pytest.raises(Invalid) as refused:
        following_key(called, Node(MONTHS[0]), Node(MONTHS[1]))
    assert codes(refused.value) == [("/key", "not_a_key")]
