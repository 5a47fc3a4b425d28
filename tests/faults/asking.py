"""Sources that are asked while the service is killed again and again, and what then stands."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.settings import PREFIX
from app.store import ledger
from tests.faults.service import Service
from tests.outbound.serving import Account
from tests.store.worlds import W

PATIENCE_SECONDS = 60
ADDRESS = "https://tassei.example.com"
_FAULTS = ["429", "500", "drop", "slow", "garbage"]


def asking_service(folder: Path) -> Service:
    """The service with short rounds of asking, and with an address for those who are told it."""
    also = {f"{PREFIX}PUBLIC_URL": ADDRESS}
    return Service(folder, program=["tests.faults.asking_service"], also=also)


def live_through(
    service: Service, accounts: Sequence[Account], dice: random.Random, happen: Callable[[], None]
) -> None:
    """A life of the service for each account, ended by kill -9 in the middle of asking that one.

    Meanwhile things happen, and calls fail.
    """
    for account in accounts:
        for _ in range(dice.randint(10, 40)):
            happen()
            failing = dice.choice(accounts)
            if dice.random() < 0.1 and not failing.faults:
                failing.faults.append(dice.choice(_FAULTS))
            time.sleep(dice.uniform(0, 0.1))
        _await_call(account)
        # Before the answer, while it is taken in, or before it is marked as read.
        time.sleep(dice.choice([0, dice.uniform(0, 0.05)]))
        service.kill()
        service.start()
    for account in accounts:
        account.faults.clear()


def _await_call(account: Account) -> None:
    account.faults.clear()
    asked, until = len(account.asked), time.monotonic() + PATIENCE_SECONDS
    while len(account.asked) == asked:
        assert time.monotonic() < until, f"{account} is not asked"
        time.sleep(0.001)


def assert_ends_alike(service: Service, differing: Callable[[], dict[Any, Any]]) -> None:
    """Soon nothing stands otherwise than the accounts have it, and every tally is a recount's."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (wrong := differing()) and time.monotonic() < until:
        time.sleep(0.5)
    assert wrong == {}, wrong
    with service.store() as store:
        assert ledger.verify(store, W) == []
    assert service.broken == []
