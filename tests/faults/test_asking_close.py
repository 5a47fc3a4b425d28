"""kill -9 while Close is asked, every event of it is lost and its API fails: all is counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import RETRACTED
from app.main import wall_clock
from app.store import states
from tests.engines import on_both
from tests.faults.asking import asking_service, assert_ends_alike, live_through
from tests.faults.service import Service, running
from tests.intake.close_events import KEY
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Close
from tests.store.worlds import W

LIVES = 3


@pytest.fixture
def service(engine: str, tmp_path: Path) -> Iterator[Service]:
    assert engine
    service = asking_service(tmp_path)
    with running(service):
        yield service


def changed(account: Close, dice: random.Random) -> None:
    """A deal won, won for another amount, or deleted; a call, or one that is corrected."""
    number = dice.randint(1, 12)
    deal, call = f"oppo_{number}", f"acti_{number}"
    if dice.random() < 0.5:
        known = account.truth.get(("activity.call", call))
        action = "updated" if known else "completed"
        values: dict[str, Any] = {"status": "completed", "disposition": "answered"}
        account.change("activity.call", call, action, duration=dice.randint(1, 999), **values)
    elif ("opportunity", deal) not in account.truth or account.truth["opportunity", deal]:
        if dice.random() < 0.1 and ("opportunity", deal) in account.truth:
            account.delete("opportunity", deal)
            return
        values = {"status_type": "won", "date_won": "2026-11-02", "value_currency": "USD"}
        account.change("opportunity", deal, value=100 * dice.randint(1, 999), **values)


def differing(service: Service, account: Close) -> dict[str, Any]:
    """What stands otherwise than the account has it, by the account."""
    with service.store() as store, store.read() as reading:
        found = states.load(reading, W, "crm", {id_ for _, id_ in account.truth})
    wrong = {}
    for (kind, id_), one in account.truth.items():
        fields = found[id_].fields if id_ in found else {}
        if one is None:
            right = fields.get(RETRACTED, True) is True
        elif kind == "opportunity":
            told = (fields.get("amount"), fields.get(RETRACTED))
            right = told == (str(one["value"] // 100), False)
        else:
            right = fields.get("talk_seconds") == one["duration"]
        if not right:
            wrong[id_] = (one, fields)
    return wrong


@pytest.mark.slow
@on_both
def test_what_no_event_told_is_found_and_counts_once(service: Service) -> None:
    dice = random.Random()
    with serving(Close(wall_clock)) as account:
        body = {
            "provider": "close",
            "name": "Close",
            "settings": {"api_url": account.url},
            "credentials": {"signature_key": KEY, "api_key": TOKEN},
        }
        assert service.ask("PUT", "/v1/sources/crm", body).status == 201
        live_through(service, account, dice, LIVES, lambda: changed(account, dice))
        assert_ends_alike(service, lambda: differing(service, account))
