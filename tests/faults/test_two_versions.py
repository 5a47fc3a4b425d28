"""A rolling update: the version before goes on while the next one migrates and serves beside it."""

from __future__ import annotations

import re
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import event, inspect, text

from app.store.engine import Store
from tests import engines
from tests.engines import on_postgresql
from tests.faults.conftest import Noted
from tests.faults.founded import found
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import Service, running

pytestmark = on_postgresql


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [1, pytest.param(4, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_the_version_before_counts_on_while_the_next_one_migrates_and_serves_beside_it(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        old = Service(folder, log=folder / "old.log")
        new = Service(
            folder, log=folder / "new.log", program=("tests.faults.next_release", folder / "next")
        )
        with running(old):
            found(old)
            load = Load(old, new, seed=number + 1)
            with load.pouring(2, pause=0.2):
                time.sleep(0.5)
                with running(new):
                    time.sleep(1)
                    # The old one was not restarted, and is as good as before.
                    assert old.process.poll() is None
                    assert old.ask("GET", "/readyz").json() == {"status": "ready"}
                    assert load.answers[200]
                    assert_laws_while(new)
                    new.stop()
            assert set(load.answers) == {200}
            assert_laws(old, load.told)
            old.stop()
            # Once it has ended it does not come back, and says why.
            refused = subprocess.run(  # noqa: S603 - our own program
                old.command, cwd=old.root, env=old.environment, capture_output=True, text=True,
                check=False, timeout=60,
            )  # fmt: skip
            assert refused.returncode == 2
            assert "newer version" in refused.stderr
            with running(new):
                assert load.beside is not None
                for one in (load, load.beside):
                    one.services = (new,)
                load.resend()
                verdict = assert_laws(new, load.told)
        noted("two versions at once", rounds, verdict)


def assert_laws_while(service: Service) -> None:
    """What the next one's migration was to do is done."""
    with service.store() as store, store.read() as reading:
        names = inspect(reading.connection).get_table_names()
        assert "of_the_next" in names
        filled = reading.connection.execute(text("SELECT count(*) FROM of_the_next")).scalar_one()
        assert filled == 2


HARMLESS = re.compile(
    r"(SELECT|SHOW|INSERT INTO|UPDATE alembic_version|SET LOCAL|CREATE TABLE alembic_version)\b"
)
NOTED = re.compile(
    r"(?:UPDATE alembic_version SET version_num=|INSERT INTO alembic_version.*VALUES \()'(\d{4})'"
)
MADE = re.compile(r"CREATE TABLE (\w+)")
INDEXED = re.compile(r"CREATE (UNIQUE )?INDEX \w+ ON (\w+)")
ADDED = re.compile(r"ALTER TABLE (\w+) ADD COLUMN \w+ (.*)", re.DOTALL)


def broken_by(statements: list[str]) -> list[str]:
    """The statements that could fail the version before, which knows nothing of them."""
    found, own = [], set()
    for statement in (" ".join(one.split()) for one in statements):
        if HARMLESS.match(statement):
            continue
        harmless = False
        if made := MADE.match(statement):
            harmless = True
            own.add(made[1])
        elif indexed := INDEXED.match(statement):
            harmless = not indexed[1] or indexed[2] in own
        elif added := ADDED.match(statement):
            harmless = added[1] in own or "NOT NULL" not in added[2] or "DEFAULT" in added[2]
        if not harmless:
            found.append(statement)
    return found


def test_every_migration_only_adds_what_the_version_before_does_not_notice(tmp_path: Path) -> None:
    store = Store(engines.url(tmp_path))
    said: dict[str, list[str]] = defaultdict(list)
    waiting: list[str] = []

    def hear(_c: object, _k: object, statement: str, *_: object) -> None:
        waiting.append(statement)
        if (moved := NOTED.match(statement)) is not None:
            said[moved[1]] += waiting
            waiting.clear()

    event.listen(engines.engine_of(store), "before_cursor_execute", hear)
    store.migrate()
    store.close()
    versions = Path(engines.__file__).parents[1] / "app" / "store" / "migrations" / "versions"
    assert sorted(said) == sorted(path.name[:4] for path in versions.glob("[0-9]*.py"))
    assert {number: broken for number, own in said.items() if (broken := broken_by(own))} == {}
    # Who waits for a lock on a table makes all others wait behind: not for long.
    before_the_first = "".join(said["0001"]).partition("CREATE TABLE")[0]
    assert "SET LOCAL lock_timeout" in before_the_first


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE activity DROP COLUMN digest",
        "ALTER TABLE activity RENAME TO activities",
        "ALTER TABLE activity ALTER COLUMN kind TYPE BIGINT",
        "ALTER TABLE activity ADD COLUMN more BIGINT NOT NULL",
        "ALTER TABLE activity ADD CONSTRAINT short CHECK (length(key) < 9)",
        "CREATE UNIQUE INDEX one_kind ON activity (workspace_id, kind)",
        "DROP TABLE counting",
        "UPDATE activity SET kind = 'call'",
        "DELETE FROM counting",
    ],
)
def test_that_check_finds_what_would_break_the_version_before(statement: str) -> None:
    assert broken_by([statement]) == [statement]
