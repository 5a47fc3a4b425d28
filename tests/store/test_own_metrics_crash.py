from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.store import activities, documents, ledger
from app.store.engine import Store
from tests.store.killing import killed_after
from tests.store.own_metrics import built, read
from tests.store.own_recount import answer, entries
from tests.store.test_crash import _stored
from tests.store.worlds import W, opened, url

PROGRAM = "tests.store.redefine_forever"
AGES = (0, 4_000_000_000_000_000)  # 1970 to 2096, in microseconds; on quarter hours


@pytest.mark.slow
@pytest.mark.parametrize(
    "lives", [2, pytest.param(8, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_kill_between_definitions_and_deliveries_leaves_every_metric_whole(
    tmp_path: Path, lives: int
) -> None:
    opened(tmp_path).close()
    dice = random.Random()
    for life in range(lives):
        killed_after(PROGRAM, url(tmp_path), life, dice.uniform(0, 0.5))
    store = Store(url(tmp_path))
    store.migrate()
    assert ledger.verify(store, W) == []
    built(store)
    assert ledger.verify(store, W) == []
    stored = _stored(store)
    with store.read() as reading:
        defined = {one.key: one.body for one in documents.all_of(reading, W, "metric")}
        assert activities.page(reading, W, None, 1).items
    assert defined
    for key, document in defined.items():
        currency = "JPY" if document.get("unit") == "money" else ""
        found = [one for one in entries(document, stored) if "stock" not in document]
        everybody = read(store, key, document, currency, *AGES).get(None, (0, None))
        if "stock" not in document:
            assert everybody == (len(found), answer(document, found) if found else None)
    store.close()
