"""What a recorder remembers from one commit to the next, and that nobody notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.activities import Report
from app.domain.deliveries import About, Delivery, ItemResult, Refused
from app.domain.errors import Invalid
from app.domain.revisions import of_instant, of_number
from app.store import heads, ledger, quarantine, sessions, sources
from app.store.committer import Committer
from app.store.engine import Store
from app.store.recording import Recorder
from app.store.strays import Work
from tests import engines
from tests.engines import on_postgresql, overheard
from tests.store.worlds import NOW, W, call, codes, delivery, opened, won, words

REMEMBERED = ("FROM source_state", "FROM awaited", "FROM workspace_commit  WHERE")
TIMED = of_instant(NOW)


def took(recorder: Recorder, *reports: Report) -> list[ItemResult]:
    """What a recorder makes of a delivery with some reports."""
    return _done(recorder, delivery(*reports))


def _done(recorder: Recorder, one: Delivery) -> list[ItemResult]:
    works = [Work(one, item) for item in one.refused]
    works += [Work(one, item) for item in one.items]
    found = recorder.record(works)
    return [result for result in found if isinstance(result, ItemResult)]


def asked(heard: list[tuple[str, Any]]) -> list[str]:
    """Of the statements heard, those that ask what may be remembered."""
    statements = [statement.replace("\n", " ") for statement, _ in heard]
    found = [s for s in statements if s.startswith("SELECT") or "SELECT min(" in s]
    # Every commit asks where it stands itself, and with that which one was before it.
    found = [s for s in found if not s.startswith("SELECT workspace_head")]
    return [s for s in found if any(part in s for part in REMEMBERED)]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Recorder, Recorder, Store]]:
    """Two replicas' recorders on one database; each remembers something of another source."""
    store = opened(tmp_path, crm=None, phone=None)
    pair = Recorder(store), Recorder(store)
    for number, recorder in enumerate(pair):
        assert words(took(recorder, call(f"first-{number}", source="phone"))) == ["accepted"]
    yield (*pair, store)
    assert ledger.verify(store, W) == []
    store.close()


def test_who_follows_its_own_commit_asks_for_nothing_it_knows(store: Store) -> None:
    recorder = Recorder(store)
    took(recorder, call("a"))
    with overheard(store) as heard:
        took(recorder, call("b"))
    assert asked(heard) == []
    took(Recorder(store), call("c"))
    with overheard(store) as heard:
        took(recorder, call("d"))
    assert len(asked(heard)) == len(REMEMBERED)
    with store.read() as reading:
        heard_of = sources.states(reading, W)
    assert heard_of["crm"].last_received_at == NOW


def test_the_clock_that_another_replica_found_is_kept_to(
    two: tuple[Recorder, Recorder, Store],
) -> None:
    one, other, _ = two
    assert codes(took(other, call("n", 7))) == [None]
    (mixed,) = took(one, won("t", TIMED))
    assert (mixed.outcome.value, codes([mixed])) == ("rejected", ["revision_clock_mixed"])


def test_an_entry_that_another_replica_set_aside_is_settled(
    two: tuple[Recorder, Recorder, Store],
) -> None:
    one, other, store = two
    refused = Refused(0, "e", "phone", Invalid("not_a_time"), "{}", About("late", of_number("1")))
    aside = Delivery(W, NOW, quarantines=True, items=(), refused=(refused,))
    assert words(_done(other, aside)) == ["quarantined"]
    with store.read() as reading:
        assert quarantine.size(reading, W) == 1
    assert words(took(one, call("late", 9, source="phone"))) == ["accepted"]
    with store.read() as reading:
        assert quarantine.size(reading, W) == 0


def test_an_entry_of_its_own_is_settled_by_what_comes_next(store: Store) -> None:
    recorder = Recorder(store)
    took(recorder, call("a"))
    refused = Refused(0, "e", "crm", Invalid("not_a_time"), "{}", About("late", of_number("1")))
    one = delivery(call("late", 9))._replace(quarantines=True, refused=(refused,))
    # Within one commit, and over two.
    assert words(_done(recorder, one)) == ["quarantined", "accepted"]
    again = refused._replace(about=About("later", of_number("1")), content="{ }")
    aside = Delivery(W, NOW, quarantines=True, items=(), refused=(again,))
    assert words(_done(recorder, aside)) == ["quarantined"]
    assert words(took(recorder, call("later", 9))) == ["accepted"]
    with store.read() as reading:
        assert quarantine.size(reading, W) == 0


def test_what_was_learned_from_a_commit_that_never_was_is_forgotten(
    two: tuple[Recorder, Recorder, Store],
) -> None:
    one, _, store = two
    took(one, call("n", 7))
    with store.transaction() as connection:
        # A backup in its place: as many commits, of other instants, and a source never heard.
        connection.execute(text("UPDATE workspace_commit SET at = at - 1"))
        connection.execute(text("UPDATE source_state SET clock = NULL"))
    assert codes(took(one, won("t", TIMED))) == [None]


def test_a_commit_follows_those_of_its_own_history_and_no_others(store: Store) -> None:
    commits: dict[int, int] = {}
    for _ in range(3):
        with store.write(W, NOW) as writing:
            commits[writing.seq] = writing.at
    with store.write(W, NOW) as writing:
        for seq, at in commits.items():
            assert heads.follows(writing, seq, at)
            assert not heads.follows(writing, seq, at - 1)
        assert not heads.follows(writing, writing.seq + 1, writing.at)


def plans(store: Store) -> int:
    """How many plans the session keeps that the next transaction is in."""
    with store.transaction() as connection:
        count = text("SELECT count(*) FROM pg_prepared_statements")
        return int(connection.execute(count).scalar_one())


@on_postgresql
def test_a_session_of_ours_keeps_plans(store: Store) -> None:
    recorder = Recorder(store)
    took(recorder, call("a"))
    held = plans(store)
    assert held >= 10
    took(recorder, call("b"))
    assert plans(store) == held


@on_postgresql
def test_a_session_that_is_lent_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "is_lent", lambda _line: True)
    store = opened(tmp_path)
    took(Recorder(store), call("a"))
    assert plans(store) == 0
    store.close()


@on_postgresql
def test_a_session_that_lost_its_plans_makes_them_anew(store: Store) -> None:
    committer = Committer(store)
    committer.start()
    assert words(committer.submit(delivery(call("a"))).result(30)) == ["accepted"]
    engine = engines.engine_of(store)
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.pgconn.exec_(b"DEALLOCATE ALL")  # behind the driver's back
    with overheard(store) as heard:
        assert words(committer.submit(delivery(call("b"))).result(30)) == ["accepted"]
    committer.stop()
    # Once in vain, and once more.
    assert sum("enable_seqscan" in statement for statement, _ in heard) == 2
    assert ledger.verify(store, W) == []
