"""What notifications missed is found by asking, against the account itself."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.instants import MINUTE, SECOND, instant
from app.store import deliveries, fetchers, sources
from app.usecases.asking import Asking, backfill_source, check_source
from tests.engines import on_both, on_sqlite
from tests.outbound.accounts import SOURCE, W, World, world
from tests.outbound.serving import serving
from tests.outbound.simulator import Pipedrive
from tests.web.service import Clock

START = "2026-12-01T09:00:00Z"
DEAL = {"status": "open", "value": 100, "currency": "USD", "owner_id": 7, "stage_id": 1}
ROUND = 6 * MINUTE


@pytest.fixture
def account(engine: str, tmp_path: Path) -> Iterator[World]:
    assert engine
    clock = Clock(instant(START))
    with serving(Pipedrive(clock)) as simulated, world(tmp_path, simulated, clock) as made:
        yield made


def won(world: World, number: int, value: int = 100) -> dict[str, Any]:
    at = "2026-12-01T09:00:00Z"
    return world.account.change(
        "deal", number, **DEAL | {"status": "won", "value": value, "won_time": at, "close_time": at}
    )


def later(world: World, by: int = ROUND) -> None:
    world.clock.now += by


@on_both
def test_what_was_never_notified_is_found_once_page_by_page(account: World) -> None:
    for number in range(1, 9):
        won(account, number)
    later(account)
    assert account.visit()
    account.assert_true()
    assert Counter(account.found) == {(SOURCE, "missing"): 8}
    later(account)
    assert account.visit()
    # Read again in the overlap, and told by nothing as new.
    assert len(account.found) == 8
    with account.context.read() as reading:
        kept = deliveries.page(reading, W, deliveries.Filter(), None, 500).items
        assert len(kept) == 8
        heard = sources.states(reading, W)[SOURCE]
    assert heard.last_received_at == account.clock.now


@on_both
def test_what_was_notified_and_what_is_read_is_the_same_activity(account: World) -> None:
    deal = won(account, 1)
    account.push("deal", deal, account.clock.now + 345_000)
    later(account)
    assert account.visit()
    assert account.found == []
    account.assert_true()


@on_both
def test_a_lost_change_behind_a_notified_one_is_found_whatever_time_that_bears(
    account: World,
) -> None:
    first = won(account, 1, 100)
    account.push("deal", first, account.clock.now + 3 * SECOND)
    account.clock.now += SECOND
    won(account, 1, 250)  # within what the notification took, and lost
    later(account)
    assert account.visit()
    account.assert_true()
    assert account.found == [(SOURCE, "newer")]
    # A notification that comes late tells nothing that is news now.
    account.push("deal", first, account.clock.now - ROUND + 2 * SECOND)
    account.assert_true()


@on_both
def test_deleted_and_restored_objects_are_found(account: World) -> None:
    account.push("deal", won(account, 1), account.clock.now)
    later(account, 2 * MINUTE)
    account.account.change("deal", 1, is_deleted=True)
    later(account)
    assert account.visit()
    account.assert_true()
    later(account, 2 * MINUTE)
    account.account.change("deal", 1, is_deleted=False)
    later(account)
    assert account.visit()
    account.assert_true()


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "code", "least"),
    [
        ("429", "provider_rate_limited", 2 * SECOND),
        ("500", "provider_failed", SECOND),
        ("401", "provider_refuses_us", SECOND),
        ("redirect", "provider_refuses_request", SECOND),
        ("garbage", "provider_answer_unusable", SECOND),
        ("strange", "provider_answer_unusable", SECOND),
        ("drop", "provider_away", SECOND),
        ("slow", "provider_failed", SECOND),
    ],
)
def test_a_fault_in_the_middle_costs_a_page_and_no_activity(
    account: World, fault: str, code: str, least: int
) -> None:
    for number in range(1, 9):
        won(account, number)
    later(account)
    account.account.faults.extend(["", fault])
    assert not account.visit()
    assert not any("elsewhere" in target for target in account.account.asked)
    with account.context.read() as reading:
        state = fetchers.state(reading, W, SOURCE)
    assert (state.code, state.failures, state.lease_until) == (code, 1, 0)
    assert state.retry_at >= account.clock.now + least
    later(account)
    assert account.visit()
    account.assert_true()
    assert Counter(account.found) == {(SOURCE, "missing"): 8}


@on_both
def test_a_cursor_that_the_provider_forgot_begins_the_pass_anew(account: World) -> None:
    for number in range(1, 9):
        won(account, number)
    later(account)
    account.account.faults.extend(["", "400"])
    assert not account.visit()
    account.account.asked.clear()
    later(account)
    assert account.visit()
    assert "cursor" not in account.account.asked[0]
    account.assert_true()


@on_both
def test_the_past_is_read_when_it_is_asked_for_and_counts_once(account: World) -> None:
    account.clock.set("2026-11-01T09:00:00Z")
    for number in range(1, 6):
        won(account, number)
    account.clock.set(START)
    assert account.visit()
    assert account.states() == {}
    live = backfill_source(account.context, W, SOURCE, instant("2026-10-31T00:00:00Z"))
    assert live.state.backfill_from == instant("2026-10-31T00:00:00Z")
    for _ in range(2):
        assert account.visit()
        account.assert_true()
    assert Counter(account.found) == {(SOURCE, "missing"): 5}
    with account.context.read() as reading:
        assert fetchers.state(reading, W, SOURCE).backfill_from is None


@pytest.mark.parametrize("ahead", [-3_600 * SECOND, 3_600 * SECOND])
def test_a_clock_of_ours_that_is_wrong_loses_nothing(tmp_path: Path, ahead: int) -> None:
    clock = Clock(instant(START))
    simulated = Pipedrive(lambda: clock.now - ahead)
    with serving(simulated), world(tmp_path, simulated, clock) as account:
        for number in range(1, 40):
            won(account, number % 9, number)
            if number % 4 == 0:
                account.push("deal", won(account, number % 9, number), simulated.clock())
            if number % 3 == 0:
                account.visit()
            later(account, 50 * SECOND)
        later(account)
        assert account.visit()
        account.assert_true()


@on_both
def test_a_check_says_whether_the_provider_answers_and_takes_nothing(account: World) -> None:
    won(account, 1)
    live = check_source(account.context, W, SOURCE)
    assert (live.asking, live.state.code) == (Asking.WORKING, None)
    assert account.states() == {}
    account.account.faults.append("401")
    live = check_source(account.context, W, SOURCE)
    assert (live.asking, live.state.code) == (Asking.FAILING, "provider_refuses_us")


@on_both
def test_what_changed_before_the_first_answer_is_not_forgotten(account: World) -> None:
    account.account.faults.extend(["500"] * 3)
    for _ in range(3):
        assert not account.visit()
        won(account, 1 + len(account.account.truth))
        later(account, 60 * MINUTE)
    assert account.visit()
    account.assert_true()
    assert len(account.found) == 3


@on_both
@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_changes_losses_and_faults_ends_as_the_account_stands(
    account: World, seed: int
) -> None:
    dice = random.Random(seed)
    late: list[tuple[int, dict[str, Any], int]] = []
    for _ in range(60):
        account.clock.now += dice.randint(0, 40 * SECOND)
        number, value = dice.randint(1, 9), dice.randint(1, 999)
        change = {"status": dice.choice(["won", "lost", "open"]), "value": value}
        times = {"close_time": None, "won_time": None, "is_deleted": dice.random() < 0.1}
        deal = account.account.change("deal", number, **DEAL | times | change)
        stamp = account.clock.now + dice.randint(0, 3 * SECOND)
        match dice.choice(["told", "late", "lost"]):
            case "told" if not deal["is_deleted"]:
                account.push("deal", deal, stamp)
            case "late" if not deal["is_deleted"]:
                late.append((number, deal, stamp))
        if late and dice.random() < 0.3:
            _, known, at = late.pop(dice.randrange(len(late)))
            account.push("deal", known, at)
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop", ""]
            account.account.faults.extend(dice.choice(faults) for _ in range(3))
            account.visit()
    account.account.faults.clear()
    for _ in range(2):
        later(account)
        assert account.visit()
    for _, known, at in late:
        account.push("deal", known, at)
    account.assert_true()
