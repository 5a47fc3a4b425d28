"""A database copied into another one, of whichever engine: table by table, in the order of keys.

One snapshot of the source, one transaction of the target: what failed half-way left nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, make_url, select
from sqlalchemy.exc import DataError, IntegrityError

from app.domain.errors import Conflict, Invalid, NotFound, Unavailable
from app.store import heads
from app.store.engine import Store
from app.store.statements import inserting
from app.store.tables import METADATA, delivery, seal, workspace_head
from app.store.transactions import Reading

# Told of a table, how many of its rows are copied, and how many there are.
Told = Callable[[str, int, int], None]
_ROWS = 1_000
# Each may bring a body of a mebibyte.
_DELIVERIES = 50


def opened(url: str, *, there: bool) -> Store:
    """A database with the tables of this version. `there`: it must be one of ours already.

    Raises NotFound `no_database`, and StartError.
    """
    path = str(make_url(url).database) if url.startswith("sqlite:") else None
    if there and path is not None and not Path(path).is_file():
        raise NotFound("no_database", file=path)
    store = Store(url)
    try:
        store.migrate()
    except Exception:
        store.close()
        raise
    return store


def copy(source: Store, target: Store, told: Told) -> list[str]:
    """Copy everything; the workspaces that were copied.

    Raises Conflict `copy_target_not_empty`, NotFound `nothing_to_copy`, Invalid
    `copy_not_storable` and Unavailable `copy_incomplete`.
    """
    with source.read() as reading, target.transaction() as connection:
        found = heads.workspaces(reading)
        if not found:
            raise NotFound("nothing_to_copy")
        if connection.execute(select(workspace_head.c.workspace_id).limit(1)).first():
            raise Conflict("copy_target_not_empty")
        # Noted by a command that looked in before; without workspaces it says nothing.
        connection.execute(delete(seal))
        for table in METADATA.sorted_tables:
            _copy(reading, connection, table, told)
    return found


def _copy(reading: Reading, connection: Connection, table: Table, told: Told) -> None:
    total, done = _number(reading.connection, table), 0
    into = inserting(table)
    rows = reading.connection.execute(
        select(table).order_by(*table.primary_key.columns),
        execution_options={"yield_per": _DELIVERIES if table is delivery else _ROWS},
    )
    try:
        for part in rows.partitions():
            into.many(connection, [tuple(row) for row in part])
            done += len(part)
            told(table.name, done, total)
    except IntegrityError as error:
        # Somebody began to use it meanwhile.
        raise Conflict("copy_target_not_empty") from error
    except DataError as error:
        raise Invalid("copy_not_storable", table=table.name) from error
    if not _number(connection, table) == done == total:
        raise Unavailable("copy_incomplete", table=table.name)


def _number(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
