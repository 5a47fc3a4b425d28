"""Salesforce is read through by SystemModstamp, against the organization itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.domain.deliveries import Delivery, Reference
from app.domain.instants import MINUTE, SECOND, instant
from app.intake.providers.salesforce.objects import FIELDS as READ
from app.intake.requests import HookRequest
from app.outbound.apis.salesforce import API, FIELDS
from app.store import ledger
from app.usecases.saving import ANY, Precondition
from app.usecases.sources import put_source
from tests.engines import on_both
from tests.intake.salesforce_events import API_KEY, ORGANIZATION, change, message
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Salesforce
from tests.outbound.truths import differing, of_salesforce
from tests.web.service import Clock

OWNER = "005000000000001AAA"
WON = {
    "StageName": "Closed Won",
    "IsWon": True,
    "IsClosed": True,
    "CloseDate": "2026-12-01",
    "OwnerId": OWNER,
    "IsDeleted": False,
}


@dataclass
class Organization(Connected[Salesforce]):
    def state(self, id_: str) -> State | None:
        key = f"Opportunity:{id_}"
        return self.standing([key]).get(key)

    def assert_true(self) -> None:
        truth = of_salesforce(self.account)
        assert differing(truth, self.standing(truth)) == {}
        assert ledger.verify(self.context.store, W) == []


@pytest.fixture
def organization(engine: str, tmp_path: Path) -> Iterator[Organization]:
    assert engine
    clock = Clock(instant("2026-12-01T09:00:00Z"))
    with serving(Salesforce(clock)) as account, inside(tmp_path, clock) as context:
        settings: dict[str, Any] = {"organization_id": ORGANIZATION, "currency": "JPY"}
        settings |= {"shapes": ["outbound_message", "change_data_capture"]}
        settings |= {"won_at": "stage_change"}
        body = {
            "provider": "salesforce",
            "name": "SF",
            "settings": settings | {"api_url": account.url},
        }
        credentials: Any = {"client_id": "c", "client_secret": TOKEN, "api_key": API_KEY}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield Organization(context, account, clock, [])


def opportunity(number: int) -> str:
    return f"006{number:012d}AAA"


def test_what_is_asked_for_is_what_the_reader_wants() -> None:
    assert {name: frozenset(own) for name, own in FIELDS.items()} == {
        name: frozenset(own) for name, own in READ.items()
    }


@on_both
def test_an_import_of_one_moment_is_read_page_by_page_with_access_that_ends(
    organization: Organization,
) -> None:
    for number in range(1, 451):
        organization.account.save("Opportunity", opportunity(number), **WON, Amount=number)
    organization.clock.now += 6 * MINUTE
    # The token is taken back between two pages: renewed, and gone on with.
    organization.account.faults.extend(["", "", "401"])
    assert organization.visit()
    organization.assert_true()
    assert len(organization.found) == 450
    assert len(organization.account.posted) == 2
    organization.clock.now += 6 * MINUTE
    assert organization.visit()
    # The token is kept for the next visit, and nothing is told twice.
    assert len(organization.account.posted) == 2
    assert len(organization.found) == 450


@on_both
def test_changed_and_deleted_records_are_found(organization: Organization) -> None:
    for number in (1, 2):
        organization.account.save("Opportunity", opportunity(number), **WON, Amount=5)
    organization.clock.now += 6 * MINUTE
    assert organization.visit()
    organization.account.save("Opportunity", opportunity(1), IsDeleted=True)
    organization.account.save("Opportunity", opportunity(2), Amount=7)
    organization.clock.now += 6 * MINUTE
    assert organization.visit()
    organization.assert_true()
    assert organization.found == [(SOURCE, "missing")] * 2 + [(SOURCE, "newer")] * 2


@on_both
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429", "provider_rate_limited"),
        ("503", "provider_failed"),
        ("403", "provider_refuses_us"),
        ("garbage", "provider_answer_unusable"),
        ("strange", "provider_answer_unusable"),
        ("drop", "provider_away"),
        ("slow", "provider_failed"),
    ],
)
def test_a_fault_in_the_middle_costs_a_page_and_no_record(
    organization: Organization, fault: str, code: str
) -> None:
    for number in range(1, 301):
        organization.account.save("Opportunity", opportunity(number), **WON, Amount=number)
    organization.clock.now += 6 * MINUTE
    organization.account.faults.extend(["", "", fault])
    assert not organization.visit()
    assert organization.fetcher().code == code
    organization.clock.now += 6 * MINUTE
    assert organization.visit()
    organization.assert_true()
    assert organization.found == [(SOURCE, "missing")] * 300


@on_both
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_any_course_of_messages_changes_losses_and_faults_ends_as_the_organization_stands(
    organization: Organization, seed: int
) -> None:
    dice = random.Random(seed)
    late: list[HookRequest] = []
    for _ in range(50):
        # Often while the change before it still bears a later time than it was made at.
        organization.clock.now += dice.randint(1, dice.choice([SECOND, 40 * SECOND]))
        sent = _changed(organization, dice)
        match dice.choice(["told", "late", "lost"]):
            case "told":
                organization.deliver(sent.headers, sent.body)
            case "late" if sent.body.startswith(b"<"):
                late.append(sent)
        if late and dice.random() < 0.3:
            old = late.pop(dice.randrange(len(late)))
            organization.deliver(old.headers, old.body)
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop", "401"]
            organization.account.faults.extend(dice.choice(faults) for _ in range(3))
            organization.visit()
    organization.account.faults.clear()
    for _ in range(2):
        organization.clock.now += 6 * MINUTE
        assert organization.visit()
    for old in late:
        organization.deliver(old.headers, old.body)
    organization.assert_true()


def _changed(organization: Organization, dice: random.Random) -> HookRequest:
    """A change, and what Salesforce says of it: the record, or what changed as of the commit."""
    id_, account = opportunity(dice.randint(1, 4)), organization.account
    known, amount = account.truth.get(("Opportunity", id_)), dice.randint(1, 999)
    committed = (organization.clock.now + dice.randint(0, 3 * SECOND)) // 1_000
    if known and not known["IsDeleted"] and dice.random() < 0.6:
        if dice.random() < 0.3:
            account.save("Opportunity", id_, IsDeleted=True)
            return change("Opportunity", "DELETE", {}, at=committed, ids=[id_])
        account.save("Opportunity", id_, Amount=amount)
        return change("Opportunity", "UPDATE", {"Amount": amount}, at=committed, ids=[id_])
    account.save("Opportunity", id_, **WON, Amount=amount)
    return message(("Opportunity", account.truth["Opportunity", id_]))


@on_both
def test_amounts_of_an_organization_with_several_currencies_keep_their_own(
    organization: Organization,
) -> None:
    """Without its currency an amount would count as one of the workspace's."""
    own = {
        name: organization.subject.settings.values[name] for name in ("organization_id", "api_url")
    }
    settings = own | {"several_currencies": True}
    body = {"provider": "salesforce", "name": "SF", "settings": settings}
    anything = Precondition(frozenset({ANY}))
    put_source(organization.context, W, SOURCE, body, None, anything, "test")
    organization.account.several_currencies = True
    for number, currency in ((1, "EUR"), (2, "JPY"), (3, None)):
        told = WON | {"Amount": 5, "CurrencyIsoCode": currency}
        organization.account.save("Opportunity", opportunity(number), **told)
    organization.clock.now += 6 * MINUTE
    assert organization.visit()
    found = [organization.state(opportunity(number)) for number in (1, 2, 3)]
    assert [state and state.fields["currency"] for state in found] == ["EUR", "JPY", None]


@on_both
def test_a_record_that_was_only_named_is_fetched(organization: Organization) -> None:
    organization.account.save("Opportunity", opportunity(1), **WON, Amount=5)
    names = (Reference(0, "Opportunity", opportunity(1), "", SOURCE),)
    named = Delivery(W, organization.clock.now, True, (), references=names)
    with organization.context.store.transaction() as connection:
        # As the shelf does it for a delivery that is kept.
        from app.store import fetches, heads  # noqa: PLC0415 - of this test alone

        writing = heads.move(connection, W, organization.clock.now)
        fetches.enqueue(writing, [fetches.Named(names[0], named.received_at, None)])
    assert organization.visit()
    organization.assert_true()


def test_an_instant_is_written_as_the_query_language_wants_it() -> None:
    at = instant("2026-12-01T09:00:00.123Z")
    asked = API.page("Lead", at, None, {})
    assert "2026-12-01T09%3A00%3A00.123Z" in asked.path
    assert "2026-12-01T09%3A00%3A00.000Z" in API.page("Lead", at // SECOND * SECOND, None, {}).path


@pytest.mark.parametrize("id_", ["x' OR Id != '", "", "006", "006000000000001AAA'"])
def test_an_id_that_is_none_asks_for_nothing(id_: str) -> None:
    assert "Id+%3D+%27000000000000000%27" in API.one("Opportunity", id_, {}).path
