"""What differs between engines in SQL, in one place: column types, functions, many rows at once.

Statements are written in Core and compiled for whichever engine is connected. SQLite's STRICT
tables know INTEGER, TEXT and BLOB only, and without STRICT a sum at 2^63 silently becomes a float.
PostgreSQL would sort text by the rules of a language, so its columns are told to compare bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ClauseElement,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import sqlite

# The construct is the same in both engines, and this one compiles for both.
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

Whole = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Words = Text().with_variant(Text(collation="C"), "postgresql")
Octets = LargeBinary()

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
Rows = list[tuple[Any, ...]]

POSTGRESQL = "postgresql"

# The elements of an array have no collation of their own.
_PLAIN: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {
    BigInteger: BigInteger,
    Text: Text,
    LargeBinary: LargeBinary,
}


class greatest(FunctionElement[int]):  # noqa: N801 - named as the SQL function it is
    """The greater of two values of one row; SQLite calls it max."""

    inherit_cache = True
    type = Whole


class position(FunctionElement[int]):  # noqa: N801 - named as the SQL function it is
    """Where a text contains another, counted from 1; 0 when it does not."""

    inherit_cache = True
    type = Whole


class elements(FunctionElement[str]):  # noqa: N801 - named as the SQL function it is
    """The elements of a bound JSON array as rows with one column, `value`."""

    inherit_cache = True
    type = Text()


class word(FunctionElement[str]):  # noqa: N801 - used like the SQL functions
    """An element as text: the whole of it, or what stands at a place of it."""

    inherit_cache = True
    type = Words


class whole(FunctionElement[int]):  # noqa: N801 - used like the SQL functions
    """An element as a whole number: the whole of it, or what stands at a place of it."""

    inherit_cache = True
    type = Whole


@compiles(greatest)
def _greatest(element: greatest, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the compiler's protocol
    name = "greatest" if compiler.dialect.name == POSTGRESQL else "max"
    return f"{name}({compiler.process(element.clauses, **options)})"


@compiles(position)
def _position(element: position, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    name = "strpos" if compiler.dialect.name == POSTGRESQL else "instr"
    return f"{name}({compiler.process(element.clauses, **options)})"


@compiles(elements)
def _elements(element: elements, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    array = compiler.process(element.clauses, **options)
    if compiler.dialect.name == POSTGRESQL:
        return f"json_array_elements(CAST({array} AS json))"
    return f"json_each({array})"


@compiles(word)
def _word(element: word, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    return _extracted(element, compiler, options)


@compiles(whole)
def _whole(element: whole, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    extracted = _extracted(element, compiler, options)
    if compiler.dialect.name == POSTGRESQL:
        return f"CAST({extracted} AS BIGINT)"
    return extracted


def _extracted(
    element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]
) -> str:
    value, *place = (compiler.process(clause, **options) for clause in element.clauses)
    if compiler.dialect.name == POSTGRESQL:
        return f"({value} ->> {place[0]})" if place else f"({value} #>> '{{}}')"
    return f"json_extract({value}, '$[{place[0]}]')" if place else value


def listed(parameter: str, kind: type[word | whole] = word) -> AnySelect:
    """A bound JSON array of texts or whole numbers as rows: one statement for any length."""
    return select(kind(_each(parameter)).label("value"))


def tabled(parameter: str, kind: type[word | whole], *names: str) -> AnySelect:
    """A bound JSON array of arrays as rows of named columns."""
    value = _each(parameter)
    parts = (
        kind(value, literal_column(str(place))).label(name) for place, name in enumerate(names)
    )
    return select(*parts)


def _each(parameter: str) -> ColumnElement[Any]:
    rows = elements(bindparam(parameter, type_=Text())).table_valued("value")
    return rows.c.value


def summed(column: ColumnElement[int]) -> ColumnElement[int]:
    """A sum as a whole number. PostgreSQL would answer a decimal, to be safe from overflow."""
    return cast(func.sum(column), Whole)


def halves(column: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The sums of the upper and the lower 32 bits, to be put together by `joined`.

    An engine's sum of many 64-bit totals can leave 64 bits; SQLite then refuses the whole answer.
    """
    upper = column.bitwise_rshift(literal_column("32"))
    return summed(upper), summed(column.bitwise_and(literal_column(str(2**32 - 1))))


def joined(upper: int, lower: int) -> int:
    """The sum whose halves these are."""
    return (upper << 32) + lower


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
        if connection.dialect.name == POSTGRESQL:
            return [tuple(row) for row in connection.exec_driver_sql(text, values)]
        with _straight(connection, text) as cursor:
            connection.dialect.do_execute(cursor, text, values)
            rows: Rows = cursor.fetchall()
            return rows

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
    """A cursor of the driver's, with errors as SQLAlchemy raises them.

    What SQLAlchemy builds around each statement takes longer than SQLite takes for a row. To a
    server the way is longer, and a lost connection has to be told to the pool: there it stays.
    """
    driver: Any = connection.connection.dbapi_connection
    base: type[Exception] = connection.dialect.loaded_dbapi.Error
    cursor = driver.cursor()
    try:
        yield cursor
    except base as error:
        raise DBAPIError.instance(text, None, error, base, hide_parameters=True) from error
    finally:
        cursor.close()


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
            values = tuple(map(list, zip(*rows, strict=True)))
            connection.exec_driver_sql(self._together.text(connection), values)
            return
        text = self._each.text(connection)
        with _straight(connection, text) as cursor:
            connection.dialect.do_executemany(cursor, text, rows)


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
