"""Three processes on one server: equal deliveries at once, and each restarted under load."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.engines import on_postgresql
from tests.faults.conftest import Noted
from tests.faults.events import Event
from tests.faults.founded import replicas
from tests.faults.load import Load
from tests.faults.oracle import Verdict, assert_laws
from tests.patience import HANG_SECONDS

pytestmark = [on_postgresql, pytest.mark.slow]
AT_ONCE = 64
BATCH = 10
ROUNDS = 2


def duplicates(load: Load, chosen: list[Event], gate: threading.Barrier, place: int) -> int:
    """How many of one delivery were known already, when all have sent it at once."""
    gate.wait(HANG_SECONDS)
    answer = load.deliver(chosen, place)
    assert answer.status == 200, answer.body
    return int(answer.json()["duplicate"])


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(20, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_sixty_four_equal_deliveries_at_once_to_three_processes_count_once(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    with replicas(tmp_path, 3) as services, ThreadPoolExecutor(AT_ONCE) as pool:
        load = Load(*services, batch=BATCH)
        for _ in range(rounds):
            send = partial(duplicates, load, load.next(), threading.Barrier(AT_ONCE))
            said = sorted(pool.map(send, range(AT_ONCE)))
            assert said == [0] + [BATCH] * (AT_ONCE - 1)
        verdicts = [assert_laws(service, load.told) for service in services]
        noted("64 equal deliveries, 3 replicas", rounds * (AT_ONCE - 1), verdicts[0])


@pytest.mark.faults
def test_a_rolling_restart_is_noticed_by_nobody_who_asks_the_next_replica(
    tmp_path: Path, noted: Noted
) -> None:
    with replicas(tmp_path, 3) as services:
        load = Load(*services)
        with load.pouring(3, pause=0.1):
            for service in services * ROUNDS:
                time.sleep(0.3)
                service.stop()
                service.start()
            for service in services:
                time.sleep(0.3)
                service.kill()
                service.start()
        # Whatever one refused another one took, but for what was under way at the end.
        assert len(load.sent) - len(load.acked) <= 5 * 3
        assert_laws(services[0], load.told)
        load.resend()
        verdicts: list[Verdict] = [assert_laws(service, load.told) for service in services]
        noted("rolling restart of 3 replicas", 3 * (ROUNDS + 1), verdicts[-1])
