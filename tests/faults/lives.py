"""Accounts in use, one for each provider that is asked: what happens there, what is to stand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.intake.requests import HookRequest
from app.main import wall_clock
from tests.faults.asking import ADDRESS
from tests.faults.service import Service
from tests.intake import (
    aircall_events,
    close_events,
    hubspot_events,
    ringcentral_events,
    zoho_events,
)
from tests.intake.google_events import CLIENT as GUEST
from tests.intake.google_events import SATO, SUZUKI, google
from tests.outbound.aircall_account import API_ID, Aircall
from tests.outbound.google_account import Workspace
from tests.outbound.ringcentral_account import CLIENT, JWT, RingCentral
from tests.outbound.serving import TOKEN, Account, serving
from tests.outbound.simulator import Close, Hubspot, Kintone, Salesforce
from tests.outbound.truths import (
    OUTCOMES,
    WORDS,
    Truth,
    of_aircall,
    of_close,
    of_google,
    of_hubspot,
    of_kintone,
    of_ringcentral,
    of_salesforce,
    of_zoho,
)
from tests.outbound.zoho_account import Zoho

# The words of a provider, for the address that it calls.
Sent = Callable[[str], HookRequest]
Dice = random.Random
OBJECTS = 12


@dataclass
class Life:
    """A source of a provider.

    happen: something, now; what the provider says of it, if it says anything; kept: whether it
    says that again until it was taken, as what nobody finds otherwise has to be
    """

    provider: str
    account: Account
    credentials: dict[str, str]
    happen: Callable[[Dice], Sent | None]
    truth: Callable[[], Truth]
    settings: dict[str, Any] = field(default_factory=dict)
    kept: bool = False
    path: str = ""
    untaken: list[Sent] = field(default_factory=list)

    def connect(self, service: Service) -> None:
        body = {
            "provider": self.provider,
            "name": self.provider,
            "settings": self.settings | {"api_url": self.account.url} | self._token_url(),
            "credentials": self.credentials,
        }
        answer = service.ask("PUT", f"/v1/sources/{self.provider}", body)
        assert answer.status == 201, answer.body
        self.path = str(answer.json()["hook_url"]).removeprefix(ADDRESS)

    def _token_url(self) -> dict[str, str]:
        """Where access is given, of those whose API and tokens have two addresses."""
        url = self.account.url
        apart = {"zoho": {"accounts_url": url}, "google_calendar": {"token_url": f"{url}/token"}}
        return apart.get(self.provider, {})

    def go_on(self, service: Service, dice: Dice) -> None:
        if (told := self.happen(dice)) is not None:
            self.untaken.append(told)
            self.tell(service)

    def tell(self, service: Service) -> None:
        """Say what is to be said; what nobody took is lost, unless it is kept."""
        waiting, self.untaken = self.untaken, []
        for told in waiting:
            taken, sent = False, told(ADDRESS + self.path)
            with suppress(OSError):
                body, headers = sent.body.decode(), dict(sent.headers)
                answer = service.ask(sent.method, self.path, body, headers, seconds=5)
                taken = answer.status < 300
            if self.kept and not taken:
                self.untaken.append(told)


def _aircall() -> Life:
    account = Aircall(wall_clock, page=5)

    def happen(dice: Dice) -> None:
        under_way = [id_ for id_, one in account.truth.items() if one["ended_at"] is None]
        if under_way and dice.random() < 0.5:
            answer = {"answered_at": None} if dice.random() < 0.3 else {}
            account.end(dice.choice(under_way), **answer)
        elif len(account.truth) < 3 * OBJECTS:
            account.begin(len(account.truth) + 1)

    credentials = {"token": aircall_events.TOKEN, "api_id": API_ID, "api_token": TOKEN}
    return Life("aircall", account, credentials, happen, partial(of_aircall, account))


def _ringcentral() -> Life:
    account = RingCentral(wall_clock, page=5)

    def happen(dice: Dice) -> None:
        under_way = sorted(account.began.keys() - account.truth.keys())
        if under_way and dice.random() < 0.5:
            account.end(dice.choice(under_way), dice.choice(list(OUTCOMES)))
        elif len(account.began) < 3 * OBJECTS:
            account.begin(f"s-{len(account.began) + 1}")

    client_id, client_secret = CLIENT
    credentials = {"verification_token": ringcentral_events.TOKEN, "jwt": JWT}
    credentials |= {"client_id": client_id, "client_secret": client_secret}
    return Life("ringcentral", account, credentials, happen, partial(of_ringcentral, account))


def _zoho() -> Life:
    account = Zoho(wall_clock)

    def happen(dice: Dice) -> Sent | None:
        id_ = str(dice.randint(1, OBJECTS))
        if ("Deals", id_) in account.truth and dice.random() < 0.15:
            account.delete("Deals", id_)
            return None
        values = {"Stage": "Closed Won", "Closing_Date": "2026-11-01"}
        account.save("Deals", id_, Amount=dice.randint(1, 999), **values)
        if dice.random() < 0.5:
            return None
        told = zoho_events.notification(ids=(id_,), server_time=wall_clock() // 1_000)
        return lambda _url: zoho_events.zoho(told)

    asking = {"client_id": "c", "client_secret": "s", "refresh_token": TOKEN}
    credentials = {"token": zoho_events.TOKEN} | asking
    return Life("zoho", account, credentials, happen, partial(of_zoho, account))


def _google() -> Life:
    account, token = Workspace(wall_clock), "the-token-of-the-channels"

    def happen(dice: Dice) -> Sent | None:
        owner, other = dice.sample([SATO, SUZUKI], 2)
        id_ = f"{owner[:4]}{dice.randint(1, OBJECTS)}"
        if dice.random() < 0.2 and id_ in account.copies.get(owner, {}):
            account.cancel(owner, id_)
        else:
            starts = {"dateTime": f"2026-12-10T{dice.randint(10, 19)}:00:00+09:00"}
            account.invite(owner, id_, [other, GUEST], start=starts)
        told = google("exists", owner, token=token)
        return (lambda _url: told) if dice.random() < 0.5 else None

    credentials = {"token": token, "client_id": "c", "client_secret": "s", "refresh_token": TOKEN}
    settings = {"calendars": [SATO, SUZUKI], "domains": ["example.co.jp"]}
    truth = partial(of_google, account, SATO, SUZUKI)
    return Life("google_calendar", account, credentials, happen, truth, settings)


def _hubspot() -> Life:
    """An archived object is found by no search: of that its notification has to be taken."""
    account = Hubspot(wall_clock)

    def happen(dice: Dice) -> Sent | None:
        number, gone = dice.randint(1, OBJECTS), dice.random() < 0.1
        if account.truth.get(("deals", number), {}).get("archived"):
            return None
        known = {"dealstage": "s1", "hs_is_closed": "true", "hs_is_closed_won": "true"}
        known |= {"closedate": "2026-11-01T08:00:00Z", "createdate": "2026-11-01T07:00:00Z"}
        amount, known["deal_currency_code"] = str(dice.randint(1, 999)), "USD"
        account.save("deals", number, archived=gone, amount=amount, **known)
        if not gone and dice.random() < 0.5:
            return None
        kind = "object.deletion" if gone else "object.propertyChange"
        at = wall_clock() // 1_000
        told = hubspot_events.event(kind, objectTypeId="0-3", objectId=number, occurredAt=at)
        return lambda url: hubspot_events.hubspot([told], stamp=str(wall_clock() // 1_000), url=url)

    credentials = {"client_secret": hubspot_events.SECRET, "access_token": TOKEN}
    settings = {"portal_id": "7801234"}
    truth = partial(of_hubspot, account)
    return Life("hubspot", account, credentials, happen, truth, settings, kept=True)


def _salesforce() -> Life:
    account = Salesforce(wall_clock)

    def happen(dice: Dice) -> None:
        id_ = f"006{dice.randint(1, OBJECTS):012d}AAA"
        won = {"StageName": "Closed Won", "IsWon": True, "IsClosed": True}
        known = {"CloseDate": "2026-11-01", "OwnerId": "005000000000001AAA"}
        gone = dice.random() < 0.1
        amount = dice.randint(1, 999)
        account.save("Opportunity", id_, Amount=amount, IsDeleted=gone, **won, **known)

    credentials = {"client_id": "c", "client_secret": TOKEN}
    settings = {"organization_id": "00D000000000001AAA", "currency": "JPY"}
    truth = partial(of_salesforce, account)
    return Life("salesforce", account, credentials, happen, truth, settings)


def _close() -> Life:
    """A deal won, won for another amount, or deleted; a call, or one that is corrected."""
    account = Close(wall_clock)

    def happen(dice: Dice) -> None:
        number = dice.randint(1, OBJECTS)
        deal, call = ("opportunity", f"oppo_{number}"), ("activity.call", f"acti_{number}")
        if dice.random() < 0.5:
            action = "updated" if call in account.truth else "completed"
            values: dict[str, Any] = {"status": "completed", "disposition": "answered"}
            account.change(*call, action, duration=dice.randint(1, 999), **values)
        elif account.truth.get(deal) and dice.random() < 0.1:
            account.delete(*deal)
        elif deal not in account.truth or account.truth[deal]:
            values = {"status_type": "won", "date_won": "2026-11-02", "value_currency": "USD"}
            account.change(*deal, value=dice.randint(1, 99_999), **values)

    credentials = {"signature_key": close_events.KEY, "api_key": TOKEN}
    return Life("close", account, credentials, happen, partial(of_close, account))


def _kintone() -> Life:
    account = Kintone(wall_clock)

    def happen(dice: Dice) -> None:
        values = {"状況": dice.choice(list(WORDS)), "受注日": "2026-11-01"}
        account.save(dice.randint(1, OBJECTS), 金額=str(dice.randint(1, 999)), **values)

    fields = {"status": "状況", "won_at": "受注日", "amount": "金額"}
    settings = {"app_id": "12", "kind": "deal", "currency": "JPY", "fields": fields}
    settings |= {"values": WORDS}
    truth = partial(of_kintone, account)
    return Life("kintone", account, {"api_token": TOKEN}, happen, truth, settings)


@contextmanager
def lives() -> Iterator[list[Life]]:
    """One of each, at an address of this machine."""
    making = (_aircall, _ringcentral, _zoho, _google, _hubspot, _salesforce, _close, _kintone)
    with ExitStack() as stack:
        made = [make() for make in making]
        for life in made:
            stack.enter_context(serving(life.account))
        yield made
