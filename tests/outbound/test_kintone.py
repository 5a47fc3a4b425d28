"""kintone tells of little and never twice: its records are read through, against the app itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.instants import MINUTE, SECOND, instant
from app.store import ledger
from app.usecases.saving import Precondition
from app.usecases.sources import put_source
from tests.engines import on_both
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Kintone
from tests.outbound.truths import WORDS, differing, of_kintone
from tests.web.service import Clock

FIELDS = {"status": "状況", "won_at": "受注日", "amount": "金額"}
# The same, and an appointment as long as there is one.
MAPPING: dict[str, Any] = {
    "rules": [
        {
            "activity": {"kind": "deal"},
            "fields": {
                "status": {"select": 'record."状況".value', "map": WORDS},
                "won_at": {"select": 'record."受注日".value', "type": "date", "zone": "Asia/Tokyo"},
                "amount": {"select": 'record."金額".value', "type": "decimal"},
                "currency": {"constant": "JPY"},
            },
        },
        {
            "when": 'record."訪問".value',
            "activity": {"kind": "meeting", "key": "visit"},
            "fields": {
                "status": {"constant": "booked"},
                "starts_at": {"select": 'record."訪問".value', "type": "date", "zone": "UTC"},
            },
        },
    ]
}


@dataclass
class App(Connected[Kintone]):
    """A source of one app."""

    mapped: bool

    def push(self, record: dict[str, Any]) -> None:
        """The notification that kintone makes of a record as it is saved."""
        event = {"id": "n", "type": "UPDATE_RECORD", "app": {"id": "12"}, "record": record}
        self.deliver({"content-type": "application/json"}, json.dumps(event).encode())

    def assert_true(self) -> None:
        truth = of_kintone(self.account)
        assert differing(truth, self.standing(truth)) == {}
        for number, record in self.account.truth.items():
            self.assert_visited(number, record["訪問"]["value"])
        assert ledger.verify(self.context.store, W) == []

    def assert_visited(self, number: int, on: str) -> None:
        key = f"12:{number}:visit"
        known = self.standing([key])
        if not self.mapped:
            assert not known
        elif on:
            assert known[key].fields["starts_at"] == f"{on}T12:00:00Z"
            assert not known[key].retracted
        else:
            assert known[key].retracted


BY_SETTINGS: dict[str, Any] = {
    "settings": {"kind": "deal", "currency": "JPY", "fields": FIELDS, "values": WORDS}
}
BY_MAPPING: dict[str, Any] = {"settings": {}, "mapping": MAPPING}


@pytest.fixture(params=[BY_SETTINGS, BY_MAPPING], ids=["settings", "mapping"])
def app(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[App]:
    assert engine
    clock = Clock(instant("2026-12-01T09:00:00Z"))
    with serving(Kintone(clock)) as account, inside(tmp_path, clock) as context:
        settings = request.param["settings"] | {"app_id": "12", "api_url": account.url}
        body = request.param | {"provider": "kintone", "name": "案件", "settings": settings}
        credentials: Any = {"api_token": TOKEN}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield App(context, account, clock, [], mapped="mapping" in body)


def deal(
    app: App, number: int, amount: int, status: str = "受注", visit: str = ""
) -> dict[str, Any]:
    return app.account.save(number, 状況=status, 金額=str(amount), 受注日="2026-12-01", 訪問=visit)


@on_both
def test_an_import_of_many_records_in_one_minute_is_read_page_by_page(app: App) -> None:
    for number in range(1, 251):
        deal(app, number, number)
    app.clock.now += 6 * MINUTE
    app.account.faults.extend(["", "500"])
    assert not app.visit()
    app.clock.now += 6 * MINUTE
    assert app.visit()
    app.assert_true()
    assert len(app.found) == (500 if app.mapped else 250)
    assert len(app.account.asked) == 4


@on_both
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_changes_and_losses_ends_as_the_app_stands(app: App, seed: int) -> None:
    dice = random.Random(seed)
    late: list[dict[str, Any]] = []
    for _ in range(40):
        app.clock.now += dice.randint(0, 40 * SECOND)
        visit = dice.choice(["", "2026-12-02", "2026-12-03"])
        number, amount, status = dice.randint(1, 9), dice.randint(1, 999), dice.choice(list(WORDS))
        record = deal(app, number, amount, status, visit)
        match dice.choice(["told", "late", "lost"]):
            case "told":
                app.push(record)
            case "late":
                late.append(record)
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop"]
            app.account.faults.extend(dice.choice(faults) for _ in range(2))
            app.visit()
    app.account.faults.clear()
    app.clock.now += 6 * MINUTE
    assert app.visit()
    app.assert_true()
    dice.shuffle(late)
    for record in late:
        app.push(record)
    app.assert_true()
