"""An answer about a moment is final, also when commits that began before it were under way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.instants import instant, written_instant
from app.store import heads
from app.store.engine import Store
from tests.engines import on_both
from tests.patience import HANG_SECONDS
from tests.store.worlds import W, opened
from tests.web.example import START, call, deal, settle
from tests.web.service import Service, started

MOMENT = "2026-12-18T18:00:00+09:00"
BEFORE = "2026-12-18T17:59:30+09:00"
PLAN = "/v1/plans/december"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as found:
        settle(found)
        yield found


FACES = [
    (f"{PLAN}/progress", {"as_of": MOMENT}),
    (f"{PLAN}/progress", {"as_of": MOMENT, "breakdown": "member"}),
    (f"{PLAN}/goals/calls/activities", {"as_of": MOMENT}),
    ("/v1/metrics/calls/series", {"from": "2026-12-01", "to": "2026-12-31"}),
    ("/v1/metrics/calls/activities", {"from": "2026-12-01", "to": "2026-12-31"}),
    ("/v1/activities", {}),
]


@on_both
@pytest.mark.parametrize("face", range(len(FACES)))
def test_what_was_under_way_when_a_moment_was_asked_about_comes_after_it(
    face: int, service: Service
) -> None:
    path, query = FACES[face]
    service.post_events([call(1), deal(1)])
    service.clock.set(MOMENT)

    def told() -> Any:
        answer = service.client.get(path, params=query | {"known_at": MOMENT})
        assert answer.status_code == 200, answer.text
        return _timeless(answer.json())

    first = told()
    # It came in before the moment, and is committed after it was asked about.
    service.clock.set(BEFORE)
    service.post_events([call(2), deal(2)])
    service.clock.set(MOMENT)
    assert told() == first
    now = _timeless(service.client.get(path, params=query).json())
    assert now != first


def _timeless(told: Any) -> Any:
    return {name: value for name, value in told.items() if name not in {"generated_at", "known_at"}}


@on_both
def test_the_changes_between_two_moments_stay_what_they_were(service: Service) -> None:
    service.post_events([call(1)])
    service.clock.set(MOMENT)
    two = {"known_from": BEFORE, "known_to": MOMENT, "as_of": MOMENT}
    first = service.client.get(f"{PLAN}/changes", params=two).json()
    service.clock.set(BEFORE)
    service.post_events([call(2)])
    service.clock.set(MOMENT)
    assert service.client.get(f"{PLAN}/changes", params=two).json()["sums"] == first["sums"]


@on_both
def test_a_report_that_came_later_is_not_in_the_story_of_before(service: Service) -> None:
    service.post_events([call(1)])
    service.clock.set(MOMENT)
    path = "/v1/activities/crm/c-1"
    first = service.client.get(path, params={"known_at": MOMENT})
    service.clock.set(BEFORE)
    service.post_events([call(1) | {"revision": MOMENT}])
    service.clock.set(MOMENT)
    assert json.loads(first.content)["revisions"]
    assert service.client.get(path, params={"known_at": MOMENT}).json() == first.json()


@on_both
def test_whoever_makes_a_moment_final_waits_for_who_is_writing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    at = instant(MOMENT)
    writing, asked, found = threading.Event(), threading.Event(), []

    def write() -> None:
        with store.write(W, at - 1) as begun:
            writing.set()
            assert asked.wait(HANG_SECONDS)
            # The other one has begun to wait, or will: either way it comes after this commit.
            found.append(("wrote", begun.at))

    other = Store(store._url)
    first = threading.Thread(target=write)
    first.start()
    assert writing.wait(HANG_SECONDS)

    def finish() -> None:
        other.settle(W, at)
        found.append(("final", at))

    second = threading.Thread(target=finish)
    second.start()
    asked.set()
    first.join(HANG_SECONDS)
    second.join(HANG_SECONDS)
    assert found == [("wrote", at - 1), ("final", at)]
    with other.write(W, at - 5) as later:
        assert later.at == at + 1
    with other.read() as reading:
        head = heads.head(reading, W)
    assert head is not None
    other.settle(W, at - 7)
    with other.read() as reading:
        assert heads.head(reading, W) == head, written_instant(head.at)
    for one in (store, other):
        one.close()
