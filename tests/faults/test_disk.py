"""A disk that takes no more: writes are refused, reads go on, and it mends itself."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Noted
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import Verdict, assert_laws
from tests.faults.service import PATIENCE_SECONDS, Service

pytestmark = pytest.mark.slow
BALLAST = 2 * 2**20
NO_PAGE_MORE = 65_536  # below the log's end, above that of the lines it prints


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 6 MiB, where this machine lets us mount one."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except FileNotFoundError:
        pytest.skip("no mount(8) here")
    if mounted.returncode:
        pytest.skip(f"this user may not mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S603, S607 - as above


def poured_until_refused(load: Load) -> str:
    """Send until a write is refused; what it was refused for."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = load.deliver(load.next())
        if answer.status != 200:
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) >= 1
            return answer.problem
    raise AssertionError(load.answers)


def refuses_and_serves(service: Service, why: str) -> None:
    assert service.ask("GET", "/livez").json() == {"status": "live"}
    assert service.ask("GET", "/readyz").json() == {"status": "ready", "writes": why}
    for path in ("/v1/activities?limit=1", "/v1/quarantine", "/v1/deliveries?limit=1"):
        assert service.ask("GET", path).status == 200
    assert b"tassei_store_writable 0.0\n" in service.ask("GET", "/metrics").body


def recovers(service: Service, load: Load) -> Verdict:
    """Without a restart and without a write of ours: it notices by itself."""
    end = time.monotonic() + PATIENCE_SECONDS
    while service.ask("GET", "/readyz").json() != {"status": "ready"}:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert b"tassei_store_writable 1.0\n" in service.ask("GET", "/metrics").body
    load.resend()
    return assert_laws(service, load.told)


def test_a_really_full_disk_refuses_writes_until_there_is_room(
    tmp_path: Path, noted: Noted
) -> None:
    with small_disk(tmp_path) as disk, serving(disk, log=tmp_path / "service.log") as service:
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * BALLAST)
        load = Load(service, batch=50)
        assert poured_until_refused(load) == "disk_is_full"
        refuses_and_serves(service, "disk_is_full")
        assert_laws(service, load.told)
        ballast.unlink()
        noted("disk full (tmpfs)", load.answers[503], recovers(service, load))


def may_grow(service: Service, to: int, hard: int) -> None:
    for pid in (service.process.pid, service.committing):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (to, hard))


def test_a_file_that_may_not_grow_refuses_writes_until_it_may(tmp_path: Path, noted: Noted) -> None:
    with serving(tmp_path) as service:
        load = Load(service, batch=50)
        load.send(500)
        _, hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        grown = max(path.stat().st_size for path in tmp_path.glob("tassei.sqlite3*")) + 100_000
        may_grow(service, grown, hard)
        assert poured_until_refused(load) == "store_failed"
        # A batch found no room; where a single page still does, the service rightly says it writes.
        may_grow(service, NO_PAGE_MORE, hard)
        load.deliver(load.next())
        refuses_and_serves(service, "store_failed")
        assert_laws(service, load.told)
        may_grow(service, hard, hard)
        noted("file may not grow (RLIMIT_FSIZE)", load.answers[503], recovers(service, load))
