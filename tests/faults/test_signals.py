"""SIGTERM under load drains; a second one ends it there and then."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from app.main import wall_clock
from app.web.server import DRAIN_SECONDS
from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.patience import HANG_SECONDS
from tests.store.worlds import W

pytestmark = on_both


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [1, pytest.param(5, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_sigterm_under_load_ends_cleanly_and_every_2xx_is_stored(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        for _ in range(rounds):
            with load.pouring():
                time.sleep(0.5)
                assert service.stop() < DRAIN_SECONDS + 10
            with service.store() as store:
                assert_laws(store, load.told)
            service.start()
        load.resend()
        noted("SIGTERM under load", rounds, assert_laws(service, load.told))


@pytest.mark.slow
def test_a_second_sigterm_ends_what_hangs_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(50)
        committing = service.committing
        # Whoever holds the workspace holds up the drain: what waits behind it has no answer yet.
        with (
            service.store() as store,
            load.pouring(),
            store.write(W, wall_clock()),
        ):
            time.sleep(0.5)
            service.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            assert service.process.poll() is None
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(HANG_SECONDS) == 128 + signal.SIGTERM
            assert time.monotonic() - began < 2
        # What had gone over by then is still committed, which no recount may fall into.
        _await_end(committing)
        with service.store() as store:
            assert_laws(store, load.told)
        service.start()
        load.resend()
        assert_laws(service, load.told)


def _await_end(pid: int) -> None:
    """Until a process that is nobody's child any more is gone, whether or not it is buried."""
    end = time.monotonic() + HANG_SECONDS
    while time.monotonic() < end:
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        if status.rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    raise AssertionError("it goes on committing")
