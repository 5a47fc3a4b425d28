"""A backup while senders pour, and the way back to it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import cli
from app.domain.errors import Invalid, NotFound, TasseiError, Unavailable
from app.store import heads, ledger
from app.store.backup import copied
from app.store.engine import Store
from app.usecases.backing_up import back_up
from app.views.messages import sentence
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import Told, assert_laws
from tests.store.worlds import W, delivery, opened, sent, url, won

_STORED = text("SELECT key, revision, seq FROM activity_revision WHERE workspace_id = :w")


def stored(store: Store) -> dict[tuple[str, str], int]:
    """Every report there is, and the commit that brought it."""
    with store.read() as reading:
        rows = reading.connection.execute(_STORED, {"w": W})
        return {(key, revision): seq for key, revision, seq in rows}


@pytest.mark.slow
def test_a_backup_while_senders_pour_is_a_prefix_and_the_rest_comes_by_sending_again(
    tmp_path: Path, noted: Noted
) -> None:
    backup = tmp_path / "backup.sqlite3"
    with serving(tmp_path) as service:
        load = Load(service)
        with load.pouring(workers=2):
            time.sleep(0.3)
            said = service.run("backup", str(backup), "--verify").stdout
            acked = len(load.acked)
            time.sleep(0.2)
        assert len(load.acked) > acked > 0
        assert_laws(service, load.told)
        with service.store() as live:
            everything = stored(live)
        copy = Store(f"sqlite:///{backup}")
        with copy.read() as reading:
            head = heads.head(reading, W)
        assert head is not None
        held = stored(copy)
        # No event of a commit up to the copy's last one is missing, and none of a later one there.
        assert held == {place: seq for place, seq in everything.items() if seq <= head.seq}
        assert 0 < len(held) < len(everything)
        assert ledger.verify(copy, W) == []
        assert_laws(copy, [Told(load.sent, [one for one in load.acked if one.place in held])])
        copy.close()
        assert f"commit {head.seq} " in said
        assert "secret.key" in said
        service.stop()
        for end in ("-wal", "-shm"):
            (tmp_path / f"tassei.sqlite3{end}").unlink(missing_ok=True)
        shutil.copyfile(backup, tmp_path / "tassei.sqlite3")
        service.start()
        load.resend()
        noted("older backup, all sent again", 1, assert_laws(service, load.told))


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    assert isinstance(failure(tmp_path / "copy"), NotFound)
    assert not list(tmp_path.iterdir())
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert failure(taken).code == "file_exists"
    assert taken.read_text() == "mine"
    assert failure(tmp_path / "no" / "copy").code == "backup_not_written"
    monkeypatch.setenv("TASSEI_DATABASE_URL", f"sqlite:///{taken}")
    assert failure(tmp_path / "copy").code == "backup_not_written"
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE songs (title)")
    foreign.close()
    monkeypatch.setenv("TASSEI_DATABASE_URL", f"sqlite:///{tmp_path / 'foreign'}")
    assert failure(tmp_path / "copy").code == "no_database"
    assert not list(tmp_path.glob("copy*"))
    assert not list(tmp_path.glob("taken?*"))


def failure(target: Path) -> TasseiError:
    found = CliRunner().invoke(cli, ["backup", str(target)])
    assert isinstance(found.exception, TasseiError), found.output
    return found.exception


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    with (
        pytest.raises(Invalid, match="backup_by_its_own_tools") as caught,
        copied("postgresql://user:word@host/tassei", tmp_path / "copy", lambda *_: None),
    ):
        pass
    told = sentence(caught.value.code, caught.value.params, "en")
    assert "pg_dump" in told
    assert "pg_basebackup" in told


def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    store = opened(tmp_path)
    sent(store, *(delivery(won(f"d-{number}")) for number in range(500)))
    store.close()
    file = tmp_path / "tassei.sqlite3"
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 4_096] = b"\xa5" * 4_096
    file.write_bytes(octets)
    with (
        pytest.raises(Unavailable, match=r"backup_(damaged|not_written)"),
        copied(url(tmp_path), tmp_path / "copy", lambda *_: None),
    ):
        pass
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_that_was_counted_wrongly_is_not_kept_when_it_is_recounted(tmp_path: Path) -> None:
    store = opened(tmp_path)
    sent(store, delivery(won("d-1")))
    with store.transaction() as connection:
        connection.execute(text("UPDATE tally_day SET number = number + 1"))
    store.close()
    with pytest.raises(Unavailable, match="backup_miscounted"):
        back_up(url(tmp_path), tmp_path / "copy", lambda *_: None, verified=lambda _: None)
    assert not list(tmp_path.glob("copy*"))
    made = back_up(url(tmp_path), tmp_path / "copy", lambda *_: None)
    assert [(one.workspace, one.activities) for one in made.held] == [(W, 1)]
