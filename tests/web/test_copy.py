"""`tassei copy`: a database moves to the other engine and back, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text
from typer.testing import CliRunner, Result

from app.cli import cli
from app.domain.errors import Conflict, Invalid, NotFound, Unavailable
from app.main import wall_clock
from app.store import copying
from app.store.engine import Store
from app.store.tables import METADATA, tally_day, workspace_head
from app.usecases.moving import move
from tests import engines
from tests.web.service import started_in
from tests.web.test_replicas import AT, call, settle

WAYS = [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("postgresql", "postgresql")]


@pytest.fixture(params=WAYS, ids=" to ".join)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_ROWS", 7)


def place(folder: Path, engine: str) -> tuple[Path, str]:
    folder.mkdir()
    with engines.use(engine):
        return folder, engines.url(folder)


@contextmanager
def lived_in(folder: Path, engine: str) -> Iterator[str]:
    """The address of a database with a workspace, its plan, activities and a stranger's words."""
    _, address = place(folder, engine)
    with engines.use(engine), started_in(folder, AT, database_url=address) as service:
        settle(service)
        assert service.counts([call(number) for number in range(50)]) == {"accepted": 50}
        service.post_events([call(7) | {"type": "unheard_of"}])
        service.workspace("other")
    yield address


def rows(address: str) -> dict[str, list[tuple[object, ...]]]:
    with closing(Store(address)) as store, store.read() as reading:
        return {
            table.name: [tuple(row) for row in reading.connection.execute(
                select(table).order_by(*table.primary_key.columns)
            )]
            for table in METADATA.sorted_tables
        }  # fmt: skip


def run(*addresses: str) -> Result:
    return CliRunner().invoke(cli, ["copy", *addresses])


def nothing(_table: str, _done: int, _total: int) -> None:
    pass


def test_everything_arrives_and_the_service_goes_on_there(
    tmp_path: Path, way: tuple[str, str]
) -> None:
    folder, target = place(tmp_path / "new", way[1])
    with lived_in(tmp_path / "old", way[0]) as source:
        done = run(source, target)
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[:2] == ["default: 0 mismatches", "other: 0 mismatches"]
        assert rows(target) == rows(source)
    (folder / "secret.key").write_bytes((tmp_path / "old" / "secret.key").read_bytes())
    with engines.use(way[1]), started_in(folder, AT, database_url=target) as service:
        assert service.counts([call(1), call(9_999)]) == {"accepted": 1, "duplicate": 1}
        assert service.progress("december").body["root"]["actual"] == "51"
        assert service.mismatches() == []


def test_a_target_with_a_workspace_is_left_as_it_is(tmp_path: Path, way: tuple[str, str]) -> None:
    with lived_in(tmp_path / "old", way[0]) as source, lived_in(tmp_path / "new", way[1]) as target:
        before = rows(target)
        done = run(source, target)
        assert isinstance(done.exception, Conflict)
        assert done.exception.code == "copy_target_not_empty"
        assert rows(target) == before


def test_a_copy_that_fails_half_way_leaves_nothing(
    tmp_path: Path, way: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(table: str, _done: int, _total: int) -> None:
        if table == "tally_quarter":
            raise Unavailable("disk_is_full")

    _, target = place(tmp_path / "new", way[1])
    with lived_in(tmp_path / "old", way[0]) as source:
        with pytest.raises(Unavailable, match="disk_is_full"):
            list(move(source, target, wall_clock, fail))
        assert not any(rows(target).values())
        monkeypatch.setattr(copying, "_number", lambda *_: 0)
        with pytest.raises(Unavailable, match="copy_incomplete"):
            list(move(source, target, wall_clock, nothing))
        assert not any(rows(target).values())


def test_what_was_counted_wrongly_is_said_and_ends_with_1(tmp_path: Path) -> None:
    _, target = place(tmp_path / "new", "postgresql")
    with lived_in(tmp_path / "old", "sqlite") as source:
        with closing(Store(source)) as store, store.transaction() as connection:
            connection.execute(delete(tally_day))
        done = run(source, target)
    assert done.exit_code == 1
    assert "default: 1 mismatches" in done.stdout


def test_a_source_that_is_not_there_or_empty_is_not_made(tmp_path: Path) -> None:
    _, target = place(tmp_path / "new", "postgresql")
    missing = tmp_path / "nothing.sqlite3"
    with pytest.raises(NotFound, match="no_database"):
        list(move(f"sqlite:///{missing}", target, wall_clock, nothing))
    assert not missing.exists()
    _, empty = place(tmp_path / "empty", "sqlite")
    Store(empty).migrate()
    with pytest.raises(NotFound, match="nothing_to_copy"):
        list(move(empty, target, wall_clock, nothing))


def test_a_text_that_the_target_cannot_hold_is_named_by_its_table(tmp_path: Path) -> None:
    _, target = place(tmp_path / "new", "postgresql")
    with lived_in(tmp_path / "old", "sqlite") as source:
        with closing(Store(source)) as store, store.transaction() as connection:
            connection.execute(text("UPDATE actor SET identity = 'a' || char(0)"))
        with pytest.raises(Invalid) as caught:
            list(move(source, target, wall_clock, nothing))
    assert (caught.value.code, caught.value.params) == ("copy_not_storable", {"table": "actor"})
    with closing(Store(target)) as store, store.read() as reading:
        assert reading.connection.execute(select(workspace_head)).all() == []
