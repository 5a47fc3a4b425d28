"""Every aggregation, whatever is reported, whenever it is defined: what a recount says."""

from __future__ import annotations

import tempfile
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.revisions import of_number
from app.store import activities, ledger
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.own_metrics import DEFINITIONS, define, read
from tests.store.own_recount import Document, answer, entries, micros, number_of, within
from tests.store.recount import stored_tallies
from tests.store.worlds import W, call, delivery, opened, report, sent, url, won
from tests.store.worlds import gone as gone_report

TIMES = [
    "2026-10-31T14:59:00Z",
    "2026-11-01T05:59:59Z",
    "2026-11-01T06:00:00Z",
    "2026-11-01T15:00:00.000001Z",
]
EDGES = [micros(text) for text in ("2026-10-31T00:00:00Z", TIMES[2], "2026-11-02T00:00:00Z")]
_times = st.sampled_from(TIMES)
_maybe = st.one_of(_times, st.none())
SPLITS = [
    [{"identity": who, "share": share} for who, share in split]
    for split in (
        [("sato", "1")],
        [("sato", "0.7"), ("suzuki", "0.3")],
        [("sato", "0.5"), ("suzuki", "0.5")],
        [("a@b.example", "0.333333"), ("sato", "0.333333"), ("stranger", "0.333334")],
    )
]
_deals = st.fixed_dictionaries(
    {KIND: st.just("deal")},
    optional={
        "status": st.sampled_from(["open", "won", "lost", "deleted"]),
        "type": st.sampled_from(["new", "existing", None]),
        "stage": st.sampled_from(["a", "b", "", "長" * 300, None]),
        "created_at": _maybe,
        "won_at": _maybe,
        "closed_at": _maybe,
        "amount": st.one_of(st.integers(-50, 10**9).map(str), st.none()),
        "currency": st.sampled_from(["JPY", "USD", None]),
        "owner": st.sampled_from(["sato", "suzuki", None]),
        "sourced_by": st.sampled_from(["sato", None]),
        "credits": st.sampled_from([*SPLITS, None]),
        RETRACTED: st.booleans(),
    },
)
_calls = st.fixed_dictionaries(
    {KIND: st.just("call"), "started_at": _times},
    optional={
        "talk_seconds": st.one_of(st.integers(0, 900), st.none()),
        "agent": st.sampled_from(["sato", "suzuki"]),
        RETRACTED: st.booleans(),
    },
)


@st.composite
def _reports(draw: st.DrawFn) -> Report:
    fields: dict[str, Any] = draw(st.one_of(_deals, _deals, _deals, _calls))
    revision = of_number(str(draw(st.integers(0, 12))))
    key = draw(st.sampled_from(["a", "b", "c", "日本"]))
    source = draw(st.sampled_from(["crm", "other"]))
    return make_report(source, key, revision, fields, full=draw(st.booleans()))


def assert_counts(store: Store, key: str, document: Document, reports: list[Report]) -> None:
    """For everybody and each actor, in each currency, before and after an instant and in all."""
    found = entries(document, reports)
    for currency in ("JPY", "USD") if document.get("unit") == "money" else ("",):
        own = [one for one in found if one.currency == currency]
        for start, end in ((0, 1), (1, 2), (0, 2)):
            lying = within(document, own, EDGES[start], EDGES[end])
            whose: dict[Any, list[Any]] = {None: lying} if lying else {}
            for one in lying:
                whose.setdefault((one.source, one.who), []).append(one)
            expected = {
                who: (number_of(some), answer(document, some)) for who, some in whose.items()
            }
            assert read(store, key, document, currency, EDGES[start], EDGES[end]) == expected


class Metrics(RuleBasedStateMachine):
    """Reports pour in while metrics are defined, changed and taken out of use."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._store = opened(Path(self._folder.name), crm=None, other=None)
        self._committer = Committer(self._store)
        self._committer.start()
        self._sent: list[Report] = []
        self._defined: dict[str, Document] = {}

    @rule(reports=st.lists(_reports(), min_size=1, max_size=6))
    def receive(self, reports: list[Report]) -> None:
        self._committer.submit(delivery(*reports)).result(30)
        self._sent += reports

    @rule(key=st.sampled_from(sorted(DEFINITIONS)))
    def define(self, key: str) -> None:
        self._defined[key] = DEFINITIONS[key]
        define(self._store, key, DEFINITIONS[key])

    @rule(key=st.sampled_from(sorted(DEFINITIONS)), other=st.sampled_from(sorted(DEFINITIONS)))
    def change(self, key: str, other: str) -> None:
        """Whatever a metric was, it may become any other: another kind, unit, aggregation."""
        if key in self._defined:
            self._defined[key] = DEFINITIONS[other]
            define(self._store, key, DEFINITIONS[other])

    @rule(key=st.sampled_from(sorted(DEFINITIONS)))
    def archive(self, key: str) -> None:
        if self._defined.pop(key, None):
            define(self._store, key, None)

    @rule()
    def restart(self) -> None:
        self._committer.stop()
        self._store.close()
        self._store = Store(url(Path(self._folder.name)))
        self._store.migrate()
        self._committer = Committer(self._store)
        self._committer.start()

    @rule()
    def rebuild(self) -> None:
        ledger.rebuild(self._store, W, EDGES[0])

    @invariant()
    def every_metric_says_what_a_recount_says(self) -> None:
        for key, document in self._defined.items():
            assert_counts(self._store, key, document, self._sent)
        assert ledger.verify(self._store, W) == []

    def teardown(self) -> None:
        self._committer.stop()
        self._store.close()
        self._folder.cleanup()


_SETTINGS = settings(
    max_examples=8,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_own_metrics_say_what_a_recount_says_whatever_happens() -> None:
    run_state_machine_as_test(Metrics, settings=_SETTINGS)


def test_a_definition_touches_no_tally_of_another_metric(store: Store) -> None:
    sent(store, delivery(won("a", created_at=TIMES[0]), won("b", owner="suzuki"), call("c")))
    before = stored_tallies(store)
    for key, document in DEFINITIONS.items():
        define(store, key, document)
    days, quarters = stored_tallies(store)
    assert ({k: v for k, v in days.items() if k[0] not in DEFINITIONS}) == before[0]
    assert ({k: v for k, v in quarters.items() if k[0] not in DEFINITIONS}) == before[1]
    for key in DEFINITIONS:
        define(store, key, None)
    assert stored_tallies(store) == before
    assert ledger.verify(store, W) == []


def test_a_value_that_a_metric_of_ones_own_cannot_hold_is_listed_and_not_refused(
    store: Store,
) -> None:
    half = DEFINITIONS["m_talk"] | {"value": "score", "decimals": 0}
    define(store, "score", half)
    answers = sent(store, delivery(call("whole", score="7"), call("half", score="7.5")))
    assert [one.outcome.value for one in answers[0]] == ["accepted", "accepted"]
    with store.read() as reading:
        listed = activities.page_uncounted(reading, W, None, 10).items
    assert [(one.key, one.missing[0].metric, one.missing[0].code) for one in listed] == [
        ("half", "score", "amount_does_not_fit")
    ]
    define(store, "score", half | {"decimals": 1})
    with store.read() as reading:
        assert activities.page_uncounted(reading, W, None, 10).items == []
    assert ledger.verify(store, W) == []


def _said(number: int) -> list[Report]:
    """A stream of deals that are created, re-priced, won, deleted, over and over."""
    key, turn = f"d{number % 40}", number // 40
    created = TIMES[number % 4]
    states: list[dict[str, Any]] = [
        {"status": "open", "amount": str(number + 1)},
        {"status": "won", "won_at": TIMES[(number + 1) % 4], "amount": str(2 * number)},
        {"status": "lost", "closed_at": TIMES[3], "stage": "b"},
        {RETRACTED: True},
    ]
    fields = {"created_at": created, "owner": f"p{number % 3}", "stage": "a"} | states[turn % 4]
    return [report(key, turn + 1, **fields)]


def test_definitions_that_change_while_deliveries_pour_in_end_exact(store: Store) -> None:
    committer = Committer(store)
    committer.start()
    ended, reports = threading.Event(), list[Report]()

    def pour() -> None:
        for number in count():
            if ended.is_set():
                return
            said = _said(number)
            committer.submit(delivery(*said)).result(30)
            reports.extend(said)

    def between(key: str, document: Document | None) -> None:
        """A definition with deliveries before and behind it."""
        define(store, key, document)
        taken = len(reports)
        while len(reports) < taken + 2:
            assert thread.is_alive()
            time.sleep(0.001)

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        for turn in range(3):
            for key, document in DEFINITIONS.items():
                between(key, document)
                if turn < 2:
                    between(key, DEFINITIONS["m_unique"])
                    between(key, None)
    finally:
        ended.set()
        thread.join()
        committer.stop()
    for key, document in DEFINITIONS.items():
        assert_counts(store, key, document, reports)
    assert ledger.verify(store, W) == []


@pytest.mark.parametrize("aggregation", ["unique", "min", "max", "latest"])
def test_a_correction_takes_the_greatest_value_away_and_finds_the_second(
    store: Store, aggregation: str
) -> None:
    document = DEFINITIONS["m_max"] | {"aggregation": aggregation, "unit": "count"}
    define(store, "m", document)
    first = won("a", 1, created_at=TIMES[0], amount="5")
    second = won("b", 1, created_at=TIMES[1], amount="9")
    sent(store, delivery(first, second))
    assert_counts(store, "m", document, [first, second])
    gone = gone_report("b", 2)
    sent(store, delivery(gone))
    assert_counts(store, "m", document, [first, second, gone])
    assert [value for _, value in read(store, "m", document, "", EDGES[0], EDGES[2]).values()] == [
        1 if aggregation == "unique" else 5
    ] * 2


def test_what_is_too_great_to_be_shared_is_listed_and_counts_nowhere(store: Store) -> None:
    said = {"created_at": TIMES[0], "won_at": TIMES[1]}
    reports = [won("d1", amount=str(2**53 + 1), **said), won("d2", amount="7", **said)]
    sent(store, delivery(*reports))
    for key in ("s_sum", "m_sum"):
        define(store, key, DEFINITIONS[key])
        assert_counts(store, key, DEFINITIONS[key], reports)
    assert [len(entries(DEFINITIONS[key], reports)) for key in ("s_sum", "m_sum")] == [1, 2]
    with store.read() as reading:
        listed = activities.page_uncounted(reading, W, None, 9).items
    assert [one.key for one in listed] == ["d1"]
