"""Credit that stays where the work was done: the ledger in any order, at any time, in any cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.revisions import of_number
from app.store import activities, building, ledger
from app.store.engine import Store
from tests.store.own_metrics import DEFINITIONS, built, define, redefine
from tests.store.recount import stored_tallies
from tests.store.test_building import small_steps
from tests.store.test_known_at import assert_own, life
from tests.store.test_own_metrics import SPLITS, TIMES, assert_counts
from tests.store.worlds import NOW, W, call, delivery, sent, won, words

KEYS = [key for key in DEFINITIONS if key.startswith("h_")]
WON, AGAIN = TIMES[1], TIMES[2]
_deals = st.fixed_dictionaries(
    {KIND: st.sampled_from(["deal"] * 7 + ["call"])},
    optional={
        "status": st.sampled_from(["won", "won", "won", "open"]),
        "created_at": st.sampled_from([TIMES[0], TIMES[0], TIMES[3]]),
        "won_at": st.sampled_from([WON, WON, WON, AGAIN, None]),
        "amount": st.sampled_from(["1", "20", "300", None]),
        "owner": st.sampled_from(["sato", "suzuki", "tanaka", None]),
        "credits": st.sampled_from([*SPLITS, None]),
        RETRACTED: st.sampled_from([False, False, False, True]),
    },
)


@st.composite
def told(draw: st.DrawFn) -> Report:
    """One of two deals, in few revisions, some of them read by two mappings."""
    revision = of_number(str(draw(st.integers(1, 6))))
    key, mapping = draw(st.sampled_from("ab")), draw(st.sampled_from([1, 1, 1, 2]))
    fields: dict[str, Any] = draw(_deals)
    if fields[KIND] == "call":
        fields = {KIND: "call", "agent": "sato"}
    full = draw(st.booleans())
    return make_report("crm", key, revision, fields, full=full, mapping=mapping)


_batches = st.lists(st.lists(told(), min_size=1, max_size=4), min_size=2, max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_batches, st.randoms(use_true_random=False), st.sampled_from(KEYS))
def test_whom_the_reports_credit_is_credited_whenever_they_came_and_it_was_asked(
    batches: list[list[Report]], dice: random.Random, late: str
) -> None:
    with life(crm=None, other=None) as one:
        for key in KEYS:
            if key != late:
                define(one.store, key, DEFINITIONS[key])
        for place, batch in enumerate(batches):
            one.hears(*batch)
            if place == len(batches) // 2:
                redefine(one.store, late, DEFINITIONS[late], one.now)
            with small_steps(1):
                building.step(one.store, W, one.now)
            assert ledger.verify(one.store, W) == []
        built(one.store, one.now)
        everything = [told for batch in batches for told in batch]
        for key in KEYS:
            assert_counts(one.store, key, DEFINITIONS[key], everything)
            for at in one.moments(dice):
                assert_own(one, key, at)
        before = stored_tallies(one.store), one.journal()
        ledger.rebuild(one.store, W, one.now)
        assert (stored_tallies(one.store), one.journal()) == before
        assert ledger.verify(one.store, W) == []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_batches, st.randoms(use_true_random=False))
def test_another_order_and_another_cut_end_in_the_same_ledger(
    batches: list[list[Report]], dice: random.Random
) -> None:
    everything = [told for batch in batches for told in batch]
    found = []
    for _ in range(2):
        with life(crm=None) as one:
            for key in KEYS:
                define(one.store, key, DEFINITIONS[key])
            left = [*everything, *dice.choices(everything, k=2)]
            dice.shuffle(left)
            while left:
                number = dice.randint(1, 4)
                one.hears(*left[:number])
                del left[:number]
            found.append(stored_tallies(one.store))
    assert found[0] == found[1]


def holders(store: Store) -> set[str]:
    days, _ = stored_tallies(store)
    return {place[4] for place in days if place[0] == "h_count"}


def test_a_late_report_that_changes_no_state_moves_the_credit(store: Store) -> None:
    define(store, "h_count", DEFINITIONS["h_count"])
    [[first]] = sent(store, delivery(won("d", 2, owner="suzuki")))
    assert holders(store) == {"suzuki"}
    with store.read() as reading:
        before = activities.get(reading, W, "crm", "d")
    [[late]] = sent(store, delivery(won("d", 1, owner="sato")))
    assert words([first, late]) == ["accepted", "stale"]
    assert holders(store) == {"sato"}
    with store.read() as reading:
        assert activities.get(reading, W, "crm", "d") == before
    assert ledger.verify(store, W) == []


def test_a_metric_that_stops_asking_moves_the_credit_to_who_has_it_now(store: Store) -> None:
    current = {k: v for k, v in DEFINITIONS["h_count"].items() if k != "holder"}
    define(store, "h_count", DEFINITIONS["h_count"])
    sent(store, delivery(won("d", 1, owner="sato")), delivery(won("d", 2, owner="suzuki")))
    assert holders(store) == {"sato"}
    define(store, "h_count", current)
    assert holders(store) == {"suzuki"}
    define(store, "h_count", DEFINITIONS["h_count"])
    assert holders(store) == {"sato"}
    assert ledger.verify(store, W) == []


@contextmanager
def statements() -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def asked(store: Store, *reports: Report) -> int:
    """How often a delivery reads what was reported before."""
    with statements() as found:
        sent(store, delivery(*reports, at=NOW))
    return sum(
        "activity_revision.content" in one and "activity_revision.seq" in one for one in found
    )


@pytest.mark.parametrize("defined", [False, True])
def test_the_past_is_read_only_of_what_has_one_and_only_where_a_metric_asks(
    store: Store,
    defined: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    if defined:
        define(store, "h_count", DEFINITIONS["h_count"])
    assert asked(store, won("a"), won("b"), call("c")) == 0
    assert asked(store, call("c", 2), call("d")) == 0
    assert asked(store, won("a")) == 0
    assert asked(store, won("a", 2), won("b", 2), won("e")) == int(defined)
    assert asked(store, won("f", 1), won("f", 2)) == int(defined)
