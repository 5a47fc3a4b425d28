"""No memory is left: what cannot be allocated is refused, who is killed for it is as kill -9."""

from __future__ import annotations

import http.client
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from app.main import wall_clock
from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.events import Event
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.service import PATIENCE_SECONDS, Service
from tests.store.worlds import W

pytestmark = [on_both, pytest.mark.slow]
MEBIBYTE = 2**20
BATCH = 1_000
SENDERS = 24
GROWTH = 10 * MEBIBYTE


def data(pid: int) -> int:
    """Bytes of private memory that may be written to, which is what RLIMIT_DATA counts."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmData"))
    return int(kib) * 1024


def limited(service: Service, room: int | None) -> None:
    """Let both processes have so much more than they have; None: as much as they want."""
    for pid in (service.process.pid, service.committing):
        _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
        most = hard if room is None else data(pid) + room
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, hard))


def ended(service: Service) -> bool:
    """Whether it is gone; then it is started anew, as an orchestrator does."""
    with suppress(subprocess.TimeoutExpired):
        service.process.wait(1)
        service.start()
        return True
    return False


@contextmanager
def hammered(load: Load, chosen: Sequence[Sequence[Event]]) -> Iterator[None]:
    """The same deliveries again and again by many at once: much to hold, little to count."""
    ended = threading.Event()

    def send(place: int) -> None:
        while not ended.is_set():
            try:
                load.deliver(chosen[place % len(chosen)])
            except (OSError, http.client.HTTPException):
                load.cut += 1
                ended.wait(0.05)
            place += 1

    threads = [threading.Thread(target=send, args=(place,)) for place in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert not load.faults, load.faults[:3]


@contextmanager
def stalled(service: Service) -> Iterator[ExitStack]:
    """Nobody can commit until it is closed, so what is taken in stays in memory."""
    with service.store() as store, ExitStack() as going:
        going.enter_context(store.write(W, wall_clock()))
        yield going


@pytest.mark.parametrize(
    "rooms",
    [(2,), pytest.param((1, 2, 3, 4, 6, 8), marks=pytest.mark.faults)],
    ids=["short", "long"],
)
def test_whoever_gets_no_memory_is_told_to_come_again_and_nothing_is_half_done(
    tmp_path: Path, rooms: Sequence[int], noted: Noted
) -> None:
    with serving(tmp_path) as service:
        load = Load(service, batch=BATCH)
        load.send(BATCH)
        for room in rooms:
            limited(service, room * MEBIBYTE)
            with stalled(service) as going, hammered(load, [load.next(), load.next()]):
                time.sleep(1)
                going.close()
            if not ended(service):
                limited(service, None)
                assert load.deliver(load.next()).status == 200
                assert service.ask("GET", "/readyz").json() == {"status": "ready"}
        refused = load.answers[503] + load.cut
        assert refused
        assert_laws(service, load.told)
        load.resend()
        noted(f"no memory, {len(rooms)} limits", refused, assert_laws(service, load.told))


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(5, marks=pytest.mark.faults)], ids=["short", "long"]
)
def test_who_is_killed_at_the_limit_of_memory_has_lost_nothing_acknowledged(
    tmp_path: Path, rounds: int, noted: Noted
) -> None:
    """As the kernel does it to a container: SIGKILL, at the moment when most is in memory."""
    with serving(tmp_path) as service:
        load = Load(service, batch=BATCH)
        for _ in range(rounds):
            load.send(BATCH)
            most = service.rss() + GROWTH
            with stalled(service) as going, hammered(load, [load.next(), load.next()]):
                end = time.monotonic() + PATIENCE_SECONDS
                while service.rss() < most:
                    assert time.monotonic() < end, "it never came to its limit"
                    time.sleep(0.005)
                service.kill()
                going.close()
            service.start()
            assert_laws(service, load.told)
        assert load.cut
        load.resend()
        noted("kill -9 at the memory limit", rounds, assert_laws(service, load.told))
