"""What differs between engines, in one place: column types, functions, pragmas, error words.

Statements are written in Core and compiled for whichever engine is connected. SQLite's STRICT
tables know INTEGER, TEXT and BLOB only, and without STRICT a sum at 2^63 silently becomes a float.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Whole = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Words = Text()
Octets = LargeBinary()

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

APPLICATION = 0x54617373  # "Tass", in the header of every database file of ours
BUSY_SECONDS = 5
_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys = ON",
    # NORMAL loses acknowledged commits when the power fails; WAL alone does not help.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -32768",
    # Folding the log into the file less often: a page that many commits touched moves once.
    "PRAGMA wal_autocheckpoint = 4000",
    # After a burst the log file is cut back instead of keeping its largest size for ever.
    "PRAGMA journal_size_limit = 67108864",
)


class greatest(FunctionElement[int]):  # noqa: N801 - named as the SQL function it is
    """The greater of two values of one row; SQLite calls it max."""

    inherit_cache = True
    type = Whole


@compiles(greatest)
def _greatest(element: greatest, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the compiler's protocol
    return f"max({compiler.process(element.clauses, **options)})"


def listed(parameter: str) -> TableValuedAlias:
    """A bound JSON array as rows with a column `value`: one statement text for any length."""
    return func.json_each(bindparam(parameter, type_=Words)).table_valued("value")


def paired(parameter: str) -> AnySelect:
    """A bound JSON array of pairs as rows of two columns, `first` and `second`."""
    rows = listed(parameter)
    first: ColumnElement[Any] = literal_column("json_extract(value, '$[0]')")
    second: ColumnElement[Any] = literal_column("json_extract(value, '$[1]')")
    return select(first.label("first"), second.label("second")).select_from(rows)


def tripled(parameter: str, *names: str) -> AnySelect:
    """A bound JSON array of arrays of whole numbers as rows of named columns."""
    rows = listed(parameter)
    parts = (
        literal_column(f"json_extract(value, '$[{place}]')", Whole).label(name)
        for place, name in enumerate(names)
    )
    return select(*parts).select_from(rows)


def upsert(table: Table, *add: str, replace: Sequence[str] = ()) -> Insert:
    """Insert a row, or on its primary key add to some columns and replace others."""
    statement = insert(table)
    changes = {name: table.c[name] + statement.excluded[name] for name in add}
    changes |= {name: statement.excluded[name] for name in replace}
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=changes)


class Prepared:
    """A statement compiled once, run with positional tuples.

    The compiler's bookkeeping costs several times what the engine needs for one row.
    """

    def __init__(self, statement: ClauseElement, *parameters: str) -> None:
        self._statement = statement
        self._parameters = parameters
        self._texts: dict[str, str] = {}

    def many(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """Run it once for each row; for no rows, not at all."""
        if rows:
            connection.exec_driver_sql(self._text(connection), rows)

    def rows(self, connection: Connection, *values: object) -> list[tuple[Any, ...]]:
        """The rows it selects."""
        found = connection.exec_driver_sql(self._text(connection), values)
        return [tuple(row) for row in found]

    def _text(self, connection: Connection) -> str:
        known = self._texts.get(connection.dialect.name)
        if known is None:
            compiled = self._statement.compile(
                dialect=connection.dialect, column_keys=list(self._parameters)
            )
            if tuple(getattr(compiled, "positiontup", ())) != self._parameters:
                raise AssertionError(str(compiled), self._parameters)
            known = self._texts[connection.dialect.name] = str(compiled)
        return known


def columns(table: Table) -> tuple[str, ...]:
    """The names of a table's columns, in the order of its rows."""
    return tuple(column.name for column in table.columns)


def deleting(table: Table, *names: str) -> Prepared:
    """Delete the rows whose key, or the leading part of it, has these values."""
    same = (table.c[name] == bindparam(name, type_=table.c[name].type) for name in names)
    return Prepared(delete(table).where(*same), *names)


def configure(connection: DBAPIConnection) -> None:
    """What every new connection needs; transactions are begun by us, not by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def use_write_ahead_log(connection: Connection) -> None:
    """Make readers and the writer independent. The file remembers it."""
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() != "wal":
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def is_foreign(connection: Connection) -> bool:
    """Whether the file already belongs to some other application."""
    if connection.exec_driver_sql("PRAGMA application_id").scalar_one() == APPLICATION:
        return False
    return connection.execute(text("SELECT 1 FROM sqlite_master")).first() is not None


def claim(connection: Connection) -> None:
    """Write whose file this is into its header."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")


_START = {
    "SQLITE_CANTOPEN": "database_cannot_be_opened",
    "SQLITE_READONLY": "database_is_read_only",
    "SQLITE_NOTADB": "not_a_database",
    "SQLITE_CORRUPT": "database_is_damaged",
    "SQLITE_BUSY": "database_is_locked",
    "SQLITE_FULL": "disk_is_full",
}


def fault_of(error: DBAPIError) -> str:
    """A stable word for why the engine cannot serve."""
    name = getattr(error.orig, "sqlite_errorname", "")
    return next((code for start, code in _START.items() if name.startswith(start)), "store_failed")


def is_outage(error: DBAPIError) -> bool:
    """Whether the engine failed us, rather than refused the data."""
    if isinstance(error, OperationalError):
        return True
    # A damaged or foreign file is reported by the plain root class.
    return type(error.orig) is sqlite3.DatabaseError
