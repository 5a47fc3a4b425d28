"""What the store asks of an engine: connections that begin as readers or writers, and reasons.

Two answer it: `sqlite`, one file and one writer at a time, and `postgresql`, which many replicas
of the service share.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from app.store.bell import Bell


class Backend(Protocol):
    """A database, opened. Nothing is asked of it before the first connection."""

    @property
    def lanes(self) -> int:
        """How many transactions of activities can be under way at once."""

    @property
    def spans_workspaces(self) -> bool:
        """Whether one transaction should hold whatever waits, of many workspaces."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one snapshot and changes nothing."""

    def writing(self, *, ahead: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that writes; it commits on exit, rolls back on an error.

        ahead: prepared changes go out without waiting for their answers. What is wrong with one
        is then raised by a later statement, or at the end.
        """

    def migrating(self) -> AbstractContextManager[Connection]:
        """The same, alone among all processes that would migrate."""

    def hold_writers(self, connection: Connection) -> None:
        """Let nobody begin to write until the end of this transaction, and wait for who did."""

    def prepare(self) -> str | None:
        """Before migrating: a code where the engine is set so that it could lose commits."""

    def is_foreign(self, connection: Connection) -> bool:
        """Whether the database already belongs to some other application."""

    def claim(self, connection: Connection) -> None:
        """Say whose database this is; fails where it can only be read."""

    def sizes(self, connection: Connection) -> dict[str, int]:
        """Bytes by part: `database`, and where the engine is a file its `free` pages and `log`."""

    def fold_log(self) -> bool:
        """Empty a log that grew long; False where a reader still needs it."""

    def clock(self, connection: Connection) -> int | None:
        """The instant by the engine's own clock; None where it is this machine's anyway."""

    def outage(self, error: DBAPIError) -> str | None:
        """A stable word for why the engine failed us; None when it refused the data."""

    def bell(self) -> Bell | None:
        """How processes wake each other; None where only one serves the database."""

    def close(self) -> None:
        """Give every connection back."""
