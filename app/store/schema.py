"""How a table of a workspace is written down, and the one collection of all of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, MetaData, Table, UniqueConstraint, text
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from app.store.dialect import Words

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# One below 2^62: a stored total plus a batch's movement can never leave 64 bits, so the check
# fires on an integer. Past 64 bits SQLite would add as floats, and -2^63 even fits the column.
LARGEST = 2**62 - 1


def key(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """A column of the primary key, behind the workspace."""
    return Column(name, kind, primary_key=True, autoincrement=False)


def value(name: str, kind: TypeEngine[Any], *, optional: bool = False) -> Column[Any]:
    """Any other column."""
    return Column(name, kind, nullable=optional)


def where(condition: str) -> dict[str, Any]:
    """Of an index: only rows like these. Each engine has its own word for it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a class."""
    found: Table = row.__table__  # type: ignore[attr-defined] # made by the mapper
    return found


def table(
    name: str, *parts: Column[Any] | CheckConstraint | UniqueConstraint | Index, wide: bool = False
) -> Table:
    """A table of a workspace, kept in the order of its key.

    A `wide` one is kept in order of arrival, with its key beside it: new keys fall anywhere, and
    rows of half a kilobyte would touch a page each (65 against 45 microseconds per event).
    """
    workspace = key("workspace_id", Words)
    options: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": wide}
    if name.startswith("tally_"):
        # Rows that are added to all the time: room on their page, so that a move stays on it.
        options["postgresql_with"] = {"fillfactor": 70}
    return Table(name, METADATA, workspace, *parts, **options)
