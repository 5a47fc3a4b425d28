"""Streams of one replica move with the commits of another: woken by the bell, or by looking."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from app.domain.instants import instant
from app.settings import Settings
from app.store import bell
from app.store.engine import Store
from app.usecases import watch
from tests import engines
from tests.engines import on_both, on_postgresql
from tests.web.service import Clock
from tests.web.streaming import Copy, Live, company, served, wait
from tests.web.test_replicas import direct, pooled

AT = "2026-12-07T12:00:00+09:00"
NEVER = 3600.0
LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND query ~ '(LISTEN|NOTIFY) tassei'"
)


@contextmanager
def replicas(folder: Path, address: str) -> Iterator[tuple[Live, Live]]:
    clock = Clock(instant(AT))
    settings = Settings(data_dir=folder, database_url=address)
    with ExitStack() as stack:
        one, two = (stack.enter_context(served(settings, clock)) for _ in range(2))
        company(one.client, AT[:7])
        yield one, two


@contextmanager
def told(address: str) -> Iterator[Connection]:
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def follows(one: Live, two: Live) -> None:
    """What is told to the one is shown by a stream of the other, whichever is which."""
    for teller, shower in ((one, two), (two, one)):
        reader, copy = shower.reader(), Copy()
        copy.follow(reader, str(one.calls))
        for _ in range(3):
            teller.calls = one.calls
            teller.call()
            one.calls = two.calls = teller.calls
            copy.follow(reader, str(one.calls))


@on_postgresql
def test_a_commit_of_one_replica_wakes_the_streams_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody looks: what moves was woken.
    monkeypatch.setattr(watch, "INTERVAL_SECONDS", NEVER)
    address = direct(tmp_path)
    with replicas(tmp_path, address) as (one, two), told(address) as other:
        wait(lambda: len(other.execute(text(LISTENERS)).all()) == 2)
        follows(one, two)


@on_postgresql
def test_a_bell_whose_connection_is_killed_is_hung_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "INTERVAL_SECONDS", NEVER)
    monkeypatch.setattr(bell, "RETRY_SECONDS", 0.05)
    caplog.set_level(logging.INFO, bell.__name__)
    address = direct(tmp_path)
    with replicas(tmp_path, address) as (one, two), told(address) as other:
        wait(lambda: len(other.execute(text(LISTENERS)).all()) == 2)
        before = set(other.execute(text(LISTENERS)).scalars())
        for pid in before:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        wait(lambda: len(set(other.execute(text(LISTENERS)).scalars()) - before) == 2)
        follows(one, two)
    assert caplog.messages.count("the bell is heard again") == 2
    assert len([line for line in caplog.messages if "is not heard: consuming" in line]) == 2
    assert len(caplog.messages) == 4


@on_postgresql
def test_behind_a_pooler_streams_move_by_looking_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, bell.__name__)
    with pooled(tmp_path) as address, replicas(tmp_path, address) as (one, two):
        follows(one, two)
        with told(direct(tmp_path)) as other:
            assert other.execute(text(LISTENERS)).all() == []
    assert caplog.messages == ["behind a pooler, other replicas' commits are found by looking"] * 2


@on_postgresql
def test_a_bell_that_cannot_be_hung_up_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, bell.__name__)
    monkeypatch.setattr(bell, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(bell, "_RING", "SELECT no_such_thing")
    with replicas(tmp_path, direct(tmp_path)) as (one, two):
        follows(one, two)
    assert any("no_such_thing" in line for line in caplog.messages)


@on_both
def test_only_what_several_processes_serve_has_a_bell(tmp_path: Path, engine: str) -> None:
    store = Store(engines.url(tmp_path))
    assert (store.bell() is None) is (engine == engines.SQLITE)
    store.close()
