"""The clock of a running process is turned, by a year ahead and by an hour back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines import on_both
from tests.faults.conftest import Noted
from tests.faults.founded import put, serving, signed
from tests.faults.load import Load
from tests.faults.oracle import assert_laws
from tests.faults.preloading import built
from tests.faults.service import PATIENCE_SECONDS, Service
from tests.store.worlds import W

pytestmark = [on_both, pytest.mark.slow]
JUMPS = ("+400d", "-3600")


def turned(folder: Path) -> tuple[dict[str, str], Callable[[str], None]]:
    """An environment whose clock is what is said last; what durations are taken from runs on."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("faketime is not installed (apt install faketime)")
    said = folder / "clock"

    def say(offset: str) -> None:
        new = folder / "clock.new"
        new.write_text(f"{offset}\n")
        new.rename(said)

    say("+0")
    return {
        "LD_PRELOAD": f"{built('sleeping', folder)}:{library}",
        "FAKETIME_TIMESTAMP_FILE": str(said),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }, say


def soon(service: Service, send: Callable[[], int], status: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while send() != status:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert service.process.poll() is None


def test_a_clock_that_jumps_under_load_moves_no_number_and_no_order(
    tmp_path: Path, noted: Noted
) -> None:
    clock, say = turned(tmp_path)
    with serving(tmp_path, also=clock) as service:
        shop = {"provider": "standard_webhooks", "name": "shop"}
        connected = put(service, W, "/v1/sources/clock", shop)
        path = "/v1/hooks/" + connected["hook_url"].rpartition("/")[2]

        def send() -> int:
            return signed(service, path, connected["secret"], []).status

        load = Load(service)
        soon(service, send, 204)
        with load.pouring(workers=3):
            for jump in JUMPS:
                time.sleep(0.5)
                say(jump)
                # The window of a signature is what the clock decides: refused, and retried.
                soon(service, send, 401)
                time.sleep(0.5)
                say("+0")
                soon(service, send, 204)
        assert load.answers[200]
        assert set(load.answers) == {200}
        assert_laws(service, load.told)
        load.resend()
        noted("clock +400 d, -1 h, and back", 2 * len(JUMPS), assert_laws(service, load.told))
