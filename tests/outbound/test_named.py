"""What was only named is fetched, counted once, or told to be missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.domain.deliveries import Delivery, Door, Raw, Reference
from app.domain.instants import DAY, MINUTE, SECOND, instant
from app.domain.revisions import of_instant
from app.store import fetchers, fetches, ledger, quarantine, states
from app.usecases import replaying
from app.usecases.fetching import Fetching, visit
from app.usecases.saving import Precondition
from app.usecases.sources import put_source
from tests.engines import on_both
from tests.outbound.accounts import SOURCE, W, World, world
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Pipedrive
from tests.web.service import Clock

START = "2026-12-01T09:00:00Z"
DEAL = {"status": "open", "value": 100, "currency": "USD", "owner_id": 7, "stage_id": 1}


@pytest.fixture
def account(engine: str, tmp_path: Path) -> Iterator[World]:
    assert engine
    clock = Clock(instant(START))
    with serving(Pipedrive(clock)) as simulated, world(tmp_path, simulated, clock) as made:
        with made.context.store.transaction() as connection:
            # Nothing is read through here: only what is named is asked for.
            wanted = {"pull_at": clock.now + 30 * DAY, "marks": "{}"}
            fetchers.ask(connection, W, SOURCE, wanted)
        yield made


def named(world: World, *numbers: int, revision: str = "") -> None:
    """A notification of ids, acknowledged."""
    raw = Raw(Door.HOOK, SOURCE, "POST", "", "application/json", {}, b"[]")
    names = tuple(
        Reference(place, "deal", str(number), revision, SOURCE)
        for place, number in enumerate(numbers)
    )
    delivery = Delivery(W, world.clock.now, True, (), raw=raw, references=names)
    world.context.committer.submit(delivery).result(30)


def waiting(world: World) -> dict[str, int]:
    with world.context.read() as reading:
        found = fetches.due(reading, W, SOURCE, 2**62, 100)
    return {one.id: one.attempts for one in found}


def standing(world: World, number: int) -> State | None:
    key = f"deal:{number}"
    with world.context.read() as reading:
        return states.load(reading, W, SOURCE, [key]).get(key)


def entries(world: World) -> list[tuple[str, str | None]]:
    with world.context.read() as reading:
        found = quarantine.page(reading, W, None, 100).items
    return [(one.code, one.item) for one in found]


@on_both
def test_what_is_named_is_counted_once_however_often_it_is_named(account: World) -> None:
    for number in range(1, 6):
        account.account.change("deal", number, **DEAL | {"value": number})
    named(account, 1, 2, 3)
    named(account, 3, 4, 5)
    assert account.visit()
    assert waiting(account) == {}
    account.assert_true()
    assert sum("/deals/3" in target for target in account.account.asked) == 1
    assert ledger.verify(account.context.store, W) == []


@on_both
def test_what_is_not_there_is_tried_for_a_while_and_then_told(account: World) -> None:
    account.account.change("deal", 1, **DEAL)
    named(account, 1, 404)
    for attempt in range(1, 5):
        assert account.visit()
        assert waiting(account) == {"404": attempt}
        account.clock.now += 2 * MINUTE
    assert account.visit()
    assert waiting(account) == {}
    assert entries(account) == [("object_not_found", "404")]
    account.assert_true()
    # It was only late: a replay of what named it has it fetched after all.
    account.account.change("deal", 404, **DEAL)
    with account.context.read() as reading:
        (entry,) = quarantine.page(reading, W, None, 10).items
    assert entry.delivery is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "_read_hook", lambda *_: named_again(account))
        replaying.replay_entry(account.context, W, entry.id)
    assert account.visit()
    account.assert_true()
    assert entries(account) == []


def named_again(world: World) -> Delivery:
    names = (Reference(0, "deal", "1", "", SOURCE), Reference(1, "deal", "404", "", SOURCE))
    return Delivery(W, world.clock.now, True, (), references=names)


@on_both
def test_a_state_that_is_older_than_the_notification_waits_for_a_newer_one(
    account: World,
) -> None:
    account.account.change("deal", 1, **DEAL)
    announced = account.clock.now + 60 * SECOND
    named(account, 1, revision=of_instant(announced))
    assert account.visit()
    # What was there is counted already; what was announced is still owed.
    assert standing(account, 1) is not None
    assert waiting(account) == {"1": 1}
    account.clock.now = announced
    account.account.change("deal", 1, **DEAL | {"value": 250})
    assert account.visit()
    assert waiting(account) == {}
    account.assert_true()


@on_both
@pytest.mark.parametrize("fault", ["500", "429", "401", "drop"])
def test_a_provider_that_is_away_keeps_what_waits_for_days_and_then_tells(
    account: World, fault: str
) -> None:
    account.account.change("deal", 1, **DEAL)
    named(account, 1)
    for _ in range(5):
        account.account.faults.append(fault)
        assert not account.visit()
        assert waiting(account) == {"1": 0}
        account.clock.now += 12 * 60 * MINUTE
    account.clock.now += DAY
    account.account.faults.append(fault)
    assert not account.visit()
    assert waiting(account) == {}
    ((_, item),) = entries(account)
    assert item == "1"


@on_both
def test_a_page_of_garbage_for_one_object_takes_no_other_along(account: World) -> None:
    for number in (1, 2, 3):
        account.account.change("deal", number, **DEAL)
    named(account, 1, 2, 3)
    account.account.faults.extend(["", "garbage", ""])
    assert account.visit()
    assert waiting(account) == {"2": 1}


@on_both
def test_a_source_that_is_another_holders_is_left_alone(account: World) -> None:
    account.account.change("deal", 1, **DEAL)
    named(account, 1)
    now = account.clock.now
    with account.context.store.transaction() as connection:
        assert fetchers.take(connection, W, SOURCE, now, now + MINUTE)
    assert not account.visit()
    assert account.account.asked == []
    account.clock.now += MINUTE
    assert account.visit()
    account.assert_true()


def test_the_thread_fetches_by_itself(tmp_path: Path) -> None:
    clock = Clock(instant(START))
    found: list[Any] = []
    with serving(Pipedrive(clock)) as simulated, world(tmp_path, simulated, clock) as account:
        simulated.change("deal", 1, **DEAL)
        simulated.change("deal", 2, **DEAL)
        named(account, 1)
        working = Fetching(account.context, lambda *told: found.append(told))
        working.start()
        try:
            for _ in range(100):
                if standing(account, 1) and standing(account, 2):
                    break
                working._ended.wait(0.1)
        finally:
            working.stop()
        account.assert_true()
        assert found == [(SOURCE, "missing")]


def test_where_not_all_can_be_asked_at_once_nobody_is_passed_over(tmp_path: Path) -> None:
    clock = Clock(instant(START))
    with serving(Pipedrive(clock)) as simulated, world(tmp_path, simulated, clock) as account:
        body = {"provider": "pipedrive", "name": "CRM", "settings": {"api_url": simulated.url}}
        given: Any = {"user": "tassei", "password": "another password", "api_token": TOKEN}
        for key in ("a", "z"):
            put_source(account.context, W, key, body, given, Precondition(None, None), "test")
        account.context.watch.look()
        working, visited = Fetching(account.context), []
        for _ in range(6):
            # By the time that one was asked, all of them are due again.
            clock.now += 10 * MINUTE
            first, *others = working._due()
            assert len(others) == 2
            assert visit(account.context, first)
            visited.append(first.source)
        assert set(visited[:3]) == set(visited[3:]) == {"a", SOURCE, "z"}
