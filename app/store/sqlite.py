"""The embedded engine: one file, one writer at a time, readers beside it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from app.store import disks, files
from app.store.floor import Floor
from app.store.statements import directly

APPLICATION = 0x54617373  # "Tass", in the header of every database file of ours
BUSY_SECONDS = 5
_TO_WRITE = "BEGIN IMMEDIATE"
_ATTEMPTS = 50
_PRAGMAS: tuple[str, ...] = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys = ON",
    # NORMAL loses acknowledged commits when the power fails; WAL alone does not help.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -32768",
    # Folding the log (at 64 MiB) into the file less often: a page that many commits touched moves
    # once.
    "PRAGMA wal_autocheckpoint = 16000",
    # After a burst the log file is cut back instead of keeping its largest size for ever.
    "PRAGMA journal_size_limit = 67108864",
)
_WORDS = {
    "SQLITE_CANTOPEN": "database_cannot_be_opened",
    "SQLITE_READONLY": "database_is_read_only",
    "SQLITE_NOTADB": "not_a_database",
    "SQLITE_CORRUPT": "database_is_damaged",
    "SQLITE_BUSY": "database_is_locked",
    "SQLITE_FULL": "disk_is_full",
}

_log = logging.getLogger(__name__)


class Sqlite:
    """A database file. One transaction may hold many workspaces: there is one writer anyway."""

    lanes = 1
    spans_workspaces = True

    def __init__(self, url: URL) -> None:
        # As many connections as threads ask for: each is one open file, and a read is short.
        # Values stay out of error texts, which end in logs.
        self._engine = create_engine(url, max_overflow=-1, hide_parameters=True)
        event.listen(self._engine, "connect", configured)
        event.listen(self._engine, "begin", _begun)
        path = str(url.database)
        self._floor = Floor(None if path.startswith("file:") else path, BUSY_SECONDS)
        # Whoever has the floor writes by it: taking one from the pool and giving it back costs as
        # much as writing ten rows.
        self._writer: Connection | None = None

    def close(self) -> None:
        """The last connection folds the log into the file."""
        with self._floor.here:
            self._drop_writer()
        self._engine.dispose()
        self._floor.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, from the first statement on."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, ahead: bool = False) -> Iterator[Connection]:  # noqa: ARG002 - nothing is far away here
        """Taken as a writer from the start: a reader that upgrades can only fail."""
        with self._floor.taken():
            connection = self._writer
            if connection is None or connection.closed:
                connection = self._engine.connect().execution_options(begin=_TO_WRITE)
            self._writer = connection
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # Whatever state it is in, the next one begins with a new one.
                self._drop_writer()
                raise

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def migrating(self) -> AbstractContextManager[Connection]:
        """The file's own lock keeps the others out."""
        return self.writing()

    def hold_writers(self, _connection: Connection) -> None:
        """A file has one writer, and this is it."""

    def prepare(self) -> str | None:
        """Refuse a network disk; make readers and the writer independent, which the file keeps."""
        if (fault := self._unfit_disk()) is not None:
            return fault
        for attempt in range(_ATTEMPTS):
            try:
                self._use_write_ahead_log()
            except DBAPIError as error:
                # The busy handler does not cover this pragma when two processes start at once.
                busy = self.outage(error) == "database_is_locked"
                if not busy or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.1)
            else:
                break
        return None

    def is_foreign(self, connection: Connection) -> bool:
        """Ours say so in the header of the file."""
        if connection.exec_driver_sql("PRAGMA application_id").scalar_one() == APPLICATION:
            return False
        return connection.execute(text("SELECT 1 FROM sqlite_master")).first() is not None

    def claim(self, connection: Connection) -> None:
        """Written at every start: SQLite begins a "write" on a file that it can only read."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")

    def sizes(self, connection: Connection) -> dict[str, int]:
        """What the file, its empty pages and its log take."""
        return files.sizes(connection)

    def fold_log(self) -> bool:
        """Most of it beside the writers; they wait for the little that is left."""
        with self._engine.connect() as connection:
            connection.execution_options(begin="SELECT 1")
            files.fold_log(connection)
            with self._floor.taken():
                return files.cut_log(connection, BUSY_SECONDS)

    def bell(self) -> None:
        """One process serves a file; what the command line writes is found by looking."""

    def clock(self, _connection: Connection) -> None:
        """The file has none."""

    def outage(self, error: DBAPIError) -> str | None:
        """What the engine's own name for the error means to whoever runs it."""
        # A damaged or foreign file is reported by the plain root class.
        if (
            not isinstance(error, OperationalError)
            and type(error.orig) is not sqlite3.DatabaseError
        ):
            return None
        name = getattr(error.orig, "sqlite_errorname", "")
        return next(
            (word for start, word in _WORDS.items() if name.startswith(start)), "store_failed"
        )

    def _unfit_disk(self) -> str | None:
        """Asked before the first connection: a lock of another machine's could hold that one."""
        disk = disks.disk_of(Path(str(self._engine.url.database).removeprefix("file:")))
        if disk is not None and disk.is_network:
            return "database_on_network_disk"
        if disk is not None and disk.is_foreign:
            _log.warning(
                "the database is on %s at %s, whose locks and fsync must be as a local disk's",
                disk.kind,
                disk.mounted,
            )
        return None

    def _use_write_ahead_log(self) -> None:
        with self._engine.connect() as connection:
            connection.execution_options(begin="SELECT 1")
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def configured(connection: DBAPIConnection, _record: object = None) -> None:
    """What every new connection needs; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begun(connection: Connection) -> None:
    directly(connection, connection.get_execution_options().get("begin", "BEGIN"))
