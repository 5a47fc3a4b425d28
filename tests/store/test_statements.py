"""Statements that go to the driver straight: what rows come to, by which path, and what breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, func, literal, select, text
from sqlalchemy.exc import DataError, IntegrityError

from app.domain.errors import Unavailable
from app.store import deliveries, states
from app.store.dialect import Octets, Whole, Words
from app.store.engine import Store
from app.store.statements import deleting, inserting
from app.store.tables import delivery as delivery_table
from app.store.tables import workspace_commit, workspace_head
from tests import engines
from tests.engines import on_both, on_postgresql, overheard
from tests.store.worlds import NOW, W, call, delivery, opened, sent

KEPT = Table(
    "kept",
    MetaData(),
    Column("number", Whole, primary_key=True),
    Column("words", Words),
    Column("octets", Octets),
    Column("whole", Whole),
)
# What a server's text can hold: no NUL, and no half of a character.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SIGNED = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS | st.text('{}",\\ NUL', max_size=6),
        st.none() | st.binary(max_size=20),
        st.none() | SIGNED,
    ),
    max_size=8,
)


@on_both
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_many_rows_are_stored_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, engine: str, found: list[tuple[Any, ...]]
) -> None:
    store = _shared(tmp_path_factory, engine)
    rows = [(number, *row) for number, row in enumerate(found)]
    with store.transaction() as connection:
        KEPT.drop(connection, checkfirst=True)
        KEPT.create(connection)
        inserting(KEPT).many(connection, rows)
        stored = connection.execute(select(KEPT).order_by(KEPT.c.number)).all()
        assert [tuple(row) for row in stored] == rows
        # By a key of text, as of numbers: what was written is found again.
        named = {row[1] for row in rows if row[1] is not None}
        deleting(KEPT, "words").many(connection, [(word,) for word in named])
        left = connection.execute(select(func.count()).select_from(KEPT)).scalar_one()
        assert left == sum(row[1] is None for row in rows)


_stores: dict[str, Store] = {}


def _shared(factory: pytest.TempPathFactory, engine: str) -> Store:
    if engine not in _stores:
        _stores[engine] = opened(factory.mktemp("statements"))
    return _stores[engine]


@on_postgresql
@pytest.mark.parametrize("words", ["a\0b", "\0"])
def test_a_text_that_a_server_cannot_hold_is_refused_before_it_goes(
    store: Store, words: str
) -> None:
    rows = [(1, words, None, None), (2, "sound", None, None)]
    with store.transaction() as connection:
        KEPT.create(connection)
        with pytest.raises(DataError, match="NUL"):
            inserting(KEPT).many(connection, rows)


@on_postgresql
def test_states_are_looked_up_by_key_also_where_nothing_is_known_of_a_table(store: Store) -> None:
    """Without statistics a source is taken for one row, and reading all of it for the quick way."""
    sent(store, delivery(*(call(f"c{number}") for number in range(400))))
    for query, asked in (
        (states._LOAD, (W, "crm", json.dumps(["c1", "c2"]))),
        (states._LOAD_STAMPS, (json.dumps([["c1", ""], ["c2", ""]]), W, "crm")),
    ):
        with store.read() as reading:
            plan = _plan(reading.connection, query.text(reading.connection), asked)
        scan = next(node for node in plan if node.get("Relation Name", "").startswith("activity"))
        assert "key = ANY" in scan["Index Cond"], plan
        # Two that were asked for and what shares the page, not four hundred.
        assert scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) <= 2


@on_postgresql
@pytest.mark.parametrize("known", ["nothing", "an empty table", "all"])
def test_the_latest_deliveries_are_walked_to_by_index_whatever_is_known_of_a_table(
    store: Store, known: str
) -> None:
    """Taken for a few rows, those of a workspace would all be read, and sorted."""
    among, limit = 50, 2
    with store.transaction() as connection:
        if known == "an empty table":
            connection.exec_driver_sql("ANALYZE delivery")
        rows = [_received(W if number % 4 else "other", number) for number in range(4_000)]
        inserting(delivery_table).many(connection, rows)
        if known == "all":
            connection.exec_driver_sql("ANALYZE delivery")
    with store.read() as reading:
        with overheard(store) as heard:
            found = deliveries.latest(reading, W, "rare", among, limit)
        assert [one.id for one in found] == [3990, 3970]
        plans = [_explained(reading.connection, *one) for one in heard]
    scans = [plan for plan in plans if plan]
    assert len(scans) == 2
    for plan in scans:
        assert [node["Node Type"] for node in plan[:-1]] == ["Limit"], plan
        assert plan[-1]["Index Name"] == "ix_delivery_received", plan
        assert plan[-1]["Actual Rows"] + plan[-1].get("Rows Removed by Filter", 0) <= among, plan


def _explained(connection: Any, query: str, asked: Any) -> list[dict[str, Any]]:
    """The plan of a query of ours under what was set before it; what sets is done again."""
    if "set_config" not in query:
        return _plan(connection, query, asked)
    connection.exec_driver_sql(query, asked)
    return []


def _received(workspace: str, number: int) -> tuple[Any, ...]:
    """A delivery as it is kept, one in ten of them from a source of its own."""
    source = "crm" if number % 10 else "rare"
    texts = ("hook", source, f"\n{source}\n", "POST", "", "application/json", "{}", "{}")
    return (workspace, number, NOW + number, *texts, 0, 200, 0, b"{}" * 100)


def _plan(connection: Any, query: str, asked: Any) -> list[dict[str, Any]]:
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", asked)
    found, waiting = [], [explained.scalar_one()[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.get("Plans", [])
    return found


@on_both
def test_what_was_sent_ahead_and_broke_breaks_the_transaction(store: Store) -> None:
    move = inserting(workspace_commit)
    seq = 10**6

    def broken() -> None:
        with store.transaction(ahead=True) as connection:
            for number in (seq, seq, seq + 1):
                move.many(connection, [(W, number, NOW)])

    with pytest.raises(IntegrityError):
        broken()
    assert _commits(store, seq) == 0
    # The connection goes back to the pool in order.
    for _ in range(20):
        with store.transaction(ahead=True) as connection:
            move.many(connection, [(W, seq, NOW)])
            connection.execute(text("DELETE FROM workspace_commit WHERE seq = 1000000"))
    with store.transaction(ahead=True) as connection:
        move.many(connection, [(W, seq + 1, NOW)])
    assert _commits(store, seq) == 1


def _commits(store: Store, since: int) -> int:
    with store.read() as reading:
        of = workspace_commit.c
        query = select(func.count()).select_from(workspace_commit).where(of.seq >= since)
        return int(reading.connection.execute(query).scalar_one())


@on_both
def test_rows_asked_for_in_between_are_those_of_what_was_sent_ahead(store: Store) -> None:
    with store.transaction(ahead=True) as connection:
        inserting(workspace_commit).many(connection, [(W, 10**6 + n, NOW) for n in range(3)])
        counted = select(func.count()).select_from(workspace_commit)
        query = counted.where(workspace_commit.c.seq >= 10**6)
        assert connection.execute(query).scalar_one() == 3
        assert connection.execute(select(literal(7))).scalar_one() == 7
        named = connection.execute(select(workspace_head.c.workspace_id)).scalars().all()
        assert named == [W]


@on_postgresql
def test_a_connection_that_is_lost_with_what_was_sent_ahead_is_an_outage(tmp_path: Path) -> None:
    store = opened(tmp_path)
    other = Store(engines.url(tmp_path))

    def interrupted() -> None:
        with store.transaction(ahead=True) as connection:
            number = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            inserting(workspace_commit).many(connection, [(W, 10**6, NOW)])
            with other.transaction() as killing:
                killing.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
            inserting(workspace_commit).many(connection, [(W, 10**6 + 1, NOW)])

    with pytest.raises(Unavailable) as lost:
        interrupted()
    assert lost.value.code == "database_is_away"
    assert _commits(store, 10**6) == 0
    store.close()
    other.close()
