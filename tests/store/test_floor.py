"""Writers of one file take turns, whichever process they are in."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from app.store.floor import Floor
from tests.store.worlds import NOW, W, opened

# Writes without a pause, as the committing process does under load, until its input ends.
_GREEDY = """
import sys, time
from app.store.floor import Floor
floor = Floor(sys.argv[1], 5)
print("begun", flush=True)
end = time.monotonic() + 20
while time.monotonic() < end:
    with floor.taken():
        time.sleep(0.004)
"""


def greedy(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _GREEDY, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def test_whoever_waits_is_next_though_another_process_never_pauses(tmp_path: Path) -> None:
    path = tmp_path / "db"
    floor = Floor(str(path), 5)
    with greedy(path) as process:
        waits = []
        for _ in range(20):
            asked = time.monotonic()
            with floor.taken():
                waits.append(time.monotonic() - asked)
        process.kill()
    # Each turn of the other takes 4 ms. Without the queue, whoever looks each half millisecond
    # finds the floor free in one of some hundred looks.
    assert sorted(waits)[10] < 0.1


def test_only_one_is_on_the_floor_and_who_dies_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "db"
    first, second = Floor(str(path), 0.05), Floor(str(path), 0.05)
    with first.taken():
        began = time.monotonic()
        with second.taken():  # after its patience, without: then the database decides
            assert time.monotonic() - began >= 0.05
    with greedy(path) as process:
        process.kill()
    began = time.monotonic()
    with Floor(str(path), 5).taken():
        assert time.monotonic() - began < 1


def test_where_nothing_can_be_locked_the_database_decides_alone(tmp_path: Path) -> None:
    with Floor(str(tmp_path / "nowhere" / "db"), 5).taken(), Floor(None, 5).taken():
        pass


def test_a_store_keeps_its_turn_files_to_itself(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with store.write(W, NOW):
        pass
    store.close()
    made = [path for path in tmp_path.iterdir() if path.name.endswith(("-turn", "-floor"))]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made)
