"""What a source counts changes while reports pour in: whole before, whole after, nobody waits."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.domain.activities import KIND, Report
from app.domain.errors import Invalid
from app.domain.presets import PRESETS
from app.domain.quantities import INT64
from app.store import building, documents, generations, ledger, reconfiguring, rules
from app.store.engine import Store
from tests.store.killing import killed_after
from tests.store.own_metrics import DEFINITIONS, built, define, redefine
from tests.store.own_recount import Document
from tests.store.recount import Tally, fields_of, piles, stored_tallies, tallies_of
from tests.store.test_building import Replica, _journal, _litter, small_steps
from tests.store.test_crash import _stored
from tests.store.test_known_at import life
from tests.store.test_own_metrics import TIMES, assert_counts
from tests.store.test_own_metrics import _reports as told
from tests.store.worlds import (
    NOW,
    W,
    call,
    codes,
    delivery,
    opened,
    put_source,
    sent,
    url,
    won,
    words,
)  # fmt: skip

Counts = Mapping[str, list[str] | None]
KEYS = ["h_sum", "m_stock", "m_talk"]
ALL: Counts = {"crm": None, "other": None}
# Those that the slow count knows.
KNOWN = frozenset(
    "calls connected_calls inbound_calls talk_time deals_created deals_won revenue"
    " open_pipeline".split()
)
_replicas = st.integers(0, 1)
_kinds = st.sampled_from([None, [], ["call"], ["deal"], ["call", "deal"]])


def reconfigure(store: Store, source: str, kinds: list[str] | None) -> int | None:
    with store.write(W, NOW) as writing:
        put_source(writing, source, kinds)
        return reconfiguring.recount(writing)


def kept(reports: Iterable[Report], counts: Counts) -> list[Report]:
    """The reports of the activities that their sources count as what they finally are."""
    found: list[Report] = []
    for (source, _), pile in piles(reports).items():
        kinds = counts[source]
        if kinds is None or fields_of(pile)[KIND] in kinds:
            found += pile
    return found


def presets_of(tallies: tuple[Tally, Tally], metric: str) -> list[Tally]:
    return [{k: v for k, v in tally.items() if k[0] == metric} for tally in tallies]


def served(store: Store) -> tuple[Tally, Tally]:
    """The tallies of those generations alone that serve."""
    with store.read() as reading:
        counting = rules.load(reading, W)
        names = {one.key for metrics in counting.named.values() for one in metrics}
    return stored_tallies(store, names=names)


class Recounts(RuleBasedStateMachine):
    """Two replicas take in reports; what is counted and how metrics are defined changes."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        opened(Path(self._folder.name), **ALL).close()
        self._replicas = [Replica(Path(self._folder.name)) for _ in range(2)]
        self._sent: list[Report] = []
        self._counts: dict[str, list[str] | None] = dict(ALL)
        self._wanted: dict[str, Document] = {key: DEFINITIONS[key] for key in KEYS}
        for key, document in self._wanted.items():
            define(self._replicas[0].store, key, document)
        # By what each metric was last known to count as a whole.
        self._by: dict[str, tuple[Document | None, Counts]] = {}

    @rule(at=_replicas, reports=st.lists(told(), min_size=1, max_size=6))
    def receive(self, at: int, reports: list[Report]) -> None:
        self._replicas[at].committer.submit(delivery(*reports)).result(30)
        self._sent += reports

    @rule(at=_replicas, source=st.sampled_from(sorted(ALL)), kinds=_kinds)
    def reconfigure(self, at: int, source: str, kinds: list[str] | None) -> None:
        reconfigure(self._replicas[at].store, source, kinds)
        self._counts[source] = kinds

    @rule(at=_replicas, key=st.sampled_from(KEYS), other=st.sampled_from(sorted(DEFINITIONS)))
    def redefine(self, at: int, key: str, other: str) -> None:
        redefine(self._replicas[at].store, key, DEFINITIONS[other])
        self._wanted[key] = DEFINITIONS[other]

    @rule(at=_replicas, number=st.integers(1, 5), chunk=st.integers(1, 3))
    def step(self, at: int, number: int, chunk: int) -> None:
        with small_steps(chunk):
            for _ in range(number):
                building.step(self._replicas[at].store, W, NOW)

    @rule(at=_replicas)
    def restart(self, at: int) -> None:
        self._replicas[at].stop()
        self._replicas[at] = Replica(Path(self._folder.name))

    @rule(at=_replicas)
    def rebuild(self, at: int) -> None:
        ledger.rebuild(self._replicas[at].store, W, NOW)

    @invariant()
    def what_serves_is_whole(self) -> None:
        store = self._replicas[0].store
        with store.read() as reading:
            pending = building.building(reading, W)
        for key in (*KNOWN, *KEYS):
            if key not in pending or key not in self._by:
                self._by[key] = (self._wanted.get(key), dict(self._counts))
        tallies = served(store)
        for key, (document, counts) in self._by.items():
            if document is not None:
                assert_counts(store, key, document, kept(self._sent, counts))
            else:
                expected = tallies_of(self._sent, counts, "Asia/Tokyo")
                assert presets_of(tallies, key) == presets_of(expected, key)
        assert ledger.verify(store, W) == []

    def teardown(self) -> None:
        try:
            store = self._replicas[1].store
            built(store)
            self.what_serves_is_whole()
            with store.read() as reading:
                found = generations.of(reading, W)
                assert rules.load(reading, W).pinned == {}
            assert {one.stage.value for one in found} <= {"serving"}
            assert {one.config for one in found} <= {0}
            before = stored_tallies(store), _journal(store)
            assert _litter(store) == set()
            ledger.rebuild(store, W, NOW)
            assert (stored_tallies(store), _journal(store)) == before
        finally:
            for replica in self._replicas:
                replica.stop()
            self._folder.cleanup()


def test_what_serves_is_whole_at_every_step_whatever_is_counted() -> None:
    run_state_machine_as_test(
        Recounts,
        settings=settings(
            max_examples=7,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.parametrize(
    "number", [20, pytest.param(80, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_deliveries_pour_in_while_two_replicas_count_anew(tmp_path: Path, number: int) -> None:
    opened(tmp_path, **ALL).close()
    replicas = [Replica(tmp_path), Replica(tmp_path)]
    for key in KEYS:
        define(replicas[0].store, key, DEFINITIONS[key])
    ended = threading.Event()
    failures: list[BaseException] = []

    def carry(replica: Replica) -> None:
        try:
            while not ended.is_set():
                building.step(replica.store, W, NOW)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=carry, args=(one,)) for one in replicas]
    with small_steps(2, bite=5):
        for thread in threads:
            thread.start()
        reports, counts = poured(replicas, random.Random(), number)
        ended.set()
        for thread in threads:
            thread.join()
        built(replicas[0].store)
    assert failures == []
    store = replicas[1].store
    for key in KEYS:
        assert_counts(store, key, DEFINITIONS[key], kept(reports, counts))
    expected = tallies_of(reports, counts, "Asia/Tokyo")
    for key in KNOWN:
        assert presets_of(stored_tallies(store), key) == presets_of(expected, key)
    assert ledger.verify(store, W) == []
    for one in replicas:
        one.stop()


def poured(
    replicas: list[Replica], dice: random.Random, deliveries: int
) -> tuple[list[Report], Counts]:
    """What both were sent in turn, and what is counted after the last of many changes."""
    counts, reports = dict(ALL), []
    for number in range(deliveries):
        replica, source = replicas[number % 2], dice.choice(["crm", "other"])
        at, key = TIMES[number % 4], f"d{dice.randint(0, 30)}"
        more = [won(key, number, source=source, created_at=at)]
        more.append(call(f"c{number}", source=source, started_at=at))
        replica.committer.submit(delivery(*more)).result(30)
        reports += more
        if number % 5 == 4:
            counts[source] = dice.choice([None, [], ["call"], ["deal"]])
            reconfigure(replica.store, source, counts[source])
    return reports, counts


@pytest.mark.slow
@pytest.mark.parametrize(
    "lives", [2, pytest.param(8, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_kill_while_history_is_counted_anew_leaves_every_number_whole(
    tmp_path: Path, lives: int
) -> None:
    opened(tmp_path).close()
    for turn in range(lives):
        killed_after("tests.store.recount_forever", url(tmp_path), turn, random.uniform(0, 0.5))
    store = Store(url(tmp_path))
    store.migrate()
    assert ledger.verify(store, W) == []
    built(store)
    assert ledger.verify(store, W) == []
    with store.read() as reading:
        document = documents.get(reading, W, "source", "crm")
    assert document is not None
    expected = tallies_of(_stored(store), {"crm": document.body["counts"]}, "Asia/Tokyo")
    for key in KNOWN:
        assert presets_of(stored_tallies(store), key) == presets_of(expected, key)
    store.close()


def number_of(store: Store, metric: str) -> int:
    days, _ = served(store)
    return sum(number for place, (number, _) in days.items() if place[0] == metric)


def test_the_old_serves_until_the_new_is_whole_and_both_count_what_comes(store: Store) -> None:
    sent(store, delivery(*(won(f"d{n}", created_at=TIMES[0]) for n in range(6)), call("c")))
    assert reconfigure(store, "crm", ["call"]) is not None
    with small_steps(2):
        for step in range(3):
            assert (number_of(store, "deals_won"), number_of(store, "calls")) == (6 + step, 1)
            assert ledger.verify(store, W) == []
            building.step(store, W, NOW)
            sent(store, delivery(won(f"e{step}")))
        built(store)
    assert (number_of(store, "deals_won"), number_of(store, "calls")) == (0, 1)
    assert reconfigure(store, "crm", None) is not None
    built(store)
    assert (number_of(store, "deals_won"), number_of(store, "calls")) == (9, 1)
    assert ledger.verify(store, W) == []
    # A generation of a preset refuses what the preset refuses.
    (answer,) = sent(store, delivery(won("f", amount="1.005")))
    assert codes(answer) == ["amount_does_not_fit"]


def test_nothing_is_counted_anew_that_counts_the_same(store: Store) -> None:
    sent(store, delivery(won("d"), call("c")))
    assert reconfigure(store, "crm", ["call", "deal", "meeting", "lead", "payment"]) is None
    begun = reconfigure(store, "crm", ["call", "meeting", "lead", "payment"])
    with store.read() as reading:
        assert building.building(reading, W).keys() == {
            key for key, metric in PRESETS.items() if metric.kind == "deal"
        }
    assert begun is not None
    # Taken back before it was counted: what serves was right all the time.
    assert reconfigure(store, "crm", None) is None
    with store.read() as reading:
        assert building.building(reading, W) == {}
    built(store)
    assert number_of(store, "deals_won") == 1
    assert ledger.verify(store, W) == []


def test_what_was_known_then_is_counted_by_what_is_counted_now(tmp_path: Path) -> None:
    assert tmp_path
    with life(crm=None, other=[]) as one:
        one.hears(won("a", source="other"), won("b"))
        one.hears(won("a", 2, source="other", amount="7"))
        reconfigure(one.store, "other", None)
        built(one.store, one.now)
        assert ledger.verify(one.store, W) == []
        before = one.journal()
        ledger.rebuild(one.store, W, one.now)
        assert one.journal() == before


def test_sums_that_do_not_fit_bring_back_what_was_counted(store: Store) -> None:
    with store.write(W, NOW) as writing:
        put_source(writing, "big", [])
    most = str(INT64 // 8)
    big = [won(f"b{n}", source="big", amount=most, created_at=TIMES[0]) for n in range(5)]
    assert set(words(sent(store, delivery(*big, won("d")))[0])) == {"accepted"}
    assert reconfigure(store, "big", ["deal"]) is not None
    with small_steps(1), pytest.raises(Invalid, match="tally_does_not_fit"):
        built(store)
    built(store)
    with store.read() as reading:
        document = documents.get(reading, W, "source", "big")
        assert document is not None
        assert (document.body["counts"], document.archived) == ([], False)
        assert generations.moving(reading, W) == []
        assert rules.load(reading, W).pinned == {}
    assert number_of(store, "deals_won") == 1
    assert ledger.verify(store, W) == []
    assert _litter(store) == set()


def test_a_source_that_came_later_counts_for_what_still_serves(store: Store) -> None:
    sent(store, delivery(won("d"), call("c")))
    reconfigure(store, "crm", [])
    with small_steps(1):
        building.step(store, W, NOW)
        with store.write(W, NOW) as writing:
            put_source(writing, "late", ["deal"])
        sent(store, delivery(won("l", source="late"), call("m", source="late")))
        assert (number_of(store, "deals_won"), number_of(store, "calls")) == (2, 1)
        assert ledger.verify(store, W) == []
        reconfigure(store, "late", ["call"])
        assert (number_of(store, "deals_won"), number_of(store, "calls")) == (2, 1)
        assert ledger.verify(store, W) == []
        built(store)
    assert (number_of(store, "deals_won"), number_of(store, "calls")) == (0, 1)
    assert ledger.verify(store, W) == []
