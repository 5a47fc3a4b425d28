"""The power fails at any moment: whatever was acknowledged by then is on the disk."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from app.store.engine import Store
from tests.engines import on_sqlite
from tests.faults.conftest import Noted
from tests.faults.disk import Disk, Fate, copied, played
from tests.faults.events import Event
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import Told, assert_laws
from tests.faults.preloading import HERE, built
from tests.faults.service import Answer, Service

pytestmark = [on_sqlite, pytest.mark.slow]
# Its own settings, and the same with the log folded into the file all the time.
ITS_OWN, FOLDING = "", "wal_autocheckpoint = 20"


class Noting(Load):
    """Notes of each acknowledgement how long the record was when it had arrived."""

    def __init__(self, service: Service, record: Path) -> None:
        super().__init__(service)
        self.record = record
        self.acks: list[tuple[int, Sequence[Event]]] = []

    def _note(self, answer: Answer, chosen: Sequence[Event]) -> None:
        size = self.record.stat().st_size
        super()._note(answer, chosen)
        if answer.status == 200:
            self.acks.append((size, chosen))

    def acked_by(self, size: int) -> set[Event]:
        return {event for at, chosen in self.acks if at <= size for event in chosen}


def recorded(folder: Path, pragmas: str, seconds: float) -> tuple[Noting, Disk]:
    """A load on a service whose every write is recorded, until it is killed; the disk before it."""
    library, record = built("recorder", folder), folder / "record"
    place = folder / "data"
    place.mkdir()
    also = {
        "LD_PRELOAD": str(library),
        "RECORDED_FILE": str(place.resolve() / "tassei.sqlite3"),
        "RECORDED_TO": str(record),
        "PRAGMAS": pragmas,
        "PYTHONPATH": f"{HERE.parents[1]}:{HERE / 'preset'}",
    }
    with serving(place, also=also) as service:
        load = Noting(service, record)
        load.send(10)
        before = copied(place / "tassei.sqlite3", record)
        with load.pouring(3):
            time.sleep(seconds)
        service.kill()
    assert load.acks[-1][0] > before.at
    return load, before


def missing(database: Path, acked: set[Event]) -> set[Event]:
    """What was acknowledged and is not there; all of it where the database cannot be read."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = connection.execute(
                "SELECT key, revision FROM activity_revision WHERE workspace_id = 'default'"
            ).fetchall()
    except sqlite3.DatabaseError:
        return acked
    stored = set(rows)
    return {event for event in acked if event.place not in stored}


def lost(
    load: Noting, disk: Disk, cuts: int, folder: Path, look: Callable[[Path, int], None]
) -> list[int]:
    """How much each failure of the power loses: just after acknowledgements, and anywhere."""
    dice = random.Random(cuts)
    began, end = disk.at, load.record.stat().st_size
    acks = [at for at, _ in load.acks if at > began]
    stops = sorted(dice.choices(acks, k=cuts) + [dice.randint(began, end) for _ in range(cuts)])
    found = []
    then = played(load.record, disk, stops)
    for number, (stop, failing) in enumerate(zip(stops, then, strict=True)):
        for fate in Fate:
            place = folder / f"{number}-{fate.name}"
            database = failing.fails(place, fate, seed=number)
            found.append(len(missing(database, load.acked_by(stop))))
            look(database, stop)
            shutil.rmtree(place)
    return found


@pytest.mark.parametrize("pragmas", [ITS_OWN, FOLDING], ids=["own", "folding"])
@pytest.mark.parametrize(
    ("seconds", "cuts"),
    [(0.7, 6), pytest.param(6, 120, marks=pytest.mark.faults)],
    ids=["short", "long"],
)
def test_whenever_the_power_fails_the_disk_has_what_was_acknowledged(
    tmp_path: Path, pragmas: str, seconds: float, cuts: int, noted: Noted
) -> None:
    load, before = recorded(tmp_path, pragmas, seconds)
    seen = 0

    def look(database: Path, stop: int) -> None:
        nonlocal seen
        seen += 1
        if seen % cuts == 0:  # all eight laws take a second
            store = Store(f"sqlite:///{database}")
            store.migrate()
            assert_laws(store, [Told(tuple(load.sent), frozenset(load.acked_by(stop)))])
            store.close()

    found = lost(load, before, cuts, tmp_path, look)
    assert seen >= 3 * cuts
    assert sum(found) == 0
    store = Store(f"sqlite:///{tmp_path / 'data' / 'tassei.sqlite3'}")
    noted("power fails, unsynced sectors scattered", len(found), assert_laws(store, load.told))
    store.close()


@pytest.mark.parametrize(
    "weaker", ["NORMAL", pytest.param("OFF", marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_with_any_weaker_setting_the_same_disk_loses_what_was_acknowledged(
    tmp_path: Path, weaker: str
) -> None:
    """The other side of the test above: it does see a loss where there is one."""
    load, before = recorded(tmp_path, f"synchronous = {weaker}", 0.5)
    found = lost(load, before, 3, tmp_path, lambda _database, _stop: None)
    assert sum(found) > 0
