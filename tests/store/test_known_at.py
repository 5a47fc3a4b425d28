"""What was known at a moment is what a recount of the reports received by then says."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.activities import Report
from app.store import activities, actors, counting, documents, heads, journal, ledger, totals
from app.store.committer import Committer
from app.store.engine import Store
from app.store.journal import Knowing
from tests.store.own_metrics import DEFINITIONS, define, read
from tests.store.own_recount import answer, entries, number_of, within
from tests.store.recount import Tally, fields_of, piles, tallies_of
from tests.store.test_ledger_machine import COUNTS, ZONES
from tests.store.test_ledger_machine import _reports as told
from tests.store.test_own_metrics import EDGES
from tests.store.test_own_metrics import _reports as told_of_own
from tests.store.worlds import NOW, W, call, delivery, gone, opened, report, won, words

SECOND = 1_000_000


@dataclass
class Life:
    """A ledger whose clock steps; what was received, and when."""

    store: Store
    committer: Committer
    now: int = NOW
    received: list[tuple[int, Report]] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    zone: str = "Asia/Tokyo"

    def hears(self, *reports: Report) -> None:
        self.now += SECOND
        results = self.committer.submit(delivery(*reports, at=self.now)).result(30)
        assert "rejected" not in words(results)
        with self.store.read() as reading:
            head = heads.head(reading, W)
        assert head is not None
        self.instants.append(head.at)
        self.received += [(head.at, one) for one in reports]

    def by(self, at: int) -> list[Report]:
        return [one for came, one in self.received if came <= at]

    def moments(self, dice: random.Random) -> list[int]:
        """Before everything, at commits, between them, after everything."""
        some = dice.sample(self.instants, min(3, len(self.instants)))
        return sorted({NOW - 1, *some, *(at - 1 for at in some), self.now + 1})

    def moves_to(self, zone: str) -> None:
        self.now += SECOND
        with self.store.write(W, self.now) as writing:
            body = {"time_zone": zone, "currency": "JPY"}
            documents.put(writing, "workspace", "workspace", body, author="test")
            ledger.rebuild_in(writing)
        self.zone = zone

    def knowing(self, at: int) -> Knowing:
        with self.store.read() as reading:
            return Knowing(journal.seq_at(reading, W, at), ZoneInfo(self.zone))

    def journal(self) -> list[tuple[Any, ...]]:
        """Both journals as they stand, by names; without what was netted to nothing."""
        with self.store.read() as reading:
            return [
                tuple(row)
                for query in (_JOURNAL, _JOURNAL_VALUES)
                for row in reading.connection.execute(text(query))
            ]


_NAMED = "JOIN metric_slot s USING (workspace_id, slot) JOIN actor a USING (workspace_id, actor)"
_JOURNAL = f"""
    SELECT j.seq, s.metric, s.currency, j.quarter, a.source, a.identity, j.number, j.total
    FROM journal j {_NAMED} ORDER BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - our own words
_JOURNAL_VALUES = f"""
    SELECT j.seq, s.metric, s.currency, j.quarter, a.source, a.identity, j.value, j.n
    FROM journal_values j {_NAMED} ORDER BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - our own words


@contextmanager
def life(**sources: list[str] | None) -> Iterator[Life]:
    with tempfile.TemporaryDirectory() as folder:
        store = opened(Path(folder), **sources)
        committer = Committer(store)
        committer.start()
        try:
            yield Life(store, committer)
        finally:
            committer.stop()
            store.close()


def known_tallies(life: Life, known: Knowing) -> tuple[Tally, Tally]:
    """Days and quarter hours as they were known, each bucket that ever held anything alone."""
    found: tuple[Tally, Tally] = ({}, {})
    ever = [tallies_of(life.by(at), COUNTS, life.zone) for at in life.instants]
    metrics = {"calls", "connected_calls", "inbound_calls", "talk_time"}
    metrics |= {"deals_created", "deals_won", "revenue", "open_pipeline"}
    with life.store.read() as reading:
        people = actors.all_actors(reading, W)
        for grain, ask in enumerate((totals.totals, totals.quarter_totals)):
            for bucket in {place[2] for tallies in ever for place in tallies[grain]}:
                for row in ask(reading, W, metrics, bucket, bucket + 1, known):
                    if (row.number, row.total) != (0, 0):
                        place = (row.metric, row.currency, bucket, *people[row.actor])
                        found[grain][place] = (row.number, row.total)
    return found


_quickly = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_batches = st.lists(st.lists(told(), min_size=1, max_size=5), min_size=1, max_size=6)


@_quickly
@given(_batches, st.randoms(use_true_random=False), st.sampled_from(ZONES))
def test_what_was_known_then_is_a_recount_of_what_was_received_by_then(
    batches: list[list[Report]], dice: random.Random, zone: str
) -> None:
    with life(**COUNTS) as ledger_life:
        for place, batch in enumerate(batches):
            if place == len(batches) // 2:
                ledger_life.moves_to(zone)
            ledger_life.hears(*batch)
        for at in ledger_life.moments(dice):
            reports = ledger_life.by(at)
            known = ledger_life.knowing(at)
            assert known_tallies(ledger_life, known) == tallies_of(reports, COUNTS, zone)
            assert_known(ledger_life, reports, known)
        assert ledger.verify(ledger_life.store, W) == []


def assert_known(life: Life, reports: list[Report], known: Knowing) -> None:
    """Activities as they were known, alone and page by page."""
    expected = {where: fields_of(pile) for where, pile in piles(reports).items()}
    with life.store.read() as reading:
        cursor: str | None = None
        found: dict[tuple[str, str], dict[str, Any]] = {}
        while True:
            page = activities.page_then(reading, W, known, cursor, 2)
            found |= {(one.source, one.key): dict(one.state.fields) for one in page.items}
            cursor = page.next
            if cursor is None:
                break
        assert found == expected
        for source, key in piles([one for _, one in life.received]):
            alone = activities.get(reading, W, source, key, known)
            assert (dict(alone.state.fields) if alone else None) == expected.get((source, key))
            stamps = {one.stamp for one in activities.revisions(reading, W, source, key, known)}
            assert stamps == {one.stamp for one in piles(reports).get((source, key), [])}


_own = st.lists(st.lists(told_of_own(), min_size=1, max_size=5), min_size=1, max_size=6)


@_quickly
@given(
    _own,
    st.randoms(use_true_random=False),
    st.lists(st.sampled_from(sorted(DEFINITIONS)), min_size=2, max_size=4),
)
def test_every_aggregation_is_known_as_of_then_whenever_it_was_defined(
    batches: list[list[Report]], dice: random.Random, keys: list[str]
) -> None:
    with life(crm=None, other=None) as ledger_life:
        first, *rest = keys
        define(ledger_life.store, first, DEFINITIONS[first])
        for place, batch in enumerate(batches):
            if place == len(batches) // 2:
                for key in rest:
                    define(ledger_life.store, key, DEFINITIONS[key], ledger_life.now)
            ledger_life.hears(*batch)
        assert ledger.verify(ledger_life.store, W) == []
        before = ledger_life.journal()
        ledger.rebuild(ledger_life.store, W, ledger_life.now)
        assert ledger_life.journal() == before
        for at in ledger_life.moments(dice):
            for key in set(keys):
                assert_own(ledger_life, key, at)


def assert_own(life: Life, key: str, at: int) -> None:
    document, known = DEFINITIONS[key], life.knowing(at)
    found = entries(document, life.by(at))
    for start, end in pairwise(EDGES):
        for currency in sorted({one.currency for one in found} | {""}):
            mine = [one for one in within(document, found, start, end) if one.currency == currency]
            expected = {
                (one.source, one.who): _answered(document, mine, (one.source, one.who))
                for one in mine
            } | ({None: _answered(document, mine, None)} if mine else {})
            assert read(life.store, key, document, currency, start, end, known) == expected


def _answered(document: Any, mine: list[Any], who: Any) -> tuple[Any, Any]:
    some = [one for one in mine if who is None or (one.source, one.who) == who]
    return number_of(some), answer(document, some)


def test_a_metric_counts_what_an_activity_was_before_it_became_of_another_kind() -> None:
    with life() as ledger_life:
        ledger_life.hears(won("a", 1))
        ledger_life.hears(call("a", 2))
        define(ledger_life.store, "m_talk", DEFINITIONS["m_talk"], ledger_life.now)
        define(ledger_life.store, "m_sum", DEFINITIONS["m_sum"], ledger_life.now)
        assert ledger.verify(ledger_life.store, W) == []
        then, today = 1_796_040_000_000_000, 1_796_140_000_000_000
        known = ledger_life.knowing(ledger_life.instants[0])
        metric = DEFINITIONS["m_sum"]
        summed = read(ledger_life.store, "m_sum", metric, "JPY", then, today, known)
        assert [number for number, _ in summed.values()] == [1, 1]
        assert read(ledger_life.store, "m_sum", metric, "JPY", then, today) == {}


def test_a_workspace_that_an_older_program_counted_is_counted_anew_once() -> None:
    with life() as ledger_life:
        ledger_life.hears(won("a"), call("b"))
        ledger_life.hears(gone("a", 2), report("c", 1, status="open", amount="5"))
        before = ledger_life.journal()
        assert before
        with ledger_life.store.transaction() as connection:
            for table in ("journal", "journal_values", "counting", "tally_values"):
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own words
        assert ledger.verify(ledger_life.store, W) != []
        counting.bring_up(ledger_life.store, lambda: ledger_life.now)
        assert ledger_life.journal() == before
        assert ledger.verify(ledger_life.store, W) == []
        with ledger_life.store.read() as reading:
            head = heads.head(reading, W)
        counting.bring_up(ledger_life.store, lambda: ledger_life.now)
        with ledger_life.store.read() as reading:
            assert heads.head(reading, W) == head


def test_a_wrong_missing_or_additional_movement_is_found_by_its_commit() -> None:
    with life() as ledger_life:
        ledger_life.hears(call("a"))
        ledger_life.hears(call("b"))
        for harm in (
            "UPDATE journal SET total = total + 1 WHERE seq = 3 AND slot = 1",
            "DELETE FROM journal WHERE seq = 3 AND slot = 2",
            "INSERT INTO journal VALUES ('default', 1, 3, 7, 1, 1, 0)",
            "UPDATE journal SET seq = 1 WHERE seq = 3 AND slot = 1",
        ):
            with ledger_life.store.transaction() as connection:
                connection.execute(text(harm))
            wrong = {(one.what, one.place) for one in ledger.verify(ledger_life.store, W)}
            assert ("journal", (3,)) in wrong
            assert {what for what, _ in wrong} == {"journal"}
            ledger.rebuild(ledger_life.store, W, ledger_life.now)
            assert ledger.verify(ledger_life.store, W) == []


def test_the_last_commit_at_or_before_an_instant_is_found() -> None:
    with life() as ledger_life:
        ledger_life.hears(call("a"))
        ledger_life.hears(call("b"))
        with ledger_life.store.read() as reading:
            first, second = ledger_life.instants
            asked = (NOW - 1, NOW, first - 1, first, second - 1, second, second + 10**12)
            found = [journal.seq_at(reading, W, at) for at in asked]
            assert journal.seq_at(reading, "another", second) == 0
        assert found == [0, 1, 1, 2, 2, 3, 3]
