"""A migration that is killed half-way leaves nothing half, however many migrate at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from app.store import heads
from app.store.engine import Store
from app.store.tables import METADATA
from tests import engines
from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import found
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import Service, running
from tests.patience import HANG_SECONDS

pytestmark = [on_both, pytest.mark.slow]
NEVER = 0
ROUNDS = 3


def migrating(address: str, n: int) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.faults.half_a_migration", address, str(n)],
        stdout=subprocess.PIPE,
        text=True,
    )


def tables(address: str) -> list[str]:
    store = Store(address)
    with store.read() as reading:
        found = inspect(reading.connection).get_table_names()
    store.close()
    return sorted(found)


def ended(process: subprocess.Popen[str], *, killed: bool = False) -> int:
    """How many statements it took."""
    said, _ = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == (-signal.SIGKILL if killed else 0)
    return int(said or 0)


def test_a_migration_that_is_killed_anywhere_leaves_nothing_and_is_begun_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "whole").mkdir()
    statements = ended(migrating(engines.url(tmp_path / "whole"), NEVER))
    assert statements > 20
    address = engines.url(tmp_path)
    # The first statements of all are settings, which stay: so it may take some less.
    for n in (statements // 3, 2 * statements // 3, statements - 4):
        ended(migrating(address, n), killed=True)
        assert tables(address) == []
    ended(migrating(address, NEVER))
    assert tables(address) == tables(engines.url(tmp_path / "whole"))


@pytest.mark.faults
def test_two_replicas_migrate_an_empty_database_at_once_while_a_third_is_killed(
    tmp_path: Path, noted: Noted
) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        address = engines.url(folder)
        dying = migrating(address, 15 + 10 * number)
        services = [Service(folder, log=folder / f"{place}.log") for place in range(2)]
        with running(*services):
            # The one that dies may have come too late: then it found nothing to do.
            dying.communicate(timeout=HANG_SECONDS)
            assert dying.returncode in (0, -signal.SIGKILL)
            with services[0].store() as store, store.read() as reading:
                context = MigrationContext.configure(
                    reading.connection, opts={"compare_type": True}
                )
                if engines.chosen() == engines.POSTGRESQL:
                    assert compare_metadata(context, METADATA) == []
                assert len(context.get_current_heads()) == 1
                assert heads.workspaces(reading) == ["default"]
            found(services[0])
            load = Load(*services)
            load.send(30)
            verdict = assert_laws(services[1], load.told)
    noted("migration killed, two more at once", ROUNDS, verdict)
