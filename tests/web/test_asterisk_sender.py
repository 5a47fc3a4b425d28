"""The program that runs beside Asterisk, as a process: against a service, and against faults."""

from __future__ import annotations

import ast
import gzip
import hashlib
import hmac
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.intake.asterisk_events import TRUNK, phone, row
from tests.patience import HANG_SECONDS
from tests.web.streaming import free_port, headers, put
from tests.web.test_stream_process import serving

pytestmark = pytest.mark.slow
SENDER = Path(__file__).parents[2] / "docs" / "senders" / "asterisk" / "tassei-cdr.py"
SECRET = "9b1f0e6c4a91d54f5e8f0f35c8f1f2a3"


def line(number: int) -> str:
    """A call of its own: 1001 talks to a customer for a minute."""
    call = f"pbx-17656740{number:05}.1"
    at = "2026-11-02 10:{:02}:{:02}"
    times = {"start": at.format(0, 0), "answer": at.format(0, 20), "end": at.format(1, 20)}
    return (
        row(
            phone("1001"),
            TRUNK,
            number,
            0,
            20,
            80,
            src="1001",
            dst="09099998888",
            uniqueid=call,
            call=call,
            raw=times,
        )
        + "\n"
    )


@dataclass
class Endpoint:
    """What the sender posts to: it keeps what it took, and can be told to behave otherwise."""

    port: int = 0
    status: int = 204
    bodies: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    proved: bool = True

    @property
    def lines(self) -> list[str]:
        return b"".join(self.bodies).decode().splitlines(keepends=True)


def handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            proof = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            endpoint.proved &= self.headers["x-tassei-signature"] == proof
            endpoint.asked.append("POST")
            if endpoint.status == 204:
                endpoint.bodies.append(body)
            self._say(endpoint.status)

        def do_GET(self) -> None:
            endpoint.asked.append("GET")
            self._say(200)

        def _say(self, status: int) -> None:
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("location", f"http://127.0.0.1:{endpoint.port}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    kept = Endpoint()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(kept))
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(HANG_SECONDS)


@dataclass
class Switch:
    """A folder as Asterisk and logrotate treat it, and the sender's configuration."""

    folder: Path
    url: str

    def __post_init__(self) -> None:
        (self.folder / "cdr-custom").mkdir()
        self.config = self.folder / "tassei-cdr.ini"
        self.config.write_text(
            f"[tassei]\nurl = {self.url}\nsecret = {SECRET}\nfile = {self.file}\n"
            f"state = {self.folder}/state.json\n",
            encoding="utf-8",
        )

    @property
    def file(self) -> Path:
        return self.folder / "cdr-custom" / "tassei.csv"

    def writes(self, *texts: str) -> None:
        """As Asterisk does: the file is opened for each row, and made where it is not."""
        for text in texts:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(text)

    def sends(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, SENDER, "--once", self.config],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def switch(tmp_path: Path, endpoint: Endpoint) -> Switch:
    return Switch(tmp_path, f"http://127.0.0.1:{endpoint.port}/v1/hooks/x")


def test_everything_is_sent_once_in_order_and_signed(switch: Switch, endpoint: Endpoint) -> None:
    assert switch.sends().returncode == 0  # no file yet
    lines = [line(n) for n in range(450)]
    switch.writes(*lines[:449])
    assert switch.sends().returncode == 0
    assert switch.sends().returncode == 0
    switch.writes(lines[449])
    assert switch.sends().returncode == 0
    assert endpoint.lines == lines
    assert [body.count(b"\n") for body in endpoint.bodies] == [200, 200, 49, 1]
    assert endpoint.proved


def test_half_a_line_waits_for_its_end(switch: Switch, endpoint: Endpoint) -> None:
    whole = line(2)
    switch.writes(line(1), whole[:40])
    switch.sends()
    assert endpoint.lines == [line(1)]
    switch.writes(whole[40:])
    switch.sends()
    assert endpoint.lines == [line(1), whole]


def renamed(file: Path) -> None:
    file.rename(file.with_name("tassei.csv.1"))


def dated(file: Path) -> None:
    file.rename(file.with_name("tassei.csv-20261214"))


def copied_and_emptied(file: Path) -> None:
    shutil.copyfile(file, file.with_name("tassei.csv.1"))
    os.truncate(file, 0)


def compressed(file: Path) -> None:
    stamp = file.stat().st_mtime
    packed = file.with_name("tassei.csv.1.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    os.utime(packed, (stamp, stamp))
    file.unlink()


@pytest.mark.parametrize("rotated", [renamed, dated, copied_and_emptied, compressed])
@pytest.mark.parametrize("sent_before", [0, 1, 2])
def test_a_rotation_loses_nothing(
    switch: Switch, endpoint: Endpoint, rotated: Callable[[Path], None], sent_before: int
) -> None:
    lines = [line(n) for n in range(6)]
    switch.writes(*lines[:sent_before])
    switch.sends()
    switch.writes(*lines[sent_before:3])
    rotated(switch.file)
    switch.sends()
    switch.writes(*lines[3:])
    switch.sends()
    switch.sends()
    assert endpoint.lines == lines


def test_several_rotations_while_nobody_looked(switch: Switch, endpoint: Endpoint) -> None:
    lines = [line(n) for n in range(8)]
    switch.writes(lines[0])
    switch.sends()
    for n in range(1, 6, 2):
        switch.writes(*lines[n : n + 2])
        for age in (3, 2, 1):
            old = switch.file.with_name(f"tassei.csv.{age}")
            if old.exists():
                old.rename(switch.file.with_name(f"tassei.csv.{age + 1}"))
        renamed(switch.file)
        stamp = 1_797_000_000 + n
        os.utime(switch.file.with_name("tassei.csv.1"), (stamp, stamp))
    switch.writes(lines[7])
    switch.sends()
    assert endpoint.lines == lines


def test_a_fragment_at_the_end_of_a_rotated_file_is_told_and_not_joined(
    switch: Switch, endpoint: Endpoint
) -> None:
    switch.writes(line(1), '"a disk that was f')
    renamed(switch.file)
    switch.writes(line(2))
    switch.sends()
    assert endpoint.bodies == [line(1).encode(), b'"a disk that was f', line(2).encode()]


def test_a_place_that_is_nowhere_begins_again(switch: Switch, endpoint: Endpoint) -> None:
    switch.writes(line(1))
    switch.sends()
    switch.file.unlink()
    switch.writes(line(3), line(4))
    told = switch.sends()
    assert "beginning again" in told.stderr
    assert endpoint.lines == [line(1), line(3), line(4)]
    (switch.folder / "state.json").write_text("{", encoding="utf-8")
    assert "beginning again" in switch.sends().stderr
    assert endpoint.lines == [line(1), line(3), line(4), line(3), line(4)]


@pytest.mark.parametrize(
    "status", [200, 202, 301, 302, 307, 308, 401, 404, 405, 413, 429, 500, 503]
)
def test_what_is_not_taken_is_not_noted(switch: Switch, endpoint: Endpoint, status: int) -> None:
    switch.writes(line(1))
    endpoint.status = status
    told = switch.sends()
    assert told.returncode == 1
    assert f"answered {status}" in told.stderr
    assert SECRET not in told.stderr
    assert endpoint.asked == ["POST"]  # no redirect was followed
    endpoint.status = 204
    assert switch.sends().returncode == 0
    assert endpoint.lines == [line(1)]


def test_nobody_there_is_said_and_tried_again(tmp_path: Path) -> None:
    switch = Switch(tmp_path, f"http://127.0.0.1:{free_port()}/")
    switch.writes(line(1))
    told = switch.sends()
    assert (told.returncode, "not sent" in told.stderr) == (1, True)
    assert not (tmp_path / "state.json").exists()


def test_what_speaks_no_http_is_said_and_tried_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        switch = Switch(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        switch.writes(line(1))

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example.co.jp ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        told = switch.sends()
        thread.join(HANG_SECONDS)
        assert not thread.is_alive()
    assert (told.returncode, "not sent" in told.stderr) == (1, True)
    assert "Traceback" not in told.stderr


def test_a_wrong_configuration_is_said(tmp_path: Path) -> None:
    switch = Switch(tmp_path, "http://127.0.0.1:1/")
    switch.config.write_text("[tassei]\nurl = http://127.0.0.1:1/\n", encoding="utf-8")
    told = switch.sends()
    assert "lacks secret, file, state" in told.stderr
    switch.config.unlink()
    assert "tassei-cdr.ini" in switch.sends().stderr


def test_it_needs_nothing_but_an_old_python() -> None:
    tree = ast.parse(SENDER.read_text(encoding="utf-8"), feature_version=(3, 6))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names
    # Later than 3.6: built-in types with brackets, and unions with a bar, in annotations.
    assert "__future__" not in modules
    annotations = [
        node
        for outer in ast.walk(tree)
        for node in (getattr(outer, "annotation", None), getattr(outer, "returns", None))
    ]
    assert not any(isinstance(node, ast.Subscript | ast.BinOp) for node in annotations)


def test_every_call_is_counted_once_whatever_dies(tmp_path: Path) -> None:
    """Rows come while the sender is killed, the file is rotated and the service is away."""
    port, dice = free_port(), random.Random(20261214)
    (tmp_path / "service").mkdir()
    with serving(tmp_path / "service", port), client_of(port) as client:
        connected = {
            "provider": "asterisk",
            "name": "PBX",
            "settings": {"trunks": ["PJSIP/carrier"], "zone": "Asia/Tokyo"},
            "credentials": {"secret": SECRET},
        }
        hook = put(client, "/v1/sources/pbx", connected)["hook_url"].rpartition("/")[2]
        url = f"http://127.0.0.1:{port}/v1/hooks/{hook}"
        switch = Switch(tmp_path, url)
        numbers = itertools.count()
        for _ in range(6):
            with running(switch) as sender:
                for _ in range(dice.randrange(1, 40)):
                    switch.writes(line(next(numbers)))
                time.sleep(dice.random())
                sender.kill()
            if dice.random() < 0.6:
                switch.file.rename(switch.file.with_name(f"tassei.csv.{next(numbers)}"))
    # One more, for whoever was quick had nothing left to send.
    switch.writes(line(next(numbers)))
    assert switch.sends().returncode == 1  # nobody there
    switch.writes(line(next(numbers)))
    with serving(tmp_path / "service", port), client_of(port) as client, running(switch) as sender:
        written = {text for one in rotated_of(switch) for text in one.splitlines()}
        wait_for(lambda: total(client) == len(written))
        sender.send_signal(signal.SIGTERM)
        assert sender.wait(HANG_SECONDS) == 0
        assert client.get("/v1/quarantine").json()["items"] == []
        assert switch.sends().returncode == 0
        assert total(client) == len(written)


def client_of(port: int) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=headers(), timeout=HANG_SECONDS
    )


def rotated_of(switch: Switch) -> list[str]:
    return [one.read_text(encoding="utf-8") for one in switch.file.parent.iterdir()]


def total(client: httpx.Client) -> int:
    """How many activities there are of 1001, who is nobody yet."""
    answer = client.get("/v1/identities/unmatched")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert {item["value"] for item in items} <= {"1001"}
    return sum(item["activities"] for item in items)


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + HANG_SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.2)


class running:  # noqa: N801 - read as a phrase: with running(switch)
    """The sender as it runs for ever, killed at the end."""

    def __init__(self, switch: Switch) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, SENDER, switch.config], stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def test_the_state_is_a_place_and_its_mark(switch: Switch) -> None:
    switch.writes(line(1))
    switch.sends()
    state = json.loads((switch.folder / "state.json").read_text(encoding="utf-8"))
    body = line(1).encode()
    assert state == {"offset": len(body), "mark": hashlib.sha256(body).hexdigest()}
