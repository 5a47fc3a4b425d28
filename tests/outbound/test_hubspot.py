"""HubSpot only names: each object is fetched before it counts, against the account itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.instants import MINUTE, SECOND, instant
from app.intake.providers.hubspot.objects import PROPERTIES as READ
from app.outbound.apis.hubspot import API, PROPERTIES
from app.store import ledger, quarantine
from app.usecases.asking import backfill_source
from app.usecases.saving import Precondition
from app.usecases.sources import put_source
from tests.engines import on_both
from tests.intake.hubspot_events import SECRET, event, hubspot
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Hubspot
from tests.outbound.truths import differing, of_hubspot
from tests.web.service import Clock

ADDRESS = "https://tassei.example.com"


@dataclass
class Portal(Connected[Hubspot]):
    def notify(self, *numbers: int, subscription: str = "object.propertyChange") -> None:
        """One request with a notification of each deal, signed now by HubSpot's own SDK."""
        at = self.clock.now // 1000
        told = [
            event(subscription, objectTypeId="0-3", objectId=number, occurredAt=at)
            for number in numbers
        ]
        url = f"{self.connection().base_url}/v1/hooks/x"
        sent = hubspot(told, stamp=str(at), url=url)
        self.deliver(sent.headers, sent.body)

    def assert_true(self) -> None:
        truth = of_hubspot(self.account)
        assert differing(truth, self.standing(truth)) == {}
        assert ledger.verify(self.context.store, W) == []


@pytest.fixture
def portal(engine: str, tmp_path: Path) -> Iterator[Portal]:
    assert engine
    clock = Clock(instant("2026-12-01T09:00:00Z"))
    address = {"public_url": ADDRESS}
    with serving(Hubspot(clock)) as account, inside(tmp_path, clock, **address) as context:
        body = {
            "provider": "hubspot",
            "name": "HubSpot",
            "settings": {"portal_id": "7801234", "api_url": account.url},
        }
        credentials: Any = {"client_secret": SECRET, "access_token": TOKEN}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield Portal(context, account, clock, [])


def deal(portal: Portal, number: int, amount: int, *, archived: bool = False) -> None:
    portal.account.save(
        "deals",
        number,
        archived=archived,
        amount=str(amount),
        dealstage="s1",
        hs_is_closed="true",
        hs_is_closed_won="true",
        closedate="2026-12-01T08:00:00Z",
        createdate="2026-12-01T07:00:00Z",
        hubspot_owner_id="77",
        deal_currency_code="USD",
    )


def test_what_is_asked_for_is_what_the_reader_wants() -> None:
    assert PROPERTIES == READ


@on_both
def test_what_is_named_many_times_is_fetched_once_and_counts(portal: Portal) -> None:
    for number in (1, 2, 3):
        deal(portal, number, number)
    portal.notify(1, 1, 2, 1, 3)
    portal.notify(2)
    assert portal.pending() == 3
    assert portal.visit()
    assert portal.pending() == 0
    portal.assert_true()
    assert sum("/deals/1?" in target for target in portal.account.asked) == 1


@on_both
def test_what_was_deleted_before_it_was_fetched_is_withdrawn_and_not_missing(
    portal: Portal,
) -> None:
    deal(portal, 1, 5)
    portal.notify(1, subscription="object.creation")
    portal.clock.now += SECOND
    deal(portal, 1, 5, archived=True)
    assert portal.visit()
    portal.assert_true()
    assert portal.pending() == 0
    with portal.context.read() as reading:
        assert quarantine.size(reading, W) == 0


@on_both
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_notifications_losses_and_faults_ends_as_the_account_stands(
    portal: Portal, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(50):
        portal.clock.now += dice.randint(1, 40 * SECOND)
        numbers = [dice.randint(1, 9) for _ in range(dice.randint(1, 3))]
        for number in numbers:
            deal(portal, number, dice.randint(1, 999))
        if dice.random() < 0.6:
            portal.notify(*numbers)
        if dice.random() < 0.4:
            faults = ["", "429", "500", "garbage", "drop"]
            portal.account.faults.extend(dice.choice(faults) for _ in range(3))
            portal.visit()
    portal.account.faults.clear()
    for _ in range(3):
        portal.clock.now += 6 * MINUTE
        assert portal.visit()
    assert portal.pending() == 0
    portal.assert_true()


@on_both
def test_what_moves_to_the_end_while_the_past_is_read_hides_nothing(portal: Portal) -> None:
    """Of what is older than any overlap nobody asks again."""
    portal.clock.set("2026-11-01T09:00:00Z")
    for number in range(1, 9):
        portal.clock.now += SECOND
        deal(portal, number, number)
    portal.clock.set("2026-12-01T09:00:00Z")
    backfill_source(portal.context, W, SOURCE, instant("2026-10-31T00:00:00Z"))
    # Contacts, a page of deals, and then it fails; what was read is changed before it goes on.
    portal.account.faults.extend(["", "", "503"])
    assert not portal.visit()
    deal(portal, 1, 100)
    for _ in range(2):
        portal.clock.now += 6 * MINUTE
        assert portal.visit()
    portal.assert_true()


@pytest.mark.parametrize("searched", [None, "2026-12-01T09:00:00.500Z"])
def test_a_page_goes_on_behind_the_time_of_its_last_object(searched: str | None) -> None:
    one: Any = {"id": "7", "updatedAt": "2026-12-01T09:00:00.500Z"}
    if searched is not None:
        # By this one it is sorted: what lies between the two is on the next page.
        one |= {
            "updatedAt": "2026-12-01T09:10:00Z",
            "properties": {"hs_lastmodifieddate": searched},
        }
    answer: Any = {"results": [one], "paging": {"next": {"after": "9900"}}}
    page = API.listed("deals", answer, instant("2026-12-01T08:00:00Z"), None)
    assert page.next is not None
    asked = json.loads(API.page("deals", 0, page.next, {}).body)
    assert asked["filterGroups"][0]["filters"][0]["value"] == str(
        instant("2026-12-01T09:00:00.5Z") // 1000
    )
    assert "after" not in asked
    # Of one moment HubSpot counts through itself.
    moment: Any = answer | {"paging": {"next": {"after": "100"}}}
    page = API.listed("deals", moment, instant("2026-12-01T09:00:00.5Z"), None)
    asked = json.loads(API.page("deals", 0, page.next, {}).body)
    assert asked["after"] == "100"
    # As many of one moment as no search shows: told, and not gone round in for ever.
    with pytest.raises(ValueError, match="too many at once"):
        API.listed("deals", answer, instant("2026-12-01T09:00:00.5Z"), None)
