"""The stream of a real process: over restarts, to many, to the end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from app.domain.instants import SECOND, moment_of
from app.main import wall_clock
from app.settings import PREFIX
from tests.patience import HANG_SECONDS
from tests.web.service import ADMIN
from tests.web.streaming import PLAN, Reader, call, company, free_port, headers, put

pytestmark = pytest.mark.slow
STREAMS = 200
PATH = f"/v1/plans/{PLAN}/stream"


class Process:
    """`tassei serve` as a user runs it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        environment |= {
            f"{PREFIX}DATA_DIR": str(folder),
            f"{PREFIX}PORT": str(port),
            f"{PREFIX}ADMIN_KEY": ADMIN,
            f"{PREFIX}LOG_FORMAT": "json",
        }
        self.log = folder / "service.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"], env=environment, stdout=log, stderr=log
            )
        self._await()

    def _await(self) -> None:
        end = time.monotonic() + HANG_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text(encoding="utf-8"))

    def end(self) -> float:
        """SIGTERM; the seconds to the exit."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(HANG_SECONDS) == 0
        return time.monotonic() - began


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Process]:
    served = Process(folder, port)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait()


def deliver(client: httpx.Client, source: dict[str, Any], number: int) -> None:
    """A webhook as its sender signs it."""
    now = wall_clock()
    body = json.dumps(call(number, "suzuki", now))
    message, moment = f"msg-{number}", moment_of(now - now % SECOND, UTC)
    signed = {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(now // SECOND),
        "webhook-signature": Webhook(source["secret"]).sign(message, moment, body),
    }
    target = "/v1/hooks/" + source["hook_url"].rpartition("/")[2]
    answer = client.post(target, content=body, headers=signed)
    assert answer.status_code == 204, answer.text


def test_a_webhook_moves_it_within_a_second_before_and_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    month = moment_of(wall_clock(), UTC).strftime("%Y-%m")
    with ExitStack() as running:
        client = running.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers=headers(), timeout=HANG_SECONDS
            )
        )
        first = running.enter_context(serving(tmp_path, port))
        company(client, month)
        connected = {"provider": "standard_webhooks", "name": "CRM", "counts": ["call"]}
        source = put(client, "/v1/sources/crm", connected)
        reader = Reader(first.url + PATH)
        assert reader.next().event == "snapshot"
        bell = moved_within_a_second(reader, client, source, range(1, 4))
        first.end()
        assert reader.rest() == []
        assert reader.complete
        assert re.search(rb"\n\nretry: \d+\n\n$", reader.raw)

        running.enter_context(serving(tmp_path, port))
        knows = {"last-event-id": bell.id}
        again = Reader(first.url + PATH, **knows)
        assert again.silent(0.3)  # nothing was missed
        moved_within_a_second(again, client, source, range(4, 7))
        late = Reader(first.url + PATH, **knows).next()
        assert late.event == "snapshot"
        assert int(late.id) > int(bell.id)
        calls = json.loads(late.data)["root"]["children"][0]["children"][0]
        assert (calls["key"], calls["actual"]) == ("calls", "6")


def moved_within_a_second(
    reader: Reader, client: httpx.Client, source: dict[str, Any], calls: range
) -> Any:
    """The bell of the last of some calls, each of which moved it."""
    for number in calls:
        deliver(client, source, number)
        acknowledged = time.monotonic()
        bell = reader.named("activity")
        assert time.monotonic() - acknowledged < 1
        assert json.loads(bell.data)["member"] == "suzuki"
    return bell


class Raw:
    """A stream as bytes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS)
        head = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
        self.socket.sendall(head.encode())
        self.body = b""

    def until(self, end: bytes) -> None:
        while end not in self.body:
            chunk = self.socket.recv(65536)
            assert chunk, "the stream ended"
            self.body += chunk

    def rest(self) -> bytes:
        while chunk := self.socket.recv(65536):
            self.body += chunk
        self.socket.close()
        return self.body


def test_it_ends_within_a_second_with_two_hundred_streams_each_whole(tmp_path: Path) -> None:
    port = free_port()
    month = moment_of(wall_clock(), UTC).strftime("%Y-%m")
    with serving(tmp_path, port) as served:
        with httpx.Client(base_url=served.url, headers=headers(), timeout=HANG_SECONDS) as client:
            company(client, month)
        streams = [Raw(port) for _ in range(STREAMS)]
        for stream in streams:
            stream.until(b"\n\n\r\n")
        took = served.end()
        waits = set()
        for stream in streams:
            last = re.search(rb"\r\nretry: (\d+)\n\n\r\n0\r\n\r\n$", stream.rest())
            assert last, stream.body[-200:]
            waits.add(int(last[1]))
        assert took < 1
        assert len(waits) == 100  # they do not all come back at once
        lines = served.log.read_text("utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        logged = [e for e in entries if e.get("route") == "/v1/plans/{plan}/stream"]
        assert [entry["status"] for entry in logged] == [200] * STREAMS
        assert not [entry for entry in entries if entry.get("level") in ("warning", "error")]
