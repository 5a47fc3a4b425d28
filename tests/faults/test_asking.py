"""kill -9 while a source is asked, its notifications are lost and its API fails: all is counted."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import RETRACTED
from app.domain.instants import SECOND, moment_of, written_instant
from app.main import wall_clock
from app.store import states
from tests.engines import on_both
from tests.faults.asking import asking_service, assert_ends_alike, live_through
from tests.faults.service import Service, running
from tests.intake.senders import pipedrive as event
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Pipedrive
from tests.store.worlds import W

LIVES = 4
USER = {"user": "tassei", "password": "ひみつの合言葉"}


@pytest.fixture
def service(engine: str, tmp_path: Path) -> Iterator[Service]:
    assert engine
    service = asking_service(tmp_path)
    with running(service):
        yield service


def connected(service: Service, account: Pipedrive) -> str:
    body = {
        "provider": "pipedrive",
        "name": "CRM",
        "settings": {"api_url": account.url},
        "credentials": USER | {"api_token": TOKEN},
    }
    answer = service.ask("PUT", "/v1/sources/crm", body)
    assert answer.status == 201, answer.body
    return "/v1/hooks/" + str(answer.json()["hook_url"]).rpartition("/")[2]


def won(account: Pipedrive, dice: random.Random) -> dict[str, Any]:
    at = written_instant(wall_clock() // SECOND * SECOND)
    values = {"status": "won", "won_time": at, "close_time": at, "value": dice.randint(1, 999)}
    gone = dice.random() < 0.1
    usual = {"currency": "USD", "owner_id": 7, "stage_id": 1, "is_deleted": gone}
    return account.change("deal", dice.randint(1, 12), **values | usual)


def pushed(service: Service, path: str, deal: dict[str, Any]) -> None:
    """The event of a change; whoever does not take it has lost it, as a banned address has."""
    sent = event(deal, at=written_instant(wall_clock()), number=str(deal["id"]))
    with suppress(OSError):
        service.ask("POST", path, sent.body.decode(), dict(sent.headers), seconds=5)


def differing(service: Service, account: Pipedrive) -> dict[int, Any]:
    """Deals that stand otherwise than the account has them, by the account."""
    with service.store() as store, store.read() as reading:
        keys = [f"deal:{number}" for _, number in account.truth]
        found = states.load(reading, W, "crm", keys)
    wrong = {}
    for (_, number), deal in account.truth.items():
        fields = found[f"deal:{number}"].fields if f"deal:{number}" in found else {}
        if deal["is_deleted"]:
            right = fields.get(RETRACTED, True) is True
        else:
            told = (fields.get("amount"), fields.get("won_at"), fields.get(RETRACTED))
            right = told == (str(deal["value"]), deal["won_time"], False)
        if not right:
            wrong[number] = (deal, fields)
    return wrong


@pytest.mark.slow
@on_both
def test_nothing_is_lost_and_nothing_counts_twice(service: Service) -> None:
    dice = random.Random()
    with serving(Pipedrive(wall_clock)) as account:
        path = connected(service, account)

        def happen() -> None:
            deal = won(account, dice)
            if dice.random() < 0.4 and not deal["is_deleted"]:
                pushed(service, path, deal)

        live_through(service, [account] * LIVES, dice, happen)
        assert_ends_alike(service, lambda: differing(service, account))
        counted = [one for one in account.truth.values() if not one["is_deleted"]]
        expected = {"deals_won": len(counted), "revenue": sum(one["value"] for one in counted)}
        shown = {metric: _total(service, metric) for metric in expected}
        assert shown == expected


def _total(service: Service, metric: str) -> int:
    today = moment_of(wall_clock())
    span = f"from={today.year}-01-01&to={today.year + 1}-01-01&granularity=total"
    answer = service.ask("GET", f"/v1/metrics/{metric}/series?{span}")
    items = json.loads(answer.body)["items"]
    return int(items[0]["value"]) if items else 0
