"""The primary is gone and its standby takes over: what was acknowledged is there, or is not."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from app.store.engine import Store
from tests.engines import on_postgresql
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import KEY
from tests.faults.standby import Standby, pair, waits_for_standby
from tests.faults.test_server import awaits

pytestmark = on_postgresql


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [1, pytest.param(4, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_failover_to_a_standby_that_is_waited_for_loses_nothing_acknowledged(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pair() as (primary, standby), serving(folder, standby.both) as service:
            waits_for_standby(primary, waits=True)
            load = Load(service, seed=number + 1)
            with load.pouring(pause=0.02):
                time.sleep(1)
                primary.stop("immediate")
                standby.promote()
                # By itself: its address names both, and only one of them takes writes.
                awaits(service, 200)
                before = load.answers[200]
                time.sleep(0.5)
            assert load.answers[200] > before
            assert_laws(service, load.told)
            load.resend()
            verdict = assert_laws(service, load.told)
    noted("failover to a synchronous standby", rounds, verdict)


def test_a_standby_that_is_not_waited_for_loses_what_it_had_not_received(
    tmp_path: Path,
) -> None:
    """The other side of the test above: this oracle does see what a failover loses."""
    with pair() as (primary, standby), serving(tmp_path, standby.both) as service:
        waits_for_standby(primary, waits=False)
        load = Load(service)
        load.send(20)
        standby.cut()
        load.send(20)
        assert set(load.answers) == {200}
        primary.stop("immediate")
        standby.promote()
        awaits(service, 200)
        with pytest.raises(AssertionError, match="I1"):
            assert_laws(service, load.told)
        # Whoever still has it sends it again, and all is well.
        load.resend()
        assert_laws(service, load.told)


@pytest.mark.slow
def test_without_its_standby_nothing_is_acknowledged_that_it_would_have_to_have(
    tmp_path: Path,
) -> None:
    with pair() as (primary, standby), serving(tmp_path, standby.both) as service:
        waits_for_standby(primary, waits=True)
        load = Load(service)
        load.send(20)
        standby.cut()
        body = [event.cloud for event in load.next()]
        with pytest.raises(TimeoutError):
            service.ask("POST", "/v1/events", body, {"authorization": f"Bearer {KEY}"}, seconds=2)
        primary.stop("immediate")
        standby.promote()
        awaits(service, 200)
        # What nobody waits for any more is tried again by itself, and must not come in between.
        while b"tassei_committer_queue_deliveries 0.0\n" not in service.ask("GET", "/metrics").body:
            time.sleep(0.1)
        assert_laws(service, load.told)


def told(standby: Standby, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        store = Store(standby.both)
        store.migrate()
        store.close()
    return [text for text in caplog.messages if "standby" in text]


def test_the_start_says_when_a_failover_would_lose_what_is_acknowledged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pair() as (primary, standby):
        waits_for_standby(primary, waits=True)
        assert told(standby, caplog) == []
        for level, warned in (("local", 1), ("remote_write", 1), ("remote_apply", 0), ("on", 0)):
            primary.set("synchronous_commit", level)
            time.sleep(0.2)
            assert len(told(standby, caplog)) == warned, level
        waits_for_standby(primary, waits=False)
        assert len(told(standby, caplog)) == 1
