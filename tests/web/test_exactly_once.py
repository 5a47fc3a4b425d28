"""What is one event and what are two, whenever and however they are sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domain.instants import DAY, MINUTE
from tests.engines import on_both
from tests.web.example import EVENTS, START, actual, call, settle
from tests.web.service import Service, started

pytestmark = on_both
NFC, NFD = "\u00e9", "e\u0301"


@pytest.fixture
def service(engine: str) -> Iterator[Service]:
    assert engine
    with started(START) as running:
        yield settle(running)


def test_one_id_of_two_sources_or_two_workspaces_is_two_events(service: Service) -> None:
    assert service.put("/v1/sources/other", EVENTS).status_code == 201
    beside = service.workspace("beside")
    settle(beside)
    assert service.counts([call(1)]) == {"accepted": 1}
    assert service.counts([call(1, source="other")]) == {"accepted": 1}
    assert beside.counts([call(1)]) == {"accepted": 1}
    assert service.counts([call(1), call(1, source="other")]) == {"duplicate": 2}
    assert len(service.get("/v1/activities").json()["items"]) == 2
    assert len(beside.get("/v1/activities").json()["items"]) == 1


def test_ids_are_compared_by_their_bytes_and_never_folded(service: Service) -> None:
    ids = ["a", "A", NFC, NFD, "a-", "１"]
    assert service.counts([call(1, id=one) for one in ids]) == {"accepted": len(ids)}
    assert service.counts([call(1, id=one) for one in reversed(ids)]) == {"duplicate": len(ids)}
    found = [one["key"] for one in service.get("/v1/activities").json()["items"]]
    assert sorted(found) == sorted(ids)


def test_a_batch_with_a_bad_item_is_sent_again_whole_and_counts_once(service: Service) -> None:
    batch = [call(1), call(2, id=""), call(3), call(1)]
    first = service.post_events(batch).json()
    assert (first["accepted"], first["duplicate"], len(first["rejected"])) == (2, 1, 1)
    again = service.post_events(batch).json()
    assert (again["accepted"], again["duplicate"], len(again["rejected"])) == (0, 3, 1)
    assert actual(service) == "2"


def test_one_id_with_another_body_is_a_conflict_or_a_correction_and_counts_once(
    service: Service,
) -> None:
    other = call(1, data={"talk_seconds": 90})
    answer = service.post_events([call(1), other]).json()
    assert answer["accepted"] == 1
    assert len(answer["conflicts"]) == 1
    assert actual(service) == "1"
    assert service.mismatches() == []


def test_what_was_sent_thirteen_months_ago_is_still_known(service: Service) -> None:
    assert service.counts([call(1)]) == {"accepted": 1}
    for days in (3, 400):
        service.clock.now += days * DAY
        assert service.counts([call(1)]) == {"duplicate": 1}


def test_a_few_minutes_ahead_is_taken_and_counts_when_its_time_has_come(service: Service) -> None:
    ahead = call(1, at="2026-12-14T09:16:00+09:00")
    assert service.counts([ahead]) == {"accepted": 1}
    assert actual(service) == "0"
    service.clock.now += 20 * MINUTE
    assert actual(service) == "1"


def test_what_comes_after_its_period_ended_still_counts_in_it(service: Service) -> None:
    service.clock.set("2027-01-20T09:00:00+09:00")
    assert service.counts([call(1)]) == {"accepted": 1}
    assert actual(service) == "1"
