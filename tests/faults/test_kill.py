"""kill -9 at random moments: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws

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
        load = Load(service)
        for _ in range(rounds):
            with load.pouring(pause=0.05):
                time.sleep(dice.uniform(0.1, 1.2))
                service.kill()
            service.start()
            assert_laws(service, load.told)
        assert load.cut
        load.resend()
        noted("kill -9", rounds, assert_laws(service, load.told))
