"""A source that is asked while the service is killed again and again, and what then stands."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.store import ledger
from tests.faults.service import Service
from tests.outbound.serving import Account
from tests.store.worlds import W

PATIENCE_SECONDS = 60
_FAULTS = ["429", "500", "drop", "slow", "garbage"]


def asking_service(folder: Path) -> Service:
    """The service with short rounds of asking."""
    return Service(folder, program=["tests.faults.asking_service"])


def live_through(
    service: Service, account: Account, dice: random.Random, lives: int, happen: Callable[[], None]
) -> None:
    """So many lives of the service, each ended by kill -9; things happen and calls fail."""
    for _ in range(lives):
        ends = time.monotonic() + dice.uniform(0.5, 3)
        while time.monotonic() < ends:
            happen()
            if dice.random() < 0.2:
                account.faults.append(dice.choice(_FAULTS))
            time.sleep(dice.uniform(0, 0.1))
        service.kill()
        service.start()
    account.faults.clear()


def assert_ends_alike(service: Service, differing: Callable[[], dict[Any, Any]]) -> None:
    """Soon nothing stands otherwise than the account has it, and every tally is a recount's."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (wrong := differing()) and time.monotonic() < until:
        time.sleep(0.5)
    assert wrong == {}
    with service.store() as store:
        assert ledger.verify(store, W) == []
    assert service.broken == []
