"""Whatever reaches which replica in whatever order: the numbers are those of one, and exact."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.activities import Report
from app.store import documents, ledger
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.fleet import COUNTS, contradicting, face, fleet, reports, subsets
from tests.store.own_metrics import DEFINITIONS, define
from tests.store.own_recount import Document
from tests.store.recount import fields_of, piles, stored_tallies, tallies_of
from tests.store.test_own_metrics import assert_counts
from tests.store.worlds import NOW, W, delivery, opened, put_source, settle, words

ZONES = ("Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
_SETTINGS = settings(
    max_examples=15,
    deadline=None,
    # What threads do cannot be repeated, so there is nothing to shrink.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)


def test_replicas_that_get_different_parts_in_different_orders_end_as_one_that_gets_all(
    tmp_path: Path,
) -> None:
    opened(tmp_path).close()
    workspaces = count()

    with fleet(tmp_path) as members:

        @_SETTINGS
        @given(st.lists(reports(), min_size=2, max_size=24), st.randoms(use_true_random=False))
        def holds(found: list[Report], dice: random.Random) -> None:
            shared, alone = (f"w{next(workspaces)}" for _ in range(2))
            for workspace in (shared, alone):
                settle(members[0][0], workspace, **COUNTS)
            parts = subsets(found, len(members), dice)
            answers = []
            while any(parts):
                place = dice.choice([place for place, part in enumerate(parts) if part])
                pile = parts[place].pop()
                said = members[place][1].submit(delivery(*pile, workspace=shared))
                answers.append((pile, said))
            new: Counter[Any] = Counter()
            for pile, said in answers:
                for one, word in zip(pile, words(said.result(60)), strict=True):
                    new[one.source, one.key, one.stamp] += word != "duplicate"
            assert set(new.values()) == {1}
            members[0][1].submit(delivery(*found, workspace=alone)).result(60)
            expected = face(members[0][0], alone)
            for store, _ in members:
                assert face(store, shared) == expected
            _assert_means(members[0][0], shared, found)

        holds()


def _assert_means(store: Store, workspace: str, found: list[Report]) -> None:
    states, conflicts, tallies = face(store, workspace)
    fields = {place: dict(state.fields) for place, (state, _) in states.items()}
    assert fields == {place: fields_of(pile) for place, pile in piles(found).items()}
    assert conflicts == contradicting(found)
    assert tallies == tallies_of(found, COUNTS, "Asia/Tokyo")
    assert ledger.verify(store, workspace) == []


class Configuration:
    """What people change meanwhile, each time at another replica."""

    def __init__(self, stores: list[Store]) -> None:
        self._stores = stores
        self.zone = "Asia/Tokyo"
        self.counts: dict[str, list[str] | None] = dict(COUNTS)
        self.metrics: dict[str, Document] = {}

    def change(self, dice: random.Random) -> None:
        dice.choice((self._move, self._recount, self._define, self._define, self._archive))(
            dice, dice.choice(self._stores)
        )

    def _move(self, dice: random.Random, store: Store) -> None:
        self.zone = dice.choice(ZONES)
        with store.write(W, NOW) as writing:
            body = {"time_zone": self.zone, "currency": "JPY"}
            documents.put(writing, "workspace", "workspace", body, author="test")
            ledger.rebuild_in(writing)

    def _recount(self, dice: random.Random, store: Store) -> None:
        source = dice.choice(sorted(self.counts))
        self.counts[source] = dice.choice([None, [], ["call"], ["deal"]])
        with store.write(W, NOW) as writing:
            put_source(writing, source, self.counts[source])
            ledger.rebuild_in(writing)

    def _define(self, dice: random.Random, store: Store) -> None:
        key, other = dice.choice(sorted(DEFINITIONS)), dice.choice(sorted(DEFINITIONS))
        self.metrics[key] = DEFINITIONS[other]
        define(store, key, DEFINITIONS[other])

    def _archive(self, dice: random.Random, store: Store) -> None:
        if self.metrics:
            key = dice.choice(sorted(self.metrics))
            del self.metrics[key]
            define(store, key, None)

    def assert_exact(self, store: Store, found: list[Report]) -> None:
        """All that is counted is what the definitions of the end say, over all history."""
        presets = [
            {place: sums for place, sums in tally.items() if place[0] not in DEFINITIONS}
            for tally in stored_tallies(store)
        ]
        assert presets == list(tallies_of(found, self.counts, self.zone))
        for key, document in self.metrics.items():
            counted = [
                one
                for one in found
                if (kinds := self.counts[one.source]) is None or document["kind"] in kinds
            ]
            assert_counts(store, key, document, counted)
        used = {place[0] for place in stored_tallies(store)[0]} & set(DEFINITIONS)
        assert used <= set(self.metrics)
        assert ledger.verify(store, W) == []


class Pouring:
    """Deliveries to all replicas at once, over and over until it is enough."""

    def __init__(self, members: list[tuple[Store, Committer]], dice: random.Random) -> None:
        self._members = members
        self._seeds = [dice.random() for _ in members]
        self._ended = threading.Event()
        self.taken = 0

    def pour(self, place: int, parts: list[list[Report]]) -> None:
        order = random.Random(self._seeds[place])
        for turn in count():
            for pile in order.sample(parts, len(parts)):
                self._members[place][1].submit(delivery(*pile)).result(60)
                self.taken += 1
                if turn and self._ended.is_set():
                    return
            if not parts:
                return

    def go_on(self, number: int) -> None:
        """Wait until some more have been taken."""
        until = self.taken + number
        while self.taken < until:
            time.sleep(0.001)

    def end(self) -> None:
        """Enough, once every delivery has been taken."""
        self._ended.set()


def test_what_is_changed_at_one_replica_while_all_of_them_count_ends_exact(
    tmp_path: Path,
) -> None:
    numbers = count()

    @settings(_SETTINGS, max_examples=4)
    @given(st.lists(reports(), min_size=20, max_size=60), st.randoms(use_true_random=False))
    def holds(found: list[Report], dice: random.Random) -> None:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        opened(folder, **COUNTS).close()
        with fleet(folder) as members, ThreadPoolExecutor(len(members)) as pool:
            changed = Configuration([store for store, _ in members])
            pouring = Pouring(members, dice)
            parts = subsets(found, len(members), dice)
            pourers = [pool.submit(pouring.pour, n, part) for n, part in enumerate(parts)]
            try:
                for _ in range(8):
                    changed.change(dice)
                    pouring.go_on(2)
            finally:
                pouring.end()
            for one in pourers:
                one.result(120)
            for store, _ in members:
                changed.assert_exact(store, found)

    holds()
