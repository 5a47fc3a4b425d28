from __future__ import annotations

import errno
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Text, cast, func, select, text

from app.domain.deliveries import Delivery, Refused
from app.domain.errors import Invalid, NotFound, Unavailable
from app.domain.quantities import INT64
from app.domain.revisions import of_instant
from app.store import activities, documents, heads, ledger, quarantine, sources, totals
from app.store.committer import Committer
from app.store.engine import Store
from app.store.tables import tally_day
from tests.engines import SQLITE, chosen, on_sqlite
from tests.store.worlds import (
    DAY_ONE,
    NOW,
    W,
    call,
    codes,
    delivery,
    gone,
    opened,
    put_source,
    report,
    sent,
    settle,
    won,
    words,
)


def revenue(store: Store, currency: str = "JPY") -> int:
    with store.read() as reading:
        rows = totals.totals(reading, W, ["revenue"], DAY_ONE - 400, DAY_ONE + 400)
    return sum(row.total for row in rows if row.currency == currency)


def count(store: Store, metric: str) -> int:
    with store.read() as reading:
        rows = totals.totals(reading, W, [metric], DAY_ONE - 400, DAY_ONE + 400)
    return sum(row.number for row in rows)


def test_each_item_of_a_delivery_gets_its_own_word(store: Store) -> None:
    (first,) = sent(store, delivery(won("a", 5), call("b"), won("a", 5)))
    assert words(first) == ["accepted", "accepted", "duplicate"]
    (second,) = sent(
        store,
        delivery(
            won("a", 5),
            won("a", 4),
            won("a", 5, amount="7"),
            won("a", 6, amount="8"),
            report("b", 1, full=False, kind="call", outcome="busy"),
            report("b", 2, full=False, kind="call", outcome="busy"),
        ),
    )
    assert words(second) == ["duplicate", "stale", "conflict", "revised", "conflict", "revised"]
    assert codes(second)[2] == "revision_conflict"
    assert revenue(store) == 8
    assert count(store, "connected_calls") == 0


def test_a_deal_counts_what_it_finally_is_where_it_finally_lies(store: Store) -> None:
    steps = [
        won("d", 1, amount="100"),
        won("d", 2, amount="250"),
        won("d", 3, status="open", won_at=None),
        won("d", 4, amount="90", won_at="2026-12-08T03:00:00Z", owner="abe"),
    ]
    for step, expected in zip(steps, (100, 250, 0, 90), strict=True):
        sent(store, delivery(step))
        assert revenue(store) == expected
    sent(store, delivery(gone("d", 5)))
    assert (revenue(store), count(store, "deals_won")) == (0, 0)
    sent(store, delivery(report("d", 6, full=False, amount="1")))
    assert revenue(store) == 0, "a partial report after a deletion must not bring the deal back"
    sent(store, delivery(won("d", 7, amount="5")))
    assert revenue(store) == 5
    assert ledger.verify(store, W) == []


def test_a_retraction_before_the_original_leaves_a_tombstone(store: Store) -> None:
    (early, late) = sent(store, delivery(gone("d", 9)), delivery(won("d", 1)))
    assert words(early) == ["accepted"]
    assert words(late) == ["revised"]
    assert (revenue(store), count(store, "deals_won")) == (0, 0)
    with store.read() as reading:
        found = activities.get(reading, W, "crm", "d")
    assert found is not None
    assert found.state.retracted
    assert found.state.fields["amount"] == "100"


def test_fields_have_rows_only_while_a_partial_report_stands_above_the_base(store: Store) -> None:
    def rows() -> int:
        with store.read() as reading:
            found = reading.connection.execute(text("SELECT count(*) FROM activity_field"))
            return int(found.scalar_one())

    steps = [(won("d", 1), 0), (gone("d", 2), 2), (gone("d", 3), 2), (won("d", 4), 0)]
    for one, expected in steps:
        sent(store, delivery(one))
        assert rows() == expected


def test_sixty_four_equal_deliveries_at_once_count_once(store: Store) -> None:
    committer = Committer(store)
    committer.start()
    start = threading.Barrier(64)

    def send(_: int) -> str:
        start.wait()
        return committer.submit(delivery(won("d"))).result(30)[0].outcome.value

    with ThreadPoolExecutor(64) as pool:
        said = Counter(pool.map(send, range(64)))
    committer.stop()
    assert said == {"accepted": 1, "duplicate": 63}
    assert (revenue(store), count(store, "deals_won")) == (100, 1)


def test_currencies_are_never_added_together(store: Store) -> None:
    sent(
        store,
        delivery(won("a"), won("b", currency="USD", amount="12.34"), won("c", currency="JPY")),
    )
    assert (revenue(store, "JPY"), revenue(store, "USD")) == (200, 1234)


def test_a_source_counts_only_its_kinds_and_what_it_sends_is_kept(store: Store) -> None:
    with store.write(W, NOW) as writing:
        put_source(writing, "phone", ["call"])
    sent(store, delivery(won("d", source="phone"), call("c", source="phone")))
    assert (count(store, "deals_won"), count(store, "calls")) == (0, 1)
    with store.write(W, NOW) as writing:
        put_source(writing, "phone", ["deal"])
        ledger.rebuild_in(writing)
    assert (count(store, "deals_won"), count(store, "calls")) == (1, 0)
    sent(store, delivery(call("c2", source="phone"), won("d2", source="phone")))
    assert (count(store, "deals_won"), count(store, "calls")) == (2, 0)
    assert ledger.verify(store, W) == []


def test_a_change_of_rules_applies_to_the_very_next_event(store: Store) -> None:
    committer = Committer(store)
    committer.start()
    committer.submit(delivery(call("a"))).result(30)
    with store.write(W, NOW) as writing:
        put_source(writing, "crm", ["deal"])
        ledger.rebuild_in(writing)
    committer.submit(delivery(call("b"), won("d"))).result(30)
    with store.write(W, NOW) as writing:
        documents.archive(writing, "source", "crm", author="test")
    late = committer.submit(delivery(call("c"))).result(30)
    committer.stop()
    assert codes(late) == ["unknown_source"]
    assert (count(store, "calls"), count(store, "deals_won")) == (0, 1)
    assert ledger.verify(store, W) == []


@pytest.mark.parametrize("quarantines", [False, True])
def test_what_cannot_be_counted_is_rejected_to_its_sender_or_kept(
    store: Store, *, quarantines: bool
) -> None:
    bad = Refused(4, "r", "crm", Invalid("not_a_time"), '{"started_at":"noon"}')
    (answer,) = sent(
        store,
        delivery(
            won("a", source="nobody"),
            won("a", of_instant(NOW)),  # the source's clock is learned from the first report
            won("b", 7),
            won("c", of_instant(NOW), amount="1.005"),
            quarantines=quarantines,
            refused=(bad,),
        ),
    )
    word = "quarantined" if quarantines else "rejected"
    assert words(answer) == [word, "accepted", word, word, word]
    assert codes(answer) == [
        "unknown_source", None, "revision_clock_mixed", "amount_does_not_fit", "not_a_time",
    ]  # fmt: skip
    with store.read() as reading:
        kept = quarantine.page(reading, W, None, 10).items
        assert activities.get(reading, W, "crm", "c") is None
        assert sources.states(reading, W)["crm"].last_received_at == NOW
    assert [entry.code for entry in kept] == (
        ["not_a_time", "amount_does_not_fit", "revision_clock_mixed", "unknown_source"]
        if quarantines
        else []
    )
    assert ledger.verify(store, W) == []


def test_the_clock_of_a_source_outlives_the_process(tmp_path: Path) -> None:
    store = opened(tmp_path)
    sent(store, delivery(won("a", of_instant(NOW)), won("a", "")))
    (answer,) = sent(store, delivery(won("b", 7), at=NOW + 5), delivery(won("c"), at=NOW + 4))[:1]
    store.close()
    assert codes(answer) == ["revision_clock_mixed"]


def test_a_total_beyond_64_bits_is_set_aside_and_never_becomes_a_float(store: Store) -> None:
    largest = str(INT64 // 8)
    wins = [won(f"d{n}", amount=largest) for n in range(6)]
    answers = sent(store, *(delivery(one) for one in wins), delivery(call("c")))
    assert [words(answer) for answer in answers] == [["accepted"]] * 4 + [["quarantined"]] * 2 + [
        ["accepted"]
    ]
    assert codes(answers[4]) == ["tally_does_not_fit"]
    with store.read() as reading:
        name, whole = ("typeof", "integer") if chosen() == SQLITE else ("pg_typeof", "bigint")
        kinds = reading.connection.execute(
            select(func.distinct(cast(getattr(func, name)(tally_day.c.total), Text)))
        )
        assert kinds.scalars().all() == [whole]
    assert revenue(store) == 4 * int(largest)
    assert ledger.verify(store, W) == []


def test_a_batch_whose_own_sum_leaves_64_bits_is_taken_apart(store: Store) -> None:
    largest = str(INT64 // 8)
    (answer,) = sent(store, delivery(*(won(f"d{n}", amount=largest) for n in range(40))))
    assert Counter(words(answer)) == {"accepted": 4, "quarantined": 36}
    assert ledger.verify(store, W) == []


def test_sums_over_many_full_cells_are_exact(store: Store) -> None:
    largest = INT64 // 8
    days = [f"2026-12-{day:02d}T03:00:00Z" for day in range(1, 29)]
    for sign in ("", "-"):
        deals = [won(f"{sign}{at}", amount=f"{sign}{largest}", won_at=at) for at in days]
        assert set(words(sent(store, delivery(*deals[: 14 if sign else 28]))[0])) == {"accepted"}
    assert revenue(store) == 14 * largest


class _Poison(dict[str, Any]):
    """Fields that no code of ours expects to break."""

    def get(self, _name: str, _default: object = None) -> Any:
        raise RuntimeError("poison")


def test_one_poisoned_item_is_set_aside_and_all_others_are_counted(store: Store) -> None:
    good = [delivery(*(won(f"d{n}-{k}") for k in range(7))) for n in range(9)]
    broken = won("poison")
    poison = type(broken)(
        broken.source, broken.key, broken.stamp, True, _Poison(broken.fields), broken.content
    )
    answers = sent(store, *good[:5], delivery(won("x"), poison, won("y")), *good[5:])
    assert words(answers[5]) == ["accepted", "quarantined", "accepted"]
    others = [word for n, answer in enumerate(answers) if n != 5 for word in words(answer)]
    assert others == ["accepted"] * 63
    assert count(store, "deals_won") == 65
    with store.read() as reading:
        (kept,) = quarantine.page(reading, W, None, 10).items
    assert (kept.code, kept.item, kept.content) == ("not_storable", "poison", broken.content)
    assert ledger.verify(store, W) == []


def test_what_the_system_refuses_is_no_fault_of_an_item(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file may be opened, a lock fails: whoever sent it is asked to come again."""
    refused = iter([OSError(errno.EMFILE, "too many open files")])
    move = heads.move

    def moving(*of: Any) -> Any:
        for error in refused:
            raise error
        return move(*of)

    monkeypatch.setattr(heads, "move", moving)
    with pytest.raises(Unavailable) as outage:
        sent(store, delivery(won("a"), won("b")))
    assert outage.value.code == "store_failed"
    assert words(sent(store, delivery(won("a"), won("b")))[0]) == ["accepted"] * 2
    with store.read() as reading:
        assert quarantine.page(reading, W, None, 10).items == []
    assert ledger.verify(store, W) == []


def test_workspaces_share_a_commit_and_nothing_else(store: Store) -> None:
    settle(store, "other", crm=None)
    mine, theirs, lost = (
        delivery(won("d", amount=amount), workspace=workspace)
        for workspace, amount in ((W, "1"), ("other", "20"), ("nowhere", "300"))
    )
    committer = Committer(store)
    committer.open()
    answers = [committer.submit(one) for one in (mine, lost, theirs)]
    committer.start()
    assert words(answers[0].result(30)) == words(answers[2].result(30)) == ["accepted"]
    with pytest.raises(NotFound):
        answers[1].result(30)
    committer.stop()
    assert revenue(store) == 1
    with store.read() as reading:
        rows = totals.totals(reading, "other", ["revenue"], DAY_ONE - 9, DAY_ONE + 9)
    assert [row.total for row in rows] == [20]


def test_a_full_queue_is_said_at_once_and_nothing_queued_is_lost(store: Store) -> None:
    committer = Committer(store, queue_limit=3)
    committer.open()
    waiting = [committer.submit(delivery(won("a"), won("b"))), committer.submit(delivery(won("c")))]
    with pytest.raises(Unavailable) as refusal:
        committer.submit(delivery(won("d")))
    assert (refusal.value.code, refusal.value.retry_after) == ("queue_full", 1)
    assert committer.depth == 2
    committer.start()
    committer.stop()
    assert [words(answer.result(0)) for answer in waiting] == [["accepted"] * 2, ["accepted"]]
    assert committer.depth == 0
    with pytest.raises(Unavailable, match="stopping"):
        committer.submit(delivery(won("d")))
    assert count(store, "deals_won") == 3


def test_the_queue_is_bounded_in_bytes_too(store: Store) -> None:
    committer = Committer(store, byte_limit=1_000)
    committer.open()
    committer.submit(delivery(won("big", note="x" * 2_000)))
    with pytest.raises(Unavailable, match="queue_full"):
        committer.submit(delivery(won("small")))


def test_whoever_went_away_while_waiting_is_not_counted(store: Store) -> None:
    committer = Committer(store)
    committer.open()
    leaves, stays = committer.submit(delivery(won("a"))), committer.submit(delivery(won("b")))
    assert leaves.cancel()
    committer.start()
    assert words(stays.result(30)) == ["accepted"]
    committer.stop()
    assert count(store, "deals_won") == 1


def test_an_empty_delivery_is_answered_at_once(store: Store) -> None:
    committer = Committer(store)
    committer.start()
    assert committer.submit(Delivery(W, NOW, False, ())).result(0) == []
    committer.stop()


@on_sqlite
def test_an_outage_is_told_to_all_who_wait_and_the_next_batch_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Store.transaction

    @contextmanager
    def on_a_full_disk(self: Store) -> Iterator[Connection]:
        with real(self) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")

    monkeypatch.setattr(Store, "transaction", on_a_full_disk)
    committer = Committer(store)
    committer.start()
    large = delivery(*(won(f"d{n}", note="x" * 9_000) for n in range(20)))
    with pytest.raises(Unavailable, match="disk_is_full"):
        committer.submit(large).result(30)
    assert count(store, "deals_won") == 0
    monkeypatch.undo()
    assert words(committer.submit(large).result(30)) == ["accepted"] * 20
    committer.stop()
    assert ledger.verify(store, W) == []


def test_time_never_runs_backwards_and_commits_are_numbered_without_gaps(store: Store) -> None:
    for at in (NOW + 50, NOW + 10, NOW + 10):
        sent(store, delivery(won(f"d{at}"), at=at))
    with store.read() as reading:
        rows = reading.connection.execute(
            text("SELECT seq, at FROM workspace_commit ORDER BY seq")
        ).all()
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    assert [at for _, at in rows] == [NOW, NOW + 50, NOW + 51, NOW + 52]
