"""The log is shown and cut; readers that overlap cannot keep it, one that lasts can."""

from __future__ import annotations

import threading
from pathlib import Path

from app.store import documents
from app.store.engine import Store
from app.usecases.upkeep import LONG_LOG, Upkeep
from tests.engines import on_sqlite
from tests.patience import HANG_SECONDS
from tests.store.worlds import NOW, W

pytestmark = on_sqlite

LARGE = "x" * 400_000


def write(store: Store, times: int) -> None:
    for number in range(times):
        with store.write(W, NOW) as writing:
            documents.put(writing, "team", f"t{number}", {"name": LARGE}, author="test")


def test_the_sizes_are_those_of_the_files(store: Store, tmp_path: Path) -> None:
    write(store, 5)
    sizes = store.sizes()
    assert sizes["log"] == (tmp_path / "tassei.sqlite3-wal").stat().st_size > 5 * len(LARGE)
    assert store.fold_log()
    sizes = store.sizes()
    assert sizes["log"] == 0
    assert sizes["database"] == (tmp_path / "tassei.sqlite3").stat().st_size > 5 * len(LARGE)


def test_pages_that_become_free_are_used_again(store: Store) -> None:
    write(store, 5)
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM document_version")
        connection.exec_driver_sql("DELETE FROM document WHERE collection = 'team'")
    before = store.sizes()
    assert before["free"] > 5 * len(LARGE)
    write(store, 5)
    after = store.sizes()
    assert after["database"] == before["database"]
    assert after["free"] < before["free"] - 5 * len(LARGE)


def test_a_reader_that_lasts_keeps_the_log_and_loses_it_at_its_end(store: Store) -> None:
    shown: dict[str, int] = {}
    upkeep = Upkeep(store, lambda: 7, shown.__setitem__)
    with store.read() as lasting:
        lasting.connection.exec_driver_sql("SELECT count(*) FROM document").one()
        write(store, 200)
        upkeep.look()
        assert shown["log"] > LONG_LOG
        write(store, 1)  # and nobody waits for it
    upkeep.look()
    assert shown["log"] == 0
    assert shown["deliveries"] == 7


def test_readers_that_overlap_without_end_do_not_keep_the_log(store: Store) -> None:
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            with store.read() as reading:
                reading.connection.exec_driver_sql("SELECT count(*) FROM document").one()
                ended.wait(0.03)

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
        ended.wait(0.006)
    try:
        write(store, 20)
        assert any(store.fold_log() for _ in range(5))
        assert store.sizes()["log"] == 0
    finally:
        ended.set()
        for thread in threads:
            thread.join(HANG_SECONDS)
