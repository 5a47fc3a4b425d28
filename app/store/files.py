"""What only a SQLite database has: a file, a log beside it, and pages that are free.

A page that is free is used again by what is written next; the file does not shrink by itself.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

# How long writers wait for the last readers of an old snapshot, so that the log can be cut.
_CUT_MILLISECONDS = 200


def sizes(connection: Connection) -> dict[str, int]:
    """Bytes of the file (`database`), of its pages without content (`free`), and of the `log`."""
    pages, free, size = (
        _number(connection, f) for f in ("page_count", "freelist_count", "page_size")
    )
    log = Path(_path(connection) + "-wal")
    return {
        "database": pages * size,
        "free": free * size,
        "log": log.stat().st_size if log.exists() else 0,
    }


def fold_log(connection: Connection) -> None:
    """Move what the log holds into the file, as far as readers and writers leave room for it."""
    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def cut_log(connection: Connection, busy_seconds: int) -> bool:
    """Empty the log file; False where a reader still needs it. No writer may be under way.

    With writers locked out, who begins to read needs the log no longer: readers that overlap
    without end cannot keep it, only one that lasts can.
    """
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {_CUT_MILLISECONDS}")
    try:
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {busy_seconds * 1000}")
    return not busy


def _number(connection: Connection, pragma: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())


def _path(connection: Connection) -> str:
    return next(
        str(row.file)
        for row in connection.exec_driver_sql("PRAGMA database_list")
        if row.name == "main"
    )
