"""Readers that are slow, too many, or there at the end."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Iterator
from typing import Self

import pytest

from app.domain.errors import TooMany, Unavailable
from app.usecases import stream as hub
from app.usecases.stream import State
from app.web import listener as listener_module
from app.web.health import Drain
from app.web.stream import EventStream
from app.web.streams import Streams
from tests.patience import HANG_SECONDS
from tests.web.service import ADMIN
from tests.web.streaming import Copy, Live, headers, lasting, listening, wait

AT = "2026-12-14T10:00:30+09:00"
MINUTE = 60_000_000


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    monkeypatch.setattr(hub, "rest", lambda _spent, _took, _leisure: 0.001)
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.005)
    monkeypatch.setattr(listener_module, "LASTING_BYTES", 16 * 1024)
    with listening(AT) as live:
        yield live


class Idle:
    """A reader that asks, and then does not read until it is told to."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.raw = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self.socket.settimeout(HANG_SECONDS)
        self.socket.connect(("127.0.0.1", live.port))
        path = live.url(breakdown="member").partition(str(live.port))[2]
        head = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
        self.socket.sendall(head.encode())

    def event(self) -> tuple[str, bytes]:
        """The next event."""
        while not (found := re.search(rb"event: (\w+)\ndata: (.*)\n\n", self.raw)):
            self.raw += self.socket.recv(65536)
        self.raw = self.raw[found.end() :]
        return found[1].decode(), found[2]

    def rest(self) -> bytes:
        """All up to the end."""
        while chunk := self.socket.recv(65536):
            self.raw += chunk
        return self.raw

    def __enter__(self) -> Self:
        wait(lambda: self.live.streams.number() == 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def stream_minutes(live: Live, minutes: int) -> None:
    """So many changes, each a whole snapshot, each taken by a reader that keeps up."""
    reader = live.reader(breakdown="member")
    reader.next()
    for _ in range(minutes):
        live.clock.now += MINUTE
        reader.named("snapshot")


def test_a_change_is_written_to_who_keeps_up_without_waking_its_task(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_task: list[bytes] = []
    news = EventStream._news

    def noted(stream: EventStream, state: State) -> bytes:
        by_task.append(news(stream, state))
        return by_task[-1]

    monkeypatch.setattr(EventStream, "_news", noted)
    copies = [(Copy(), live.reader()) for _ in range(3)]
    for number in range(6):
        for copy, reader in copies:
            copy.follow(reader, str(number))
        live.call()
    # The first state of each, and nothing after it.
    assert len(by_task) == len(copies)
    for copy, reader in copies:
        copy.follow(reader, "6")
        assert copy.lasting() == lasting(live.progress())


def test_a_slow_reader_skips_what_lies_between_and_never_the_end(live: Live) -> None:
    copy, taken = Copy(), 0
    with Idle(live) as idle:
        stream_minutes(live, 100)
        live.call("sato", 7)
        answered = lasting(live.progress(breakdown="member"))
        while copy.lasting() != answered:
            name, data = idle.event()
            copy.take(name, data)
            taken += name == "snapshot"
    assert 3 < taken < 80


def test_a_reader_that_takes_nothing_is_dropped_and_others_are_not(live: Live) -> None:
    live.streams.patience = 0.3
    with Idle(live) as idle:
        stream_minutes(live, 100)
        other = live.reader()
        other.next()
        wait(lambda: live.streams.number() <= 2)
        live.call()
        assert other.named("activity")
        assert not idle.rest().endswith(b"0\r\n\r\n")


def test_the_end_waits_for_nobody_who_does_not_read(live: Live) -> None:
    with Idle(live):
        stream_minutes(live, 100)
        readers = [live.reader() for _ in range(20)]
        for reader in readers:
            reader.next()
        began = time.monotonic()
        live.server.handle_exit(signal.SIGTERM, None)
        for reader in readers:
            assert reader.rest() == []
            assert reader.complete
            assert b"\n\nretry: " in reader.raw
        wait(lambda: not live.server.server_state.connections)
        assert time.monotonic() - began < 2


def test_a_stream_that_is_opened_while_the_service_ends_is_refused(live: Live) -> None:
    live.streams.drain.begun = True
    answer = live.reader().answer
    assert answer is not None
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:tassei:problem:draining")
    live.streams.drain.begun = False


def test_streams_are_limited_per_process_and_per_key(live: Live) -> None:
    places = Streams(live.streams.hub, Drain(), limit=4)
    wakes = [lambda number=number: number for number in range(9)]
    places.enter("a", wakes[0])
    places.enter("a", wakes[1])
    with pytest.raises(TooMany) as of_key:
        places.enter("a", wakes[2])
    places.enter("b", wakes[2])
    places.enter("b", wakes[3])
    with pytest.raises(Unavailable) as of_all:
        places.enter("c", wakes[4])
    assert (of_key.value.code, of_all.value.code) == ("too_many_streams_of_key", "too_many_streams")
    places.leave("a", wakes[0])
    places.enter("c", wakes[4])
    assert places.number() == 4


def test_a_refused_stream_is_told_when_to_come_again(live: Live) -> None:
    live.streams._limit = 1
    first = live.reader()
    first.next()
    refused = live.reader().answer
    assert refused is not None
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert live.client.get("/livez").status_code == 200
    scraped = live.client.get("/metrics", headers=headers()).text
    assert "tassei_streams_open 1.0" in scraped
