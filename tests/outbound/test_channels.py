"""Notifications that end by themselves are renewed in time, and whoever cannot says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.instants import DAY, MINUTE, instant
from app.usecases import sources
from app.usecases.asking import check_source
from app.usecases.fetch_channels import are_due
from app.usecases.rotating import rotate
from app.usecases.saving import Precondition
from app.usecases.sources import Liveness, archive_source
from tests.engines import on_both
from tests.outbound.accounts import SOURCE, W, inside
from tests.outbound.serving import serving
from tests.outbound.zoho_account import Zoho
from tests.outbound.zoho_world import (
    ADDRESS,
    ASKING,
    CHANNEL_TOKEN,
    START,
    Organization,
    connect,
    deal,
    organization,
)
from tests.web.service import Clock, started

HOUR = 60 * MINUTE
# Zoho's channels are asked for with 23 hours, and renewed at half of that.
HALF = 23 * HOUR // 2


@pytest.fixture
def world(engine: str, tmp_path: Path) -> Iterator[Organization]:
    assert engine
    with organization(tmp_path) as made:
        yield made


def liveness(world: Organization) -> Liveness:
    return sources.get_source(world.context, W, SOURCE).liveness


def is_due(world: Organization) -> bool:
    return are_due(world.subject, world.fetcher().channels, world.clock.now)


@on_both
def test_a_channel_is_opened_with_the_sources_address_and_token(world: Organization) -> None:
    assert is_due(world)
    assert world.visit()
    ((id_, told),) = world.account.open_channels().items()
    shown = sources.get_source(world.context, W, SOURCE)
    assert (told["notify_url"], told["token"]) == (shown.hook_url, CHANNEL_TOKEN)
    assert told["notify_url"].startswith(ADDRESS)
    assert told["events"] == ["Deals.all", "Calls.all", "Events.all", "Leads.all"]
    assert world.channel().id == id_
    assert world.channel().expires_at == world.clock.now + 23 * HOUR
    assert not is_due(world)
    # What the channel then brings is taken.
    deal(world, 1, 5)
    world.notify("1")
    assert world.visit()
    world.assert_true()
    assert world.account.watched == ["POST"]


@on_both
def test_it_is_renewed_at_half_its_life_and_not_before(world: Organization) -> None:
    assert world.visit()
    (id_,) = world.account.open_channels()
    world.clock.now += HALF - MINUTE
    assert not is_due(world)
    assert world.visit()
    assert world.account.watched == ["POST"]
    world.clock.now += MINUTE
    assert is_due(world)
    assert world.visit()
    assert world.account.watched == ["POST", "PATCH"]
    assert list(world.account.open_channels()) == [id_]
    assert world.channel().expires_at == world.clock.now + 23 * HOUR
    # For a month of such visits there is no moment without it.
    for _ in range(60):
        world.clock.now += 12 * HOUR
        assert list(world.account.open_channels()) == [id_]
        assert world.visit()


@on_both
@pytest.mark.parametrize("forgotten", [False, True])
def test_one_that_ended_meanwhile_is_opened_anew(
    world: Organization,
    forgotten: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert world.visit()
    if forgotten:
        world.account.channels.clear()
        world.clock.now += HALF
    else:
        world.clock.now += 2 * DAY
        assert liveness(world) is Liveness.FAILING
    assert world.visit()
    tried = ["PATCH", "POST", "DELETE"] if forgotten else ["POST"]
    assert world.account.watched == ["POST", *tried]
    assert len(world.account.open_channels()) == 1
    assert liveness(world) is not Liveness.FAILING


@on_both
def test_what_cannot_be_renewed_is_told_and_keeps_nothing_else_from_being_done(
    world: Organization,
) -> None:
    world.account.refuses_channels = True
    for tries in range(1, 4):
        deal(world, tries, tries)
        assert world.visit()
        world.assert_true()
        assert (world.channel().failures, world.channel().code) == (tries, "provider_refuses_us")
        assert not is_due(world)
        live = check_source(world.context, W, SOURCE)
        assert live.channels["notifications"].code == "provider_refuses_us"
        assert liveness(world) is (Liveness.FAILING if tries == 3 else Liveness.ACTIVE)
        world.clock.now += HOUR
    world.account.refuses_channels = False
    assert is_due(world)
    assert world.visit()
    assert (world.channel().failures, world.channel().code) == (0, None)
    assert liveness(world) is Liveness.ACTIVE


@on_both
@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 404])
def test_an_answer_that_opens_nothing_is_none(world: Organization, status: int) -> None:
    world.account.refuses_channels, world.account.refusal = True, status
    assert world.visit()
    channel = world.channel()
    assert (channel.id, channel.failures) == ("", 1)
    assert channel.code in {"provider_refuses_request", "provider_answer_unusable"}


@on_both
def test_a_channel_that_lasts_less_than_asked_is_renewed_by_what_it_has(
    world: Organization,
) -> None:
    world.account.longest = HOUR
    assert world.visit()
    assert world.channel().expires_at == world.clock.now + HOUR
    for _ in range(10):
        world.clock.now += 30 * MINUTE
        assert world.account.open_channels()
        assert is_due(world)
        assert world.visit()
    assert world.account.watched == ["POST", *["PATCH"] * 10]


@on_both
def test_what_fails_is_told_before_the_channel_ends_and_again_when_it_has(
    world: Organization,
) -> None:
    assert world.visit()
    world.account.refuses_channels = True
    world.clock.now += HALF
    assert world.visit()
    assert world.channel().failures == 1
    assert world.channel().expires_at > world.clock.now
    world.clock.now = world.channel().expires_at
    assert liveness(world) is Liveness.FAILING


@on_both
def test_another_token_wants_another_channel_and_the_old_one_is_closed(
    world: Organization,
) -> None:
    assert world.visit()
    (before,) = world.account.open_channels()
    rotate(world.context, W, SOURCE, {"token": "another-token"}, 60, "test")
    assert is_due(world)
    assert world.visit()
    ((after, told),) = world.account.open_channels().items()
    assert before != after
    assert told["token"] == "another-token"
    assert world.account.watched == ["POST", "POST", "DELETE"]
    # What still comes by the old token is taken for as long as was said.
    deal(world, 1, 5)
    world.notify("1")
    assert world.pending() == 1


@on_both
def test_new_credentials_are_tried_at_once(world: Organization) -> None:
    world.account.refuses_channels = True
    for _ in range(4):
        assert world.visit()
        world.clock.now += HOUR
    assert world.visit()
    assert not is_due(world)
    connect(world.context, world.account, again=True, token="a-new-token")
    world.account.refuses_channels = False
    assert is_due(world)
    assert world.visit()
    assert world.channel().failures == 0


@on_both
def test_a_source_that_is_disconnected_has_no_channel_renewed(world: Organization) -> None:
    assert world.visit()
    seen = Precondition(frozenset({"*"}))
    archive_source(world.context, W, SOURCE, seen, "test")
    with pytest.raises(ValueError, match="not enough values"):
        world.visit()


def test_without_a_public_address_there_is_nowhere_to_send(tmp_path: Path) -> None:
    clock = Clock(instant(START))
    with (
        serving(Zoho(clock)) as account,
        inside(tmp_path, clock) as context,
        pytest.raises(Invalid, match="public_url_required"),
    ):
        connect(context, account)


def test_the_check_the_state_and_the_metrics_tell_of_it() -> None:
    with (
        started(START, loopback=True, public_url=ADDRESS) as service,
        serving(Zoho(service.clock)) as account,
    ):
        account.refuses_channels = True
        body: dict[str, Any] = {
            "provider": "zoho",
            "name": "Zoho CRM",
            "credentials": ASKING,
            "settings": {"api_url": account.url, "accounts_url": account.url},
        }
        assert service.put("/v1/sources/crm", body).status_code == 201
        (channel,) = eventually(
            lambda: service.client.post("/v1/sources/crm/check").json()["channels"]
        )
        assert (channel["name"], channel["failures"]) == ("notifications", 1)
        assert channel["problem"]["code"] == "provider_refuses_us"
        assert channel["expires_at"] is None
        service.clock.now += HOUR
        shown = eventually(lambda: line(service.get("/metrics").text, "channel_failures"))
        assert float(shown.rpartition(" ")[2]) >= 1
        account.refuses_channels = False

        def later() -> str | None:
            # A visit that is under way may yet be refused, and then the next one waits its time.
            service.clock.now += MINUTE
            return line(service.get("/metrics").text, "channel_expiry")

        ends = eventually(later)
        assert float(ends.rpartition(" ")[2]) > instant(START) / 1_000_000 + 20 * 3600


def line(text: str, name: str) -> str | None:
    """The sample of a gauge that is named like this."""
    found = [one for one in text.splitlines() if one.startswith(f"tassei_source_{name}")]
    return found[0] if found else None


def eventually(read: Any) -> Any:
    for _ in range(600):
        found = read()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError
