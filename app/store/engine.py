"""The store: one database of ledgers, whichever engine holds it.

Refuses at the start, in one sentence, what it could not serve later: a file that is missing its
folder, read-only, newer than this program, someone else's, on a network disk, or no database at
all; a server that is away, too old, or set so that it loses what it confirmed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from app.domain.errors import TasseiError, Unavailable
from app.store import heads, seals
from app.store.backends import Backend
from app.store.kept import Kept
from app.store.postgresql import Postgresql
from app.store.sqlite import Sqlite
from app.store.transactions import Reading, Writing

if TYPE_CHECKING:
    from app.store.bell import Bell

_SENTENCES = {
    "database_url_unreadable": "The database address cannot be read",
    "database_not_supported": "The database must be a SQLite file (sqlite:///path) or PostgreSQL "
    "(postgresql://user:password@host/name): {url}",
    "database_folder_missing": "The folder of the database does not exist: {url}",
    "database_cannot_be_opened": "The database cannot be opened: {url}",
    "database_on_network_disk": "On a network disk SQLite could damage the database; take a local "
    "disk, or PostgreSQL: {url}",
    "database_is_read_only": "The database cannot be written to: {url}",
    "database_is_newer": "The database was written by a newer version of this program: {url}",
    "database_is_foreign": "The database is another application's: {url}",
    "not_a_database": "The file is not a database: {url}",
    "database_is_damaged": "The database is damaged; restore a backup: {url}",
    "database_is_locked": "Another program holds the database: {url}",
    "database_is_away": "The server does not answer, or knows no such user or database: {url}",
    "database_refuses_us": "The database server refuses this user: {url}",
    "database_is_missing": "The server has no such database: {url}",
    "database_is_busy": "The database server has no connection left: {url}",
    "database_is_contended": "Somebody holds a lock on the database's tables: {url}",
    "database_is_too_old": "PostgreSQL 15 or newer is needed: {url}",
    "database_encoding_not_utf8": "The database must be encoded in UTF8: {url}",
    "database_would_lose_commits": "The server has synchronous_commit or fsync off and would lose "
    "what it confirmed; switch both on: {url}",
    "secret_key_differs": "The credentials in the database are sealed with another secret key; set "
    "TASSEI_SECRET_KEY to that one, the same for all replicas (tassei rekey if it is lost): {url}",
    "disk_is_full": "There is no space left for the database: {url}",
    "store_failed": "The database does not answer: {url}",
}


# How often a migration is begun that meets others on its tables.
_MIGRATIONS = 8


class StartError(TasseiError):
    """The database cannot be used. Its text is one sentence for whoever started the service."""

    def __init__(self, code: str, url: str) -> None:
        super().__init__(code, url=url)

    def __str__(self) -> str:
        return _SENTENCES[self.code].format(**self.params)


class Store:
    """A database of ledgers. Make it, `migrate()` it, then read and write."""

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self._url = parsed.render_as_string()
        self._backend = _backend(parsed)
        self.lanes = self._backend.lanes
        self.spans_workspaces = self._backend.spans_workspaces
        self._refusing: str | None = None
        self._kept = Kept()

    @property
    def refusing(self) -> str | None:
        """Why the last write failed; None when it was done, or there was none yet."""
        return self._refusing

    def close(self) -> None:
        """Give every connection back."""
        self._backend.close()

    def migrate(self) -> None:
        """Bring the tables to this version; harmless when repeated or started twice at once.

        Others may go on reading and writing: where it meets them, it is begun again.
        """
        for attempt in range(_MIGRATIONS, 0, -1):
            try:
                return self._migrated()
            except Unavailable as error:
                if error.code != "database_is_contended" or attempt == 1:
                    raise StartError(error.code, self._url) from error
                time.sleep(random.uniform(0.2, 1))  # noqa: S311 - no secret
        return None

    def hold_key(self, fingerprint: bytes, opens: seals.Opens) -> None:
        """Note whose key it is at the first start. Raises StartError for any other key."""
        try:
            with self.transaction() as connection:
                if not seals.fits(connection, fingerprint, opens):
                    raise StartError("secret_key_differs", self._url)
        except Unavailable as error:
            raise StartError(error.code, self._url) from error

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """One snapshot. Raises Unavailable when the engine cannot serve."""
        with self._outages_named(), self._backend.reading() as connection:
            yield Reading(connection, self._kept)

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
    def transaction(self, *, ahead: bool = False) -> Iterator[Connection]:
        """One write transaction; each workspace in it is to be moved first.

        ahead: for whoever takes an error of any statement for one of the whole.
        """
        try:
            with self._outages_named(), self._backend.writing(ahead=ahead) as connection:
                yield connection
        except Unavailable as error:
            self.refused(error.code)
            raise
        self.refused(None)

    def forget(self, workspace: str) -> None:
        """Take nothing that was read of a workspace before for known."""
        self._kept.forget(workspace)

    def settle(self, workspace: str, at: int) -> None:
        """Make an instant final: no commit comes at or before it any more. Raises Unavailable."""
        with self.transaction() as connection:
            heads.settle(connection, workspace, at)

    def refused(self, why: str | None) -> None:
        """Note why a write failed, or that it was done: here, or in a process of ours."""
        self._refusing = why

    def try_writing(self) -> None:
        """Write without changing anything: what lacked may be there again. Raises Unavailable."""
        with self.transaction() as connection:
            self._backend.claim(connection)

    def sizes(self) -> dict[str, int]:
        """Bytes on disk by part: `database`, and of a file its `free` pages and its `log`."""
        with self.read() as reading:
            return self._backend.sizes(reading.connection)

    def ahead_of_server(self, clock: Callable[[], int]) -> int | None:
        """Microseconds by which a clock is ahead of the server's; None without a server.

        Off by half of what the question takes, at most.
        """
        with self.read() as reading:
            began = clock()
            told = self._backend.clock(reading.connection)
            return None if told is None else (began + clock()) // 2 - told

    def fold_log(self) -> bool:
        """Move a file's log into it and empty it; False where a reader still needs it."""
        with self._outages_named():
            return self._backend.fold_log()

    def bell(self) -> Bell | None:
        """How the processes that share the database wake each other, where several do."""
        return self._backend.bell()

    @contextmanager
    def _outages_named(self) -> Iterator[None]:
        try:
            yield
        except MemoryError as error:
            # Not the item's fault: halving the batch would set aside whatever came at that moment.
            raise Unavailable("memory_is_full") from error
        except NoneFree as error:
            raise Unavailable("database_is_busy", retry_after=1) from error
        except DBAPIError as error:
            word = self._backend.outage(error)
            if word is not None:
                raise Unavailable(word) from error
            raise

    def _migrated(self) -> None:
        with self._outages_named():
            fault = self._backend.prepare()
            if fault is not None:
                raise StartError(fault, self._url)
            with self._backend.migrating() as connection:
                self._upgrade(connection)

    def _upgrade(self, connection: Connection) -> None:
        if self._backend.is_foreign(connection):
            raise StartError("database_is_foreign", self._url)
        from app.store import upgrading  # noqa: PLC0415 - a part of a start that few programs need

        try:
            upgrading.upgrade(self._backend, connection)
        except upgrading.Newer as error:
            raise StartError("database_is_newer", self._url) from error


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise StartError("database_url_unreadable", "") from None


def _backend(url: URL) -> Backend:
    shown = url.render_as_string()
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return Postgresql(url)
    if url.drivername != "sqlite" or url.database in {None, "", ":memory:"}:
        raise StartError("database_not_supported", shown)
    path = str(url.database)
    if not path.startswith("file:") and not Path(path).absolute().parent.is_dir():
        raise StartError("database_folder_missing", shown)
    return Sqlite(url)
