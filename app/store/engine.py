"""The store: one database, one writer at a time, readers beside it.

Refuses at the start, in one sentence, what it could not serve later: a file that is missing its
folder, read-only, newer than this program, someone else's, or no database at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError

from app.domain.errors import TasseiError, Unavailable
from app.store import dialect, files, heads
from app.store.transactions import Reading, Writing

_SENTENCES = {
    "database_url_unreadable": "The database address cannot be read: {url}",
    "database_not_supported": "The database must be a SQLite file (sqlite:///path): {url}",
    "database_folder_missing": "The folder of the database does not exist: {url}",
    "database_cannot_be_opened": "The database cannot be opened: {url}",
    "database_is_read_only": "The database cannot be written to: {url}",
    "database_is_newer": "The database was written by a newer version of this program: {url}",
    "database_is_foreign": "The file is another application's database: {url}",
    "not_a_database": "The file is not a database: {url}",
    "database_is_damaged": "The database is damaged; restore a backup: {url}",
    "database_is_locked": "Another program holds the database: {url}",
    "disk_is_full": "There is no space left for the database: {url}",
    "store_failed": "The database does not answer: {url}",
}
_ATTEMPTS = 50


class StartError(TasseiError):
    """The database cannot be used. Its text is one sentence for whoever started the service."""

    def __init__(self, code: str, url: str) -> None:
        super().__init__(code, url=url)

    def __str__(self) -> str:
        return _SENTENCES[self.code].format(**self.params)


class Store:
    """A database of ledgers. Make it, `migrate()` it, then read and write."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = _engine(url)
        # A queue of our own in front of the file's lock: waiting there is fair and wakes at once,
        # while SQLite's busy handler sleeps and polls.
        self._writing = threading.Lock()
        self._refusing: str | None = None

    @property
    def refusing(self) -> str | None:
        """Why the last write failed; None when it was done, or there was none yet."""
        return self._refusing

    def close(self) -> None:
        """Give every connection back; the last one folds the log into the file."""
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to this version; harmless when repeated or started twice at once."""
        try:
            self._use_write_ahead_log()
            with self.transaction() as connection:
                self._upgrade(connection)
        except Unavailable as error:
            raise StartError(error.code, self._url) from error

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """One snapshot. Raises Unavailable when the engine cannot serve."""
        with self._outages_named(), self._engine.connect() as connection, connection.begin():
            yield Reading(connection)

    @contextmanager
    def write(self, workspace: str, now: int) -> Iterator[Writing]:
        """The workspace's head, moved and locked; commits on exit, rolls back on an error."""
        with self.transaction() as connection:
            yield heads.move(connection, workspace, now)

    @contextmanager
    def create_workspace(self, workspace: str, now: int) -> Iterator[Writing]:
        """The first write of a new workspace; its document belongs into the same transaction."""
        with self.transaction() as connection:
            yield heads.create(connection, workspace, now)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One write transaction over any number of workspaces, each to be moved first."""
        try:
            with self._outages_named(), self._writing, self._engine.connect() as connection:
                # Taken as a writer from the start: a reader that upgrades can only fail.
                connection.execution_options(begin="BEGIN IMMEDIATE")
                with connection.begin():
                    yield connection
        except Unavailable as error:
            self._refusing = error.code
            raise
        self._refusing = None

    def try_writing(self) -> None:
        """Write without changing anything: what lacked may be there again. Raises Unavailable."""
        with self.transaction() as connection:
            dialect.claim(connection)

    def sizes(self) -> dict[str, int]:
        """Bytes on disk by part: see `files.sizes`."""
        with self.read() as reading:
            return files.sizes(reading.connection)

    def fold_log(self) -> bool:
        """Move the log into the file and empty it; False where a reader still needs it."""
        with self._outages_named(), self._engine.connect() as connection:
            connection.execution_options(begin="SELECT 1")
            # Most of it beside the writers; they wait for the little that is left.
            files.fold_log(connection)
            with self._writing:
                return files.cut_log(connection)

    @contextmanager
    def _outages_named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if dialect.is_outage(error):
                raise Unavailable(dialect.fault_of(error)) from error
            raise

    def _use_write_ahead_log(self) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with self._outages_named(), self._engine.connect() as connection:
                    connection.execution_options(begin="SELECT 1")
                    dialect.use_write_ahead_log(connection)
            except Unavailable as error:
                # The busy handler does not cover this pragma when two processes start at once.
                if error.code != "database_is_locked" or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.1)
            else:
                return

    def _upgrade(self, connection: Connection) -> None:
        if dialect.is_foreign(connection):
            raise StartError("database_is_foreign", self._url)
        config = Config()
        config.set_main_option("script_location", "app.store:migrations")
        config.attributes["connection"] = connection
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise StartError("database_is_newer", self._url)
        # Written at every start: SQLite begins a "write" on a file that it can only read.
        dialect.claim(connection)
        if current != scripts.get_current_head():
            command.upgrade(config, "head")


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StartError("database_url_unreadable", url) from None
    if parsed.drivername != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise StartError("database_not_supported", parsed.render_as_string())
    path = str(parsed.database)
    if not path.startswith("file:") and not Path(path).absolute().parent.is_dir():
        raise StartError("database_folder_missing", url)
    # As many connections as threads ask for: each is one open file, and a read is short.
    # Values stay out of error texts, which end in logs.
    engine = create_engine(parsed, max_overflow=-1, hide_parameters=True)
    event.listen(engine, "connect", _configured)
    event.listen(engine, "begin", _begun)
    return engine


def _configured(connection: DBAPIConnection, _record: object) -> None:
    dialect.configure(connection)


def _begun(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
