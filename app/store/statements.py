"""Statements that are compiled once and go to the driver straight, for one row or for many.

What SQLAlchemy does around each statement takes longer than an engine takes for a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ClauseElement,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    select,
    true,
    tuple_,
    update,
)

# The construct is the same in both engines, and this one compiles for both.
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.types import TypeEngine

from app.store.dialect import POSTGRESQL

Rows = list[tuple[Any, ...]]

# What stands between texts until they are escaped: the one character that none of them can have.
_APART, _BETWEEN = "\0", '","'

# The elements of an array have no collation of their own.
_PLAIN: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {
    BigInteger: BigInteger,
    Text: Text,
    LargeBinary: LargeBinary,
}


def inserted(table: Table) -> Insert:
    """An insert that may go on: `on_conflict_do_update`, and `excluded` for what was brought."""
    return insert(table)


def upsert(table: Table, *add: str, replace: Sequence[str] = ()) -> Insert:
    """Insert a row, or on its primary key add to some columns and replace others."""
    return _upserting(insert(table), table, add, replace)


def _upserting(
    statement: Insert, table: Table, add: Sequence[str], replace: Sequence[str]
) -> Insert:
    changes = {name: table.c[name] + statement.excluded[name] for name in add}
    changes |= {name: statement.excluded[name] for name in replace}
    if not changes:
        return statement
    return statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=changes)


class Prepared:
    """A query compiled once, run with positional values.

    The compiler's bookkeeping costs several times what the engine needs for one row.
    """

    def __init__(self, statement: ClauseElement, *parameters: str) -> None:
        self._statement = statement
        self._parameters = parameters
        self._texts: dict[str, str] = {}

    def rows(self, connection: Connection, *values: object) -> Rows:
        """The rows it selects."""
        text = self.text(connection)
        with _straight(connection, text) as cursor:
            connection.dialect.do_execute(cursor, text, values)
            rows: Rows = cursor.fetchall()
            return rows

    def run(self, connection: Connection, *values: object) -> None:
        """Do it, whatever it answers; ahead of that answer, where the transaction goes ahead."""
        text = self.text(connection)
        with _straight(connection, text) as cursor:
            connection.dialect.do_execute(cursor, text, values)

    def text(self, connection: Connection) -> str:
        """The statement in the words of the engine that is connected."""
        known = self._texts.get(connection.dialect.name)
        if known is None:
            known = self._texts[connection.dialect.name] = self._compiled(connection)
        return known

    def _compiled(self, connection: Connection) -> str:
        compiled = self._statement.compile(
            dialect=connection.dialect, column_keys=list(self._parameters)
        )
        if tuple(getattr(compiled, "positiontup", ())) != self._parameters:
            raise AssertionError(str(compiled), self._parameters)
        return str(compiled)


@contextmanager
def _straight(connection: Connection, text: str) -> Iterator[Any]:
    """A cursor of the driver's, with errors as SQLAlchemy raises them."""
    driver: Any = connection.connection.dbapi_connection
    cursor = driver.cursor()
    try:
        with errors_of(connection, text):
            yield cursor
    finally:
        cursor.close()


@contextmanager
def errors_of(connection: Connection, text: str) -> Iterator[None]:
    """The driver's errors as SQLAlchemy raises them; its pool hears of a lost connection."""
    dialect = cast("Any", connection.dialect)  # its protocol knows drivers' errors by shape only
    base: type[Exception] = dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, base, hide_parameters=True, connection_invalidated=lost
        ) from error


def directly(connection: Connection, text: str) -> None:
    """Run a text that takes no values, in the engine's own words."""
    with _straight(connection, text) as cursor:
        cursor.execute(text)


class Many:
    """A change that many rows make, compiled once.

    SQLite runs one statement per row, which costs it microseconds. PostgreSQL would go back and
    forth for each of them: it gets all rows at once, as one array per column.
    """

    def __init__(self, each: ClauseElement, together: ClauseElement, *parameters: str) -> None:
        self._each = Prepared(each, *parameters)
        self._together = Prepared(together, *parameters)

    def many(self, connection: Connection, rows: Rows) -> None:
        """Run it for each row, no two of them about the same; for no rows, not at all."""
        if not rows:
            return
        if connection.dialect.name == POSTGRESQL:
            self._together.run(connection, *map(_array, zip(*rows, strict=True)))
            return
        text = self._each.text(connection)
        with _straight(connection, text) as cursor:
            connection.dialect.do_executemany(cursor, text, rows)


def _array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads it. The driver's own way there takes ten times as long."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds == {str}:
        return f"{{{_quoted(values)}}}"
    return f"{{{','.join([_element(value) for value in values])}}}"


def _element(value: Any) -> str:  # noqa: ANN401 - whatever stands in a row
    if isinstance(value, str):
        return _quoted([value])
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return "NULL" if value is None else str(int(value))


def _quoted(values: Sequence[str]) -> str:
    """Texts between quotes and commas, all escaped in one go."""
    joined = _APART.join(values)
    if joined.count(_APART) != len(values) - 1:
        # As the driver would say it.
        raise DataError("an array", None, ValueError("PostgreSQL takes no text with a NUL"))
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped.replace(_APART, _BETWEEN)}"'


def columns(table: Table) -> tuple[str, ...]:
    """The names of a table's columns, in the order of its rows."""
    return tuple(column.name for column in table.columns)


def inserting(table: Table, *add: str, replace: Sequence[str] = ()) -> Many:
    """Insert rows, or on their primary key add to some columns and replace others."""
    names = columns(table)
    each = insert(table).values({name: bindparam(name) for name in names})
    rows = _brought(table, names)
    together = insert(table).from_select(names, select(*rows.c))
    return Many(
        _upserting(each, table, add, replace), _upserting(together, table, add, replace), *names
    )


def deleting(table: Table, *names: str, where: ColumnElement[bool] | None = None) -> Many:
    """Delete the rows whose key, or the leading part of it, has these values."""
    kept = true() if where is None else where
    each = (table.c[name] == bindparam(name, type_=table.c[name].type) for name in names)
    rows = _brought(table, names)
    together = tuple_(*(table.c[name] for name in names)).in_(select(*rows.c))
    return Many(delete(table).where(*each, kept), delete(table).where(together, kept), *names)


def setting(table: Table, changed: str, *names: str) -> Many:
    """Set one column of the rows whose key has the values that follow it."""
    each = (table.c[name] == bindparam(f"of_{name}", type_=table.c[name].type) for name in names)
    # A SET's own parameters are named as columns, hence other names for those of the key.
    parameters = ("new", *(f"of_{name}" for name in names))
    rows = _brought(table, (changed, *names), parameters)
    together = (table.c[name] == rows.c[name] for name in names)
    change = update(table)
    return Many(
        change.where(*each).values({changed: bindparam("new", type_=table.c[changed].type)}),
        change.where(*together).values({changed: rows.c[changed]}),
        *parameters,
    )


def _brought(table: Table, names: Sequence[str], parameters: Sequence[str] = ()) -> Any:  # noqa: ANN401 - a table-valued alias, whose columns are found by name
    """Bound arrays, one for each column, as rows."""
    kinds = [_PLAIN[type(table.c[name].type)] for name in names]
    arrays = (
        bindparam(parameter, type_=ARRAY(kind))
        for parameter, kind in zip(parameters or names, kinds, strict=True)
    )
    parts = (column(name, kind) for name, kind in zip(names, kinds, strict=True))
    return func.unnest(*arrays).table_valued(*parts).render_derived(name="brought")
