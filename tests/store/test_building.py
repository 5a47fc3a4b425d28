"""Definitions change while reports pour in: what serves is whole at every step, and in the end."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from app.domain.activities import Report
from app.domain.definitions import metric_of
from app.domain.errors import Invalid
from app.store import building, documents, generations, journal, ledger, rules, tallies
from app.store.committer import Committer
from app.store.engine import Store
from app.store.journal import Knowing
from tests.store.own_metrics import DEFINITIONS, built, define, read, redefine
from tests.store.own_recount import Document
from tests.store.recount import stored_tallies
from tests.store.test_known_at import Life, assert_own, life
from tests.store.test_ledger_machine import ZONES
from tests.store.test_own_metrics import EDGES, TIMES, assert_counts
from tests.store.test_own_metrics import _reports as told
from tests.store.worlds import NOW, W, delivery, opened, sent, url, won

KEYS = ["m_average", "m_stock", "s_sum"]
_definitions = st.sampled_from(sorted(DEFINITIONS))
_replicas = st.integers(0, 2)


@contextmanager
def small_steps(chunk: int, bite: int = 2) -> Iterator[None]:
    was = building.CHUNK, building.BITE
    building.CHUNK, building.BITE = chunk, bite
    try:
        yield
    finally:
        building.CHUNK, building.BITE = was


class Replica:
    def __init__(self, folder: Path) -> None:
        self.store = Store(url(folder))
        self.store.migrate()
        self.committer = Committer(self.store)
        self.committer.start()

    def stop(self) -> None:
        self.committer.stop()
        self.store.close()


class Builds(RuleBasedStateMachine):
    """Three replicas take in reports, and metrics are redefined and built by any of them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        opened(Path(self._folder.name), crm=None, other=None).close()
        self._replicas = [self._replica() for _ in range(3)]
        self._sent: list[Report] = []
        self._wanted: dict[str, Document] = {}
        self._served: dict[str, Document] = {}

    def _replica(self) -> Replica:
        return Replica(Path(self._folder.name))

    @rule(at=_replicas, reports=st.lists(told(), min_size=1, max_size=6))
    def receive(self, at: int, reports: list[Report]) -> None:
        self._replicas[at].committer.submit(delivery(*reports)).result(30)
        self._sent += reports

    @rule(at=_replicas, key=st.sampled_from(KEYS), other=_definitions)
    def redefine(self, at: int, key: str, other: str) -> None:
        """Whatever a metric is, or is about to become, it may become any other."""
        redefine(self._replicas[at].store, key, DEFINITIONS[other])
        self._wanted[key] = DEFINITIONS[other]

    @rule(at=_replicas, key=st.sampled_from(KEYS))
    def archive(self, at: int, key: str) -> None:
        if self._wanted.pop(key, None):
            self._served.pop(key, None)
            redefine(self._replicas[at].store, key, None)

    @rule(at=_replicas, number=st.integers(1, 5), chunk=st.integers(1, 3))
    def step(self, at: int, number: int, chunk: int) -> None:
        with small_steps(chunk):
            for _ in range(number):
                building.step(self._replicas[at].store, W, NOW)

    @rule(at=_replicas)
    def restart(self, at: int) -> None:
        self._replicas[at].stop()
        self._replicas[at] = self._replica()

    @rule(at=_replicas, zone=st.sampled_from(ZONES))
    def move(self, at: int, zone: str) -> None:
        with self._replicas[at].store.write(W, NOW) as writing:
            body = {"time_zone": zone, "currency": "JPY"}
            documents.put(writing, "workspace", "workspace", body, author="test")
            tallies.redate(writing, rules.load(writing, W))

    @rule(at=_replicas)
    def rebuild(self, at: int) -> None:
        ledger.rebuild(self._replicas[at].store, W, NOW)

    @invariant()
    def what_serves_is_whole(self) -> None:
        store = self._replicas[0].store
        with store.read() as reading:
            pending = building.building(reading, W)
            own = rules.own_metrics(reading, W)
        self._served |= {k: v for k, v in self._wanted.items() if k not in pending}
        assert own == {key: metric_of(key, document) for key, document in self._served.items()}
        for key, document in self._served.items():
            assert_counts(store, key, document, self._sent)
        for key in self._wanted.keys() - self._served.keys():
            for currency in ("", "JPY"):
                document = self._wanted[key]
                assert read(store, key, document, currency, EDGES[0], EDGES[2]) == {}
        assert ledger.verify(store, W) == []

    def teardown(self) -> None:
        try:
            store = self._replicas[1].store
            built(store)
            for key, document in self._wanted.items():
                assert_counts(store, key, document, self._sent)
            assert ledger.verify(store, W) == []
            before = stored_tallies(store), _journal(store)
            assert _litter(store) == set()
            ledger.rebuild(store, W, NOW)
            assert (stored_tallies(store), _journal(store)) == before
        finally:
            for replica in self._replicas:
                replica.stop()
            self._folder.cleanup()


def _journal(store: Store) -> list[tuple[Any, ...]]:
    return Life(store, Committer(store)).journal()


def _litter(store: Store) -> set[str]:
    """Names with rows in a tally or journal that no generation in use has."""
    with store.read() as reading:
        counting = rules.load(reading, W)
        assert counting.moving == ()
        used = {one.key for metrics in counting.named.values() for one in metrics}
        found = {
            name
            for table in ("tally_day", "tally_quarter", "tally_values", "journal", "journal_values")
            for (name,) in reading.connection.execute(
                text(
                    f"SELECT DISTINCT s.metric FROM {table} t"  # noqa: S608 - our own words
                    " JOIN metric_slot s USING (workspace_id, slot)"
                )
            )
        }
    return found - used


def test_what_serves_is_whole_at_every_step_whatever_happens() -> None:
    run_state_machine_as_test(
        Builds,
        settings=settings(
            max_examples=10,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def _deals(number: int) -> list[Report]:
    return [
        won(f"d{place:03}", 1, created_at=TIMES[place % 4], won_at=TIMES[place % 3], stage="a")
        for place in range(number)
    ]


def test_a_changed_metric_says_what_it_said_until_it_says_the_new(store: Store) -> None:
    reports = _deals(10)
    sent(store, delivery(*reports))
    old, new = DEFINITIONS["m_sum"], DEFINITIONS["m_unique"]
    define(store, "m", old)
    redefine(store, "m", new)
    seen: list[int] = []
    with small_steps(3):
        while True:
            with store.read() as reading:
                pending = building.building(reading, W).get("m")
            if pending is None:
                break
            assert pending.expected == 10
            seen.append(pending.counted)
            assert_counts(store, "m", old, reports)
            building.step(store, W, NOW)
            more = won(f"d{len(reports):03}x", created_at=TIMES[0], stage="b")
            sent(store, delivery(more))
            reports.append(more)
    assert seen == sorted(set(seen))
    assert len(seen) > 3
    assert_counts(store, "m", new, reports)
    built(store)
    assert ledger.verify(store, W) == []


def test_builders_on_two_replicas_and_deliveries_at_once_end_exact(tmp_path: Path) -> None:
    opened(tmp_path, crm=None).close()
    replicas = [Replica(tmp_path), Replica(tmp_path)]
    reports = _deals(60)
    replicas[0].committer.submit(delivery(*reports)).result(30)
    for key in KEYS:
        redefine(replicas[0].store, key, DEFINITIONS[key])
    failures: list[BaseException] = []

    def carry(replica: Replica) -> None:
        try:
            built(replica.store)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    with small_steps(2, bite=5):
        threads = [threading.Thread(target=carry, args=(one,)) for one in replicas]
        for thread in threads:
            thread.start()
        for number in range(20):
            more = [won(f"d{number * 3:03}", 2, created_at=TIMES[1], amount=str(number))]
            more.append(won(f"e{number}", 1, created_at=TIMES[2]))
            replicas[number % 2].committer.submit(delivery(*more)).result(30)
            reports += more
        for thread in threads:
            thread.join()
        built(replicas[0].store)
    assert failures == []
    for key in KEYS:
        assert_counts(replicas[1].store, key, DEFINITIONS[key], reports)
    assert ledger.verify(replicas[1].store, W) == []
    for one in replicas:
        one.stop()


def test_the_past_is_known_while_a_definition_changes_and_after() -> None:
    with life(crm=None, other=None) as ledger_life:
        define(ledger_life.store, "m_sum", DEFINITIONS["m_sum"], ledger_life.now)
        for number, one in enumerate(_deals(9)):
            ledger_life.hears(one)
            if number == 5:
                redefine(ledger_life.store, "m_average", DEFINITIONS["m_average"])
            with small_steps(2):
                building.step(ledger_life.store, W, ledger_life.now)
        moments = [*ledger_life.instants, NOW - 1, ledger_life.now + 1]
        redefine(ledger_life.store, "m_sum", DEFINITIONS["s_latest"], ledger_life.now)
        for at in moments:
            assert_own(ledger_life, "m_sum", at)
        built(ledger_life.store, ledger_life.now)
        for at in moments:
            assert_own(ledger_life, "m_average", at)
            known = ledger_life.knowing(at)
            assert_known_count(ledger_life, "m_sum", DEFINITIONS["s_latest"], at, known)
        assert ledger.verify(ledger_life.store, W) == []


def assert_known_count(life: Life, key: str, document: Document, at: int, known: Knowing) -> None:
    whole = read(life.store, key, document, "JPY", EDGES[0] - 10**12, EDGES[2] + 10**12, known)
    expected = len(life.by(at))
    assert (whole[None][0] if whole else 0) == expected


@pytest.mark.parametrize("served", [True, False])
def test_a_definition_whose_sums_do_not_fit_is_taken_back(store: Store, served: bool) -> None:  # noqa: FBT001 - a parameter of the test
    reports = [won(f"d{n}", created_at=TIMES[0], amount=str(2**60 // 10**6)) for n in range(5)]
    sent(store, delivery(*reports))
    if served:
        define(store, "m", DEFINITIONS["m_count"])
    with small_steps(1), pytest.raises(Invalid, match="tally_does_not_fit"):
        define(store, "m", DEFINITIONS["s_sum"])
    built(store)
    with store.read() as reading:
        document = documents.get(reading, W, "metric", "m")
        assert generations.moving(reading, W) == []
    assert document is not None
    if served:
        assert (document.body, document.archived) == (DEFINITIONS["m_count"], False)
        assert_counts(store, "m", DEFINITIONS["m_count"], reports)
    else:
        assert document.archived
    assert ledger.verify(store, W) == []
    assert _litter(store) == set()


@pytest.mark.parametrize("zone", ZONES)
def test_another_zone_moves_days_and_nothing_else(store: Store, zone: str) -> None:
    sent(store, delivery(*_deals(12)))
    define(store, "m_stock", DEFINITIONS["m_stock"])
    _, quarters = stored_tallies(store)
    past = _journal(store)
    with store.write(W, NOW) as writing:
        body = {"time_zone": zone, "currency": "JPY"}
        documents.put(writing, "workspace", "workspace", body, author="test")
        tallies.redate(writing, rules.load(writing, W))
    assert ledger.verify(store, W) == []
    assert (stored_tallies(store)[1], _journal(store)) == (quarters, past)
    with store.read() as reading:
        assert rules.load(reading, W).zone == ZoneInfo(zone)
        assert journal.seq_at(reading, W, NOW + 10**9) > 1
