"""What differs between engines in SQL, in one place: column types and functions.

Statements are written in Core and compiled for whichever engine is connected. SQLite's STRICT
tables know INTEGER, TEXT and BLOB only, and without STRICT a sum at 2^63 silently becomes a float.
PostgreSQL would sort text by the rules of a language, so its columns are told to compare bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite

# The construct is the same in both engines, and this one compiles for both.
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Whole = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
Words = Text().with_variant(Text(collation="C"), "postgresql")
Octets = LargeBinary()

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

POSTGRESQL = "postgresql"


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


class among(FunctionElement[bool]):  # noqa: N801 - used like the SQL functions
    """Whether a column is one of the values of a query that names no table of ours.

    PostgreSQL may read all rows of a source and then look which are among these: a fresh table has
    no statistics, and it takes a source for one row. Of an array it looks each value up.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], values: AnySelect) -> None:
        super().__init__(column, values.scalar_subquery())


class narrowed(among):  # noqa: N801 - used like the SQL functions
    """The same said beside a stricter condition, for the engine that would not see it in there."""

    inherit_cache = True


@compiles(greatest)
def _greatest(element: greatest, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the compiler's protocol
    name = "greatest" if compiler.dialect.name == POSTGRESQL else "max"
    return f"{name}({compiler.process(element.clauses, **options)})"


@compiles(position)
def _position(element: position, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    name = "strpos" if compiler.dialect.name == POSTGRESQL else "instr"
    return f"{name}({compiler.process(element.clauses, **options)})"


@compiles(among)
def _among(element: among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    if compiler.dialect.name == POSTGRESQL:
        return f"{column} = ANY (ARRAY{values})"
    return f"{column} IN {values}"


@compiles(narrowed)
def _narrowed(element: narrowed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    return _among(element, compiler, **options) if compiler.dialect.name == POSTGRESQL else "1"


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


def in_order(connection: Connection, query: AnySelect) -> Sequence[AnyRow]:
    """The rows of a query that asks for the first ones in the order of an index.

    PostgreSQL may read all rows of a workspace and sort them: without statistics it takes a
    workspace for a few rows. Where it may not sort, what is left is to walk along the index.
    """
    if connection.dialect.name != POSTGRESQL:
        return connection.execute(query).all()
    connection.execute(_sorting("off"))
    rows = connection.execute(query).all()
    connection.execute(_sorting("on"))
    return rows


def _sorting(value: str) -> AnySelect:
    """Of this transaction, until it is said otherwise."""
    names = ("enable_sort", "enable_incremental_sort")
    return select(*(func.set_config(name, value, literal_column("true")) for name in names))


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
