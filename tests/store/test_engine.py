from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from app.domain.errors import Conflict, NotFound, Unavailable
from app.store import documents, heads
from app.store.engine import StartError, Store
from app.store.tables import METADATA
from app.store.transactions import Writing
from tests.engines import on_sqlite
from tests.patience import HANG_SECONDS
from tests.store.worlds import NOW, W, url

# A column that was added later stands in the line of the one before.
_BETWEEN = re.compile(r",?\s*\n|, (?=\w+ (?:INTEGER|TEXT|BLOB))")


def schema(path: Path) -> dict[str, list[str]]:
    """Every table's and index's own text, its parts in any order."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    connection.close()
    return {
        name: sorted(part.strip() for part in _BETWEEN.split(sql) if part.strip())
        for name, sql in rows
    }


@on_sqlite
def test_the_migrations_make_exactly_the_tables_that_the_program_describes(
    tmp_path: Path,
) -> None:
    migrated = Store(f"sqlite:///{tmp_path / 'migrated.db'}")
    migrated.migrate()
    with migrated.read() as reading:
        context = MigrationContext.configure(reading.connection)
        assert compare_metadata(context, METADATA) == []
    migrated.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'described.db'}")
    METADATA.create_all(engine)
    engine.dispose()
    described = schema(tmp_path / "described.db")
    assert len(described) > 15
    assert schema(tmp_path / "migrated.db") == described


@on_sqlite
def test_every_table_is_strict_and_led_by_its_workspace(store: Store) -> None:
    with store.read() as reading:
        tables = reading.connection.execute(
            text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        ).all()
        ours = set(METADATA.tables)
        assert {name for name, strict in tables if strict} == ours
        leading = reading.connection.execute(
            text(
                "SELECT m.name, l.name, i.name FROM sqlite_master m"
                " JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i"
                " WHERE m.type = 'table' AND i.seqno = 0"
            )
        ).all()
    assert {table for table, _, _ in leading if table in ours} == ours
    assert {(t, c) for t, _, c in leading if t in ours and c != "workspace_id"} == set()


@on_sqlite
def test_every_connection_is_durable_and_waits_for_the_file(store: Store) -> None:
    with store.read() as one, store.read() as two:
        for reading in (one, two):
            values = [
                reading.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
            assert values == ["wal", 2, 1, 5_000]


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    store = Store(url(tmp_path))
    store.migrate()
    with store.create_workspace(W, NOW):
        pass
    store.migrate()
    store.close()
    again = Store(url(tmp_path))
    again.migrate()
    with again.read() as reading:
        assert heads.workspaces(reading) == [W]
    again.close()


@pytest.mark.slow
def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    program = f"from app.store.engine import Store; Store({url(tmp_path)!r}).migrate()"
    running = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=HANG_SECONDS)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    again = Store(url(tmp_path))
    again.migrate()
    again.close()


def refusal(address: str) -> StartError:
    with pytest.raises(StartError) as caught:
        Store(address).migrate()
    assert "\n" not in str(caught.value)
    return caught.value


@on_sqlite
def test_a_database_that_cannot_serve_is_refused_in_one_sentence(tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path / 'no' / 'such' / 'ledger.db'}"
    assert refusal(missing).code == "database_folder_missing"
    assert missing in str(refusal(missing))
    assert refusal(f"sqlite:///{tmp_path}").code == "database_cannot_be_opened"
    (tmp_path / "text.db").write_text("these are notes, not pages of a database" * 200)
    assert refusal(f"sqlite:///{tmp_path / 'text.db'}").code == "not_a_database"
    assert (tmp_path / "text.db").read_text().startswith("these are notes")
    for address in ("sqlite://", "sqlite:///:memory:", "mysql://u:p@h/d"):
        assert refusal(address).code == "database_not_supported"
    assert "p@h" not in str(refusal("mysql://u:p@h/d"))
    assert refusal("nonsense").code == "database_url_unreadable"


@on_sqlite
def test_another_applications_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tassei.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.commit()
    connection.close()
    assert refusal(url(tmp_path)).code == "database_is_foreign"
    assert list(schema(path)) == ["songs"]


@on_sqlite
def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    Store(url(tmp_path)).migrate()
    connection = sqlite3.connect(tmp_path / "tassei.sqlite3")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    assert refusal(url(tmp_path)).code == "database_is_newer"


@on_sqlite
def test_a_read_only_database_is_refused(tmp_path: Path) -> None:
    Store(url(tmp_path)).migrate()
    path = tmp_path / "tassei.sqlite3"
    assert refusal(f"sqlite:///file:{path}?mode=ro&uri=true").code == "database_is_read_only"


def test_a_read_sees_one_moment(store: Store) -> None:
    with store.read() as reading:
        before = heads.head(reading, W)
        with store.write(W, NOW + 9) as writing:
            documents.put(writing, "team", "east", {"name": "東"}, author="test")
        assert heads.head(reading, W) == before
        assert documents.get(reading, W, "team", "east") is None
    with store.read() as reading:
        after = heads.head(reading, W)
    assert before is not None
    assert after == (before.seq + 1, NOW + 9, before.config_version + 1)


def test_a_failed_write_leaves_no_trace(store: Store) -> None:
    with store.read() as reading:
        before = heads.head(reading, W)
    with pytest.raises(TypeError), store.write(W, NOW) as writing:
        _half_done(writing)
    with store.read() as reading:
        assert heads.head(reading, W) == before
        assert documents.all_of(reading, W, "team") == []


def test_writers_stand_in_line(store: Store) -> None:
    def write(number: int) -> None:
        with store.write(W, NOW) as writing:
            documents.put(writing, "team", f"t{number}", {}, author="test")

    with store.read() as reading:
        before = heads.head(reading, W)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    with store.read() as reading:
        after = heads.head(reading, W)
        assert len(documents.all_of(reading, W, "team")) == 20
    assert before is not None
    assert after is not None
    assert after.seq == before.seq + 20


@on_sqlite
def test_a_file_held_by_another_program_is_an_outage_not_a_crash(
    store: Store, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "tassei.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.read() as reading:
        reading.connection.exec_driver_sql("PRAGMA busy_timeout = 10")
    try:
        with pytest.raises(Unavailable, match="database_is_locked"), store.write(W, NOW):
            pass
    finally:
        other.close()
    with store.write(W, NOW) as writing:
        assert writing.workspace == W


def test_a_workspace_is_made_once_and_must_exist(store: Store) -> None:
    with pytest.raises(Conflict, match="workspace_exists"), store.create_workspace(W, NOW):
        pass
    with pytest.raises(NotFound, match="unknown_workspace"), store.write("nowhere", NOW):
        pass
    with store.read() as reading:
        assert heads.head(reading, "nowhere") is None


def _half_done(writing: Writing) -> None:
    documents.put(writing, "team", "east", {}, author="test")
    documents.put(writing, "team", "west", {"name": object()}, author="test")
