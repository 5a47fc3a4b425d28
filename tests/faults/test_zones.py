"""A replica comes with newer time zones than the one that serves already."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from app.domain.instants import DAY, SECOND
from tests.engines import on_postgresql
from tests.faults.conftest import Noted
from tests.faults.events import AT
from tests.faults.founded import found
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import Service, running
from tests.store.recount import stored_tallies
from tests.zone_files import write_zone

pytestmark = [on_postgresql, pytest.mark.slow]
TOKYO, NEW = 9 * 3_600, -15 * 3_600  # a whole day apart


def days(service: Service) -> set[int]:
    with service.store() as store:
        return {place[2] for place in stored_tallies(store)[0]}


def day(east: int) -> int:
    at = int(datetime.fromisoformat(AT).timestamp())
    return (at + east) * SECOND // DAY


def test_replicas_with_other_rules_of_a_zone_cut_the_same_days(
    tmp_path: Path, noted: Noted
) -> None:
    zones = {"PYTHONTZPATH": str(write_zone(tmp_path / "zones", "Asia/Tokyo", NEW))}
    old = Service(tmp_path, log=tmp_path / "old.log")
    new = Service(tmp_path, log=tmp_path / "new.log", also=zones)
    with running(old):
        found(old)
        load = Load(old, new)
        load.send(20)
        assert days(old) == {day(TOKYO)}
        with running(new):
            assert days(old) == {day(NEW)}
            load.send(20)
            with load.pouring(2):
                time.sleep(0.5)
            assert days(old) == {day(NEW)}
        # Once all have the same rules again, everything is as if it had never been otherwise.
        old.stop()
        old.start()
        assert days(old) == {day(TOKYO)}
        noted("rules of a zone changed", 2, assert_laws(old, load.told))
