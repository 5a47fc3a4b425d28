"""The clock jumps, back and forth, and differs between two replicas."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain.instants import DAY, MINUTE, SECOND
from app.main import wall_clock
from app.store import heads
from app.store.heads import Head
from app.usecases import upkeep
from tests.engines import SQLITE, chosen, on_both
from tests.patience import HANG_SECONDS
from tests.store.recount import stored_tallies
from tests.store.worlds import W
from tests.web.example import START, actual, call, settle
from tests.web.service import Service, started, started_in
from tests.web.test_hooks import connect, signed

HOUR = 60 * MINUTE


def head_of(service: Service) -> Head:
    with service.store.read() as reading:
        found = heads.head(reading, W)
    assert found is not None
    return found


def test_jumps_of_the_clock_neither_lose_nor_reorder_nor_double_anything() -> None:
    with started(START) as service:
        settle(service)
        before = head_of(service)
        for number, jump in enumerate((0, -HOUR, 400 * DAY, -400 * DAY, HOUR)):
            service.clock.now += jump
            assert service.counts([call(number)]) == {"accepted": 1}
            after = head_of(service)
            # The place in the order of commits is the store's own, whatever the clock says.
            assert (after.seq, after.at > before.at) == (before.seq + 1, True)
            before = after
            assert service.counts([call(n) for n in range(number + 1)]) == {"duplicate": number + 1}
            before = head_of(service)
            assert service.get("/v1/plans/december/progress").status_code == 200
            assert service.get("/metrics").status_code == 200
            assert service.get("/v1/activities").status_code == 200
        assert actual(service) == "5"
        assert service.mismatches() == []


def test_a_signature_outside_the_window_is_refused_until_the_clock_is_right_again() -> None:
    with started(START) as service:
        settle(service)
        connected = connect(service, "shop", "standard_webhooks")
        path = "/v1/hooks/" + connected["hook_url"].rpartition("/")[2]
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": "p-1",
            "source": "x",
            "type": "payment",
        }
        event |= {"data": {"amount": "100", "currency": "JPY", "paid_at": "2026-12-01T09:00:00Z"}}
        send = signed(service, path, connected["secret"], event)
        true = service.clock.now
        for jump in (400 * DAY, -HOUR):
            service.clock.now = true + jump
            assert send().status_code == 401
            assert service.get("/v1/activities").json()["items"] == []
        service.clock.now = true + 4 * MINUTE
        assert send().status_code == 204
        assert len(service.get("/v1/activities").json()["items"]) == 1


def test_two_replicas_whose_clocks_differ_by_minutes_fill_the_same_buckets(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [call(number) for number in range(10)]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with started_in(tmp_path / "one", START) as alone:
        settle(alone)
        alone.post_events(events)
        meant = stored_tallies(alone.store)
    with started_in(tmp_path / "two", START) as early:
        settle(early)
        with started_in(tmp_path / "two", START) as late:
            early.clock.now -= 5 * MINUTE
            late.clock.now += 5 * MINUTE
            seen = [head_of(late)]
            for number, event in enumerate(events):
                first, second = (early, late) if number % 2 else (late, early)
                assert first.counts([event]) == {"accepted": 1}
                assert second.counts([event]) == {"duplicate": 1}
                seen.append(head_of(late))
            assert [one.seq for one in seen] == sorted({one.seq for one in seen})
            assert [one.at for one in seen] == sorted({one.at for one in seen})
            assert stored_tallies(early.store) == meant
            assert early.mismatches() == []


def skew(service: Service) -> dict[str, float]:
    """What the gauge says, by what it compares with."""
    families = text_string_to_metric_families(service.get("/metrics").text)
    shown = (family.samples for family in families if family.name == "tassei_clock_skew_seconds")
    return {one.labels["against"]: one.value for samples in shown for one in samples}


def soon(service: Service, against: str, seconds: float) -> None:
    """Until the gauge says so, within a second and a half."""
    end = time.monotonic() + HANG_SECONDS
    while abs(skew(service).get(against, 10**9) - seconds) > 1.5:
        assert time.monotonic() < end, skew(service)
        time.sleep(0.05)


@on_both
def test_the_difference_of_two_replicas_clocks_is_shown_by_the_one_that_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(upkeep, "INTERVAL_SECONDS", 0.05)
    with started_in(tmp_path, START) as early:
        settle(early)
        soon(early, "commits", 0)
        with started_in(tmp_path, START) as late:
            early.clock.now -= 2 * MINUTE
            late.clock.now += 5 * MINUTE
            late.counts([call(1)])
            soon(early, "commits", -7 * 60)
            soon(late, "commits", 0)
            early.counts([call(2)])
            soon(early, "commits", -7 * 60)
            # Once it is set right, by ever so little too far, nothing is behind any more.
            early.clock.now += 7 * MINUTE + SECOND
            soon(early, "commits", 0)
    # In the log once, not in each round.
    assert 1 <= capsys.readouterr().out.count("the clock differs") <= 4


@on_both
def test_the_servers_clock_is_the_one_that_all_replicas_are_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "INTERVAL_SECONDS", 0.05)
    with started_in(tmp_path, START) as service:
        # The server of a test is on this machine, so its clock is the test's own.
        for ahead in (0, 5 * MINUTE, -2 * MINUTE):
            service.clock.now = wall_clock() + ahead
            if chosen() == SQLITE:
                soon(service, "commits", min(0, service.clock.now - head_of(service).at) / SECOND)
                assert "database" not in skew(service)
            else:
                soon(service, "database", ahead // SECOND)
