from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.activities import Report
from app.store import activities, ledger
from app.store.engine import Store
from tests.engines import SQLITE, chosen
from tests.store.ingest_forever import reports
from tests.store.killing import killed_after
from tests.store.recount import fields_of, piles, stored_tallies, tallies_of
from tests.store.worlds import W, delivery, opened, sent, url, words

PROGRAM = "tests.store.ingest_forever"


@pytest.mark.slow
@pytest.mark.parametrize(
    "lives", [2, pytest.param(8, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_what_was_acknowledged_survives_kill_9_and_counts_once(tmp_path: Path, lives: int) -> None:
    opened(tmp_path).close()
    dice = random.Random()
    acknowledged: list[tuple[int, int]] = []
    for life in range(lives):
        told = killed_after(PROGRAM, url(tmp_path), life, dice.uniform(0, 0.4))
        acknowledged += [(life, int(number)) for number in told]
    if chosen() == SQLITE:
        integrity = sqlite3.connect(tmp_path / "tassei.sqlite3")
        assert integrity.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        integrity.close()
    store = Store(url(tmp_path))
    store.migrate()
    assert ledger.verify(store, W) == []
    stored = _stored(store)
    promised = [one for life, number in acknowledged for one in reports(life, number)]
    assert {_place(one) for one in promised} <= {_place(one) for one in stored}
    assert stored_tallies(store) == tallies_of(stored, {"crm": None}, "Asia/Tokyo")
    _send_again(store, acknowledged, stored)
    store.close()


def _send_again(store: Store, acknowledged: list[tuple[int, int]], stored: list[Report]) -> None:
    before = stored_tallies(store)
    answers = sent(store, *(delivery(*reports(*one)) for one in acknowledged))
    assert {word for answer in answers for word in words(answer)} == {"duplicate"}
    assert stored_tallies(store) == before
    with store.read() as reading:
        for (source, key), pile in piles(stored).items():
            found = activities.get(reading, W, source, key)
            assert found is not None
            assert found.state.fields == fields_of(pile)


def _place(one: Report) -> tuple[object, ...]:
    return one.source, one.key, one.stamp


def _stored(store: Store) -> list[Report]:
    with store.read() as reading:
        rows = reading.connection.execute(text("SELECT source, key FROM activity")).all()
        return [
            Report(source, key, one.stamp, one.full, one.fields, "")
            for source, key in rows
            for one in activities.revisions(reading, W, source, key)
        ]
