"""The committer's own process as the service's event loop knows it."""

from __future__ import annotations

import asyncio
import subprocess
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.domain.deliveries import Delivery, Door, ItemResult, Raw, Refused
from app.domain.errors import Fault, Invalid
from app.store.engine import Store
from app.store.frames import Opening
from app.store.recording import unheard
from app.store.remote import RemoteCommitter
from app.store.tables import activity
from tests.store.worlds import W, call, delivery, url, words

ITEMS = 1_000
SECONDS = 60


def committer(store: Store, folder: Path) -> RemoteCommitter:
    return RemoteCommitter(Opening(url(folder), "text"), store, unheard)


def large(number: int) -> Delivery:
    """One that takes a megabyte to send, and a quarter of one to be answered."""
    faults = [Fault(f"/data/{n:0200}", "not_a_decimal") for n in range(ITEMS)]
    refused = tuple(
        Refused(index, f"{number}-{index}", "crm", Invalid("invalid_event", faults[index]), "{}")
        for index in range(1, ITEMS)
    )
    body = Raw(Door.EVENTS, None, "POST", "", "text/plain", {}, bytes(2**20))
    return delivery(call(f"c-{number}"), refused=refused)._replace(raw=body)


def test_what_waits_when_it_ends_is_committed_however_much_it_is(
    store: Store, tmp_path: Path
) -> None:
    """Neither end may wait for the other to take what it says before it listens itself."""
    answers: list[Future[list[ItemResult]]] = []

    async def service() -> None:
        remote = committer(store, tmp_path)
        remote.start()
        for number in range(12):
            answers.append(remote.submit(large(number)))
            remote._flush()  # a message each, all before the loop could send or hear more
        remote.stop()
        assert remote.depth == 0

    asyncio.run(asyncio.wait_for(service(), SECONDS))
    results = [answer.result(0) for answer in answers]
    assert [len(one) for one in results] == [ITEMS] * 12
    assert {word for one in results for word in words(one[1:])} == {"rejected"}
    assert [words(one[:1]) for one in results] == [["accepted"]] * 12


def test_each_of_many_small_ones_has_its_own_answer(store: Store, tmp_path: Path) -> None:
    """More than fit a message, sent while others are being committed, some of them twice."""

    async def service() -> list[list[ItemResult]]:
        remote = committer(store, tmp_path)
        remote.start()
        try:
            answers = []
            for number in range(500):
                key = f"c-{number - number % 5 if number % 5 == 1 else number}"
                answers.append(asyncio.wrap_future(remote.submit(delivery(call(key)))))
                if number % 37 == 0:
                    await asyncio.sleep(0.002)
            return await asyncio.gather(*answers)
        finally:
            remote.stop()

    results = asyncio.run(asyncio.wait_for(service(), SECONDS))
    told = [words(one) for one in results]
    assert told == [["duplicate" if number % 5 == 1 else "accepted"] for number in range(500)]


def test_one_that_goes_unanswered_is_sent_to_the_next_process(store: Store, tmp_path: Path) -> None:
    """The process dies with more on its way than a pipe holds."""
    lost: list[int] = []

    async def service() -> list[list[ItemResult]]:
        remote = committer(store, tmp_path)
        remote.tell_losses(lambda: lost.append(1))
        remote.start()
        try:
            answers = [asyncio.wrap_future(remote.submit(large(number))) for number in range(4)]
            await asyncio.sleep(0.05)
            line = remote._line
            assert line is not None
            line._process.kill()
            return await asyncio.gather(*answers)
        finally:
            remote.stop()

    results = asyncio.run(asyncio.wait_for(service(), SECONDS))
    assert [len(one) for one in results] == [ITEMS] * 4
    assert lost
    with store.read() as reading:
        stored = select(func.count()).where(activity.c.workspace_id == W)
        assert reading.connection.execute(stored).scalar_one() == 4


def test_where_no_process_can_be_begun_it_is_tried_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a try that failed leave its pipes behind."""
    begin, tries = subprocess.Popen, []

    def failing(*args: object, **options: object) -> object:
        tries.append(len(list(Path("/proc/self/fd").iterdir())))
        if len(tries) in {2, 3}:
            raise BlockingIOError
        return begin(*args, **options)  # type: ignore[call-overload] # as it was called

    async def service() -> list[ItemResult]:
        remote = committer(store, tmp_path)
        remote.start()
        try:
            answer = asyncio.wrap_future(remote.submit(delivery(call("c-1"))))
            line = remote._line
            assert line is not None
            line._process.kill()
            return await answer
        finally:
            remote.stop()

    monkeypatch.setattr(subprocess, "Popen", failing)
    assert words(asyncio.run(asyncio.wait_for(service(), SECONDS))) == ["accepted"]
    assert len(tries) == 4
    assert tries[1] == tries[2] == tries[3]
