"""A load client that costs little: one process, raw connections, prebuilt bytes.

On two cores a slow client pulls every ratio towards 1, so it tells its own CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

import uvloop


@dataclass
class Measured:
    """What one round was: requests answered with 2xx per second of wall clock."""

    requests: int
    failed: int
    seconds: float
    client_cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self.requests = requests
        self.done = done
        self.buffer = b""
        self.answered = 0
        self.failed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is no subclass of asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.send_next()

    def send_next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self.buffer = b""
        self.answered += 1
        self.failed += not head.startswith(b"HTTP/1.1 2")
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed by the server"))


async def drive(port: int, requests: list[bytes], connections: int) -> Measured:
    """Send all requests over so many connections; each request goes once."""
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    started, cpu = time.perf_counter(), time.process_time()
    protocols = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(
            lambda: Connection(waiting, loop.create_future()), "127.0.0.1", port
        )
        protocols.append(protocol)
    await asyncio.gather(*(protocol.done for protocol in protocols))
    return Measured(
        sum(p.answered - p.failed for p in protocols),
        sum(p.failed for p in protocols),
        time.perf_counter() - started,
        time.process_time() - cpu,
    )


def call_event(number: int, round_: str) -> dict[str, object]:
    """One call among forty people over ten days, as a dialler would report it."""
    minute, second = divmod(number % 3600, 60)
    day = 1 + number // 60 % 10
    return {
        "specversion": "1.0",
        "id": f"{round_}-{number}",
        "source": "dialler",
        "type": "call",
        "time": f"2026-11-{day:02d}T{1 + number % 8:02d}:{minute:02d}:{second:02d}Z",
        "actor": str(300 + number % 40),
        "data": {
            "direction": "outbound",
            "outcome": "connected" if number % 3 == 0 else "no_answer",
            "started_at": f"2026-11-{day:02d}T{1 + number % 8:02d}:{minute:02d}:{second:02d}Z",
            "talk_seconds": number % 300,
            "counterpart": f"+8131234{number % 10000:04d}",
        },
    }


def request(path: str, key: str, media_type: str, body: bytes) -> bytes:
    """One whole HTTP request, as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def batches(events: int, round_: str, size: int) -> list[bytes]:
    """The bodies of a round: so many events, so many a body."""
    lines = [json.dumps(call_event(number, round_)) for number in range(events)]
    starts = range(0, len(lines), size)
    return ["\n".join(lines[start : start + size]).encode() for start in starts]


def main() -> None:
    """Drive one round and print what was measured, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--key", default="none")
    parser.add_argument("--round", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--connections", type=int, default=64)
    asked = parser.parse_args()
    bodies = batches(asked.events, asked.round, asked.batch)
    media_type = "application/x-ndjson" if asked.batch > 1 else "application/cloudevents+json"
    requests = [request(asked.path, asked.key, media_type, body) for body in bodies]
    uvloop.install()
    measured = asyncio.run(drive(asked.port, requests, asked.connections))
    print(json.dumps(asdict(measured)))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main()
