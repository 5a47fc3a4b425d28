"""kill -9 while every provider is asked that can be, most events of them lost: all is counted.

Much of what a dead process did not take in is read again here, because it changes again or lies in
the overlap: that a mark is set last is shown by tests/outbound/test_dying.py, write by write.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.outbound.registry import APIS
from app.store import activities
from tests.engines import on_both
from tests.faults.asking import asking_service, assert_ends_alike, live_through
from tests.faults.lives import Life, lives
from tests.faults.service import Service, running
from tests.outbound.truths import differing
from tests.store.worlds import W


@pytest.fixture
def service(engine: str, tmp_path: Path) -> Iterator[Service]:
    assert engine
    service = asking_service(tmp_path)
    with running(service):
        yield service


def standing(service: Service) -> dict[str, dict[str, State]]:
    """All that stands, by source and key: also what no account has."""
    found: dict[str, dict[str, State]] = {}
    with service.store() as store, store.read() as reading:
        cursor = None
        while True:
            page = activities.page(reading, W, cursor, 500)
            for one in page.items:
                found.setdefault(one.source, {})[one.key] = one.state
            if (cursor := page.next) is None:
                return found


def wrong(service: Service, known: list[Life]) -> dict[str, dict[str, Any]]:
    """What stands otherwise than the accounts have it, by source."""
    for life in known:
        life.tell(service)
    found = standing(service)
    told = {life.provider: differing(life.truth(), found.get(life.provider, {})) for life in known}
    return {provider: one for provider, one in told.items() if one}


@pytest.mark.slow
@on_both
def test_whoever_is_asked_when_the_service_dies_is_read_and_counts_once(service: Service) -> None:
    dice = random.Random()
    with lives() as known:
        assert {life.provider for life in known} == APIS.keys() - {"pipedrive"}
        for life in known:
            life.connect(service)

        def happen() -> None:
            for life in dice.sample(known, 3):
                life.go_on(service, dice)

        live_through(service, [life.account for life in known], dice, happen)
        assert_ends_alike(service, lambda: wrong(service, known))
        assert all(life.truth() for life in known)
