"""The engine that replicas share: PostgreSQL 15 or newer, directly or behind a pooler.

Nothing that matters is kept in a session: no setting and no lock outlives a transaction, and plans
are kept only where no pooler may hand every transaction another connection.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.pool import QueuePool

from app.store import sessions

if TYPE_CHECKING:
    from psycopg import Connection as Line

    from app.store.bell import Bell

LANES = 4
OLDEST = 150_000
# Readers, the lanes, and what the background asks for. A server allows a hundred by default, so
# several replicas fit; whoever finds none free within the patience is told to come again.
CONNECTIONS = 12
# However many reports are slow: each lane keeps its connection, and whoever configures has one.
READERS = CONNECTIONS - LANES - 1
PATIENCE_SECONDS = 5
# The same number in every process: only one of them migrates at a time.
_MIGRATION = 0x54617373
_WORDS = {
    "25006": "database_is_read_only",
    "28": "database_refuses_us",
    "3D000": "database_is_missing",
    "40": "database_is_contended",
    "42501": "database_refuses_us",
    "53100": "disk_is_full",
    "53300": "database_is_busy",
    "55P03": "database_is_contended",
    "57014": "database_is_contended",
    "57": "database_is_away",
    "08": "database_is_away",
}
# Whoever waits for a head gives up then and tries again; a replica that went away in the middle
# of a transaction (no goodbye, only silence) loses its lock.
LOCK_TIMEOUT, IDLE_TIMEOUT = "10s", "120s"
_ASKED = (
    "server_version_num",
    "transaction_read_only",
    "synchronous_commit",
    "fsync",
    "server_encoding",
    "synchronous_standby_names",
)
# What waits until a standby has it on disk as well, if it waits for one at all.
_ON_BOTH = frozenset({"on", "remote_apply"})
# Of the data: they say nothing about the engine.
_DATA = ("22", "23")

_log = logging.getLogger(__name__)


class Postgresql:
    """A server. One transaction per workspace: each holds one head's lock and no other."""

    lanes = LANES
    spans_workspaces = False

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            paramstyle="format",
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=PATIENCE_SECONDS,
            # A server that was started anew is noticed before a request is lost to it.
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args={
                "prepare_threshold": None,
                "connect_timeout": PATIENCE_SECONDS,
                # A server that vanished is noticed in a minute instead of the system's hours.
                "keepalives_idle": 20,
                "keepalives_interval": 10,
                "keepalives_count": 4,
                "tcp_user_timeout": 60_000,
            },
        )
        # A report reads many rows; without one snapshot children and parent would disagree.
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        event.listen(self._engine, "after_cursor_execute", sessions.caught_up)
        event.listen(self._engine, "connect", sessions.met)
        self._readers = BoundedSemaphore(READERS)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, from the first statement on."""
        if not self._readers.acquire(timeout=PATIENCE_SECONDS):
            raise NoneFree
        try:
            with self._reading.connect() as connection, connection.begin():
                yield connection
        finally:
            self._readers.release()

    @contextmanager
    def writing(self, *, ahead: bool = False) -> Iterator[Connection]:
        """Read committed: once the head's lock is held, every statement sees all before it."""
        with (
            self._engine.connect() as connection,
            connection.begin(),
            sessions.ahead(connection) if ahead else nullcontext(),
        ):
            sessions.bound(connection, LOCK_TIMEOUT, IDLE_TIMEOUT, ahead=ahead)
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Under a lock that ends with the transaction, also when its process dies."""
        with self.writing() as connection:
            # Waits for another replica's migration, not for a forgotten session's lock on a table.
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION}
            )
            # Whoever wants a table waits behind a migration that waits for it: not for long, and
            # then it is tried again.
            connection.execute(text("SET LOCAL lock_timeout = '3s'"))
            yield connection

    def hold_writers(self, connection: Connection) -> None:
        """By what every write begins with, or a migration and a write could wait for each other."""
        connection.execute(text("LOCK TABLE workspace_head IN EXCLUSIVE MODE"))

    def prepare(self) -> str | None:
        """Refuse a server that is too old, a standby, or one that confirms what it can lose."""
        with self.writing() as connection:
            shown = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in _ASKED}
            _tell_of_failovers(connection, shown)
        if int(shown["server_version_num"]) < OLDEST:
            return "database_is_too_old"
        if shown["transaction_read_only"] == "on":
            return "database_is_read_only"
        if "off" in {shown["synchronous_commit"], shown["fsync"]}:
            return "database_would_lose_commits"
        return None if shown["server_encoding"] == "UTF8" else "database_encoding_not_utf8"

    def is_foreign(self, connection: Connection) -> bool:
        """Tables where ours would be, and ours not among them."""
        found = connection.execute(
            text(
                "SELECT count(*), count(*) FILTER (WHERE tablename = 'workspace_head')"
                " FROM pg_tables WHERE schemaname = current_schema()"
            )
        ).one()
        return bool(found[0] > 0 and found[1] == 0)

    def claim(self, connection: Connection) -> None:
        """The tables say whose it is; a number for the transaction is written for its own sake."""
        connection.execute(text("SELECT pg_current_xact_id()"))

    def sizes(self, connection: Connection) -> dict[str, int]:
        """What the server says; its files are its own business."""
        size = text("SELECT pg_database_size(current_database())")
        return {"database": int(connection.execute(size).scalar_one())}

    def fold_log(self) -> bool:
        """The server looks after its log itself."""
        return True

    def bell(self) -> Bell:
        """Beside the pool's connections, one more."""
        from app.store.bell import Bell  # noqa: PLC0415 - loads the driver, which files do without

        return Bell(self._line)

    def clock(self, connection: Connection) -> int:
        """Of now, not of the transaction's beginning."""
        now = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return int(connection.execute(now).scalar_one())

    def outage(self, error: DBAPIError) -> str | None:
        """By SQLSTATE; a lost connection often has none."""
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            away = error.connection_invalidated or isinstance(
                error, OperationalError | InterfaceError | InternalError
            )
            return "database_is_away" if away else None
        if state.startswith(_DATA):
            return None
        if state in sessions.LOST_PLANS:
            # As good as a lost session: the driver forgets them all and begins anew.
            return "database_is_away"
        found = (word for start, word in _WORDS.items() if state.startswith(start))
        known = next(found, None)
        if known is None and not isinstance(error, OperationalError | InternalError):
            return None
        return known or "store_failed"

    def _line(self) -> Line[Any]:
        dialect = self._engine.dialect
        _, parameters = dialect.create_connect_args(self._engine.url)
        # It mostly waits: a network that forgot it must be noticed by somebody.
        line = dialect.connect(
            **parameters,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=PATIENCE_SECONDS,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        return cast("Line[Any]", line)


def _tell_of_failovers(connection: Connection, shown: Mapping[str, str]) -> None:
    """A primary's disk has what it confirmed, so it may serve; a failover may be another matter."""
    if shown["synchronous_standby_names"]:
        if shown["synchronous_commit"] not in _ON_BOTH:
            _log.warning(
                "a failover to the standby can lose what was acknowledged: synchronous_commit"
                " is %s",
                shown["synchronous_commit"],
            )
    elif connection.execute(text("SELECT count(*) FROM pg_stat_replication")).scalar_one():
        _log.warning(
            "a failover to the standby can lose what was acknowledged: synchronous_standby_names"
            " is empty"
        )
