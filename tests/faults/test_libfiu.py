"""A disk that fails, from inside the process: libfiu in front of the system calls."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import Service
from tests.patience import HANG_SECONDS

pytestmark = pytest.mark.slow
EIO = 5
# Beside the system calls that strace fails, those of the C library, as SQLite calls it.
POINTS = ("posix/io/rw/pwrite", "posix/io/sync/fdatasync", "posix/io/sync/fsync")


@contextmanager
def failing(service: Service, point: str, probability: float) -> Iterator[None]:
    """Such calls fail so often until the end of the block."""
    told(service, f"enable_random name={point},probability={probability},failinfo={EIO}")
    try:
        yield
    finally:
        told(service, f"disable name={point}")


def told(service: Service, command: str) -> None:
    where = str(service.folder / "fiu")
    for pid in (str(service.process.pid), str(service.committing)):
        asked = ["fiu-ctrl", "-f", where, "-c", command, pid]
        subprocess.run(asked, check=True, timeout=HANG_SECONDS)  # noqa: S603 - our own words


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(8, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_a_disk_that_fails_now_and_then_or_always_loses_nothing_acknowledged(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    libraries = sorted(Path("/usr/lib").glob("**/fiu/fiu_*_preload.so"), reverse=True)
    if shutil.which("fiu-ctrl") is None or len(libraries) != 2:
        pytest.skip("libfiu is not installed (apt install fiu-utils)")
    preload = {"LD_PRELOAD": " ".join(map(str, libraries)), "FIU_CTRL_FIFO": str(tmp_path / "fiu")}
    with serving(tmp_path, also=preload) as service:
        load = Load(service)
        for _ in range(rounds):
            for point in POINTS:
                for probability in (0.2, 1):
                    with load.pouring(2, pause=0.02), failing(service, point, probability):
                        time.sleep(0.3)
        assert load.answers[503]
        assert_laws(service, load.told)
        load.resend()
        verdict = assert_laws(service, load.told)
        noted("EIO from libc's pwrite, fsync", load.answers[503], verdict)
