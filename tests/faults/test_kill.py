"""kill -9 at random moments: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.patience import HANG_SECONDS

pytestmark = on_both


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [2, pytest.param(10, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_what_was_acknowledged_survives_kill_9_and_counts_once(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    dice = random.Random()
    with serving(tmp_path) as service:
        load, killed = Load(service), 0
        # Until somebody was cut off: on a busy machine a kill may meet nobody under way.
        while killed < rounds or (not load.cut and killed < 5 * rounds):
            with load.pouring(pause=0.05):
                time.sleep(dice.uniform(0.1, 1.2))
                service.kill()
            killed += 1
            service.start()
            assert_laws(service, load.told)
        assert load.cut
        load.resend()
        noted("kill -9", killed, assert_laws(service, load.told))


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [3, pytest.param(30, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_killed_committing_process_is_begun_anew_and_nobody_who_sends_notices(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    dice = random.Random()
    with serving(tmp_path) as service:
        load = Load(service)
        with load.pouring(pause=0.02):
            for _ in range(rounds):
                time.sleep(dice.uniform(0.5, 1.5))
                os.kill(service.committing, signal.SIGKILL)
                _wait_for_more(load)
        assert set(load.answers) == {200}
        metrics = service.ask("GET", "/metrics").body
        assert f"tassei_committer_losses_total {rounds}.0\n".encode() in metrics
        assert not load.cut
        assert_laws(service, load.told)
        load.resend()
        noted("kill -9 of the committing process", rounds, assert_laws(service, load.told))


def _wait_for_more(load: Load) -> None:
    """Until the new process commits: killed before, time and again, it would be an outage."""
    answered, end = load.answers.total(), time.monotonic() + HANG_SECONDS
    # What the last one had committed may still be told: more than one delivery a connection.
    while load.answers.total() < answered + 50:
        assert time.monotonic() < end, "the process was not begun anew"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_committing_process_that_dies_time_and_again_is_an_outage_with_a_name(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(20)
        with load.pouring(2, pause=0.02):
            end = time.monotonic() + HANG_SECONDS
            while not load.answers[503] and time.monotonic() < end:
                with suppress(ProcessLookupError):  # it was just dead and has been buried
                    os.kill(service.committing, signal.SIGKILL)
        assert load.answers[503]
        assert service.ask("GET", "/livez").status == 200
        while service.ask("GET", "/readyz").status != 200:
            time.sleep(0.05)
        load.resend()
        assert_laws(service, load.told)
