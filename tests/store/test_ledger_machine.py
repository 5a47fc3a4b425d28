"""Whatever is sent, in whatever order and however often, the ledger says what the reports say."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.revisions import of_number
from app.store import activities, actors, documents, ledger
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.recount import credited, fields_of, piles, stored_tallies, tallies_of
from tests.store.worlds import NOW, W, delivery, opened, url, words

COUNTS: dict[str, list[str] | None] = {"crm": None, "phone": ["call"], "mute": []}
ZONES = ("Asia/Tokyo", "America/New_York", "Australia/Lord_Howe")

_times = st.sampled_from(
    [
        "2026-10-31T14:59:00Z",
        "2026-11-01T05:59:59Z",
        "2026-11-01T06:00:00Z",
        "2026-11-01T15:00:00.000001Z",
    ]
)
_people = st.sampled_from(["sato", "suzuki@x.example", "+8190", None])
_deals = st.fixed_dictionaries(
    {KIND: st.just("deal")},
    optional={
        "status": st.sampled_from(["open", "won", "lost"]),
        "type": st.sampled_from(["new", "existing", None]),
        "created_at": _times,
        "won_at": st.one_of(_times, st.none()),
        "amount": st.one_of(st.integers(0, 10**12).map(str), st.none()),
        "currency": st.sampled_from(["JPY", "USD", None]),
        "owner": _people,
        RETRACTED: st.booleans(),
    },
)
_calls = st.fixed_dictionaries(
    {KIND: st.just("call")},
    optional={
        "direction": st.sampled_from(["inbound", "outbound"]),
        "outcome": st.sampled_from(["connected", "busy"]),
        "started_at": _times,
        "talk_seconds": st.integers(0, 900),
        "agent": _people,
        RETRACTED: st.booleans(),
    },
)


@st.composite
def _reports(draw: st.DrawFn) -> Report:
    fields: dict[str, Any] = draw(st.one_of(_deals, _calls))
    revision = draw(st.one_of(st.just(""), st.integers(0, 12).map(lambda n: of_number(str(n)))))
    key = draw(st.sampled_from(["a", "b", "c", "日本"]))
    source = draw(st.sampled_from(sorted(COUNTS)))
    mapping = draw(st.sampled_from([1, 1, 1, 2]))
    full = draw(st.booleans())
    return make_report(source, key, revision, fields, full=full, mapping=mapping)


def assert_means(store: Store, reports: list[Report], zone: str) -> None:
    """States, tallies and credits are those of the reports, by both ways of counting."""
    expected = tallies_of(reports, COUNTS, zone)
    assert stored_tallies(store) == expected
    with store.read() as reading:
        for (source, key), pile in piles(reports).items():
            found = activities.get(reading, W, source, key)
            assert found is not None
            assert found.state.fields == fields_of(pile)
            received = {one.stamp for one in activities.revisions(reading, W, source, key)}
            assert received == {one.stamp for one in pile}
        people = actors.all_actors(reading, W)
        numbers = actors.credits_of(reading, W, people)
    given_credit = {tuple(people[one.actor]): one.activities for one in numbers}
    assert given_credit == dict(credited(reports, COUNTS))
    assert ledger.verify(store, W) == []


class Ledger(RuleBasedStateMachine):
    """Reports pour in; now and then the service stops, the zone changes, all is rebuilt."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._store = opened(Path(self._folder.name), **COUNTS)
        self._committer = Committer(self._store)
        self._committer.start()
        self._sent: list[Report] = []
        self._zone = "Asia/Tokyo"

    def _send(self, reports: list[Report]) -> list[str]:
        known = {(one.source, one.key, one.stamp) for one in self._sent}
        said = words(self._committer.submit(delivery(*reports)).result(30))
        for one, word in zip(reports, said, strict=True):
            place = (one.source, one.key, one.stamp)
            assert (word == "duplicate") == (place in known)
            known.add(place)
        self._sent += reports
        return said

    @rule(reports=st.lists(_reports(), min_size=1, max_size=6))
    def receive(self, reports: list[Report]) -> None:
        assert set(self._send(reports)) <= {
            "accepted", "revised", "duplicate", "stale", "conflict",
        }  # fmt: skip

    @precondition(lambda self: self._sent)
    @rule(seed=st.integers(0, 10**6))
    def receive_again_in_another_order(self, seed: int) -> None:
        again = random.Random(seed).sample(self._sent, len(self._sent))
        assert set(self._send(again)) == {"duplicate"}

    @rule()
    def restart(self) -> None:
        self._committer.stop()
        self._store.close()
        self._store = Store(url(Path(self._folder.name)))
        self._store.migrate()
        self._committer = Committer(self._store)
        self._committer.start()

    @rule(zone=st.sampled_from(ZONES))
    def move_to(self, zone: str) -> None:
        with self._store.write(W, NOW) as writing:
            body = {"time_zone": zone, "currency": "JPY"}
            documents.put(writing, "workspace", "workspace", body, author="test")
            ledger.rebuild_in(writing)
        self._zone = zone

    @rule()
    def rebuild(self) -> None:
        before = stored_tallies(self._store)
        ledger.rebuild(self._store, W, NOW)
        assert stored_tallies(self._store) == before

    @rule()
    def map_a_person(self) -> None:
        body = {"identities": [{"source": "crm", "kind": "id", "value": "sato"}]}
        with self._store.write(W, NOW) as writing:
            documents.put(writing, "member", "sato", body, author="test")

    @invariant()
    def the_ledger_says_what_the_reports_say(self) -> None:
        assert_means(self._store, self._sent, self._zone)

    def teardown(self) -> None:
        self._committer.stop()
        self._store.close()
        self._folder.cleanup()


_SETTINGS = settings(
    max_examples=14,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_ledger_says_what_the_reports_say_whatever_happens() -> None:
    run_state_machine_as_test(Ledger, settings=_SETTINGS)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_reports(), min_size=2, max_size=14), st.randoms(use_true_random=False))
def test_any_order_and_any_cut_into_deliveries_ends_in_the_same_ledger(
    reports: list[Report], dice: random.Random
) -> None:
    for order in (reports, list(reversed(reports)), dice.sample(reports, len(reports))):
        with tempfile.TemporaryDirectory() as folder:
            store = opened(Path(folder), **COUNTS)
            committer = Committer(store)
            committer.start()
            rest = order
            while rest:
                size = dice.randint(1, len(rest))
                committer.submit(delivery(*rest[:size])).result(30)
                rest = rest[size:]
            committer.stop()
            assert_means(store, reports, "Asia/Tokyo")
            store.close()
