"""Salesforce is read through by SystemModstamp, against the organization itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.domain.deliveries import Delivery, Reference
from app.domain.instants import MINUTE, SECOND, instant
from app.intake.providers.salesforce.objects import FIELDS as READ
from app.outbound.apis.salesforce import API, FIELDS
from app.store import ledger
from app.usecases.saving import ANY, Precondition
from app.usecases.sources import put_source
from tests.engines import on_both
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
        settings = {"organization_id": "00D000000000001AAA", "currency": "JPY"}
        body = {
            "provider": "salesforce",
            "name": "SF",
            "settings": settings | {"api_url": account.url},
        }
        credentials: Any = {"client_id": "c", "client_secret": TOKEN}
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
