"""What a session of a server's may keep for a recorder: the plans of its statements.

A commit has a dozen statements, and to plan them anew takes the server longer than to run them for
a batch of events. Where a pooler lends sessions by the transaction, nothing can be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, text

from app.store.statements import Prepared, errors_of

_OWN = "tassei.own"
# Every statement of a recorder looks up or changes the rows of some keys in tables that grow. A
# plan is kept from when a table was empty until the server next analyses it, and the one that
# reads an empty table whole would read a million rows whole.
_BY_INDEX = {
    "enable_seqscan": "'off'",
    "enable_hashjoin": "'off'",
    "enable_mergejoin": "'off'",
    "plan_cache_mode": "'force_generic_plan'",
}
_BOUNDS = {"lock_timeout": ":waiting", "idle_in_transaction_session_timeout": ":idle"}


def _set(values: Mapping[str, str]) -> Prepared:
    # Of the transaction, not of the session or the connection: a pooler passes it on.
    each = ", ".join(f"set_config('{name}', {value}, true)" for name, value in values.items())
    return Prepared(text(f"SELECT {each}"), "waiting", "idle")


_BOUND, _BOUND_AHEAD = _set(_BOUNDS), _set(_BOUNDS | _BY_INDEX)
# Of a name that the session does not know, or knows already; of a result that changed its form.
LOST_PLANS = frozenset({"26000", "42P05", "0A000"})


def is_lent(line: Any) -> bool:  # noqa: ANN401 - a connection of the driver's, which files do without
    """Whether a pooler answers: the session it tells of is not the one that does the work."""
    (pid,) = line.execute("SELECT pg_backend_pid()").fetchone() or (None,)
    return bool(pid != line.info.backend_pid)


def met(line: Any, record: Any) -> None:  # noqa: ANN401 - of the driver's and of the pool's
    """Note of a new connection whether its session is ours alone."""
    try:
        record.info[_OWN] = not is_lent(line)
        line.rollback()
    except BaseException:
        # A pooler may answer for a server that is away. The pool has not heard of it yet.
        line.close()
        raise


def bound(connection: Connection, waiting: str, idle: str, *, ahead: bool) -> None:
    """Bound how long a transaction waits for a lock, and how long for whoever began it."""
    (_BOUND_AHEAD if ahead else _BOUND).run(connection, waiting, idle)


@contextmanager
def ahead(connection: Connection) -> Iterator[None]:
    """Send statements without waiting for what each answers: the server works meanwhile.

    Whoever asks for rows gets them, and the first error of what went before instead, as does
    whoever ends this. Then everything was answered, and the commit is waited for as always.
    """
    driver: Any = connection.connection.dbapi_connection
    with (
        errors_of(connection, "what was sent ahead"),
        driver.pipeline(),
        _planned_once(driver) if connection.info.get(_OWN) else nullcontext(),
    ):
        yield


@contextmanager
def _planned_once(driver: Any) -> Iterator[None]:  # noqa: ANN401 - a connection of the driver's
    driver.prepare_threshold = 0
    try:
        yield
    finally:
        driver.prepare_threshold = None


def caught_up(connection: Connection, *_context: object) -> None:
    """SQLAlchemy looks for rows as soon as a statement was sent."""
    driver: Any = connection.connection.dbapi_connection
    if driver.pgconn.pipeline_status:
        with driver.pipeline() as pipeline:
            pipeline.sync()
