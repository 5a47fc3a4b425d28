"""What only a server can do: be shared by replicas, go away, lose a connection, be set wrongly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, make_url, text

from app.domain.deliveries import ItemResult
from app.domain.errors import Conflict, Invalid, Unavailable
from app.store import heads, keys, ledger, postgresql, sources
from app.store.committer import Committer
from app.store.engine import StartError, Store
from app.store.recording import Recorder
from app.store.strays import Work
from app.store.tables import METADATA
from tests.engines import engine_of, on_postgresql, overheard
from tests.patience import HANG_SECONDS
from tests.store.recount import stored_tallies, tallies_of
from tests.store.test_reading import _read_everything
from tests.store.worlds import NOW, W, call, delivery, opened, report, sent, settle, url, won, words

pytestmark = on_postgresql


@contextmanager
def told(address: str) -> Iterator[Connection]:
    """A connection of somebody else, whose statements stand at once."""
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


@contextmanager
def replicas(address: str, number: int) -> Iterator[list[Committer]]:
    """As many services on one database, as far as counting goes."""
    stores = [Store(address) for _ in range(number)]
    committers = [Committer(store) for store in stores]
    for committer in committers:
        committer.start()
    try:
        yield committers
    finally:
        for committer in committers:
            committer.stop()
        for store in stores:
            store.close()


def test_the_migrations_make_exactly_the_tables_that_the_program_describes(tmp_path: Path) -> None:
    store = Store(url(tmp_path))
    store.migrate()
    with store.read() as reading:
        context = MigrationContext.configure(reading.connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        words_of = text(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'text'"
            " AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
        )
        assert reading.connection.execute(words_of).all() == []
        leading = text(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE n.nspname = current_schema() AND c.relname <> 'alembic_version'"
        )
        found = reading.connection.execute(leading).all()
    assert {table for table, _ in found} == set(METADATA.tables)
    assert {column for _, column in found} == {"workspace_id"}
    store.close()


def refusal(address: str) -> StartError:
    store = Store(address)
    with pytest.raises(StartError) as caught:
        store.migrate()
    store.close()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ("CREATE TABLE songs (title text)", "database_is_foreign"),
        ("ALTER DATABASE {name} SET synchronous_commit = off", "database_would_lose_commits"),
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "database_is_read_only"),
    ],
)
def test_a_database_that_cannot_serve_is_refused_in_one_sentence(
    tmp_path: Path, before: str, code: str
) -> None:
    address = url(tmp_path)
    with told(address) as other:
        other.execute(text(before.format(name=make_url(address).database)))
    assert refusal(address).code == code


def test_a_newer_database_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    address = url(tmp_path)
    with told(address) as other:
        other.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert refusal(address).code == "database_is_newer"
    missing = make_url(address).set(database="nowhere").render_as_string(hide_password=False)
    assert "no such user or database" in str(refusal(missing))
    away = refusal("postgresql://sato:secret@127.0.0.1:1/ledger")
    assert away.code == "database_is_away"
    assert "secret" not in str(away)


def test_identical_deliveries_to_three_replicas_at_once_count_once(
    store: Store, tmp_path: Path
) -> None:
    one = delivery(*(won(f"d{n}") for n in range(5)), *(call(f"c{n}") for n in range(5)))
    with replicas(url(tmp_path), 3) as committers, ThreadPoolExecutor(64) as pool:
        gate = threading.Barrier(64)

        def send(number: int) -> list[str]:
            gate.wait(HANG_SECONDS)
            return words(committers[number % 3].submit(one).result(60))

        answers = list(pool.map(send, range(64)))
    assert sorted(map(tuple, answers)) == [("accepted",) * 10] + [("duplicate",) * 10] * 63
    assert stored_tallies(store) == tallies_of(
        [item.report for item in one.items], {"crm": None}, "Asia/Tokyo"
    )
    assert ledger.verify(store, W) == []


def test_replicas_give_one_number_to_one_person_and_one_metric(
    store: Store, tmp_path: Path
) -> None:
    settle(store, "other", crm=None)
    piles = [
        [
            delivery(
                *(won(f"r{replica}-{n}-{k}", owner=f"p{(n + k) % 7}") for k in range(3)),
                workspace=(W, "other")[n % 2],
            )
            for n in range(20)
        ]
        for replica in range(3)
    ]
    with replicas(url(tmp_path), 3) as committers:
        answers = [
            committer.submit(one)
            for committer, pile in zip(committers, piles, strict=True)
            for one in pile
        ]
        assert {word for a in answers for word in words(a.result(60))} == {"accepted"}
    sent_reports = [
        item.report for pile in piles for one in pile if one.workspace == W for item in one.items
    ]
    assert stored_tallies(store) == tallies_of(sent_reports, {"crm": None}, "Asia/Tokyo")
    assert ledger.verify(store, W) == ledger.verify(store, "other") == []
    with store.read() as reading:
        commits = text("SELECT seq, at FROM workspace_commit WHERE workspace_id = :w ORDER BY seq")
        rows = reading.connection.execute(commits, {"w": W}).all()
        head = heads.head(reading, W)
    assert head is not None
    assert [seq for seq, _ in rows] == list(range(1, head.seq + 1))
    assert sorted({at for _, at in rows}) == [at for _, at in rows]


def test_a_backend_killed_before_the_commit_is_not_noticed_by_whoever_waits(
    store: Store, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(connection: Connection) -> None:
        if len(killed) < 2:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            killed.append(pid)
            with told(url(tmp_path)) as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    engine = engine_of(store)
    committer = Committer(store)
    committer.start()
    event.listen(engine, "commit", kill)
    answer = committer.submit(delivery(won("a"), won("b"))).result(60)
    event.remove(engine, "commit", kill)
    committer.stop()
    assert len(killed) == 2
    assert words(answer) == ["accepted", "accepted"]
    assert ledger.verify(store, W) == []


def test_a_commit_whose_answer_was_lost_is_run_again_and_counts_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Recorder.record
    lost: list[int] = []

    def record(self: Recorder, *values: Any) -> Any:
        done = real(self, *values)
        if not lost:
            lost.append(1)
            raise Unavailable("database_is_away")
        return done

    monkeypatch.setattr(Recorder, "record", record)
    (answer,) = sent(store, delivery(won("a")))
    assert words(answer) == ["duplicate"]
    assert stored_tallies(store) == tallies_of([won("a")], {"crm": None}, "Asia/Tokyo")
    assert ledger.verify(store, W) == []


def test_whoever_waits_too_long_for_a_head_is_told_to_come_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "100ms")
    with told(url(tmp_path)) as other:
        other.execute(text("BEGIN"))
        other.execute(text("SELECT * FROM workspace_head FOR UPDATE"))
        committer = Committer(store)
        committer.start()
        with pytest.raises(Unavailable, match="database_is_contended"):
            committer.submit(delivery(won("a"))).result(60)
        other.execute(text("ROLLBACK"))
        assert words(committer.submit(delivery(won("a"))).result(60)) == ["accepted"]
        committer.stop()
    assert ledger.verify(store, W) == []


def test_a_replica_that_fell_silent_in_a_transaction_loses_its_lock(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_TIMEOUT", "200ms")
    silent = Store(url(tmp_path))
    answers: list[list[ItemResult]] = []
    with pytest.raises(Unavailable), silent.write(W, NOW):
        answers += sent(store, delivery(won("a")))
    assert words(answers[0]) == ["accepted"]
    silent.close()
    assert ledger.verify(store, W) == []


def test_two_replicas_that_make_one_workspace_make_it_once(store: Store) -> None:
    gate = threading.Barrier(8)

    def create(_number: int) -> str:
        gate.wait(HANG_SECONDS)
        try:
            with store.create_workspace("fresh", NOW):
                pass
        except Conflict as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(create, range(8)))
    assert sorted(said) == ["made"] + ["workspace_exists"] * 7


def test_who_finds_no_free_connection_is_told_to_come_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 0.01)
    with ExitStack() as held:
        for _ in range(postgresql.READERS):
            held.enter_context(store.read())
        with pytest.raises(Unavailable, match="database_is_busy"), store.read():
            pass
    with store.read() as reading:
        assert heads.workspaces(reading) == [W]


def test_events_are_counted_while_slow_reports_hold_all_connections_of_readers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(engine_of(store).pool, "_timeout", 0.01)
    with ExitStack() as held:
        for _ in range(postgresql.CONNECTIONS):
            # What is refused is one report too many.
            with suppress(Unavailable):
                held.enter_context(store.read())
        (answer,) = sent(store, delivery(call("c")))
    assert words(answer) == ["accepted"]


def test_no_lookup_of_a_commit_or_a_report_reads_a_whole_table(store: Store) -> None:
    sent(store, delivery(*(won(f"d{n}", n % 9 + 1) for n in range(300)), call("c")))
    changed = [won("d1", 50), report("d2", 60, full=False, amount="1"), won("new"), won("d4", 5)]
    one = delivery(*changed)
    with overheard(store) as heard:
        Recorder(store).record([Work(one, item) for item in one.items])
        with store.read() as reading:
            _read_everything(reading)
            sources.states(reading, W)
            keys.page(reading, W, None, 10)
    statements = dict(heard)
    assert len(statements) > 20
    with store.transaction() as connection:
        # A table of five rows is read whole by choice; what counts is that it need not be.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, values in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
            assert [step for step in plan if "Seq Scan" in step] == [], (statement, plan)


def test_a_text_that_the_server_cannot_hold_is_set_aside_like_any_other(store: Store) -> None:
    broken = won("with\0nothing")
    (answer,) = sent(store, delivery(won("a"), broken, won("b")))
    assert words(answer) == ["accepted", "quarantined", "accepted"]
    assert isinstance(answer[1].error, Invalid)
    assert ledger.verify(store, W) == []
