"""Whoever asks dies before each of its writes in turn: nothing is lost, nothing counts twice.

Of what it submitted that alone is on disk which it waited for, as when the process ends with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.domain.deliveries import Delivery, Door, ItemResult, Raw, Reference
from app.domain.instants import DAY, MINUTE, instant
from app.usecases.fetch_lease import Holder
from tests.engines import on_both
from tests.outbound.accounts import SOURCE, W, World, world
from tests.outbound.serving import serving
from tests.outbound.simulator import Pipedrive
from tests.web.service import Clock

START = "2026-12-01T09:00:00Z"
WON = {"status": "won", "currency": "USD", "owner_id": 7, "stage_id": 1, "won_time": START}
# Longer than a lease, and than what is read again anyway.
APART = 20 * MINUTE
MOST_WRITES = 60


class Died(BaseException):
    """The end of a process, which nothing catches."""


@dataclass
class _Unsaved:
    """What was submitted, and is lost with the process until somebody waits for it."""

    holder: Holder
    delivery: Delivery
    steps: _Steps

    def result(self) -> list[ItemResult]:
        self.steps.next()
        return _SUBMITTED(self.holder, self.delivery).result(30)


@dataclass
class _Steps:
    """The writes of a visit; the last that is reached does not happen."""

    last: int
    reached: Iterator[int]

    def next(self) -> None:
        if next(self.reached) == self.last:
            raise Died


_SUBMITTED, _WRITTEN, _LEFT = Holder.submitted, Holder.write, Holder.leave


@contextmanager
def dying_before(number: int) -> Iterator[None]:
    """Meanwhile whoever asks dies before that one of its writes, if there are as many."""
    steps = _Steps(number, count(1))

    def written(holder: Holder, **values: Any) -> None:
        steps.next()
        _WRITTEN(holder, **values)

    def left(holder: Holder, failed: Any) -> None:
        steps.next()
        _LEFT(holder, failed)

    def submitted(holder: Holder, delivery: Delivery) -> _Unsaved:
        return _Unsaved(holder, delivery, steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Holder, "write", written)
        patch.setattr(Holder, "leave", left)
        patch.setattr(Holder, "submitted", submitted)
        yield


@pytest.fixture
def account(engine: str, tmp_path: Path) -> Iterator[World]:
    assert engine
    clock = Clock(instant(START))
    with serving(Pipedrive(clock)) as simulated, world(tmp_path, simulated, clock) as made:
        made.account.page = 2
        assert made.visit()
        yield made


def happen(world: World, number: int) -> None:
    """Three changes that nobody tells of, too far apart to be read again; an old one is named."""
    now = world.clock.now
    world.clock.now -= 40 * DAY
    old = world.account.change("deal", 1_000 + number, **WON, value=number)
    for place in range(3):
        world.clock.now = now + place * APART
        world.account.change("deal", 3 * number + place, **WON, value=number)
    world.clock.now += APART
    name = Reference(0, "deal", str(old["id"]), "", SOURCE)
    raw = Raw(Door.HOOK, SOURCE, "POST", "", "application/json", {}, b"[]")
    told = Delivery(W, world.clock.now, True, (), raw=raw, references=(name,))
    world.context.committer.submit(told).result(30)


@on_both
def test_whoever_dies_before_any_write_has_lost_nothing_for_the_next(account: World) -> None:
    for number in range(1, MOST_WRITES):
        happen(account, number)
        survived = False
        with dying_before(number), suppress(Died):
            survived = account.visit()
        account.clock.now += APART
        assert account.visit()
        account.assert_true()
        if survived:
            break
    else:
        pytest.fail("no visit comes to its end")
    # Named, two pages and their marks, the other listings, the pause, the end of the lease.
    assert number > 10
