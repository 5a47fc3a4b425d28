"""Several services on one PostgreSQL: what one is told, all say; directly and behind a pooler."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store import ledger
from tests import engines
from tests.engines import on_postgresql
from tests.patience import HANG_SECONDS
from tests.pooler import pooled
from tests.web.service import Service, started_in

pytestmark = on_postgresql
AT = "2026-12-07T12:00:00+09:00"
PLAN = "december"


@contextmanager
def replicas(folder: Path, address: str, number: int = 2) -> Iterator[list[Service]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(started_in(folder, AT, database_url=address)) for _ in range(number)
        ]


def direct(folder: Path) -> str:
    return engines.url(folder, migrated=True)


@pytest.fixture(params=["direct", "pooled"])
def services(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> Iterator[list[Service]]:
    assert engine == engines.POSTGRESQL
    with ExitStack() as stack:
        reach = request.param == "pooled"
        straight = direct(tmp_path)
        address = stack.enter_context(pooled(straight)).url if reach else straight
        yield stack.enter_context(replicas(tmp_path, address))


def settle(service: Service) -> None:
    change(service, time_zone="Asia/Tokyo")
    assert service.put("/v1/sources/crm", {"provider": "events", "name": "CRM"}).status_code == 201
    plan = {
        "name": "December",
        "period": {"month": "2026-12"},
        "funnel": [{"metric": "calls", "target": "100"}],
    }
    assert service.put(f"/v1/plans/{PLAN}", plan).status_code == 201


def change(service: Service, **fields: Any) -> None:
    service.replace("/v1/workspace", service.get("/v1/workspace").json() | fields)


def call(number: int, workspace: str = "crm") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"c-{number}", "source": workspace, "type": "call",
        "data": {"direction": "outbound", "started_at": "2026-12-07T09:00:00+09:00"},
    }  # fmt: skip


def progress(service: Service, seen: str = "") -> Any:
    return service.get(f"/v1/plans/{PLAN}/progress", **({"if-none-match": seen} if seen else {}))


def soon(condition: Callable[[], bool], seconds: float = 20) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, "it did not come to hold"
        time.sleep(0.01)
    return time.monotonic() - began


def test_what_one_acknowledged_the_other_says_at_once(services: list[Service]) -> None:
    one, two = services
    settle(one)
    for number in range(20):
        writer, reader = (one, two) if number % 2 else (two, one)
        before = progress(reader)
        assert writer.counts([call(number)]) == {"accepted": 1}
        after = progress(reader, before.headers["etag"])
        assert after.status_code == 200
        assert after.json()["root"]["actual"] == str(number + 1)
        same = progress(writer, after.headers["etag"])
        assert same.status_code == 304
    assert one.mismatches() == []


def test_configuration_changed_at_one_is_the_others_as_well(services: list[Service]) -> None:
    one, two = services
    settle(one)
    stale = two.get("/v1/workspace")
    change(one, name="東京")
    assert two.get("/v1/workspace").json()["name"] == "東京"
    refused = two.put("/v1/workspace", stale.json(), if_match=stale.headers["etag"])
    assert refused.status_code == 412
    one.replace(f"/v1/plans/{PLAN}", {
        "name": "December", "period": {"month": "2026-12"}, "reason": "too low",
        "funnel": [{"metric": "calls", "target": "250"}],
    })  # fmt: skip
    assert two.progress(PLAN).body["root"]["target"] == "250"


def test_a_key_revoked_at_one_is_soon_refused_by_the_other(services: list[Service]) -> None:
    one, two = services
    issued = one.client.post("/v1/keys", json={"name": "k", "scopes": ["read"]}).json()
    reader = two.with_key(issued["token"])
    assert reader.get("/v1/workspace").status_code == 200
    assert one.client.delete(f"/v1/keys/{issued['id']}").status_code == 204
    assert soon(lambda: reader.get("/v1/workspace").status_code == 401) < 5


def test_sixty_four_identical_deliveries_to_three_replicas_count_once(tmp_path: Path) -> None:
    with replicas(tmp_path, direct(tmp_path), 3) as services:
        settle(services[0])
        events = [call(number) for number in range(10)]
        gate = threading.Barrier(64)

        def send(number: int) -> tuple[tuple[str, int], ...]:
            gate.wait(HANG_SECONDS)
            return tuple(services[number % 3].counts(events).items())

        with ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(send, range(64)))
        assert sorted(answers) == [(("accepted", 10),)] + [(("duplicate", 10),)] * 63
        said = {service.progress(PLAN).body["root"]["actual"] for service in services}
        assert said == {"10"}
        assert ledger.verify(services[0].store, "default") == []


def test_replicas_may_come_and_go_while_events_pour_in(tmp_path: Path) -> None:
    address = direct(tmp_path)
    with started_in(tmp_path, AT, database_url=address) as first:
        settle(first)
        for generation in range(3):
            with started_in(tmp_path, AT, database_url=address) as second:
                events = [call(number) for number in range(generation * 20, generation * 20 + 20)]
                for service in (first, second, first):
                    service.counts(events)
        assert first.progress(PLAN).body["root"]["actual"] == "60"
        assert first.mismatches() == []
