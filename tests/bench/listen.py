"""Readers of streams, many in one process: raw connections that take what comes.

`python -m tests.bench.listen` keeps them open until its input ends. With --rate it also sends
events at that rate and tells how long after an event's acknowledgement the streams showed it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

import uvloop

from tests.bench import world
from tests.bench.load import call_event, request

_ACTUAL = re.compile(rb'"metric":"calls".{0,300}?"actual":"(\d+)"')
_CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds from the acknowledgement of an event to the frame that shows it."""

    median: float
    p99: float
    longest: float
    rate: float


class Stream(asyncio.Protocol):
    """One reader. `shown`: how many calls it was told of, and when, in order."""

    def __init__(self, opened: asyncio.Future[None]) -> None:
        self._opened = opened
        self._buffer = b""
        self.shown: list[int] = []
        self.at: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = (
            f"GET /v1/plans/{world.PLAN}/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {world.ADMIN}\r\n\r\n"
        )
        cast("asyncio.Transport", transport).write(head.encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._buffer.endswith(b"\n\n\r\n"):
            return
        if found := _ACTUAL.findall(self._buffer):
            self.shown.append(int(found[-1]))
            self.at.append(time.perf_counter())
            if not self._opened.done():
                self._opened.set_result(None)
        self._buffer = b""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._opened.done():
            self._opened.set_exception(exc or ConnectionError(self._buffer.decode()))


class Sender(asyncio.Protocol):
    """One connection that sends what it is given; `free` has those that wait for something."""

    def __init__(self, free: deque[Sender], acknowledged: list[float]) -> None:
        self._free = free
        self._acknowledged = acknowledged
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._free.append(self)

    def send(self, body: bytes) -> None:
        self._transport.write(body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if b"\r\n\r\n" in self._buffer and self._buffer.endswith(b"}"):
            if not self._buffer.startswith(b"HTTP/1.1 200"):
                raise AssertionError(self._buffer)
            self._buffer = b""
            self._acknowledged.append(time.perf_counter())
            self._free.append(self)


async def opened(port: int, number: int) -> list[Stream]:
    """So many streams, each with its first snapshot."""
    loop = asyncio.get_running_loop()
    streams = []
    for _ in range(number):
        future: asyncio.Future[None] = loop.create_future()
        _, stream = await loop.create_connection(partial(Stream, future), "127.0.0.1", port)
        await future
        streams.append(stream)
    return streams


async def sent(port: int, name: str, rate: float, events: int) -> list[float]:
    """Send events at a rate; when each was acknowledged, in order."""
    loop = asyncio.get_running_loop()
    free: deque[Sender] = deque()
    acknowledged: list[float] = []
    for _ in range(_CONNECTIONS):
        await loop.create_connection(lambda: Sender(free, acknowledged), "127.0.0.1", port)
    bodies = [json.dumps(call_event(n, name)).encode() for n in range(events)]
    requests = [
        request("/v1/events", world.ADMIN, "application/cloudevents+json", body) for body in bodies
    ]
    began = loop.time()
    for number, one in enumerate(requests):
        if (ahead := began + number / rate - loop.time()) > 0.001:
            await asyncio.sleep(ahead)
        while not free:  # noqa: ASYNC110 - an event a send would cost the client more
            await asyncio.sleep(0.001)
        free.popleft().send(one)
    while len(acknowledged) < events:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    return acknowledged


async def delays(port: int, streams: int, name: str, rate: float, events: int) -> Delays:
    """What is measured: for the k-th acknowledgement, when k more calls were shown."""
    readers = await opened(port, streams)
    before = readers[0].shown[-1]
    began = time.perf_counter()
    acknowledged = await sent(port, name, rate, events)
    took = time.perf_counter() - began
    while any(reader.shown[-1] < before + events for reader in readers):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    found = sorted(
        max(0.0, shown - at)
        for reader in readers
        for at, shown in zip(acknowledged, _when(reader, before, events), strict=True)
    )
    return Delays(
        1000 * found[len(found) // 2],
        1000 * found[len(found) * 99 // 100],
        1000 * found[-1],
        events / took,
    )


def _when(reader: Stream, before: int, events: int) -> Sequence[float]:
    return [reader.at[bisect_left(reader.shown, before + k)] for k in range(1, events + 1)]


async def _kept(port: int, streams: int) -> None:
    await opened(port, streams)
    print("open", flush=True)  # noqa: T201 - who started us waits for it
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Keep streams open, or measure their delay."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--round", default="")
    parser.add_argument("--events", type=int, default=0)
    asked = parser.parse_args()
    uvloop.install()
    if asked.rate is None:
        asyncio.run(_kept(asked.port, asked.streams))
    else:
        found = delays(asked.port, asked.streams, asked.round, asked.rate, asked.events)
        print(json.dumps(asdict(asyncio.run(found))))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
