"""What befalls a database server: killed, crashed, gone for a while, locked, behind a pooler."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from app.main import wall_clock
from app.store.lanes import RETRY_SECONDS
from app.store.postgresql import LOCK_TIMEOUT
from tests import engines
from tests.engines import on_postgresql
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.server import own_server
from tests.faults.service import PATIENCE_SECONDS, Service
from tests.pooler import pooled
from tests.store.worlds import W

pytestmark = [on_postgresql, pytest.mark.slow]
DOWN_SECONDS = 5


def awaits(service: Service, status: int) -> None:
    """Until the probe says so, by itself."""
    end = time.monotonic() + PATIENCE_SECONDS
    while service.ask("GET", "/readyz").status != status:
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    "rounds", [2, pytest.param(10, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_kill_9_of_a_backend_loses_nothing_acknowledged_and_doubles_nothing(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    with own_server() as server, serving(tmp_path, server.url) as service:
        load, killed = Load(service), 0
        with load.pouring():
            for _ in range(rounds):
                time.sleep(1)
                while not server.kill_backend():  # the service may not be connected again yet
                    time.sleep(0.1)
                killed += 1
                server.await_recovery()
        awaits(service, 200)
        assert_laws(service, load.told)
        load.resend()
        noted("kill -9 of a backend", killed, assert_laws(service, load.told))


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(6, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_server_that_crashes_and_comes_back_has_all_that_was_acknowledged(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    with own_server() as server, serving(tmp_path, server.url) as service:
        load = Load(service)
        for _ in range(rounds):
            with load.pouring():
                time.sleep(1)
                server.stop("immediate")
                server.start()
                time.sleep(1)
            awaits(service, 200)
            assert_laws(service, load.told)
        load.resend()
        noted("immediate stop of the server", rounds, assert_laws(service, load.told))


def test_while_the_server_is_away_all_say_so_and_nobody_needs_a_restart(
    tmp_path: Path, noted: Noted
) -> None:
    with own_server() as server, serving(tmp_path, server.url) as service:
        load = Load(service)
        with load.pouring(workers=2):
            time.sleep(0.5)
            server.stop("fast")
            began = time.monotonic()
            awaits(service, 503)
            while time.monotonic() < began + DOWN_SECONDS:
                assert service.ask("GET", "/livez").json() == {"status": "live"}
                assert service.ask("GET", "/metrics").status == 200
                for path in ("/readyz", "/v1/activities?limit=1", "/v1/plans/load/progress"):
                    away = service.ask("GET", path)
                    assert (away.status, away.problem) == (503, "database_is_away")
                    assert int(away.headers["retry-after"]) >= 1
                time.sleep(0.2)
            server.start()
            awaits(service, 200)
        assert load.answers[503]
        load.resend()
        noted("server away 5 s", load.answers[503], assert_laws(service, load.told))


@pytest.mark.faults
def test_a_pooler_that_is_started_anew_is_an_outage_like_any_other(
    tmp_path: Path, noted: Noted
) -> None:
    with (
        pooled(engines.url(tmp_path)) as pooler,
        serving(tmp_path, pooler.url) as service,
    ):
        load = Load(service)
        with load.pouring():
            for _ in range(3):
                time.sleep(0.7)
                pooler.stop()
                time.sleep(0.3)
                pooler.start()
            time.sleep(0.5)
        awaits(service, 200)
        assert_laws(service, load.told)
        load.resend()
        noted("pooler started anew", 3, assert_laws(service, load.told))


@contextmanager
def somebody(address: str) -> Iterator[Connection]:
    """A session that is not ours, in a transaction of its own."""
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection, connection.begin():
        yield connection
    engine.dispose()


HOLD = text("SELECT 1 FROM workspace_head WHERE workspace_id = :w FOR UPDATE")


@pytest.mark.faults
def test_a_statement_that_takes_longer_than_the_server_allows_is_tried_again_and_then_refused(
    tmp_path: Path, noted: Noted
) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(20)
        with service.store() as store, store.transaction() as connection:
            name = make_url(service.url).database
            connection.execute(text(f"ALTER DATABASE {name} SET statement_timeout = '300ms'"))
        service.stop()
        service.start()
        with held(service, load):
            # Shorter than the tries together.
            time.sleep(0.6)
        assert load.answers[503] == 0
        with somebody(service.url) as other:
            other.execute(HOLD, {"w": W})
            began = time.monotonic()
            refused = load.deliver(load.next())
            took = time.monotonic() - began
        assert (refused.status, refused.problem) == (503, "database_is_contended")
        assert 0.3 * (len(RETRY_SECONDS) + 1) < took < 10
        load.resend()
        noted("statement_timeout", 2, assert_laws(service, load.told))


@pytest.mark.faults
def test_a_head_that_is_held_longer_than_a_try_waits_is_tried_again(
    tmp_path: Path, noted: Noted
) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(20)
        with held(service, load):
            time.sleep(int(LOCK_TIMEOUT.removesuffix("s")) + 2)
        assert set(load.answers) == {200}
        noted("lock_timeout", 1, assert_laws(service, load.told))


@contextmanager
def held(service: Service, load: Load) -> Iterator[None]:
    """Somebody has the head while one delivery waits, which is answered afterwards."""
    waiting = threading.Thread(target=load.deliver, args=(load.next(),))
    with somebody(service.url) as other:
        other.execute(HOLD, {"w": W})
        waiting.start()
        yield
    waiting.join()


@pytest.mark.faults
def test_a_deadlock_with_somebody_else_is_tried_again(tmp_path: Path, noted: Noted) -> None:
    with serving(tmp_path) as service:
        load, rounds = Load(service), 3
        load.send(50)
        for _ in range(rounds):
            with somebody(service.url) as other:
                other.execute(text("SET LOCAL deadlock_timeout = '60s'"))
                other.execute(text("SELECT 1 FROM tally_day FOR UPDATE"))
                other.execute(text("SELECT 1 FROM actor FOR UPDATE"))
                # It has the head and waits for a tally; now we, who have the tally, want the head.
                threads = [
                    threading.Thread(target=load.deliver, args=(load.next(),)) for _ in range(5)
                ]
                for thread in threads:
                    thread.start()
                time.sleep(0.5)
                other.execute(HOLD, {"w": W})
            for thread in threads:
                thread.join()
        with service.store() as store, store.read() as reading:
            deadlocks = reading.connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar_one()
        assert deadlocks >= 1
        assert load.answers[503] == 0
        noted("deadlock", deadlocks, assert_laws(service, load.told))


def test_a_workspace_that_somebody_holds_up_holds_up_no_other(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(20)
        assert load.beside is not None
        before = len(load.beside.acked)
        with service.store() as store, store.write(W, wall_clock()):
            began = time.monotonic()
            load.beside.send(9)
            assert time.monotonic() - began < 5
        assert len(load.beside.acked) == before + 9
        assert_laws(service, load.told)
