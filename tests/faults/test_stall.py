"""A database that does not move: what waits is bounded, what is refused is refused at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from app.main import wall_clock
from app.store.committer import QUEUE_ITEMS
from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.patience import HANG_SECONDS
from tests.store.worlds import W

pytestmark = on_both

SECONDS = 10
AT_ONCE = 1_000
GROWTH = 160 * 2**20


@pytest.mark.slow
@pytest.mark.faults
def test_a_stalled_database_fills_a_bounded_queue_and_the_rest_is_refused_at_once(
    tmp_path: Path, noted: Noted
) -> None:
    with serving(tmp_path) as service:
        load = Load(service, batch=AT_ONCE)
        waiting = [load.next() for _ in range(2 * QUEUE_ITEMS // AT_ONCE)]
        threads = [threading.Thread(target=load.deliver, args=(chosen,)) for chosen in waiting]
        with service.store() as store, store.write(W, wall_clock()):
            began = time.monotonic()
            for thread in threads:
                thread.start()
            while not load.answers[503]:
                assert time.monotonic() - began < SECONDS
                time.sleep(0.02)
            full, refused = service.rss(), 0
            while time.monotonic() - began < SECONDS:
                asked = time.monotonic()
                answer = load.deliver(waiting[0])
                if answer.status == 503 and answer.problem == "queue_full":
                    refused += 1
                    assert time.monotonic() - asked < 2
                    assert answer.headers["retry-after"] == "1"
                assert service.ask("GET", "/livez").status == 200
                assert service.ask("GET", "/v1/activities?limit=1").status == 200
            assert refused
            grown = service.rss() - full
            assert grown < GROWTH, grown
        for thread in threads:
            thread.join(HANG_SECONDS)
            assert not thread.is_alive()
        assert not load.faults, load.faults[:3]
        assert_laws(service, load.told)
        load.resend()
        assert service.ask("GET", "/readyz").json() == {"status": "ready"}
        noted("database locked 10 s, queue full", refused, assert_laws(service, load.told))
