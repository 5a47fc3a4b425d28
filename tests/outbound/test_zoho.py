"""Zoho CRM only names: each record is fetched before it counts, against the account itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from app.domain.instants import MINUTE, SECOND
from app.intake.providers.zoho.records import READERS
from app.intake.providers.zoho.records import SETTINGS as DECLARED
from app.outbound.apis.zoho import API, DATA_CENTERS, FIELDS
from app.store import quarantine
from app.usecases.asking import Asking, check_source
from app.usecases.fetch_lease import Holder
from tests.engines import on_both, on_sqlite
from tests.outbound.accounts import SOURCE, W
from tests.outbound.zoho_world import Organization, connect, deal, organization

ROUND = 6 * MINUTE


@pytest.fixture
def world(engine: str, tmp_path: Path) -> Iterator[Organization]:
    assert engine
    with organization(tmp_path) as made:
        yield made


def later(world: Organization, by: int = ROUND) -> None:
    world.clock.now += by


def test_what_is_asked_for_is_what_the_reader_wants() -> None:
    beside = {"Created_Time", "Modified_Time", "Owner"}
    more = {"Calls": {"Call_Duration_in_seconds", "Outgoing_Call_Status"}}
    assert {name: set(fields) for name, fields in FIELDS.items()} == {
        name: {*origins.values()} | beside | more.get(name, set())
        for name, (_, origins) in READERS.items()
    }
    (centers,) = (one.schema["enum"] for one in DECLARED if one.name == "data_center")
    assert set(centers) == set(DATA_CENTERS)


def test_each_data_center_has_its_own_addresses() -> None:
    assert API.oauth is not None
    assert API.base({"data_center": "jp"}) == "https://www.zohoapis.jp"
    assert API.oauth.url({"data_center": "jp"}) == "https://accounts.zoho.jp/oauth/v2/token"
    sandbox = {"data_center": "eu", "api_url": "https://sandbox.zohoapis.eu"}
    assert API.base(sandbox) == "https://sandbox.zohoapis.eu"
    assert API.oauth.url(sandbox) == "https://accounts.zoho.eu/oauth/v2/token"


@on_both
def test_what_is_named_many_times_is_fetched_once_and_counts(world: Organization) -> None:
    for number in (1, 2, 3):
        deal(world, number, number)
    world.notify("1", "2", "1")
    world.notify("2", "3", operation="insert")
    assert world.pending() == 3
    assert world.visit()
    assert world.pending() == 0
    world.assert_true()
    assert sum("/Deals/2?" in target for target in world.account.asked) == 1
    # Access was given once, for all of it.
    assert world.account.renewals == 1


@on_both
def test_what_was_deleted_before_it_was_fetched_is_withdrawn_and_not_missing(
    world: Organization,
) -> None:
    for number in (1, 2):
        deal(world, number, 5)
    world.notify("1", "2", operation="insert")
    later(world, SECOND)
    world.account.delete("Deals", "1")
    assert world.visit()
    world.assert_true()
    assert world.pending() == 0
    with world.context.read() as reading:
        assert quarantine.size(reading, W) == 0


@on_both
def test_an_import_of_one_second_is_read_page_by_page_with_access_that_ends(
    world: Organization,
) -> None:
    for number in range(1, 11):
        deal(world, number, number)
    later(world)
    # Taken back between two pages: renewed, and gone on with.
    world.account.faults.extend(["", "", "", "401"])
    assert world.visit()
    world.assert_true()
    assert world.found == [(SOURCE, "missing")] * 10
    assert world.account.renewals == 2
    assert sum("page_token" in target for target in world.account.asked) == 3
    later(world)
    assert world.visit()
    assert len(world.found) == 10


@on_both
@pytest.mark.parametrize("inclusive", [True, False])
def test_what_moves_while_it_is_read_hides_nothing(
    world: Organization,
    inclusive: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    world.account.inclusive = inclusive
    for number in range(1, 13):
        deal(world, number, number)
        later(world, 2 * SECOND)
    moved = iter(range(1, 4))

    def move() -> None:
        number = next(moved, None)
        if number is not None:
            world.clock.now += SECOND
            deal(world, number, 100 + number)

    world.account.between = move
    later(world)
    assert world.visit()
    # One pass, without the overlap of the next one: nothing was pushed out of sight.
    assert len(world.deals(*(str(n) for n in range(1, 13)))) == 12
    later(world)
    assert world.visit()
    world.assert_true()


@on_both
def test_deletions_that_nobody_told_are_found_and_what_comes_back_as_well(
    world: Organization,
) -> None:
    for number in range(1, 9):
        deal(world, number, number)
    later(world)
    assert world.visit()
    for number in range(1, 6):
        world.account.delete("Deals", str(number))
    later(world)
    assert world.visit()
    world.assert_true()
    assert world.found.count((SOURCE, "newer")) == 5
    later(world)
    assert world.visit()
    assert len(world.found) == 13
    deal(world, 1, 1)
    world.notify("1")
    later(world)
    assert world.visit()
    world.assert_true()


@on_both
def test_a_deletion_that_was_told_late_does_not_hide_that_the_record_is_back(
    world: Organization,
) -> None:
    deal(world, 1, 5)
    world.notify("1")
    assert world.visit()
    world.account.delete("Deals", "1")
    later(world, SECOND)
    deal(world, 1, 7)
    later(world, 2 * SECOND)
    world.notify("1", operation="delete")
    # What it is now is read first, and that it has been at rest with it is seen by the next pass.
    for _ in range(2):
        later(world)
        assert world.visit()
    world.assert_true()


@on_both
def test_a_change_in_the_second_of_another_is_found(world: Organization) -> None:
    deal(world, 1, 5)
    world.notify("1")
    assert world.visit()
    deal(world, 1, 9)  # the same second, and its notification is lost
    later(world)
    assert world.visit()
    world.assert_true()


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429", "provider_rate_limited"),
        ("500", "provider_failed"),
        ("slow", "provider_failed"),
        ("garbage", "provider_answer_unusable"),
        ("drop", "provider_away"),
    ],
)
def test_a_fault_in_the_middle_costs_a_page_and_no_activity(
    world: Organization, fault: str, code: str
) -> None:
    assert world.visit()
    for number in range(1, 9):
        deal(world, number, number)
    later(world)
    world.account.faults.extend(["", fault])
    assert not world.visit()
    assert world.fetcher().code == code
    later(world)
    assert world.visit()
    world.assert_true()
    assert world.found == [(SOURCE, "missing")] * 8


def test_an_answer_of_the_accounts_server_that_is_an_error_is_for_somebody_to_mend(
    tmp_path: Path,
) -> None:
    with organization(tmp_path) as world:
        connect(world.context, world.account, again=True, refresh_token="another")
        live = check_source(world.context, W, SOURCE)
        assert (live.asking, live.state.code) == (Asking.FAILING, "provider_refuses_us")
        form = parse_qs(world.account.posted[-1])
        assert form["refresh_token"] == ["another"]


@on_both
@pytest.mark.parametrize("place", range(1, 8))
def test_a_crash_at_any_write_loses_nothing_and_counts_nothing_twice(
    world: Organization, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 8):
        deal(world, number, number)
    world.notify("1", "2")
    write, left = Holder.write, [place]

    def crash(holder: Holder, **values: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise SystemError
        write(holder, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Holder, "write", crash)
        with pytest.raises(SystemError):
            world.visit()
    # Whoever holds the lease is dead: nobody else does anything until it ends.
    assert not world.visit()
    later(world)
    assert world.visit()
    world.assert_true()
    assert world.pending() == 0
    assert world.channel().failures == 0


@on_both
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_notifications_losses_and_faults_ends_as_the_account_stands(
    world: Organization, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(50):
        later(world, dice.randint(1, 40 * SECOND))
        numbers = [dice.randint(1, 9) for _ in range(dice.randint(1, 3))]
        for number in numbers:
            deal(world, number, dice.randint(1, 999))
        gone = numbers[-1] if dice.random() < 0.2 else None
        if dice.random() < 0.6:
            world.notify(*(str(number) for number in numbers))
        if gone is not None:
            later(world, SECOND)
            world.account.delete("Deals", str(gone))
            if dice.random() < 0.5:
                world.notify(str(gone), operation="delete")
        if dice.random() < 0.4:
            faults = ["", "429", "500", "garbage", "drop"]
            world.account.faults.extend(dice.choice(faults) for _ in range(3))
            world.visit()
    world.account.faults.clear()
    for _ in range(3):
        later(world)
        assert world.visit()
    assert world.pending() == 0
    world.assert_true()


def test_a_page_that_is_not_in_order_is_followed_by_its_own_cursor() -> None:
    times = ["2026-12-01T09:00:05+00:00", "2026-12-01T09:00:01+00:00"]
    data = [{"id": str(n), "Modified_Time": at} for n, at in enumerate(times)]
    answer: Any = {"data": data, "info": {"more_records": True, "next_page_token": "t"}}
    page = API.listed("Deals", answer, 0, None)
    assert page.next is not None
    assert "page_token=t" in API.page("Deals", 0, page.next, {}).path
