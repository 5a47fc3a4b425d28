"""Deliveries are bounded in bytes, the oldest go first, and what they said stays counted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.instants import DAY, MINUTE
from app.usecases import retention
from app.usecases.context import Context
from app.usecases.retention import Shelves, Why, expire
from tests.web.example import SETTINGS, START, call, settle
from tests.web.service import Service, started

MEBI = 2**20


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def context_of(service: Service) -> Context:
    found: Context = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's app
    return found


def fill(service: Service, first: int, number: int) -> None:
    """Deliveries of some 60 kB that do not compress."""
    for own in range(first, first + number):
        service.clock.now += MINUTE
        noise = random.Random(own).randbytes(30_000).hex()
        # Refused is what is in it, and kept all the same.
        service.post_events([call(own), call(own, data={"noise": noise}, id=f"n-{own}")])


def kept(service: Service) -> tuple[int, int]:
    """How many deliveries there are and the bytes of their bodies, asked in another way."""
    with service.store.read() as reading:
        rows = reading.connection.execute(text("SELECT body FROM delivery")).all()
    return len(rows), sum(len(row[0]) for row in rows)


def limit(service: Service, **bounds: int) -> None:
    service.replace("/v1/workspace", SETTINGS | {"retention": bounds})


def test_beyond_its_bytes_the_oldest_go_first_and_what_they_said_stays(service: Service) -> None:
    fill(service, 0, 60)
    limit(service, deliveries_bytes=MEBI)
    number, size = kept(service)
    assert size > 1.5 * MEBI
    told: Counter[Why] = Counter()
    shelves = Shelves(context_of(service))
    gone = expire(context_of(service), Event(), shelves, lambda why, n: told.update({why: n}))
    left, remaining = kept(service)
    assert remaining <= MEBI < remaining + 2 * size // number
    assert (left, told) == (number - gone, {Why.SIZE: gone})
    assert shelves.size == remaining
    listed = service.get("/v1/deliveries?limit=500").json()["items"]
    oldest = min(one["received_at"] for one in listed)
    assert len(listed) == left
    assert oldest > "2026"
    fill(service, 60, 10)
    assert expire(context_of(service), Event(), shelves) > 0
    assert shelves.size == kept(service)[1] <= MEBI
    assert expire(context_of(service), Event(), shelves) == 0
    progress = service.progress("december").goal("calls")["actual"]
    assert progress == "70"
    assert service.mismatches() == []


def test_age_is_told_apart_from_size_and_both_are_counted(service: Service) -> None:
    fill(service, 0, 3)
    limit(service, deliveries_bytes=MEBI, deliveries_days=1)
    service.clock.now += 2 * DAY
    told: Counter[Why] = Counter()
    expire(context_of(service), Event(), None, lambda why, n: told.update({why: n}))
    assert told == {Why.AGE: 3}
    assert kept(service) == (0, 0)


def test_what_others_let_go_of_is_found_when_it_is_measured_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_MEASURED_AT_ONCE", 2)
    fill(service, 0, 7)
    shelves = Shelves(context_of(service))
    assert shelves.measure("default") == kept(service)[1]
    with service.store.transaction() as connection:
        connection.execute(text("DELETE FROM delivery"))
    shelves.forget()
    assert shelves.measure("default") == 0


@pytest.mark.parametrize("wrong", [0, MEBI - 1, 2**50 + 1, "1"])
def test_a_bound_that_makes_no_sense_is_refused(service: Service, wrong: Any) -> None:
    etag = service.get("/v1/workspace").headers["etag"]
    body = SETTINGS | {"retention": {"deliveries_bytes": wrong}}
    assert service.put("/v1/workspace", body, if_match=etag).status_code == 422


def test_the_scrape_shows_how_much_is_kept(service: Service) -> None:
    shown = service.get("/metrics").text
    for line in ('tassei_deliveries_let_go_total{why="size"} 0.0', "tassei_store_writable 1.0"):
        assert line in shown
    for part in ("database", "free", "log", "deliveries"):
        assert f'tassei_store_bytes{{part="{part}"}}' in shown
