"""What the ledger holds of shared work: whole millionths, and nothing that does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.activities import Report
from app.domain.definitions import metric_of
from app.domain.errors import Invalid
from app.domain.quantities import INT64
from app.store import activities, actors, ledger
from app.store.engine import Store
from tests.store.own_metrics import DEFINITIONS, define
from tests.store.own_recount import micros
from tests.store.recount import stored_tallies
from tests.store.worlds import W, delivery, gone, sent, won, words
from tests.store.worlds import codes as refused_for

SHARED = DEFINITIONS["s_sum"]
# A value that just fits when it is counted in millionths.
MOST = INT64 // 8 // 10**6
NINE = "2026-12-01T00:00:00Z"


def shared(
    key: str, revision: int = 1, /, split: dict[str, str] | None = None, **fields: Any
) -> Report:
    named = [{"identity": who, "share": share} for who, share in (split or {}).items()]
    return won(key, revision, won_at=NINE, **fields, **({"credits": named} if named else {}))


def held(store: Store, metric: str) -> dict[str, tuple[int, int]]:
    """Number and sum of each identity in all days; the quarter hours say the same."""
    days, quarters = stored_tallies(store)
    found = {place[4]: sums for place, sums in days.items() if place[0] == metric}
    assert found == {place[4]: sums for place, sums in quarters.items() if place[0] == metric}
    return found


def test_a_deal_is_divided_re_split_and_taken_back(store: Store) -> None:
    define(store, "s", SHARED)
    million: dict[str, Any] = {"amount": "1000000", "owner": "boss"}
    seven, half = {"sato": "0.7", "suzuki": "0.3"}, {"sato": "0.5", "suzuki": "0.5"}
    steps: list[tuple[Report, dict[str, int]]] = [
        (shared("d", 1, seven, **million), {"sato": 7, "suzuki": 3}),
        (shared("d", 2, half, **million), {"sato": 5, "suzuki": 5}),
        # Late news of an older revision overwrites nothing.
        (shared("d", 0, {"stranger": "1"}, **million), {"sato": 5, "suzuki": 5}),
        (shared("d", 3, **million), {"boss": 10}),
        (gone("d", 4), {}),
    ]
    for report, tenths in steps:
        sent(store, delivery(report), delivery(report))
        assert held(store, "s") == {
            who: (part * 10**5, part * 10**5 * 1_000_000) for who, part in tenths.items()
        }
        assert ledger.verify(store, W) == []


def test_the_role_keeps_the_whole_of_what_a_preset_counts(store: Store) -> None:
    define(store, "s", SHARED)
    sent(store, delivery(shared("d", 1, {"sato": "0.7", "suzuki": "0.3"}, owner="boss")))
    assert held(store, "revenue") == {"boss": (1, 100)}
    assert held(store, "s") == {"sato": (700_000, 70_000_000), "suzuki": (300_000, 30_000_000)}


def test_whoever_has_a_share_is_credited_with_the_activity_while_a_metric_honours_it(
    store: Store,
) -> None:
    def whose() -> dict[str, tuple[int, int]]:
        with store.read() as reading:
            people = actors.all_actors(reading, W)
            found = actors.credits_of(reading, W, people)
        return {people[one.actor].identity: (one.activities, one.first_at) for one in found}

    sent(store, delivery(shared("d", 1, {"sato": "0.7", "new": "0.3"}, owner="boss")))
    boss = {"boss": (1, micros(NINE))}
    assert whose() == boss
    define(store, "s", SHARED)
    both = {who: (1, micros(NINE)) for who in ("sato", "new")}
    assert whose() == boss | both
    define(store, "s", None)
    assert whose() == boss
    assert ledger.verify(store, W) == []


def test_a_total_of_millionths_beyond_64_bits_is_set_aside_and_never_rounded(store: Store) -> None:
    define(store, "s", SHARED)
    wins = [shared(f"d{n}", amount=str(MOST)) for n in range(6)]
    answers = sent(store, *map(delivery, wins))
    assert [words(answer) for answer in answers] == [["accepted"]] * 4 + [["quarantined"]] * 2
    assert refused_for(answers[4]) == ["tally_does_not_fit"]
    assert held(store, "s") == {"sato": (4 * 10**6, 4 * MOST * 10**6)}
    # Only that person's day is full.
    split = {"tanaka": "0.000001", "suzuki": "0.999999"}
    assert words(sent(store, delivery(shared("e", 1, split, amount=str(MOST))))[0]) == ["accepted"]
    assert held(store, "s")["suzuki"] == (999_999, MOST * 999_999)
    assert ledger.verify(store, W) == []


def test_a_value_too_large_to_be_divided_is_listed_and_counts_where_it_is_whole(
    store: Store,
) -> None:
    define(store, "s", SHARED)
    answer = sent(store, delivery(shared("d", 1, {"sato": "1"}, amount=str(MOST + 1))))[0]
    assert words(answer) == ["accepted"]
    with store.read() as reading:
        listed = activities.page_uncounted(reading, W, None, 10).items
    assert ("d", "s", "share_does_not_fit") in [
        (one.key, why.metric, why.code) for one in listed for why in one.missing
    ]
    assert held(store, "s") == {}
    assert held(store, "revenue") == {"sato": (1, MOST + 1)}
    assert ledger.verify(store, W) == []


def test_a_definition_whose_history_does_not_fit_in_millionths_is_refused_whole(
    store: Store,
) -> None:
    define(store, "s", SHARED | {"credit": "role"})
    sent(store, *(delivery(shared(f"d{n}", amount=str(MOST))) for n in range(6)))
    before = stored_tallies(store)
    with pytest.raises(Invalid, match="tally_does_not_fit"):
        define(store, "s", SHARED)
    assert stored_tallies(store) == before
    assert ledger.verify(store, W) == []


def test_a_rebuild_and_a_changed_definition_count_the_same_shares(store: Store) -> None:
    split = {"sato": "0.333333", "suzuki": "0.333333", "tanaka": "0.333334"}
    sent(store, delivery(*(shared(f"d{n}", 1, split, amount=str(n)) for n in range(30))))
    define(store, "s", SHARED)
    expected = {who: (30 * int(p[2:]), 435 * int(p[2:])) for who, p in split.items()}
    assert held(store, "s") == expected
    ledger.rebuild(store, W, micros(NINE))
    assert held(store, "s") == expected
    metric = metric_of("s", SHARED)
    numbers, totals = (sum(column) for column in zip(*expected.values(), strict=True))
    assert metric.counted(numbers) == 30
    assert metric.summed(totals, "JPY") == 435
    define(store, "s", SHARED | {"credit": "role"})
    assert held(store, "s") == {"sato": (30, 435)}
